// How fast this machine recovers signers: the wall that every node meets.
#pragma once

#include <meridian/base/bytes.hpp>

#include <vector>

namespace meridian::load {

// Recoveries a second on all cores.
struct RecoveryRate {
    double batched = 0;  // in batches, as our ingress does it
    double single = 0;   // libsecp256k1, one by one
};

// Of the first envelopes, as many as take about a second.
RecoveryRate measure_recovery_rate(const std::vector<Bytes>& envelopes);

}  // namespace meridian::load
