#include <meridian/operation/follower_metrics.hpp>

#include <algorithm>

namespace meridian::operation {

void collect_follower(metrics::Page& page, const sequencer::FollowerStatus& status,
                      const wire::FeedClientStatus& feed, std::uint64_t now_us) {
    const auto number = [](auto value) { return static_cast<double>(value); };
    page.add(kFrameNumber, number(status.frame));
    page.add(kBlockNumber, number(status.block), {{"stage", "open"}});
    page.add(kBlockNumber, number(status.sealed_block), {{"stage", "sealed"}});
    page.add(kBlockNumber, number(status.stored_block), {{"stage", "stored"}});
    page.add(kQueue, number(status.waiting_frames), {{"queue", "runner"}});
    page.add(kQueue, number(status.committer_waiting), {{"queue", "committer"}});
    page.add(kRecentAccounts, number(status.recent_accounts));
    page.add(kFault, status.fault.empty() ? 0 : 1);
    page.add(kFeedConnected, feed.connected ? 1 : 0);
    page.add(kFeedLag, number(std::max(feed.server_last, status.frame) - status.frame));
    const std::uint64_t age_us = now_us - std::min(now_us, status.timestamp_us);
    page.add(kFrameAge, static_cast<double>(age_us) * 1e-6);
    page.add(kFeedRefused, number(status.refused));
}

}  // namespace meridian::operation
