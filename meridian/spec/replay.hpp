// Re-executes recorded blocks of real chains on the part of their pre-state that they touch.
//
// Three formats are told apart by content: a folder with block.json and pre_state.json (risechain/pevm), a
// cache of RPC answers with proofs before and after the block (risc0/zeth), and a block's attributes with
// every preimage (op-rs/kona).
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

struct ReplayOptions {
    std::vector<std::string> paths;
    std::string filter;
    unsigned repeat = 1;  // executions of each block, for measurements
    bool json = false;
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

// How to load a case; loading throws FieldFailure and fails with the document's error.
struct ReplaySource {
    std::string name;
    std::function<Result<std::unique_ptr<ReplayCase>, InputError>()> load;
};

// The cases at a path: a file, or a folder searched through. Files of other formats are passed over.
Result<std::vector<ReplaySource>, InputError> find_replay_sources(const std::string& path);

}  // namespace meridian::spec
