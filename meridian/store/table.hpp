// The tables of the store. Their keys and values are described in keys.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace meridian::store {

// The order is part of nothing on disk; the names are.
enum class Table : std::uint8_t {
    Meta,            // schema, identity, head, what is kept
    Accounts,        // flat state: accounts
    Storage,         // flat state: slots
    Code,            // contract code by its hash
    AccountTrie,     // nodes of the account trie by path
    StorageTrie,     // nodes of the storage tries by account and path
    Blocks,          // header and totals by number
    Bodies,          // transactions and senders in groups, ommers, withdrawals
    Receipts,        // receipts in groups
    BlockNumbers,    // block hash -> number
    Transactions,    // transaction hash -> block and index
    LogIndex,        // address or topic -> the transactions of a block that logged it
    AccountHistory,  // what an account was before a block changed it
    StorageHistory,  // what a slot was before a block changed it
    ChangeSets,      // which accounts, slots and pages a block changed
    ArenaPages,      // the arenas of native modules, and the trees of hashes over them
    ArenaHistory,    // what lines of a page were before a block changed them
};
inline constexpr std::size_t kTableCount = 17;

inline constexpr std::array<std::string_view, kTableCount> kTableNames = {
    "meta",
    "accounts",
    "storage",
    "code",
    "account_trie",
    "storage_trie",
    "blocks",
    "bodies",
    "receipts",
    "block_numbers",
    "transactions",
    "log_index",
    "account_history",
    "storage_history",
    "change_sets",
    "arena_pages",
    "arena_history",
};
static_assert(static_cast<std::size_t>(Table::ArenaHistory) + 1 == kTableCount);

constexpr std::string_view name_of(Table table) noexcept {
    return kTableNames[static_cast<std::size_t>(table)];
}

}  // namespace meridian::store
