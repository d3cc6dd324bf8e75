// The first block in the store: what a new data folder begins with, and what an old one is held against.
#pragma once

#include <meridian/node/genesis.hpp>
#include <meridian/store/chain_store.hpp>

namespace meridian::node {

// The genesis' accounts as changes of the empty state.
state::StateChanges genesis_changes(const Genesis& genesis);

// Opens a chain's store. An empty database gets the genesis; one of another genesis or chain id is refused
// (WrongChain).
store::StoreResult<std::unique_ptr<store::ChainStore>> open_store(
    std::unique_ptr<store::Database> database, const Genesis& genesis,
    const store::ChainStoreOptions& options = {});

}  // namespace meridian::node
