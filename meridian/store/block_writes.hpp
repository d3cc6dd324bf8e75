// What a block adds to the tables, and what is taken away when it is pruned or taken back.
#pragma once

#include <meridian/store/chain_store.hpp>
#include <meridian/store/keys.hpp>

namespace meridian::store {

// Flat state and code. The values that stood before go to the history of block `number`, and what changed
// to `set`, which may hold earlier changes of the same block; without `set` no history is kept.
StoreResult<void> write_state(const Snapshot& before, const state::StateChanges& changes,
                              std::uint64_t number, ChangeSet* set, WriteBatch& batch);
// The flat state becomes what `changes` say, of pages all lines; nothing is noted.
void overwrite_state(const state::StateChanges& changes, WriteBatch& batch);

void write_block(const BlockCommit& commit, WriteBatch& batch);
// What leads from hashes, addresses and topics to a block's transactions.
void write_indexes(std::uint64_t number, std::span<const Hash> txn_hashes,
                   std::span<const chain::Receipt> receipts, WriteBatch& batch);

void erase_history(const ChangeSet& set, std::uint64_t number, WriteBatch& batch);
// Transactions, receipts and what leads to them. Precondition: the view has the block's body.
StoreResult<void> erase_body(const ChainView& view, std::uint64_t number, WriteBatch& batch);

}  // namespace meridian::store
