#include "replica_wait.hpp"

#include <meridian/base/hex.hpp>

#include <spdlog/spdlog.h>

#include <chrono>
#include <thread>

namespace meridian::app {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook(10);
constexpr std::chrono::seconds kSay(5);

std::string missing(const sequencer::QuorumStatus& status) {
    std::string out;
    for (const sequencer::ReplicaStatus& replica : status.replicas)
        if (!replica.connected || !replica.acknowledged)
            out += (out.empty() ? "" : ", ") + to_hex0x(replica.address);
    return out;
}

void say(const sequencer::QuorumStatus& status, std::size_t wanted, const frames::FrameLog& log) {
    if (status.reported() < wanted)
        spdlog::warn(
            "no frame is made before {} of the {} replicas in log.replicas have said what they hold, so that "
            "none "
            "that was shown is missing; {} have. Start {}; one whose data is lost for good can be taken out "
            "of "
            "log.replicas",
            wanted, status.replicas.size(), status.reported(), missing(status));
    else if (log.last_durable() < log.last_written())
        spdlog::warn(
            "no frame is made before {} replicas hold all that there are (log.replicas_min): up to frame {}, "
            "they "
            "hold frame {}",
            status.replicas_min, log.last_written(), log.last_durable());
    else
        spdlog::info("waiting for the replicas {} a while longer (log.replicas_wait_s)", missing(status));
}

}  // namespace

void wait_for_replicas(const sequencer::ReplicaQuorum& quorum, const frames::FrameLog& log,
                       wire::FeedServer& feed, std::uint64_t grace_s) {
    const std::size_t wanted = std::max(quorum.replicas_to_ask(), quorum.options().replicas_min);
    const Clock::time_point began = Clock::now();
    spdlog::info("asking the replicas what they hold; the frame log ends with frame {}", log.last_written());
    for (Clock::time_point said = began;; std::this_thread::sleep_for(kLook)) {
        const sequencer::QuorumStatus status = quorum.status();
        const bool enough = status.reported() >= wanted && log.last_durable() == log.last_written();
        const bool all = status.reported() == status.replicas.size();
        if (enough && (all || Clock::now() - began >= std::chrono::seconds(grace_s)) && feed.end_adoption())
            return;
        if (Clock::now() - said < kSay)
            continue;
        said = Clock::now();
        say(status, wanted, log);
    }
}

}  // namespace meridian::app
