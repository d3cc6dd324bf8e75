// An answer that is not there yet: what a method gives when it has to wait, or to take turns with others.
//
// It belongs to the chain's thread; only the destructor may run on another one, which is how a request ends
// whose client has left. Whoever it waits for knows it by a weak pointer, and calls wake().
#pragma once

#include <meridian/base/client_shares.hpp>
#include <meridian/node/chain.hpp>
#include <meridian/rpc/values.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace meridian::rpc {

class Later : public std::enable_shared_from_this<Later> {
public:
    virtual ~Later() = default;
    Later(const Later&) = delete;
    Later& operator=(const Later&) = delete;

    bool ready() const noexcept { return m_ready; }
    // Precondition: ready(). The result as JSON text, or nothing: then it waits again if it is not ready(),
    // else it wants another turn. May throw RpcError and ValueError.
    virtual std::optional<std::string> resume() = 0;
    // Whether what it waits for is work that is done for it, and not something that happens.
    virtual bool is_work() const noexcept { return false; }

    // It may go on.
    void wake();
    // It may go on without what it waits for.
    void expire();
    // What wake() calls, once.
    void set_waker(std::function<void()> waker) { m_waker = std::move(waker); }

protected:
    Later() = default;
    bool expired() const noexcept { return m_expired; }
    void wait() noexcept { m_ready = m_expired; }

private:
    bool m_ready = true;
    bool m_expired = false;
    std::function<void()> m_waker;
};
using LaterPtr = std::shared_ptr<Later>;

// The way onto the chain's thread, for any thread and for as long as somebody may still use it.
class Mailbox {
public:
    using Poster = std::function<void(std::function<void()>)>;
    // Null: what is posted is dropped.
    void set_poster(Poster poster);
    // False: dropped.
    bool post(std::function<void()> work);

private:
    std::mutex m_mutex;
    Poster m_poster;
};

// Who waits for what, and until when. At most `waiting_max` wait at once, whose requests have not ended, and
// of one client as many as there is room left.
class WaitingRoom {
public:
    using Clock = std::chrono::steady_clock;

    explicit WaitingRoom(std::size_t waiting_max) : m_waiting_max(waiting_max) {}

    // Counts in a request that is to wait; throws RpcError if there are too many. It counts until the ticket
    // is gone, on whatever thread.
    using Ticket = std::shared_ptr<void>;
    Ticket admit(ClientId client);
    // Expires it at that time.
    void add(const LaterPtr& later, Clock::time_point until);
    // Wakes it when the transaction is in the chain, or the account's nonce is at least `nonce`.
    void await_transaction(const LaterPtr& later, const Hash& hash);
    void await_nonce(const LaterPtr& later, const Address& account, std::uint64_t nonce);

    // The head is another one, with these transactions.
    void on_head(node::Chain& chain, std::span<const Hash> txns);
    // Expires those whose time is up.
    void expire(Clock::time_point now);
    // When expire() has something to do.
    std::optional<Clock::time_point> next_deadline() const;
    // Called when next_deadline() has come closer. Null: nothing.
    void set_deadline_callback(std::function<void()> callback) { m_on_deadline = std::move(callback); }
    std::size_t waiting() const;

private:
    struct NonceWait {
        Address account;
        std::uint64_t nonce;
        std::weak_ptr<Later> later;
    };

    void sweep();

    std::size_t m_waiting_max;
    struct Waiting {
        explicit Waiting(std::size_t waiting_max) : shares(waiting_max) {}
        std::mutex mutex;
        ClientShares shares;
    };
    std::shared_ptr<Waiting> m_waiting = std::make_shared<Waiting>(m_waiting_max);
    // Those of ended requests are left in these until they expire, or there are twice as many as may wait.
    std::multimap<Clock::time_point, std::weak_ptr<Later>> m_deadlines;
    std::unordered_multimap<Hash, std::weak_ptr<Later>> m_transactions;
    std::vector<NonceWait> m_nonces;
    std::function<void()> m_on_deadline;
};

}  // namespace meridian::rpc
