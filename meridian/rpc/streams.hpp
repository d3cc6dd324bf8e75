// Subscriptions. Each is a place in the chain's history and goes on from there when there is something new
// and its connection has room: nothing is kept for a slow reader, what it has missed is read back, and
// nothing is left out. A reader for whom the history is gone is told so, and cut off.
//
// Every message carries its sequence, as a quantity: the block's number (newHeads), the frame's (frames,
// miniBlocks, stateChanges), or frame and log in it (logs); `from` begins with the first message whose
// sequence is at least that. On a chain without frames a block's number stands for the frame's. What enters
// the pool is no history: newPendingTransactions counts since the node's start and remembers the last ones.
//
// They go on in slices, between which the chain's thread does other things, by turns: one connection of each
// client before the second of any. What many are told is encoded once, and its bytes are shared.
//
// On the chain's thread.
#pragma once

#include <meridian/base/client_shares.hpp>
#include <meridian/node/chain.hpp>
#include <meridian/node/recently_read.hpp>
#include <meridian/rpc/frame_format.hpp>

#include <atomic>
#include <deque>
#include <map>
#include <unordered_map>

namespace meridian::rpc {

// A message to a subscriber: the text of `head`, then that of `body`, which others may be told too.
struct Notification {
    std::string head;
    std::shared_ptr<const std::string> body;  // not null

    std::size_t size() const noexcept { return head.size() + body->size(); }
};

// A connection that can be told something unasked. Called on the chain's thread.
class Session {
public:
    virtual ~Session() = default;
    // Whose connection it is, which does not change.
    virtual ClientId client() const { return kNobody; }
    virtual void notify(Notification message) = 0;
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
    std::size_t total_max = 100'000;            // of one client, as many as there is room left
    std::size_t terms_bytes_max = 64u << 20;    // of all addresses and topics; of one client the same
    std::size_t pending_kept = 65'536;          // transactions that newPendingTransactions can begin with
    std::size_t pending_bytes_max = 32u << 20;  // of them, as they were encoded
    // Sequence of the first one: greater than all before a restart, so that none of those is taken for one of
    // now.
    std::uint64_t pending_first = 0;
    // Blocks, frames or transactions that one slice looks through, for all subscriptions; and how long it may
    // last, beyond the one that is longer.
    std::size_t slice_max = 512;
    std::uint64_t slice_us_max = 200;
};

// What a filter takes in memory for what it looks for, in bytes.
std::size_t size_of(const store::LogQuery& terms);

class Streams {
public:
    Streams(node::Chain& chain, const StreamLimits& limits);

    // Throws RpcError if `from` is out of reach, or there are too many.
    void subscribe(Session& session, const u256& id, StreamRequest request);
    bool unsubscribe(Session& session, const u256& id);
    void forget(Session& session);
    // From any thread.
    std::size_t size() const noexcept { return m_count; }

    void on_pending(const sequencer::PooledTxn& txn);
    // Blocks of a development chain were taken away, newest first: their logs are told again as removed.
    void on_removed(std::span<const node::BlockPtr> blocks);
    void on_wound_back(std::uint64_t head);
    // There is something new for all, or room for one.
    void on_news();
    void on_room(Session& session);
    // Goes on for one slice. True: it was not enough, and wants another one.
    bool pump();

    // What has entered the pool since the start, from the first one on that is remembered.
    std::uint64_t first_pending() const { return m_pending_count - m_pending.size(); }
    std::uint64_t pending_count() const { return m_pending_count; }
    // Precondition: first_pending() <= count < pending_count().
    const Hash& pending_hash(std::uint64_t count) const { return m_pending[count - first_pending()].hash; }
    // Addresses and topics of filters and subscriptions share a bound. Throws RpcError if there is no room.
    void take_terms(ClientId client, std::size_t bytes);
    void give_back_terms(ClientId client, std::size_t bytes);

private:
    using Body = std::shared_ptr<const std::string>;
    struct Stream {
        StreamRequest request;
        std::uint64_t next = 0;  // block, frame or count
        std::uint64_t next_log = 0;
        std::uint64_t told_before = 0;  // blocks below this were told of, before the chain was wound back
    };
    // A connection with subscriptions.
    struct Reader {
        Session* session;  // null: gone
        ClientId client;
        std::map<u256, Stream> streams;
        u256 next_stream;      // where the next slice begins
        std::size_t left = 0;  // streams that are still to be looked at
        bool waits_in_line = false;
    };
    using ReaderPtr = std::shared_ptr<Reader>;
    struct Slice;

    // Each goes on by one block, frame or transaction.
    enum class Moved : std::uint8_t { On, CaughtUp, CutOff };
    // False: the slice is used up.
    bool pump(Reader& reader, Slice& slice);
    bool pump(Reader& reader, const u256& id, Stream& stream, Slice& slice);
    void queue(const ReaderPtr& reader);
    void forget_stream(Reader& reader, std::map<u256, Stream>::iterator at);
    Moved step(Reader& reader, const u256& id, Stream& stream);
    Moved step_heads(Reader& reader, const u256& id, Stream& stream);
    Moved step_logs(Reader& reader, const u256& id, Stream& stream);
    Moved step_pending(Reader& reader, const u256& id, Stream& stream);
    Moved step_frames(Reader& reader, const u256& id, Stream& stream);
    bool send_frame(Reader& reader, const u256& id, Stream& stream);
    Moved cut_off(Reader& reader, const u256& id, const Stream& stream, const std::string& why);
    std::uint64_t m_failed_reads = 0;  // when the step under way began
    void send(Reader& reader, const u256& id, std::uint64_t sequence, Body body);
    // What many are told under that sequence: made once, and again when it is not kept any more.
    template <class Make>
    Body shared(std::uint32_t key, std::uint64_t sequence, Make make);
    void begin(Stream& stream);
    bool has_frames() const { return m_chain.first_frame() != 0; }
    std::uint64_t last_moment() const;

    node::Chain& m_chain;
    StreamLimits m_limits;
    std::unordered_map<Session*, ReaderPtr> m_readers;
    FairQueue<ReaderPtr> m_line;  // who has to be looked at
    std::atomic<std::size_t> m_count = 0;
    ClientShares m_shares;       // of the subscriptions
    ClientShares m_terms_bytes;  // of filters and subscriptions
    struct Pending {
        Hash hash;
        std::shared_ptr<const sequencer::PooledTxn> txn;
    };
    std::deque<Pending> m_pending;
    std::size_t m_pending_bytes = 0;
    std::uint64_t m_pending_count;  // the next one's sequence
    // The last messages as text, by kind and fields.
    std::map<std::uint32_t, node::RecentlyRead<std::uint64_t, Body>> m_rendered;
};

}  // namespace meridian::rpc
