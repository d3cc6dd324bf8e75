// Sends transactions to a node's transaction port: pipelined, thousands in flight on one connection. For
// replicas that pass transactions on, and for load generators.
//
// Example: connect(), then try_submit() under ids of one's own; answers come to the listener in any order.
#pragma once

#include <meridian/wire/limits.hpp>
#include <meridian/wire/message.hpp>

#include <memory>

namespace meridian::wire {

// Called on the client's thread, which must not wait, nor destroy the client. After on_closed() nothing
// comes.
class TxnClientListener {
public:
    virtual ~TxnClientListener() = default;
    // It is in the pool.
    virtual void on_accepted(const Accepted& answer) = 0;
    virtual void on_refused(const Refused& answer) = 0;
    // Where `wait` was asked for, and it was accepted: one of these, later.
    virtual void on_included(const Included& outcome) = 0;
    virtual void on_dropped(const Dropped& outcome) = 0;
    // What is in flight has no answer, and may be executed or not.
    virtual void on_closed(const std::string& why) = 0;
};

struct TxnClientOptions {
    std::string address;  // host:port, [IPv6]:port
    ChainIdentity chain = {};
    std::uint64_t connect_ms_max = 5'000;  // for the connection, and as long again for the greetings
    // What is submitted and not answered; the server's own bound if that is lower.
    std::size_t in_flight_max = 4'096;
    SessionLimits session = {};
};

class TxnClient {
public:
    // Connects; the error is a sentence that says what to do. The listener outlives the client.
    static Result<std::unique_ptr<TxnClient>, std::string> connect(const TxnClientOptions& options,
                                                                   TxnClientListener& listener);
    // Ends the connection; nothing is called any more afterwards.
    ~TxnClient();
    TxnClient(const TxnClient&) = delete;
    TxnClient& operator=(const TxnClient&) = delete;

    // What the server takes.
    const TxnLimits& limits() const noexcept;
    // From any thread. The id is the caller's and comes back with the answers; with `wait` there are two.
    // False, and nothing is sent, if as many are in flight as may be, the connection has ended, or the
    // envelope is larger than kEnvelopeSizeMax.
    bool try_submit(std::uint64_t id, BytesView envelope, bool wait);
    // Waits for room. False if the connection has ended, or the envelope is too large.
    bool submit(std::uint64_t id, BytesView envelope, bool wait);
    // Submitted, and not answered for the last time.
    std::size_t in_flight() const;
    bool closed() const;

private:
    class Impl;
    explicit TxnClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

// One transaction after another, each waited for: for tools and tests. For one thread.
class BlockingTxnClient {
public:
    static Result<std::unique_ptr<BlockingTxnClient>, std::string> connect(const TxnClientOptions& options);
    ~BlockingTxnClient();

    struct Answer {
        std::variant<Accepted, Refused> answer;
        // Of an accepted one that is waited for.
        std::variant<std::monostate, Included, Dropped> outcome;
    };
    // The error is why the connection ended.
    Result<Answer, std::string> submit(BytesView envelope, bool wait);

private:
    class Impl;
    explicit BlockingTxnClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::wire
