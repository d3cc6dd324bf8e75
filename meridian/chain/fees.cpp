// What gas and blobs cost, from the parent block: EIP-1559, EIP-4844, EIP-7918.
#include <meridian/chain/executor.hpp>
#include <meridian/chain/op_stack.hpp>
#include <meridian/chain/txn_cost.hpp>

#include <algorithm>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr std::uint64_t kInitialBaseFee = 1000000000;
constexpr std::uint64_t kBlobBaseCost = 8192;  // EIP-7918

// factor * e^(numerator / denominator), as EIP-4844 approximates it with factor 1. Saturates.
u256 fake_exponential(std::uint64_t numerator, std::uint64_t denominator) {
    u256 sum;
    u256 term = denominator;
    for (std::uint64_t i = 1; term; ++i) {
        if (sum > u256::max() - term)
            return u256::max();
        sum += term;
        if (bit_length(term) + bit_length(u256{numerator}) > 256)
            return u256::max();
        term = term * numerator / (u256{denominator} * i);
    }
    return sum / denominator;
}

// EIP-1559. Precondition: the parent has a base fee.
u256 adjusted_base_fee(const Header& parent, const op::FeeParameters& parameters) {
    const u256& fee = *parent.base_fee;
    const std::uint64_t used = parameters.parent_gas_metered;
    const std::uint64_t target = parent.gas_limit / parameters.elasticity;
    if (used == target || target == 0)
        return fee;
    if (used > target) {
        const u256 delta = fee * (used - target) / target / parameters.denominator;
        return fee + std::max(delta, u256{1});
    }
    return fee - fee * (target - used) / target / parameters.denominator;
}

}  // namespace

u256 next_base_fee(const ChainConfig& config, const Header& parent, std::uint64_t timestamp) {
    if (!parent.base_fee.has_value())
        return kInitialBaseFee;
    const op::FeeParameters parameters =
        config.op
            ? op::fee_parameters(*config.op, parent, timestamp)
            : op::FeeParameters{.denominator = 8, .elasticity = 2, .parent_gas_metered = parent.gas_used};
    return std::max(adjusted_base_fee(parent, parameters), u256{parameters.base_fee_min});
}

std::uint64_t next_excess_blob_gas(const ChainConfig& config, const Header& parent, std::uint64_t timestamp) {
    // An OP chain has no blobs; what it has in the field beside is something else.
    if (config.op)
        return 0;
    const BlobSchedule schedule = config.blob_parameters(timestamp);
    const std::uint64_t excess = parent.excess_blob_gas.value_or(0);
    const std::uint64_t used = parent.blob_gas_used.value_or(0);
    const std::uint64_t target = schedule.target * kGasPerBlob;
    if (excess + used < target)
        return 0;
    if (config.revision(parent.number + 1, timestamp) >= Revision::Osaka) {
        const u256 reserve = parent.base_fee.value_or(u256{}) * kBlobBaseCost;
        const u256 price = fake_exponential(excess, schedule.base_fee_update_fraction);
        // A blob may cost at least what the execution of kBlobBaseCost gas does (EIP-7918).
        if (price < (reserve >> 17) + ((reserve & (kGasPerBlob - 1)) != u256{} ? 1 : 0))
            return excess + used * (schedule.max - schedule.target) / schedule.max;
    }
    return excess + used - target;
}

u256 blob_base_fee(const ChainConfig& config, std::uint64_t timestamp, std::uint64_t excess_blob_gas) {
    return fake_exponential(excess_blob_gas, config.blob_parameters(timestamp).base_fee_update_fraction);
}

}  // namespace meridian::chain
