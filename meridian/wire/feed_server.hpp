// The feed: sends the records of a frame log to whoever follows, from any number on: first from the log, then
// as frames become durable, without a gap and without a repetition.
//
// A follower that does not keep up costs at most `queued_size_max` bytes and one record: what is not sent yet
// is read from the log when there is room for it. When the log's retention overtakes it, it is told the last
// number sent, and cut off.
//
// With a quorum, replicas that it names may identify themselves, and get frames before they are released:
// they acknowledge what their logs hold, which is what releases it. What such a replica holds and this log
// has lost is taken back while begin_adoption() is in force.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/sequencer/adoption.hpp>
#include <meridian/sequencer/replica_quorum.hpp>
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
    // Log and quorum outlive the server. The quorum is null where frames need no replicas.
    FeedServer(const FeedServerOptions& options, const ChainIdentity& chain, const frames::FrameLog& log,
               sequencer::ReplicaQuorum* quorum = nullptr);
    // Stops.
    ~FeedServer();
    FeedServer(const FeedServer&) = delete;
    FeedServer& operator=(const FeedServer&) = delete;

    // Opens the port and serves on a thread of its own. The error is a sentence that says what to do.
    Result<void, std::string> start();
    void stop();
    std::uint16_t port() const noexcept;
    FeedServerStatus status() const;

    // For the node's listener: a frame is durable, and may be shown. In order, from one thread at a time;
    // takes no time.
    void on_frame(std::uint64_t number, std::shared_ptr<const Bytes> record);
    // With a quorum: a frame is in the log, before it may be shown. As on_frame().
    void on_logged(std::uint64_t number, std::shared_ptr<const Bytes> record);

    // Before start(): takes from replicas what the log lacks. It is used on the server's thread alone, and
    // with it the log, until end_adoption() is true. That is false while a replica that is connected has not
    // said yet what it holds, or is sending it.
    void begin_adoption(sequencer::Adoption& adoption);
    bool end_adoption();

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::wire
