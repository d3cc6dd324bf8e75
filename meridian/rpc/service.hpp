// What the methods work on: the chain, the filters and subscriptions of its users, and the bounds.
//
// One thread at a time; see gateway/ for how many connections share it. Requests that only read can have
// threads of their own, each with a reader: a service that is this one's limits and methods on a view of the
// chain for itself.
#pragma once

#include <meridian/node/call.hpp>
#include <meridian/rpc/deadline.hpp>
#include <meridian/rpc/later.hpp>
#include <meridian/rpc/log_filter.hpp>
#include <meridian/rpc/read_pool.hpp>
#include <meridian/rpc/streams.hpp>
#include <meridian/rpc/values.hpp>

#include <algorithm>
#include <deque>

namespace meridian::node {
class DevChain;
}

namespace meridian::rpc {

// Bounds on what one request may ask for. Beyond them the answer is an error that names the bound.
struct Limits {
    std::size_t json_depth_max = 64;
    std::size_t json_values_max = 250'000;  // of a request or batch; at most some 30 MB
    std::size_t batch_items_max = 1000;
    std::size_t batch_response_bytes_max = 25 << 20;  // of all items
    std::uint64_t batch_ms_max = 30'000;              // for all items
    std::size_t response_bytes_max = 128 << 20;
    std::uint64_t call_gas_max = 50'000'000;  // of eth_call and the like
    std::uint64_t call_ms_max = 5'000;        // of the same, all their executions together; zero: none
    std::uint64_t trace_ms_max = 60'000;  // of a trace, whatever it asks for; it holds a state for that long
    std::size_t filters_max = 10'000;     // of one client, as many as there is room left
    std::uint64_t filter_idle_s_max = 300;
    std::size_t subscriptions_per_session_max = 1'000;
    std::size_t subscriptions_max = 100'000;
    std::size_t filter_terms_bytes_max = 64u << 20;  // addresses and topics of filters and subscriptions
    std::size_t log_results_max = 100'000;
    std::size_t simulate_blocks_max = 256;
    std::size_t simulate_calls_max = 5'000;
    std::size_t trace_steps_max = 2'000'000;
    std::size_t storage_values_max = 1024;
    std::uint64_t mine_blocks_max = 1'000'000;
    std::size_t fee_history_blocks_max = 1024;
    // Requests that wait for something, as eth_sendRawTransactionSync does: of one batch, whose further items
    // begin when one of these has ended; and in all, beyond which they are refused.
    std::size_t waiting_per_batch_max = 64;
    std::size_t waiting_max = 20'000;
    // Of eth_sendRawTransactionSync: unless it says so itself, and at most. Of eth_callAfter at most.
    std::uint64_t receipt_ms = 2'000;
    std::uint64_t receipt_ms_max = 10'000;
    std::uint64_t call_after_ms_max = 60'000;
};

struct ServiceOptions {
    Limits limits;
    std::string client_version;
    // Seconds, for filters that nobody asks any more. Null: since the machine started.
    std::function<std::uint64_t()> clock;
    // Where the chain has readers; zero threads: everything on the chain's one.
    ReadPool::Options readers;
    std::uint64_t pending_first = 0;  // see StreamLimits
};

class Service final : public node::ChainListener {
public:
    // Both outlive this. `development` is the same chain, where it is one that development methods and
    // unlocked accounts are for; else these are absent.
    Service(node::Chain& chain, ServiceOptions options, node::DevChain* development = nullptr);
    ~Service() override;
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Null: there are none.
    ReadPool* readers() const noexcept { return m_readers.get(); }

    node::Chain& chain() noexcept { return m_chain; }
    node::DevChain* development() noexcept { return m_development; }
    const ServiceOptions& options() const noexcept { return m_options; }
    const Limits& limits() const noexcept { return m_options.limits; }
    const class MethodTable& methods() const noexcept { return *m_methods; }

