// What an OP Stack chain adds to the execution of transactions (OP Stack specification, execution engine
// and its upgrades up to Isthmus). Internal to chain.
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

// The operator fee of Isthmus, wei: gas * scalar / 10^6 + constant.
struct OperatorFee {
    std::uint64_t scalar = 0;
    std::uint64_t constant = 0;
    u256 of(std::uint64_t gas) const noexcept { return u256{gas} * scalar / 1000000 + constant; }
};

struct Fees {
    u256 l1;  // the L1 data fee, wei
    OperatorFee operator_fee;
};

// What a sequenced transaction pays besides gas, from the L1Block predeploy as it is now.
Fees fees_of(const OpConfig& config, std::uint64_t timestamp, state::State& state, const Transaction& txn);

// The size that FastLZ (level 1) compresses the input to, which Fjord's L1 data fee estimates with.
std::uint64_t fastlz_size(BytesView input);

// EIP-1559's denominator and elasticity for the block after `parent`. From Holocene on they stand in the
// parent's extra data.
struct FeeParameters {
    std::uint64_t denominator;
    std::uint64_t elasticity;
};
FeeParameters fee_parameters(const OpConfig& config, const Header& parent, std::uint64_t timestamp);
// Whether the extra data is as Holocene asks: a version byte of zero and two numbers that are not zero.
bool valid_holocene_extra_data(BytesView extra_data) noexcept;

}  // namespace meridian::chain::op
