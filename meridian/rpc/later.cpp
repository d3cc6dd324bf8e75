#include <meridian/rpc/later.hpp>

namespace meridian::rpc {

void Later::wake() {
    m_ready = true;
    if (const auto waker = std::exchange(m_waker, nullptr))
        waker();
}

void Later::expire() {
    m_expired = true;
    wake();
}

void Mailbox::set_poster(Poster poster) {
    const std::lock_guard lock(m_mutex);
    m_poster = std::move(poster);
}

bool Mailbox::post(std::function<void()> work) {
    const std::lock_guard lock(m_mutex);
    if (!m_poster)
        return false;
    m_poster(std::move(work));
    return true;
}

// --- WaitingRoom ----------------------------------------------------------------------------------------

WaitingRoom::Ticket WaitingRoom::admit(ClientId client) {
    {
        const std::lock_guard lock(m_waiting->mutex);
        if (!m_waiting->shares.take(client))
            throw RpcError(ErrorCode::LimitExceeded,
                           "too many requests wait (at most " + std::to_string(m_waiting_max) +
                               ", of one client as many as there is room left; rpc.waiting_max)");
    }
    return Ticket(nullptr, [waiting = m_waiting, client](void*) {
        const std::lock_guard lock(waiting->mutex);
        waiting->shares.give_back(client);
    });
}

std::size_t WaitingRoom::waiting() const {
    const std::lock_guard lock(m_waiting->mutex);
    return m_waiting->shares.total();
}

void WaitingRoom::add(const LaterPtr& later, Clock::time_point until) {
    if (m_deadlines.size() >= 2 * m_waiting_max)
        sweep();
    const auto place = m_deadlines.emplace(until, later);
    if (place == m_deadlines.begin() && m_on_deadline)
        m_on_deadline();
}

void WaitingRoom::await_transaction(const LaterPtr& later, const Hash& hash) {
    if (m_transactions.size() >= 2 * m_waiting_max)
        sweep();
    m_transactions.emplace(hash, later);
}

void WaitingRoom::await_nonce(const LaterPtr& later, const Address& account, std::uint64_t nonce) {
    if (m_nonces.size() >= 2 * m_waiting_max)
        sweep();
    m_nonces.push_back({account, nonce, later});
}

void WaitingRoom::sweep() {
    std::erase_if(m_deadlines, [](const auto& entry) { return entry.second.expired(); });
    std::erase_if(m_transactions, [](const auto& entry) { return entry.second.expired(); });
    std::erase_if(m_nonces, [](const NonceWait& wait) { return wait.later.expired(); });
}

void WaitingRoom::on_head(node::Chain& chain, std::span<const Hash> txns) {
    if (!m_transactions.empty())
        for (const Hash& hash : txns) {
            const auto [first, last] = m_transactions.equal_range(hash);
            for (auto it = first; it != last; ++it)
                if (const LaterPtr later = it->second.lock())
                    later->wake();
            m_transactions.erase(first, last);
        }
    std::erase_if(m_nonces, [&](const NonceWait& wait) {
        const LaterPtr later = wait.later.lock();
        if (!later)
            return true;
        if (chain.head_state().account(wait.account).value_or(state::Account{}).nonce < wait.nonce)
            return false;
        later->wake();
        return true;
    });
}

void WaitingRoom::expire(Clock::time_point now) {
    while (!m_deadlines.empty() && m_deadlines.begin()->first <= now) {
        if (const LaterPtr later = m_deadlines.begin()->second.lock())
            later->expire();
        m_deadlines.erase(m_deadlines.begin());
    }
}

std::optional<WaitingRoom::Clock::time_point> WaitingRoom::next_deadline() const {
    if (m_deadlines.empty())
        return std::nullopt;
    return m_deadlines.begin()->first;
}

}  // namespace meridian::rpc
