// Who waits for which transaction. Internal to wire/. Thread-safe.
#pragma once

#include <meridian/wire/message.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace meridian::wire {

// Where answers for one connection go; from any thread. Outlives the connection.
class Mailbox {
public:
    virtual ~Mailbox() = default;
    // `last`: the submission is answered for the last time.
    virtual void post(const Message& answer, bool last) = 0;
};

// The answer to a submission comes before its outcome, in whichever order both become known.
class TxnWaiters {
public:
    using Clock = std::chrono::steady_clock;
    TxnWaiters(std::size_t count_max, std::chrono::milliseconds wait_max)
        : m_count_max(count_max), m_wait_max(wait_max) {}

    class Waiter;
    using WaiterPtr = std::shared_ptr<Waiter>;
    // Before the transaction is submitted. Null if too many wait already.
    WaiterPtr add(const Hash& hash, std::uint64_t id, std::shared_ptr<Mailbox> mailbox);
    // The transaction was accepted: posts that, and the outcome if it is known.
    void accept(const WaiterPtr& waiter, const Accepted& answer);
    // It was refused: nobody waits any more.
    void refuse(const WaiterPtr& waiter, const Refused& answer);
    // Each gives how many were told. `outcome` gets its id here.
    std::size_t include(const Hash& hash, Included outcome);
    std::size_t reject(const Hash& hash, std::string_view why);
    std::size_t expire(Clock::time_point now);
    bool empty() const noexcept { return m_count == 0; }
    std::size_t size() const noexcept { return m_count; }

private:
    std::size_t settle(const Hash& hash, const std::function<Message(std::uint64_t id)>& outcome);
    void tell(Waiter& waiter, Message outcome);

    const std::size_t m_count_max;
    const std::chrono::milliseconds m_wait_max;
    std::mutex m_mutex;
    std::unordered_multimap<Hash, WaiterPtr> m_waiters;
    std::deque<std::weak_ptr<Waiter>> m_by_age;
    std::atomic<std::size_t> m_count = 0;
};

}  // namespace meridian::wire
