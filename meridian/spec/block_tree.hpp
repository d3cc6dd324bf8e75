// Blocks with their post-states, linked to their parents: a chain with its side branches, in memory.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/spec/exception_names.hpp>
#include <meridian/spec/execution.hpp>
#include <meridian/spec/network.hpp>

#include <memory>

namespace meridian::spec {

struct TreeNode {
    chain::Block block;
    Hash hash;
    u256 total_difficulty;
    state::MemoryState state;
    const TreeNode* parent = nullptr;
};

struct BlockRejection {
    Rejection reason;
    std::string message;
};

class BlockTree {
public:
    // The genesis block's state root is the caller's to check.
    BlockTree(Network network, evm::CodeCache& code_cache, chain::Block genesis, state::MemoryState state);

    // Decodes, validates and executes a block, whose parent has to be known, and adds it.
    Result<const TreeNode*, BlockRejection> import(BytesView rlp, evm::Tracer* tracer);

    // The block with the greatest total difficulty, the first among equals; after the merge the last one.
    const TreeNode& head() const noexcept { return *m_head; }

private:
    Result<const TreeNode*, BlockRejection> add(chain::Block block, TreeNode& parent, evm::Tracer* tracer);
    chain::ChainConfig config_after(const TreeNode& parent) const;

    Network m_network;
    evm::CodeCache& m_code_cache;
    std::map<Hash, std::unique_ptr<TreeNode>> m_nodes;
    const TreeNode* m_head = nullptr;
};

}  // namespace meridian::spec
