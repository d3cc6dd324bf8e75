// The feed: sends the records of a frame log to whoever follows, from any number on: first from the log, then
// as frames become durable, without a gap and without a repetition.
//
// A follower that does not keep up costs at most `queued_size_max` bytes and one record: what is not sent yet
// is read from the log when there is room for it. When the log's retention overtakes it, it is told the last
// number sent, and cut off.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/wire/limits.hpp>
#include <meridian/wire/message.hpp>

#include <memory>

namespace meridian::wire {

struct FeedServerOptions {
    PortOptions port = {};
    std::size_t queued_size_max = 4u << 20;   // bytes that wait for one follower
    std::size_t recent_size_max = 32u << 20;  // bytes of the last records, kept in memory for all followers
};

struct FeedServerStatus {
    std::size_t connections = 0;
    std::uint64_t records_sent = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t records_read = 0;  // of those sent, from the log
    std::uint64_t too_slow = 0;      // followers cut off
};

class FeedServer {
public:
    // The log outlives the server.
    FeedServer(const FeedServerOptions& options, const ChainIdentity& chain, const frames::FrameLog& log);
    // Stops.
    ~FeedServer();
    FeedServer(const FeedServer&) = delete;
    FeedServer& operator=(const FeedServer&) = delete;

    // Opens the port and serves on a thread of its own. The error is a sentence that says what to do.
    Result<void, std::string> start();
    void stop();
    std::uint16_t port() const noexcept;
    FeedServerStatus status() const;

    // For the node's listener: a frame is durable. In order, from one thread at a time; takes no time.
    void on_frame(std::uint64_t number, std::shared_ptr<const Bytes> record);

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::wire
