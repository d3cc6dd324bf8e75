// Re-executes recorded blocks of real chains on the part of their pre-state that they touch.
//
// The formats (replay_formats.hpp) are told apart by content. Beside single blocks there are chains, which
// the caller replays from their genesis, and era1 files, which hold no state: their blocks' links and roots
// are checked.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/chain/config.hpp>
#include <meridian/spec/execution.hpp>
#include <meridian/spec/json.hpp>
#include <meridian/state/trie_state.hpp>
#include <meridian/trie/node_store.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace meridian::spec {

// What came of a source that is not a single block: nothing amiss, a failure, or why it cannot be replayed.
struct ReplayCheck {
    std::string failure;
    std::string skipped;
};

struct ReplayOptions {
    std::vector<std::string> paths;
    std::string filter;
    unsigned repeat = 1;  // executions of each block, for measurements
    bool json = false;
    // Replays a file of RLP blocks from the genesis that lies beside it. Without it chains are skipped.
    std::function<ReplayCheck(const std::string& path)> chain;
};

// Prints failures, speed and the last line; returns an exit code as run_suites().
int run_replay(const ReplayOptions& options);

// A block with all that its execution reads.
struct ReplayCase {
    std::string name;
    chain::ChainConfig config;
    // Without it the header is not checked against its parent.
    std::optional<chain::Header> parent;
    chain::Block block;
    // The block's hash as recorded. If `sealed` is false, what execution finds completes the header first.
    Hash hash;
    bool sealed = true;
    MapBlockHashes block_hashes;

    // The pre-state: whole accounts, or tries opened at a root, which make a post-state root possible.
    std::unique_ptr<state::MemoryState> accounts;
    Hash pre_root;
    trie::MemoryNodeStore nodes;
    state::MemoryCodeStore codes;
};

// A block, or why it cannot be replayed. Neither: the file holds no recorded block.
struct Loaded {
    std::unique_ptr<ReplayCase> block;
    std::string skipped;
};

// Either of the two is set.
struct ReplaySource {
    std::string name;
    std::function<Result<Loaded, InputError>()> load = {};
    std::function<ReplayCheck()> check = {};
};

// The sources at a path: a file, or a folder searched through for .json, .rlp and .era1. `options` outlive
// the call.
Result<std::vector<ReplaySource>, InputError> find_replay_sources(const std::string& path,
                                                                  const ReplayOptions& options);

}  // namespace meridian::spec
