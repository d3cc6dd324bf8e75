// The DAO fork's irregular state change (EIP-779). Internal to chain.
#pragma once

#include <meridian/state/state.hpp>

namespace meridian::chain {

// Blocks from the fork block on whose extra data has to be "dao-hard-fork".
inline constexpr std::uint64_t kDaoExtraDataBlocks = 10;
inline constexpr std::string_view kDaoExtraData = "dao-hard-fork";

// Moves the balances of the listed accounts to the refund contract.
void apply_dao_fork(state::State& state);

}  // namespace meridian::chain
