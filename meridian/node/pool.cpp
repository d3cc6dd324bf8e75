#include <meridian/node/pool.hpp>

#include <queue>

namespace meridian::node {
namespace {

constexpr std::uint64_t kPriceBumpPercent = 10;

// a >= b + 10 %, rounded up, without overflow.
bool bumped(const u256& a, const u256& b) {
    const u256 bump = b / 100 * kPriceBumpPercent + (b % 100 * kPriceBumpPercent + 99) / 100;
    return a >= b && a - b >= bump && a > b;
}

u256 effective_tip(const chain::Transaction& txn, const u256& base_fee) {
    if (txn.max_fee_per_gas < base_fee)
        return {};
    const u256 room = txn.max_fee_per_gas - base_fee;
    return room < txn.max_priority_fee_per_gas ? room : txn.max_priority_fee_per_gas;
}

struct Candidate {
    u256 tip;
    std::uint64_t arrival;
    PooledTxnPtr txn;
};

struct WorseFirst {
    bool operator()(const Candidate& a, const Candidate& b) const {
        return a.tip != b.tip ? a.tip < b.tip : a.arrival > b.arrival;
    }
};

}  // namespace

Result<PooledTxnPtr, PoolError> TxnPool::add(PooledTxn txn) {
    if (m_by_hash.contains(txn.hash))
        return fail(PoolError::AlreadyKnown);
    if (sequencer::is_module(txn)) {
        if (m_by_hash.size() >= m_limits.total)
            return fail(PoolError::PoolFull);
        auto entry = std::make_shared<const PooledTxn>(std::move(txn));
        m_modules[m_arrivals] = entry;
        m_by_hash[entry->hash] = {entry, m_arrivals++};
        return PooledTxnPtr{};
    }
    const auto sender = m_by_sender.find(txn.sender);
    PooledTxnPtr replaced;
    if (sender != m_by_sender.end()) {
        const auto same_nonce = sender->second.find(txn.txn.nonce);
        if (same_nonce != sender->second.end()) {
            replaced = same_nonce->second;
            if (!bumped(txn.txn.max_fee_per_gas, replaced->txn.max_fee_per_gas) ||
                !bumped(txn.txn.max_priority_fee_per_gas, replaced->txn.max_priority_fee_per_gas))
                return fail(PoolError::ReplacementUnderpriced);
        } else if (sender->second.size() >= m_limits.per_sender) {
            return fail(PoolError::SenderFull);
        }
    }
    if (!replaced && m_by_hash.size() >= m_limits.total)
        return fail(PoolError::PoolFull);
    auto entry = std::make_shared<const PooledTxn>(std::move(txn));
    if (replaced)
        m_by_hash.erase(replaced->hash);
    m_by_hash[entry->hash] = {entry, m_arrivals++};
    m_by_sender[entry->sender][entry->txn.nonce] = entry;
    return replaced;
}

void TxnPool::erase(const PooledTxnPtr& txn) {
    if (sequencer::is_module(*txn)) {
        m_modules.erase(m_by_hash.at(txn->hash).arrival);
        m_by_hash.erase(txn->hash);
        return;
    }
    m_by_hash.erase(txn->hash);
    const auto sender = m_by_sender.find(txn->sender);
    sender->second.erase(txn->txn.nonce);
    if (sender->second.empty())
        m_by_sender.erase(sender);
}

bool TxnPool::remove(const Hash& hash) {
    const PooledTxnPtr found = find(hash);
    if (found)
        erase(found);
    return found != nullptr;
}

void TxnPool::remove_sender(const Address& sender) {
    const auto found = m_by_sender.find(sender);
    if (found == m_by_sender.end())
        return;
    for (const auto& [nonce, txn] : found->second)
        m_by_hash.erase(txn->hash);
    m_by_sender.erase(found);
}

void TxnPool::remove_below(const Address& sender, std::uint64_t nonce) {
    const auto found = m_by_sender.find(sender);
    if (found == m_by_sender.end())
        return;
    auto& txns = found->second;
    while (!txns.empty() && txns.begin()->first < nonce) {
        m_by_hash.erase(txns.begin()->second->hash);
        txns.erase(txns.begin());
    }
    if (txns.empty())
        m_by_sender.erase(found);
}

void TxnPool::clear() {
    m_by_hash.clear();
    m_by_sender.clear();
    m_modules.clear();
}

PooledTxnPtr TxnPool::find(const Hash& hash) const {
    const auto found = m_by_hash.find(hash);
    return found != m_by_hash.end() ? found->second.txn : nullptr;
}

std::uint64_t TxnPool::next_nonce(const Address& sender, std::uint64_t account_nonce) const {
    const auto found = m_by_sender.find(sender);
    if (found == m_by_sender.end())
        return account_nonce;
    while (found->second.contains(account_nonce))
        ++account_nonce;
    return account_nonce;
}

std::vector<PooledTxnPtr> TxnPool::ready(const NonceOf& nonce_of, const u256& base_fee) const {
    std::priority_queue<Candidate, std::vector<Candidate>, WorseFirst> heads;
    const auto push = [&](const std::map<std::uint64_t, PooledTxnPtr>& txns, std::uint64_t nonce) {
        const auto found = txns.find(nonce);
        if (found != txns.end() && found->second->txn.max_fee_per_gas >= base_fee)
            heads.push({effective_tip(found->second->txn, base_fee),
                        m_by_hash.at(found->second->hash).arrival, found->second});
    };
    for (const auto& [sender, txns] : m_by_sender)
        push(txns, nonce_of(sender));
    std::vector<PooledTxnPtr> out;
    for (const auto& [arrival, txn] : m_modules)
        out.push_back(txn);
    while (!heads.empty()) {
        PooledTxnPtr best = heads.top().txn;
        heads.pop();
        push(m_by_sender.at(best->sender), best->txn.nonce + 1);
        out.push_back(std::move(best));
    }
    return out;
}

}  // namespace meridian::node
