#include <meridian/operation/replication_metrics.hpp>

#include <meridian/base/hex.hpp>

#include <algorithm>

namespace meridian::operation {

void collect_quorum(metrics::Page& page, const sequencer::QuorumStatus& status) {
    const auto number = [](auto value) { return static_cast<double>(value); };
    for (const sequencer::ReplicaStatus& replica : status.replicas) {
        const metrics::Labels who{{"replica", to_hex0x(replica.address)}};
        page.add(kReplicaConnected, replica.connected && replica.acknowledged ? 1 : 0, who);
        page.add(kReplicaAcknowledged, number(replica.acknowledged.value_or(0)), who);
    }
    page.add(kReplicasMin, number(status.replicas_min));
    page.add(kUnreleasedFrames, number(std::max(status.logged, status.released) - status.released));
    page.add(kReleasedFrames, number(status.waits));
    page.add(kReleaseWait, number(status.wait_us) * 1e-6);
}

}  // namespace meridian::operation
