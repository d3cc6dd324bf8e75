// A whole node for a while under a seed: random load, random order of its stages, and now and then a kill, a
// power cut amid a write, a full disk, a clock that is set. Two replicas follow it, one that executes and one
// that applies changes, with the same troubles and a connection that is slow, cut, or brings spoilt records.
// After each disturbance the world is checked; at the end every replica equals the sequencer. Under half of
// the seeds the sequencer does not flush its log: the replicas hold its frames, one of them or both, and it
// asks as many as it has to when it starts.
#pragma once

#include <cstdint>
#include <string>

namespace meridian::sim {

struct SimulationOptions {
    std::uint64_t seed = 1;
    std::uint64_t steps = 4'000;
};

struct SimulationResult {
    std::string failure;  // empty: passed
    std::uint64_t frames = 0;
    std::uint64_t blocks = 0;
    std::uint64_t txns = 0;
    std::uint64_t kills = 0;
    std::uint64_t power_cuts = 0;
    std::uint64_t crashes_amid_write = 0;
    std::uint64_t full_disks = 0;
    std::uint64_t clock_jumps = 0;
    std::uint64_t replica_crashes = 0;
    std::uint64_t connections_cut = 0;
    std::uint64_t records_spoilt = 0;
    bool replicated = false;
    std::uint64_t frames_adopted = 0;  // that the sequencer had lost
    std::uint64_t replicas_anew = 0;   // whose frames nobody was shown, and the sequencer had no more
};

// The same options give the same result.
SimulationResult simulate(const SimulationOptions& options);

}  // namespace meridian::sim
