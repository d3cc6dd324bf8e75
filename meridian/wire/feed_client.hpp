// Follows a feed: connects, hands records on, and when the connection ends or brings something that is no
// frame of the chain, connects again, to the next address, after a while.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/sequencer/record_sink.hpp>
#include <meridian/wire/limits.hpp>
#include <meridian/wire/message.hpp>

#include <memory>
#include <vector>

namespace meridian::wire {

// A replica that acknowledges frames to a server that asks who it is.
struct Acknowledging {
    const frames::FrameSigner* identity = nullptr;
    const frames::FrameLog* log = nullptr;  // the sink's: what it holds of frames that the server has lost
};

struct FeedClientOptions {
    std::vector<std::string> addresses;  // host:port, [IPv6]:port; at least one
    std::uint64_t connect_ms_max = 5'000;
    // Before the next try: doubled with each failure, with a random part; the least again after a record.
    std::uint64_t backoff_ms_min = 100;
    std::uint64_t backoff_ms_max = 10'000;
    SessionLimits session = {};
    std::optional<Acknowledging> acknowledging = {};
    std::size_t queued_size_max =
        4u << 20;  // bytes of frames that wait to be sent to a server that lost them
};

struct FeedClientStatus {
    std::string address;  // that is connected, or tried next
    bool connected = false;
    // What the server had when it said so last: at most a third of its idle time ago.
    std::uint64_t server_first = 0;
    std::uint64_t server_last = 0;
    std::uint64_t records = 0;      // taken by the sink
    std::uint64_t connections = 0;  // made so far
    // Of one that acknowledges: the last frame that this connection's server was told of; empty: it has not
    // asked.
    std::optional<std::uint64_t> acknowledged;
    std::string error;  // why the last connection ended, or was not made; empty once a record came
    // Why the last server that was reached turned this replica away for frames that are not its own; empty:
    // it did not, or a record came since.
    std::string diverged;
};

class FeedClient {
public:
    // The sink outlives the client and is called on its thread only. The error names an address that is none.
    static Result<std::unique_ptr<FeedClient>, std::string> make(const FeedClientOptions& options,
                                                                 const ChainIdentity& chain,
                                                                 sequencer::RecordSink& sink);
    // Stops.
    ~FeedClient();
    FeedClient(const FeedClient&) = delete;
    FeedClient& operator=(const FeedClient&) = delete;

    // On a thread of its own.
    void start();
    void stop();
    // The sink, which had no room, has some now. From any thread.
    void resume();
    // The sink holds more than before. From any thread.
    void acknowledge();
    FeedClientStatus status() const;

private:
    class Impl;
    explicit FeedClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::wire
