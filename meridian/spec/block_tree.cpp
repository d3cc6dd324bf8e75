#include <meridian/spec/block_tree.hpp>

#include <meridian/base/hex.hpp>

namespace meridian::spec {
namespace {

using chain::BlockError;

class BranchHashes final : public evm::BlockHashSource {
public:
    explicit BranchHashes(const TreeNode& parent) : m_parent(parent) {}

    Hash block_hash(std::uint64_t number) override {
        for (const TreeNode* node = &m_parent; node != nullptr; node = node->parent)
            if (node->block.header.number == number)
                return node->hash;
        return {};
    }

private:
    const TreeNode& m_parent;
};

// Ommers may be seven generations old, and the ancestors' own ommers must not be included again.
constexpr std::size_t kOmmerGenerations = 8;

std::vector<chain::Block> ancestors_of(const TreeNode& parent) {
    std::vector<chain::Block> out;
    for (const TreeNode* node = &parent; node != nullptr && out.size() < kOmmerGenerations;
         node = node->parent)
        out.push_back(node->block);
    return out;
}

BlockRejection rejection(BlockError error, std::optional<chain::TxnError> txn_error, std::string message) {
    if (txn_error)
        return {*txn_error, std::move(message)};
    return {error, std::move(message)};
}

}  // namespace

BlockTree::BlockTree(Network network, evm::CodeCache& code_cache, chain::Block genesis,
                     state::MemoryState state)
    : m_network(std::move(network)), m_code_cache(code_cache) {
    auto node = std::make_unique<TreeNode>();
    node->hash = chain::header_hash(genesis.header);
    node->total_difficulty = genesis.header.difficulty;
    node->block = std::move(genesis);
    node->state = std::move(state);
    m_head = node.get();
    m_nodes.emplace(node->hash, std::move(node));
}

// Where the merge follows the total difficulty, whether it has come depends on the branch.
chain::ChainConfig BlockTree::config_after(const TreeNode& parent) const {
    chain::ChainConfig config = m_network.config;
    if (m_network.terminal_total_difficulty &&
        parent.total_difficulty >= *m_network.terminal_total_difficulty)
        config.activation[static_cast<std::size_t>(evm::Revision::Paris)] = parent.block.header.number + 1;
    return config;
}

Result<const TreeNode*, BlockRejection> BlockTree::import(BytesView rlp, evm::Tracer* tracer) {
    auto block = chain::decode_block(rlp);
    if (!block)
        return fail(
            BlockRejection{Rejection(block.error()), block.error().field + ": " + block.error().reason});
    if (const auto known = m_nodes.find(chain::header_hash(block->header)); known != m_nodes.end())
        return known->second.get();
    const auto parent = m_nodes.find(block->header.parent_hash);
    if (parent == m_nodes.end()) {
        const bool zero = block->header.parent_hash.is_zero();
        return fail(BlockRejection{zero ? BlockError::UnknownParentZero : BlockError::UnknownParent,
                                   "no block " + to_hex0x(block->header.parent_hash)});
    }
    return add(std::move(*block), *parent->second, tracer);
}

Result<const TreeNode*, BlockRejection> BlockTree::add(chain::Block block, TreeNode& parent,
                                                       evm::Tracer* tracer) {
    const chain::ChainConfig config = config_after(parent);
    BranchHashes hashes(parent);
    MemoryIntermediateRoot intermediate_root(parent.state);
    const chain::ExecutionEnvironment environment{.code_cache = m_code_cache,
                                                  .block_hashes = hashes,
                                                  .tracer = tracer,
                                                  .intermediate_root = &intermediate_root};
    std::vector<chain::Block> ancestors;
    if (!block.ommers.empty())
        ancestors = ancestors_of(parent);
    auto outcome =
        chain::execute_block(config, parent.block.header, block, parent.state, environment, ancestors);
    if (!outcome)
        return fail(
            rejection(outcome.error().error, outcome.error().txn_error, std::move(outcome.error().message)));
    auto node = std::make_unique<TreeNode>();
    node->state = parent.state;
    node->state.apply(outcome->changes);
    const Hash root = node->state.root();
    if (root != block.header.state_root)
        return fail(BlockRejection{
            BlockError::InvalidStateRoot,
            "state root: expected " + to_hex0x(block.header.state_root) + ", got " + to_hex0x(root)});
    node->hash = chain::header_hash(block.header);
    node->total_difficulty = parent.total_difficulty + block.header.difficulty;
    node->parent = &parent;
    node->block = std::move(block);
    const TreeNode* added = node.get();
    const bool merged =
        config.revision(added->block.header.number, added->block.header.timestamp) >= evm::Revision::Paris;
    if (merged || added->total_difficulty > m_head->total_difficulty)
        m_head = added;
    m_nodes.emplace(added->hash, std::move(node));
    return added;
}

}  // namespace meridian::spec
