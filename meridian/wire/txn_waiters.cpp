#include <meridian/wire/txn_waiters.hpp>

namespace meridian::wire {

// Guarded by the table's mutex.
class TxnWaiters::Waiter {
public:
    Hash hash;
    std::uint64_t id = 0;
    std::shared_ptr<Mailbox> mailbox;
    Clock::time_point deadline;
    bool accepted = false;
    std::optional<Message> outcome;  // known before the answer
};

TxnWaiters::WaiterPtr TxnWaiters::add(const Hash& hash, std::uint64_t id, std::shared_ptr<Mailbox> mailbox) {
    auto waiter = std::make_shared<Waiter>();
    waiter->hash = hash;
    waiter->id = id;
    waiter->mailbox = std::move(mailbox);
    waiter->deadline = Clock::now() + m_wait_max;
    const std::unique_lock lock(m_mutex);
    if (m_waiters.size() >= m_count_max)
        return nullptr;
    m_waiters.emplace(hash, waiter);
    m_by_age.push_back(waiter);
    m_count = m_waiters.size();
    return waiter;
}

void TxnWaiters::accept(const WaiterPtr& waiter, const Accepted& answer) {
    const std::unique_lock lock(m_mutex);
    waiter->accepted = true;
    waiter->mailbox->post(answer, false);
    if (waiter->outcome)
        waiter->mailbox->post(*waiter->outcome, true);
}

void TxnWaiters::refuse(const WaiterPtr& waiter, const Refused& answer) {
    const std::unique_lock lock(m_mutex);
    const auto [begin, end] = m_waiters.equal_range(waiter->hash);
    for (auto it = begin; it != end; ++it)
        if (it->second == waiter) {
            m_waiters.erase(it);
            break;
        }
    m_count = m_waiters.size();
    waiter->mailbox->post(answer, true);
}

void TxnWaiters::tell(Waiter& waiter, Message outcome) {
    if (waiter.accepted)
        waiter.mailbox->post(outcome, true);
    else
        waiter.outcome = std::move(outcome);
}

std::size_t TxnWaiters::settle(const Hash& hash, const std::function<Message(std::uint64_t id)>& outcome) {
    const std::unique_lock lock(m_mutex);
    const auto [begin, end] = m_waiters.equal_range(hash);
    std::size_t told = 0;
    for (auto it = begin; it != end; ++it, ++told)
        tell(*it->second, outcome(it->second->id));
    m_waiters.erase(begin, end);
    m_count = m_waiters.size();
    return told;
}

std::size_t TxnWaiters::include(const Hash& hash, Included outcome) {
    return settle(hash, [&](std::uint64_t id) {
        outcome.id = id;
        return outcome;
    });
}

std::size_t TxnWaiters::reject(const Hash& hash, std::string_view why) {
    return settle(hash, [&](std::uint64_t id) {
        return Dropped{id, DropReason::Rejected, "the transaction cannot be executed: " + std::string(why)};
    });
}

std::size_t TxnWaiters::expire(Clock::time_point now) {
    const std::unique_lock lock(m_mutex);
    std::size_t told = 0;
    while (!m_by_age.empty()) {
        const WaiterPtr waiter = m_by_age.front().lock();
        if (waiter && waiter->deadline > now)
            break;
        m_by_age.pop_front();
        if (!waiter)
            continue;
        const auto [begin, end] = m_waiters.equal_range(waiter->hash);
        for (auto it = begin; it != end; ++it) {
            if (it->second != waiter)
                continue;
            m_waiters.erase(it);
            tell(*waiter, Dropped{waiter->id, DropReason::Expired,
                                  "not included within " + std::to_string(m_wait_max.count()) +
                                      " ms; it may be included yet"});
            ++told;
            break;
        }
    }
    m_count = m_waiters.size();
    return told;
}

}  // namespace meridian::wire
