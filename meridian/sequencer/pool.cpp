#include <meridian/sequencer/pool.hpp>

#include <algorithm>

namespace meridian::sequencer {
namespace {

// At least 10 % more, as geth asks.
bool outbids(const u256& offer, const u256& old) {
    return offer >= old + old / u256{10} && offer > old;
}

bool outbids(const chain::Transaction& offer, const chain::Transaction& old) {
    return outbids(offer.max_fee_per_gas, old.max_fee_per_gas) &&
           outbids(offer.max_priority_fee_per_gas, old.max_priority_fee_per_gas);
}

// Room is made for this share of the pool at once, so that the search for it is rare.
constexpr std::size_t kEvictionDivisor = 100;

// Whose chain a transaction is in.
Address chain_of(const PooledTxn& txn) noexcept {
    return is_module(txn) ? first_bytes<20>(txn.hash) : txn.sender;
}

}  // namespace

// Of m_by_hash.
void Pool::forget_hash(const PooledTxn& txn) {
    if (m_by_hash.erase(txn.hash) == 0 || !is_module(txn))
        return;
    if (const auto count = m_module_txns.find(txn.sender); --count->second == 0)
        m_module_txns.erase(count);
}

bool Pool::full(std::size_t more_bytes) const noexcept {
    return m_waiting >= m_limits.total || m_bytes + more_bytes > m_limits.bytes;
}

std::uint64_t Pool::first_missing(const Sender& sender) const noexcept {
    return sender.promised;
}

// Queues what follows without a gap on what is queued.
void Pool::promote(const Address& address, Sender& sender) {
    for (auto at = sender.waiting.find(sender.promised);
         at != sender.waiting.end() && at->first == sender.promised; ++at, ++sender.promised)
        m_queue.push_back({address, at->first});
}

void Pool::erase_waiting(Sender& sender, std::map<std::uint64_t, PooledTxnPtr>::iterator at) {
    forget_hash(*at->second);
    m_bytes -= at->second->envelope.size();
    --m_waiting;
    m_lowest_tip.reset();
    sender.promised = std::min(sender.promised, std::max(sender.next, at->first));
    sender.waiting.erase(at);
}

// To be called when a sender's waiting transactions or `promised` have changed.
void Pool::note_gap(const Address& address, Sender& sender) {
    const bool gap = !sender.waiting.empty() && sender.waiting.rbegin()->first >= sender.promised;
    if (gap == sender.gapped_us.has_value())
        return;
    if (!gap) {
        m_gapped.erase({*sender.gapped_us, address});
        sender.gapped_us.reset();
        return;
    }
    std::uint64_t since = ~std::uint64_t{0};
    for (auto at = sender.waiting.lower_bound(sender.promised); at != sender.waiting.end(); ++at)
        since = std::min(since, at->second->arrived_us);
    sender.gapped_us = since;
    m_gapped.emplace(since, address);
}

void Pool::forget_if_idle(const Address& address) {
    const auto found = m_senders.find(address);
    if (found == m_senders.end() || !found->second.waiting.empty() || found->second.in_flight != 0)
        return;
    park(address, found->second, std::nullopt);
    m_senders.erase(found);
}

// The account's nonce can rise by other means than the pool's: an authorisation (EIP-7702), say.
void Pool::meet_state(Sender& sender, std::uint64_t account_nonce) {
    sender.next = account_nonce;
    while (!sender.waiting.empty() && sender.waiting.begin()->first < account_nonce)
        erase_waiting(sender, sender.waiting.begin());
    sender.promised = sender.next;
}

Result<Pool::Added, Pool::Refused> Pool::add(PooledTxnPtr txn, std::uint64_t account_nonce,
                                             std::uint64_t seen) {
    const std::unique_lock lock(m_mutex);
    const Address address = chain_of(*txn);
    const std::uint64_t nonce = txn->txn.nonce;
    if (m_by_hash.contains(txn->hash))
        return fail(Refused{PoolError::AlreadyKnown, nonce + 1});
    if (is_module(*txn)) {
        account_nonce = nonce;
        const auto count = m_module_txns.find(txn->sender);
        if (count != m_module_txns.end() && count->second >= m_limits.module_txns_per_signer)
            return fail(Refused{PoolError::SenderFull, nonce});
    }
    auto found = m_senders.find(address);
    if (found == m_senders.end()) {
        if (seen < m_settled_frame)
            return fail(Refused{PoolError::Outdated});
        found = m_senders.try_emplace(address).first;
        found->second.next = found->second.promised = account_nonce;
    } else if (found->second.in_flight == 0 && found->second.next < account_nonce) {
        meet_state(found->second, account_nonce);
        promote(address, found->second);
    }
    Sender& sender = found->second;
    const auto refuse = [&](PoolError error) {
        const Refused out{error, first_missing(sender)};
        note_gap(address, sender);
        forget_if_idle(address);
        return fail(out);
    };
    if (nonce < sender.next)
        return refuse(PoolError::NonceTooLow);
    if (nonce - sender.next > m_limits.nonce_gap)
        return refuse(PoolError::NonceTooHigh);
    Added out;
    if (const auto old = sender.waiting.find(nonce); old != sender.waiting.end()) {
        if (!outbids(txn->txn, old->second->txn))
            return refuse(PoolError::ReplacementUnderpriced);
        out.replaced = old->second;
        m_by_hash.erase(old->second->hash);
        m_bytes = m_bytes - old->second->envelope.size() + txn->envelope.size();
        m_by_hash.emplace(txn->hash, txn);
        old->second = std::move(txn);
        if (nonce >= sender.promised && nonce != sender.promised)
            out.missing_nonce = sender.promised;
        promote(address, sender);
        note_gap(address, sender);
        return out;
    }
    if (sender.waiting.size() >= m_limits.per_sender)
        return refuse(PoolError::SenderFull);
    if (full(txn->envelope.size()) && (nonce != sender.promised || !make_room(*txn)))
        return refuse(PoolError::PoolFull);
    // Making room may have taken this sender's last one.
    if (nonce > sender.promised)
        out.missing_nonce = sender.promised;
    ++m_waiting;
    m_bytes += txn->envelope.size();
    m_by_hash.emplace(txn->hash, txn);
    if (is_module(*txn))
        ++m_module_txns[txn->sender];
    sender.waiting.emplace(nonce, std::move(txn));
    promote(address, sender);
    note_gap(address, sender);
    return out;
}

// Nothing: it is not parked any more.
void Pool::park(const Address& address, Sender& sender, const std::optional<u256>& fee) {
    if (sender.parked_at)
        m_parked.erase({*sender.parked_at, address});
    sender.parked_at = fee;
    if (fee)
        m_parked.emplace(*fee, address);
}

void Pool::drop_last(const Address& address) {
    Sender& sender = m_senders.at(address);
    erase_waiting(sender, std::prev(sender.waiting.end()));
    note_gap(address, sender);
    forget_if_idle(address);
}

// Drops what waits behind a gap, or else the lowest tips, 1 % of the pool at once. The newcomer must outrank
// all of those: otherwise each of many slightly better offers would cost a search.
bool Pool::make_room(const PooledTxn& newcomer) {
    for (auto at = m_gapped.begin(); at != m_gapped.end() && full(newcomer.envelope.size());) {
        const Address address = (at++)->second;
        if (address != chain_of(newcomer))
            drop_last(address);
    }
    if (!full(newcomer.envelope.size()))
        return true;
    const u256& tip = newcomer.txn.max_priority_fee_per_gas;
    if (m_lowest_tip && tip <= *m_lowest_tip)
        return false;
    struct Candidate {
        u256 tip;
        Address sender;
    };
    std::vector<Candidate> candidates;
    for (const auto& [address, sender] : m_senders) {
        if (sender.waiting.empty() || address == chain_of(newcomer))
            continue;
        candidates.push_back({sender.waiting.rbegin()->second->txn.max_priority_fee_per_gas, address});
    }
    if (candidates.empty())
        return false;
    const std::size_t wanted =
        std::clamp<std::size_t>(m_limits.total / kEvictionDivisor, 1, candidates.size());
    const auto best_dropped = candidates.begin() + static_cast<std::ptrdiff_t>(wanted) - 1;
    std::ranges::nth_element(candidates, best_dropped,
                             [](const Candidate& a, const Candidate& b) { return a.tip < b.tip; });
    if (best_dropped->tip >= tip) {
        m_lowest_tip = best_dropped->tip;
        return false;
    }
    candidates.resize(wanted);
    for (const Candidate& candidate : candidates)
        drop_last(candidate.sender);
    return !full(newcomer.envelope.size());
}

std::vector<PooledTxnPtr> Pool::take(std::size_t count, const u256& base_fee) {
    const std::unique_lock lock(m_mutex);
    std::vector<PooledTxnPtr> out;
    while (out.size() < count && !m_queue.empty()) {
        const Place place = m_queue.front();
        m_queue.pop_front();
        const auto found = m_senders.find(place.sender);
        // A place may be left over from what was removed or taken meanwhile.
        if (found == m_senders.end() || found->second.next != place.nonce)
            continue;
        Sender& sender = found->second;
        const auto at = sender.waiting.find(place.nonce);
        if (at == sender.waiting.end())
            continue;
        if (!is_module(*at->second) && at->second->txn.max_fee_per_gas < base_fee) {
            sender.promised = sender.next;
            park(place.sender, sender, at->second->txn.max_fee_per_gas);
            note_gap(place.sender, sender);
            continue;
        }
        out.push_back(at->second);
        m_bytes -= at->second->envelope.size();
        --m_waiting;
        m_lowest_tip.reset();
        ++sender.next;
        ++sender.in_flight;
        sender.waiting.erase(at);
        note_gap(place.sender, sender);
    }
    return out;
}

void Pool::give_back(std::span<const PooledTxnPtr> txns) {
    const std::unique_lock lock(m_mutex);
    for (auto it = txns.rbegin(); it != txns.rend(); ++it) {
        const PooledTxnPtr& txn = *it;
        const Address address = chain_of(*txn);
        Sender& sender = m_senders[address];
        const std::uint64_t nonce = txn->txn.nonce;
        --sender.in_flight;
        sender.next = std::min(sender.next, nonce);
        if (sender.waiting.try_emplace(nonce, txn).second) {
            ++m_waiting;
            m_bytes += txn->envelope.size();
        }
        m_queue.push_front({address, nonce});
        note_gap(address, sender);
    }
}

void Pool::reject(const PooledTxnPtr& txn, std::uint64_t account_nonce) {
    const std::unique_lock lock(m_mutex);
    forget_hash(*txn);
    const Address address = chain_of(*txn);
    const auto found = m_senders.find(address);
    if (found == m_senders.end())
        return;
    --found->second.in_flight;
    if (!is_module(*txn)) {
        meet_state(found->second, account_nonce);
        promote(address, found->second);
    }
    note_gap(address, found->second);
    forget_if_idle(address);
}

void Pool::settle(std::span<const PooledTxnPtr> txns, std::uint64_t frame) {
    const std::unique_lock lock(m_mutex);
    if (!txns.empty())
        m_settled_frame = frame;
    for (const PooledTxnPtr& txn : txns) {
        forget_hash(*txn);
        if (const auto found = m_senders.find(chain_of(*txn)); found != m_senders.end()) {
            --found->second.in_flight;
            forget_if_idle(found->first);
        }
    }
}

void Pool::unpark(const u256& base_fee) {
    const std::unique_lock lock(m_mutex);
    while (!m_parked.empty() && m_parked.rbegin()->first >= base_fee) {
        const Address address = m_parked.rbegin()->second;
        Sender& sender = m_senders.at(address);
        park(address, sender, std::nullopt);
        promote(address, sender);
        note_gap(address, sender);
    }
}

bool Pool::remove(const Hash& hash) {
    const std::unique_lock lock(m_mutex);
    const auto known = m_by_hash.find(hash);
    if (known == m_by_hash.end())
        return false;
    const PooledTxnPtr txn = known->second;
    const Address address = chain_of(*txn);
    Sender& sender = m_senders[address];
    const auto at = sender.waiting.find(txn->txn.nonce);
    if (at == sender.waiting.end() || at->second != txn)
        return false;
    erase_waiting(sender, at);
    note_gap(address, sender);
    forget_if_idle(address);
    return true;
}

void Pool::clear() {
    const std::unique_lock lock(m_mutex);
    for (auto it = m_senders.begin(); it != m_senders.end();) {
        while (!it->second.waiting.empty())
            erase_waiting(it->second, it->second.waiting.begin());
        note_gap(it->first, it->second);
        park(it->first, it->second, std::nullopt);
        it = it->second.in_flight == 0 ? m_senders.erase(it) : std::next(it);
    }
    m_queue.clear();
}

std::size_t Pool::drop_expired(std::uint64_t now_us) {
    const std::unique_lock lock(m_mutex);
    std::size_t dropped = 0;
    const auto expired = [&](std::uint64_t since_us) { return since_us + m_limits.gap_life_us <= now_us; };
    while (!m_gapped.empty() && expired(m_gapped.begin()->first)) {
        const Address address = m_gapped.begin()->second;
        m_gapped.erase(m_gapped.begin());
        Sender& sender = m_senders.at(address);
        sender.gapped_us.reset();
        for (auto at = sender.waiting.lower_bound(sender.promised); at != sender.waiting.end();) {
            const auto next = std::next(at);
            if (expired(at->second->arrived_us)) {
                erase_waiting(sender, at);
                ++dropped;
            }
            at = next;
        }
        note_gap(address, sender);
        forget_if_idle(address);
    }
    return dropped;
}

PooledTxnPtr Pool::find(const Hash& hash) const {
    const std::unique_lock lock(m_mutex);
    const auto found = m_by_hash.find(hash);
    return found != m_by_hash.end() ? found->second : nullptr;
}

std::uint64_t Pool::next_nonce(const Address& sender, std::uint64_t account_nonce) const {
    const std::unique_lock lock(m_mutex);
    const auto found = m_senders.find(sender);
    return found != m_senders.end() ? std::max(found->second.promised, account_nonce) : account_nonce;
}

std::size_t Pool::size() const {
    const std::unique_lock lock(m_mutex);
    return m_waiting;
}

std::size_t Pool::executable() const {
    const std::unique_lock lock(m_mutex);
    return m_queue.size();
}

Pool::BySender Pool::by_sender() const {
    const std::unique_lock lock(m_mutex);
    BySender out;
    for (const auto& [address, sender] : m_senders)
        for (const auto& [nonce, txn] : sender.waiting)
            out[txn->sender].emplace(nonce, txn);
    return out;
}

std::map<std::uint64_t, PooledTxnPtr> Pool::of_sender(const Address& sender) const {
    const std::unique_lock lock(m_mutex);
    const auto found = m_senders.find(sender);
    return found != m_senders.end() ? found->second.waiting : std::map<std::uint64_t, PooledTxnPtr>{};
}

}  // namespace meridian::sequencer
