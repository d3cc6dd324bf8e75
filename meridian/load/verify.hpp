// Whether the chain holds what the load did, no less and no more.
#pragma once

#include <meridian/load/run_state.hpp>
#include <meridian/load/workload.hpp>

#include <vector>

namespace meridian::load {

// What the chain was before the load.
struct Before {
    std::uint64_t block_number = 0;
    std::vector<u256> sender_balances;
};

// Waits some seconds for the blocks that hold what was seen. The receipts of all blocks since `before` are
// compared with those that the node gave while the load ran, nonces and ether of the senders with what the
// receipts say, and then the workload checks its own.
std::vector<Check> verify_load(RpcClient& rpc, const Workload& workload, const Cast& cast,
                               const RunState& state, const Before& before);

}  // namespace meridian::load
