#include <meridian/spec/blockchain_test.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/spec/block_tree.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/rpc_json.hpp>

namespace meridian::spec {
namespace {

std::string shown(const u256& value) {
    return to_quantity(value);
}
std::string shown(std::uint64_t value) {
    return to_quantity(value);
}
std::string shown(BytesView value) {
    return to_hex0x(value);
}
template <class T>
std::string shown(const std::optional<T>& value) {
    return value ? shown(*value) : "none";
}

// The first field in which the header that the fixture spells out is not the one it encodes.
std::string differs(const chain::Header& spelt, const chain::Header& encoded) {
    std::string out;
    const auto compare = [&](const char* field, const auto& expected, const auto& actual) {
        if (out.empty() && expected != actual)
            out = std::string("genesisRLP: ") + field + ": genesisBlockHeader has " + shown(expected) +
                  ", the encoding " + shown(actual);
    };
    compare("parentHash", spelt.parent_hash, encoded.parent_hash);
    compare("uncleHash", spelt.ommers_hash, encoded.ommers_hash);
    compare("coinbase", spelt.coinbase, encoded.coinbase);
    compare("stateRoot", spelt.state_root, encoded.state_root);
    compare("transactionsTrie", spelt.transactions_root, encoded.transactions_root);
    compare("receiptTrie", spelt.receipts_root, encoded.receipts_root);
    compare("bloom", spelt.bloom, encoded.bloom);
    compare("difficulty", spelt.difficulty, encoded.difficulty);
    compare("number", spelt.number, encoded.number);
    compare("gasLimit", spelt.gas_limit, encoded.gas_limit);
    compare("gasUsed", spelt.gas_used, encoded.gas_used);
    compare("timestamp", spelt.timestamp, encoded.timestamp);
    compare("extraData", spelt.extra_data, encoded.extra_data);
    compare("mixHash", spelt.mix_hash, encoded.mix_hash);
    compare("nonce", spelt.nonce, encoded.nonce);
    compare("baseFeePerGas", spelt.base_fee, encoded.base_fee);
    compare("withdrawalsRoot", spelt.withdrawals_root, encoded.withdrawals_root);
    compare("blobGasUsed", spelt.blob_gas_used, encoded.blob_gas_used);
    compare("excessBlobGas", spelt.excess_blob_gas, encoded.excess_blob_gas);
    compare("parentBeaconBlockRoot", spelt.parent_beacon_block_root, encoded.parent_beacon_block_root);
    compare("requestsHash", spelt.requests_hash, encoded.requests_hash);
    return out;
}

// The genesis block from its RLP, which has to be the one that the fixture spells out field by field.
Result<chain::Block, std::string> read_genesis(const Json& test) {
    const Json& header = member(test, "genesisBlockHeader");
    auto block = chain::decode_block(bytes(member(test, "genesisRLP")));
    if (!block)
        return fail("genesis does not decode: " + block.error().field + ": " + block.error().reason);
    if (std::string difference = differs(read_rpc_header(header), block->header); !difference.empty())
        return fail(std::move(difference));
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
