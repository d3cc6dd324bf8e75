// eth_simulateV1: calls in imagined blocks on top of a real one, with overrides.
#pragma once

#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/call_args.hpp>

namespace meridian::rpc {

struct SimulatedBlock {
    BlockOverrides block_overrides;
    StateOverrides state_overrides;
    std::vector<CallArgs> calls;
};

struct Simulation {
    std::vector<SimulatedBlock> blocks;
    bool trace_transfers = false;    // ether that moves shows as logs
    bool validation = false;         // fees, nonces and balances as on a chain
    bool full_transactions = false;  // in the answer, in place of hashes
};

Simulation read_simulation(const json::value& value);

// Throws RpcError with the method's own codes.
json::value simulate_v1(Service& service, Simulation simulation, const BlockReference& base);

}  // namespace meridian::rpc
