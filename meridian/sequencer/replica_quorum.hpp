// Which frames enough replicas hold, at a sequencer whose durability is theirs (docs/frames.md, Replication).
//
// Knows nothing of connections: whoever has them says who is there and what has been acknowledged.
// Thread-safe.
#pragma once

#include <meridian/sequencer/clock.hpp>
#include <meridian/sequencer/replication.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>

namespace meridian::sequencer {

struct QuorumOptions {
    std::vector<Address> replicas;  // whose acknowledgements count
    std::size_t replicas_min = 1;   // how many of them have to hold a frame
    // A frame that waits for longer is a fault, whoever is connected.
    std::uint64_t stalled_us = 2'000'000;
};

struct ReplicaStatus {
    Address address;
    bool connected = false;
    // The last frame that it has said to hold in this life of the sequencer; empty: it has said nothing.
    std::optional<std::uint64_t> acknowledged;
};

struct QuorumStatus {
    std::vector<ReplicaStatus> replicas;  // as in the options
    std::size_t replicas_min = 0;
    std::uint64_t released = 0;  // the last frame that enough of them hold
    std::uint64_t logged = 0;    // the last frame that waits, or waited, for them
    // From a frame's being in the log to its release.
    std::uint64_t waits = 0;  // frames
    std::uint64_t wait_us = 0;
    std::size_t connected() const;
    std::size_t reported() const;  // of those connected, who have said what they hold
};

class ReplicaQuorum final : public Replication {
public:
    // Precondition: 1 <= replicas_min <= replicas; no replica twice. The clock outlives this.
    ReplicaQuorum(QuorumOptions options, Clock& clock);

    const QuorumOptions& options() const noexcept { return m_options; }
    // How many have to be asked, so that none of the frames that were released can be missed: of any so many
    // replicas one has acknowledged each of them.
    std::size_t replicas_to_ask() const noexcept {
        return m_options.replicas.size() - m_options.replicas_min + 1;
    }
    // The replica's place in the options; empty if it is none of them.
    std::optional<std::size_t> find(const Address& address) const;

    void connect(std::size_t replica);
    void disconnect(std::size_t replica);
    // It holds this frame of ours and all before it.
    void acknowledge(std::size_t replica, std::uint64_t number);

    // The newest frame that enough replicas hold: LogOptions::released.
    std::uint64_t released() const noexcept { return m_released; }
    QuorumStatus status() const;

    // Who hands logged frames on to replicas. Before there are frames; on the publisher's thread.
    void set_on_logged(std::function<void(const PublishedFramePtr&)> callback) {
        m_on_logged = std::move(callback);
    }
    void on_logged(const PublishedFramePtr& frame) override;
    std::string fault() const override;
    void set_on_release(std::function<void()> callback) override { m_on_release = std::move(callback); }

private:
    struct Waiting {
        std::uint64_t number = 0;
        std::uint64_t since_us = 0;
    };
    std::string missing() const;

    const QuorumOptions m_options;
    Clock& m_clock;
    std::function<void(const PublishedFramePtr&)> m_on_logged;
    std::function<void()> m_on_release;
    mutable std::mutex m_mutex;
    std::vector<ReplicaStatus> m_replicas;
    std::deque<Waiting> m_waiting;  // frames logged and not released: as many as the publisher lets wait
    std::uint64_t m_logged = 0;
    std::uint64_t m_waits = 0;
    std::uint64_t m_wait_us = 0;
    std::atomic<std::uint64_t> m_released = 0;
};

}  // namespace meridian::sequencer
