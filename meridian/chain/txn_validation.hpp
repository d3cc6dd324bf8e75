// Whether a transaction may stand in a block, and what it pays. Internal to chain.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/chain/txn_cost.hpp>

namespace meridian::chain {

struct TxnRules {
    const ChainConfig& config;
    evm::Revision revision;
    const evm::BlockContext& block;
    std::uint64_t block_gas_used;
    std::uint64_t block_blob_gas_used;
    const SkippedChecks& skipped;
    // OP Stack: what the sender pays besides gas (L1 data and operator fees), at most.
    u256 additional_fee;
};

struct TxnCharge {
    IntrinsicGas intrinsic;
    u256 gas_price;  // effective, wei a gas
    std::uint64_t blob_gas = 0;
    u256 blob_fee;
};

// The checks in the order of the execution specification, so that the reason agrees with its; only that the
// fees, which cost nothing to check, come first, as in other clients. The sender is the recovered one. Not
// for deposits.
Result<TxnCharge, TxnError> validate_transaction(const TxnRules& rules, state::State& state,
                                                 const Transaction& txn, const Address& sender);

// EIP-7702: the account whose code a designator 0xef0100 || address stands for.
std::optional<Address> delegate_of(BytesView code) noexcept;

}  // namespace meridian::chain
