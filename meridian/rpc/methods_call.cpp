// Calls that leave no trace: eth_call, eth_estimateGas, eth_createAccessList, eth_simulateV1.
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/call_runner.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/simulate.hpp>

namespace meridian::rpc {
namespace {

// Of the parameters (call, block, state overrides, block overrides).
CallRunner runner(const Call& call, const BlockReference& otherwise) {
    CallRunner out(call.service, call.args.get(0, read_call_args),
                   call.args.get_or(1, read_block_reference, otherwise));
    if (call.args.has(3))
        out.override_block(call.args.get(3, read_block_overrides));
    if (call.args.has(2))
        out.override_state(call.args.get(2, read_state_overrides));
    return out;
}

json::value eth_call(const Call& call) {
    auto run = runner(call, {});
    const auto outcome = run.execute();
    run.throw_if_failed(outcome);
    return hex_data(outcome.output);
}

json::value estimate_gas(const Call& call) {
    // What comes next is in the next block, whose time and number may cost other gas than the last one's.
    auto run = runner(call, kPendingBlock);
    return quantity(run.estimate_gas());
}

json::value create_access_list(const Call& call) {
    auto run = runner(call, {});
    const auto made = run.create_access_list();
    json::object out{{"accessList", format_access_list(made.list)}, {"gasUsed", quantity(made.gas_used)}};
    if (!made.error.empty())
        out["error"] = made.error;
    return out;
}

json::value simulate(const Call& call) {
    return simulate_v1(call.service, call.args.get(0, read_simulation),
                       call.args.get_or(1, read_block_reference, BlockReference{}));
}

}  // namespace

std::span<const Method> call_methods() {
    static const Param kCall{"transaction", "Call"};
    static const Param kBlock{"block", "BlockNumberOrTagOrHash", false};
    static const Param kStateOverrides{"stateOverrides", "{address: AccountOverride}", false};
    static const Param kBlockOverrides{"blockOverrides", "BlockOverrides", false};
    static const Method kMethods[] = {
        {"eth_call",
         "Executes a call and forgets it",
         {kCall, kBlock, kStateOverrides, kBlockOverrides},
         "Data",
         eth_call},
        {"eth_estimateGas",
         "The least gas limit that a transaction needs",
         {kCall, kBlock, kStateOverrides, kBlockOverrides},
         "Quantity",
         estimate_gas},
        {"eth_createAccessList",
         "The access list that a transaction would use",
         {kCall, kBlock, kStateOverrides, kBlockOverrides},
         "{accessList, gasUsed}",
         create_access_list},
        {"eth_simulateV1",
         "Executes calls in imagined blocks",
         {{"simulation", "Simulation"}, kBlock},
         "SimulatedBlock[]",
         simulate},
    };
    return kMethods;
}

}  // namespace meridian::rpc
