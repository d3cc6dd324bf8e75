// From the flat state to its tries: for restoring a snapshot, and for checking a store.
//
// Accounts and slots are stored by address and key, tries go by hashes. So the flat state is gone through
// several times, each time taking the entries of one range of hashes, of which memory holds as many as
// WalkLimits say (200 bytes each): 10 M accounts take 5 passes. The time grows with the square of the state.
#pragma once

#include <meridian/store/chain_store.hpp>

namespace meridian::store {

struct WalkLimits {
    std::uint64_t entries_per_pass = 2'000'000;
    // Entries put into a trie before its nodes are handed on.
    std::size_t entries_per_batch = 16'384;
};

// Accounts and slots done so far. Returning false stops the walk with Invalid ("stopped").
using WalkProgress = std::function<bool(std::uint64_t accounts, std::uint64_t slots)>;

// Writes the tries of the flat state that the database holds, and gives their root. What stood in the trie
// tables before is erased first. Commits are buffered; the caller syncs.
StoreResult<Hash> rebuild_tries(Database& database, const WalkProgress& progress,
                                const WalkLimits& limits = {});

struct StateCheck {
    std::uint64_t accounts = 0;
    std::uint64_t slots = 0;
    std::uint64_t nodes = 0;
};

// Compares flat state, tries and the head's root with each other, and finds code that is missing or does not
// have its hash. Corrupt names the first thing that does not agree.
StoreResult<StateCheck> check_state(const ChainView& view, const WalkProgress& progress,
                                    const WalkLimits& limits = {});

}  // namespace meridian::store
