// What a sequencer knows of the replicas that have to hold its frames, in numbers.
#pragma once

#include <meridian/metrics/metrics.hpp>
#include <meridian/sequencer/replica_quorum.hpp>

namespace meridian::operation {

inline constexpr metrics::Metric kReplicaConnected{
    "meridian_replica_connected", metrics::Kind::Gauge,
    "1 while a replica of log.replicas is connected and has said what it holds, else 0."};
inline constexpr metrics::Metric kReplicaAcknowledged{
    "meridian_replica_acknowledged_frame_number", metrics::Kind::Gauge,
    "The last frame that a replica of log.replicas has said to hold since this process began."};
inline constexpr metrics::Metric kReplicasMin{"meridian_replicas_min", metrics::Kind::Gauge,
                                              "Replicas that have to hold a frame before it is shown."};
inline constexpr metrics::Metric kUnreleasedFrames{"meridian_unreleased_frames", metrics::Kind::Gauge,
                                                   "Frames in the log that wait for replicas to hold them."};
inline constexpr metrics::Metric kReleasedFrames{"meridian_released_frames_total", metrics::Kind::Counter,
                                                 "Frames that enough replicas hold."};
inline constexpr metrics::Metric kReleaseWait{
    "meridian_release_wait_seconds_total", metrics::Kind::Counter,
    "Time that released frames have waited for replicas, all together."};

void collect_quorum(metrics::Page& page, const sequencer::QuorumStatus& status);

}  // namespace meridian::operation
