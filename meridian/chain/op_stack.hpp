// What an OP Stack chain adds to the execution of transactions (OP Stack specification, execution engine
// and its upgrades up to Jovian). Internal to chain.
#pragma once

#include <meridian/base/hex.hpp>
#include <meridian/chain/executor.hpp>

namespace meridian::chain::op {

inline constexpr Address kBaseFeeVault = "0x4200000000000000000000000000000000000019"_address;
inline constexpr Address kL1FeeVault = "0x420000000000000000000000000000000000001a"_address;
inline constexpr Address kOperatorFeeVault = "0x420000000000000000000000000000000000001b"_address;

inline bool active(const std::optional<std::uint64_t>& since, std::uint64_t timestamp) noexcept {
    return since.has_value() && *since <= timestamp;
}

// The last upgrade that changed the EVM.
evm::OpRevision evm_revision(const OpConfig& config, std::uint64_t timestamp) noexcept;

// The operator fee, wei: gas * scalar / 10^6 + constant in Isthmus, gas * scalar * 100 + constant in Jovian.
struct OperatorFee {
    std::uint64_t scalar = 0;
    std::uint64_t constant = 0;
    bool jovian = false;
    u256 of(std::uint64_t gas) const noexcept {
        const u256 product = u256{gas} * scalar;
        return (jovian ? product * 100 : product / 1000000) + constant;
    }
};

struct Fees {
    u256 l1;  // the L1 data fee, wei
    OperatorFee operator_fee;
    // Jovian: gas units of the block's data availability that the transaction takes.
    std::uint64_t da_footprint = 0;
};

// What a sequenced transaction pays besides gas, from the L1Block predeploy as it is now.
Fees fees_of(const OpConfig& config, std::uint64_t timestamp, state::State& state, const Transaction& txn);

// The size that FastLZ (level 1) compresses the input to, which Fjord's L1 data fee estimates with.
std::uint64_t fastlz_size(BytesView input);

// What the base fee of the block after `parent` depends on. From Holocene on denominator and elasticity stand
// in the parent's extra data, from Jovian on the least base fee too.
struct FeeParameters {
    std::uint64_t denominator;
    std::uint64_t elasticity;
    std::uint64_t base_fee_min = 0;      // wei
    std::uint64_t parent_gas_metered{};  // from Jovian on the parent's data counts if it is more
};
FeeParameters fee_parameters(const OpConfig& config, const Header& parent, std::uint64_t timestamp);
// Whether the extra data is as the block's upgrade asks: nothing before Holocene; a version byte of zero and
// denominator and elasticity, which are not zero; from Jovian on version one and the least base fee behind.
bool valid_extra_data(const OpConfig& config, std::uint64_t timestamp, BytesView extra_data) noexcept;

}  // namespace meridian::chain::op
