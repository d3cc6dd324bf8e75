// Readers of the flat state: the newest, and what it was before later blocks changed it.
#pragma once

#include <meridian/store/chain_store.hpp>
#include <meridian/store/keys.hpp>

namespace meridian::store {

// The error for bytes that nothing here writes.
StoreError corrupt_entry(Table table, std::string_view what);

StoreResult<std::optional<state::Account>> read_account(const Snapshot& snapshot, const Address& address);
StoreResult<u256> read_storage(const Snapshot& snapshot, const Address& address, const u256& slot);
using StoredPage = std::array<std::uint8_t, state::kArenaPageSize>;
// Zero if it was never written.
StoreResult<void> read_page(const Snapshot& snapshot, const Address& module, std::uint32_t page,
                            std::span<std::uint8_t, state::kArenaPageSize> out);
StoreResult<ChangeSet> read_change_set(const Snapshot& snapshot, std::uint64_t number);

// Calls visit(slot, value) for each slot of the account, ascending, until it returns false.
StoreResult<void> for_each_slot(const Snapshot& snapshot, const Address& address,
                                const std::function<bool(const u256&, const u256&)>& visit);

// Without `number`: the newest state of the snapshot.
std::unique_ptr<StoredState> make_stored_state(SnapshotPtr snapshot, std::optional<std::uint64_t> number);

}  // namespace meridian::store