    // --- filters (polled) ---------------------------------------------------------------------------
    enum class FilterKind { Logs, Blocks, PendingTransactions };
    // Gives the filter's identifier.
    json::value add_filter(FilterKind kind, LogFilter logs, ClientId client);
    bool remove_filter(const u256& id);
    json::value filter_changes(const u256& id);
    // Of a filter of logs; valid until the filter ends.
    const LogFilter& log_filter(const u256& id);

    // --- subscriptions (pushed) ---------------------------------------------------------------------
    json::value subscribe(Session& session, StreamRequest request);
    bool unsubscribe(Session& session, const u256& id) { return m_streams.unsubscribe(session, id); }
    // The session has room again.
    void on_room(Session& session);
    // The session is gone.
    void forget(Session& session) { m_streams.forget(session); }
    const Streams& streams() const noexcept { return m_streams; }

    // The deadline of a request that executes beside the chain, with geth's words.
    Deadline call_deadline() const {
        const std::uint64_t ms = m_options.limits.call_ms_max;
        return {m_stopping, ms, "execution aborted (timeout = " + format_duration(ms) + ")"};
    }
    Deadline trace_deadline(std::uint64_t limit_ms) const {
        return {m_stopping, std::min(limit_ms, m_options.limits.trace_ms_max), "execution timeout"};
    }
    // Ends such requests, now and from now on. This and the next may be called on any thread.
    void interrupt();
    // Of a reader: whether what runs is to end.
    void set_interrupted(bool interrupted) noexcept { m_stopping = interrupted; }
    bool stopping() const noexcept { return m_stopping; }

    // --- waiting ------------------------------------------------------------------------------------
    // Goes on to the chain's newest moment.
    void refresh() { m_chain.refresh(); }
    WaitingRoom& waiting() noexcept { return m_waiting; }
    // Its poster is set by whoever has the thread on which all of this is called.
    const std::shared_ptr<Mailbox>& mailbox() const noexcept { return m_mailbox; }

    // Called after each change of the mining mode; set by whoever runs the clock.
    void set_mining_mode_callback(std::function<void()> callback) { m_on_mining_mode = std::move(callback); }

    void on_block(const node::BlockPtr& block) override;
    void on_pending_transaction(const sequencer::PooledTxn& txn) override;
    void on_head(std::span<const Hash> txns) override;
    void on_removed(std::span<const node::BlockPtr> blocks) override;
    void on_mining_mode() override;
    void on_wound_back(std::uint64_t head) override;

private:
    struct Filter {
        FilterKind kind;
        LogFilter logs;
        ClientId client;
        std::uint64_t next_block = 0;    // blocks from here on have not been reported
        std::uint64_t next_log = 0;      // in that block
        std::uint64_t next_pending = 0;  // of what entered the pool, as the streams count it
        std::uint64_t last_used = 0;     // seconds
    };

    // A reader of this service.
    Service(std::unique_ptr<node::Chain> view, const Service& whole);

    u256 next_id();
    std::uint64_t clock() const;
    json::array new_logs(Filter& filter);
    void pump();
    void go_on_pumping();
    bool schedule_pump();
    void drop_idle_filters();
    std::map<u256, Filter>::iterator erase_filter(std::map<u256, Filter>::iterator at);
    Filter& find_filter(const u256& id);

    std::unique_ptr<node::Chain> m_view;  // of a reader; else null
    node::Chain& m_chain;
    node::DevChain* m_development;
    ServiceOptions m_options;
    std::shared_ptr<const class MethodTable> m_methods;
    std::uint64_t m_ids = 0;
    std::map<u256, Filter> m_filters;
    ClientShares m_filter_shares;
    std::uint64_t m_filters_looked_at = 0;  // for idle ones, seconds
    Streams m_streams;
    bool m_pumping = false;       // a slice is to come
    bool m_pending_news = false;  // the same, for what entered the pool
    std::function<void()> m_on_mining_mode;
    std::atomic<bool> m_stopping = false;
    WaitingRoom m_waiting;
    std::shared_ptr<Mailbox> m_mailbox = std::make_shared<Mailbox>();
    // Last: its threads end before what they use.
    std::unique_ptr<ReadPool> m_readers;
};

}  // namespace meridian::rpc
