// Subscriptions. Each is a place in the chain's history and goes on from there when there is something new
// and its connection has room: nothing is kept for a slow reader, what it has missed is read back, and
// nothing is left out. A reader for whom the history is gone is told so, and cut off.
//
// Every message carries its sequence, as a quantity: the block's number (newHeads), the frame's (frames,
// miniBlocks, stateChanges), or frame and log in it (logs); `from` begins with the first message whose
// sequence is at least that. On a chain without frames a block's number stands for the frame's. What enters
// the pool is no history: newPendingTransactions counts since the node's start and remembers the last ones.
//
// On the chain's thread.
#pragma once

#include <meridian/node/chain.hpp>
#include <meridian/rpc/frame_format.hpp>

#include <deque>
#include <map>

namespace meridian::rpc {

// A connection that can be told something unasked. Called on the chain's thread.
class Session {
public:
    virtual ~Session() = default;
    virtual void notify(std::string message) = 0;
    // Whether more can be notified now. If not, Service::on_room() is called once it can.
    virtual bool has_room() = 0;
    // Tells why, behind what was notified, and closes.
    virtual void cut_off(std::string reason) = 0;
};

enum class StreamKind : std::uint8_t {
    NewHeads,
    Logs,
    PendingTransactions,
    Frames,
    MiniBlocks,
    StateChanges,
    Syncing,  // never says anything: a sequencer is not behind, and a replica's state is in its readiness
};

struct StreamRequest {
    StreamKind kind = StreamKind::NewHeads;
    FrameFields fields;              // Frames
    store::LogQuery terms;           // Logs
    std::vector<Address> addresses;  // StateChanges
    bool full_transactions = false;  // PendingTransactions
    std::optional<std::uint64_t> from;
};

// What eth_subscribe is asked for: the kind's name and its options, which may be null. Throws ValueError or
// RpcError.
StreamRequest read_stream_request(std::string_view kind, const json::value& options, node::Chain& chain);

struct StreamLimits {
    std::size_t per_session_max = 1'000;
    std::size_t total_max = 100'000;
    std::size_t pending_kept = 65'536;  // transactions that newPendingTransactions can begin with
    // Blocks or frames that one turn looks through, for all subscriptions.
    std::size_t turn_max = 512;
};

class Streams {
public:
    Streams(node::Chain& chain, const StreamLimits& limits) : m_chain(chain), m_limits(limits) {}

    // Throws RpcError if `from` is out of reach, or there are too many.
    void subscribe(Session& session, const u256& id, StreamRequest request);
    bool unsubscribe(Session& session, const u256& id);
    void forget(Session& session);
    std::size_t size() const noexcept { return m_streams.size(); }

    void on_pending(const sequencer::PooledTxn& txn);
    // Blocks of a development chain were taken away, newest first: their logs are told again as removed.
    void on_removed(std::span<const node::BlockPtr> blocks);
    void on_wound_back(std::uint64_t head);
    // Goes on with all, or with one session's. True: it was not enough, and wants another turn.
    bool pump();
    bool pump(Session& session);

private:
    struct Stream {
        Session* session;
        StreamRequest request;
        std::uint64_t next = 0;  // block, frame or count
        std::uint64_t next_log = 0;
        std::uint64_t told_before = 0;  // blocks below this were told of, before the chain was wound back
    };
    using Place = std::map<u256, Stream>::iterator;

    // Each goes on by one block, frame or transaction.
    enum class Moved : std::uint8_t { On, CaughtUp, CutOff };
    bool pump(Place at, std::size_t& budget);
    void erase(Place at);
    Moved step(const u256& id, Stream& stream);
    Moved step_heads(const u256& id, Stream& stream);
    Moved step_logs(const u256& id, Stream& stream);
    Moved step_pending(const u256& id, Stream& stream);
    Moved step_frames(const u256& id, Stream& stream);
    Moved cut_off(const u256& id, Stream& stream, const std::string& why);
    void send(const u256& id, const Stream& stream, std::uint64_t sequence, const json::value& result);
    void send_text(const u256& id, const Stream& stream, std::uint64_t sequence, std::string_view result);
    void begin(Stream& stream);
    bool has_frames() const { return m_chain.first_frame() != 0; }
    std::uint64_t last_moment() const;
    std::uint64_t first_pending() const { return m_pending_count - m_pending.size(); }

    node::Chain& m_chain;
    StreamLimits m_limits;
    std::map<u256, Stream> m_streams;
    struct Pending {
        Hash hash;
        std::shared_ptr<const sequencer::PooledTxn> txn;
    };
    std::size_t m_pending_streams = 0;
    std::deque<Pending> m_pending;
    std::uint64_t m_pending_count = 0;  // since the start
    // The last frame as text, for the many who ask for the same.
    struct Rendered {
        std::uint64_t frame = 0;
        std::string text;
    };
    std::map<std::uint32_t, Rendered> m_rendered;  // by kind and fields
};

}  // namespace meridian::rpc
