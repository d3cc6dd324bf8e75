// The time between a sequencer's start and its first frame, where replicas hold its frames.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/sequencer/replica_quorum.hpp>
#include <meridian/wire/feed_server.hpp>

namespace meridian::app {

// Waits without end until no frame that was ever shown can be missing from the log, and enough replicas hold
// all that is in it; then as long as `grace_s` for the replicas that have not come. Says meanwhile what it
// waits for. The feed is adopting (FeedServer::begin_adoption()), and does no more when this returns.
void wait_for_replicas(const sequencer::ReplicaQuorum& quorum, const frames::FrameLog& log,
                       wire::FeedServer& feed, std::uint64_t grace_s);

}  // namespace meridian::app
