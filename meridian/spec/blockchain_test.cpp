#include <meridian/spec/blockchain_test.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/spec/block_tree.hpp>
#include <meridian/spec/fixture.hpp>

namespace meridian::spec {
namespace {

// The genesis block from its RLP.
Result<chain::Block, std::string> read_genesis(const Json& test) {
    const Json& header = member(test, "genesisBlockHeader");
    auto block = chain::decode_block(bytes(member(test, "genesisRLP")));
    if (!block)
        return fail("genesis does not decode: " + block.error().field + ": " + block.error().reason);
    const Hash expected = hash(member(header, "hash"));
    if (const Hash actual = chain::header_hash(block->header); actual != expected)
        return fail("genesis hash: expected " + to_hex0x(expected) + ", got " + to_hex0x(actual));
    return std::move(*block);
}

// One or several expectations, as older fixtures have them by fork.
const Json* expected_exception(const Json& block, std::string_view network) {
    if (const Json* out = find(block, "expectException"))
        return out;
    if (const Json* out = find(block, "expectExceptionALL"))
        return out;
    return find(block, "expectException" + std::string(network));
}

std::string check_block(const Json& json, const Json* expected, BlockTree& tree, evm::Tracer* tracer) {
    const auto imported = tree.import(bytes(member(json, "rlp")), tracer);
    if (!imported) {
        if (expected == nullptr)
            return "rejected: " + std::string(name_of(imported.error().reason)) + ": " +
                   imported.error().message;
        std::string reason = mismatch(text(*expected), imported.error().reason);
        if (!reason.empty())
            reason += ": " + imported.error().message;
        return reason;
    }
    if (expected != nullptr)
        return "accepted, but expected " + std::string(text(*expected));
    const Hash expected_hash = hash(member(member(json, "blockHeader"), "hash"));
    if ((*imported)->hash != expected_hash)
        return "block hash: expected " + to_hex0x(expected_hash) + ", got " + to_hex0x((*imported)->hash);
    return {};
}

std::string check_head(const Json& test, const TreeNode& head) {
    const Hash expected = hash(member(test, "lastblockhash"));
    if (head.hash != expected)
        return "last block hash: expected " + to_hex0x(expected) + ", got " + to_hex0x(head.hash);
    if (const Json* root = find(test, "postStateHash"))
        if (head.block.header.state_root != hash(*root))
            return "post state root: expected " + to_hex0x(hash(*root)) + ", got " +
                   to_hex0x(head.block.header.state_root);
    if (const Json* post = find(test, "postState"))
        if (std::string reason = describe_difference(read_alloc(*post), head.state); !reason.empty())
            return "post state:" + reason;
    return {};
}

// Of the network's newest blocks, for traces.
evm::Revision last_revision(const chain::ChainConfig& config) {
    constexpr std::uint64_t kLast = ~std::uint64_t{0};
    return config.revision(kLast, kLast);
}

std::string check_chain(const Json& test, const Network& network, std::string_view network_name,
                        CaseContext& context) {
    auto genesis = read_genesis(test);
    if (!genesis)
        return genesis.error();
    state::MemoryState state;
    state.apply(read_alloc(member(test, "pre")));
    if (const Hash root = state.root(); root != genesis->header.state_root)
        return "genesis state root: expected " + to_hex0x(genesis->header.state_root) + ", got " +
               to_hex0x(root);
    std::optional<StepPrinter> printer;
    if (context.trace())
        printer.emplace(*context.trace(), last_revision(network.config), stderr);
    BlockTree tree(network, context.code_cache(), std::move(*genesis), std::move(state));
    std::size_t index = 0;
    for (const Json& block : array(member(test, "blocks"))) {
        const Json* expected = expected_exception(block, network_name);
        if (std::string reason = check_block(block, expected, tree, printer ? &*printer : nullptr);
            !reason.empty())
            return "block " + std::to_string(index) + ": " + reason;
        ++index;
    }
    return check_head(test, tree.head());
}

}  // namespace

void run_blockchain_test(const Json& test, CaseContext& context) {
    const std::string_view name = text(member(test, "network"));
    context.run(name, [&]() -> std::string {
        const auto network = network_of(name, find(test, "config"));
        return network ? check_chain(test, *network, name, context) : "unknown network";
    });
}

}  // namespace meridian::spec
