// What a replica does, in numbers: how far it has followed, and how far behind it is.
#pragma once

#include <meridian/metrics/metrics.hpp>
#include <meridian/operation/pipeline_metrics.hpp>
#include <meridian/sequencer/follower.hpp>
#include <meridian/wire/feed_client.hpp>

namespace meridian::operation {

inline constexpr metrics::Metric kFeedConnected{"meridian_feed_connected", metrics::Kind::Gauge,
                                                "1 while the replica is connected to a feed, else 0."};
inline constexpr metrics::Metric kFeedLag{"meridian_feed_lag_frames", metrics::Kind::Gauge,
                                          "Frames that the feed has and this node does not show yet."};
inline constexpr metrics::Metric kFrameAge{"meridian_frame_age_seconds", metrics::Kind::Gauge,
                                           "Age of the last frame shown, by its stamp."};
inline constexpr metrics::Metric kFeedRefused{"meridian_feed_refused_records_total", metrics::Kind::Counter,
                                              "Records from a feed that were no frame of this chain."};

// Also the gauges that a sequencer has: frame and block numbers, queues, fault. `now_us` is the wall clock.
void collect_follower(metrics::Page& page, const sequencer::FollowerStatus& status,
                      const wire::FeedClientStatus& feed, std::uint64_t now_us);

}  // namespace meridian::operation
