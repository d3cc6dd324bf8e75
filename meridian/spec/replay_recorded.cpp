// Recorded blocks in the formats of pevm, zeth and kona.

#include <meridian/base/hex.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/replay_formats.hpp>
#include <meridian/spec/rpc_json.hpp>
#include <meridian/trie/nibbles.hpp>

#include <algorithm>
#include <filesystem>

namespace meridian::spec {

chain::Block read_rpc_block(const Json& json) {
    chain::Block out;
    out.header = read_rpc_header(json);
    for (const Json& txn : array(member(json, "transactions")))
        out.transactions.push_back(read_rpc_transaction(txn));
    if (const Json* withdrawals = find(json, "withdrawals")) {
        out.withdrawals.emplace();
        for (const Json& withdrawal : array(*withdrawals))
            out.withdrawals->push_back(read_withdrawal(withdrawal));
    }
    return out;
}

namespace {

namespace fs = std::filesystem;
using chain::ChainConfig;
using evm::Revision;

// --- OP Stack chains ----------------------------------------------------------------------------------

struct OpTimes {
    std::uint64_t chain_id;
    std::optional<std::uint64_t> canyon, ecotone, fjord, granite, holocene, isthmus;
};

constexpr OpTimes kOpMainnet{10, 1704992401, 1710374401, 1720627201, 1726070401, 1736445601, 1746806401};
constexpr OpTimes kOpSepolia{11155420,   1699981200, 1708534800, 1716998400,
                             1723478400, 1732633200, 1744905600};

// From Bedrock on: earlier blocks are of another system.
ChainConfig op_config(const OpTimes& times, std::uint64_t timestamp) {
    ChainConfig out = ChainConfig::all_from_genesis(Revision::Paris, times.chain_id);
    const auto set = [&](Revision revision, const std::optional<std::uint64_t>& time) {
        out.activation[static_cast<std::size_t>(revision)] = time;
    };
    set(Revision::Shanghai, times.canyon);
    set(Revision::Cancun, times.ecotone);
    set(Revision::Prague, times.isthmus);
    chain::OpConfig op;
    op.regolith_time = 0;
    op.canyon_time = times.canyon;
    op.ecotone_time = times.ecotone;
    op.fjord_time = times.fjord;
    op.granite_time = times.granite;
    op.holocene_time = times.holocene;
    op.isthmus_time = times.isthmus;
    // Canyon raised the base fee's denominator.
    op.eip1559_denominator = times.canyon && timestamp >= *times.canyon ? 250 : 50;
    out.op = op;
    return out;
}

// --- pevm -----------------------------------------------------------------------------------------------

}  // namespace

Result<std::shared_ptr<PevmShared>, InputError> load_pevm_shared(const std::string& name) {
    const fs::path folder = name;
    auto out = std::make_shared<PevmShared>();
    const auto codes = read_document((folder / "codes.json").string(), [&](const Json& json) {
        for (const auto& item : object(json))
            out->codes.emplace(to_hash(number(json, {item.key().data(), item.key().size()})),
                               bytes(item.value()));
        return true;
    });
    if (!codes)
        return fail(codes.error());
    const auto hashes = read_document((folder / "block_hashes.json").string(), [&](const Json& json) {
        for (const auto& item : object(json)) {
            const u256 key = number(json, {item.key().data(), item.key().size()});
            out->block_hashes.emplace(static_cast<std::uint64_t>(key), hash(item.value()));
        }
        return true;
    });
    if (!hashes)
        return fail(hashes.error());
    return out;
}

namespace {

std::unique_ptr<state::MemoryState> read_pevm_state(const Json& json, const PevmShared& shared) {
    auto out = std::make_unique<state::MemoryState>();
    for (const auto& item : object(json)) {
        const Address key = address(json, {item.key().data(), item.key().size()});
        state::Account account;
        account.nonce = number64(member(item.value(), "nonce"));
        account.balance = number(member(item.value(), "balance"));
        if (const Json* code_hash = find(item.value(), "code_hash")) {
            account.code_hash = hash(*code_hash);
            if (const auto code = shared.codes.find(account.code_hash); code != shared.codes.end())
                out->add_code(code->second);
        }
        out->set_account(key, account);
        const Json& storage = member(item.value(), "storage");
        for (const auto& slot : object(storage))
            out->set_storage(key, number(storage, {slot.key().data(), slot.key().size()}),
                             number(slot.value()));
    }
    return out;
}

}  // namespace

Result<CasePtr, InputError> load_pevm(const std::string& name, const PevmShared& shared) {
    const fs::path folder = name;
    auto out = std::make_unique<ReplayCase>();
    out->config = ChainConfig::mainnet();
    out->block_hashes.hashes = shared.block_hashes;
    const auto block = read_document((folder / "block.json").string(), [&](const Json& json) {
        out->block = read_rpc_block(json);
        out->hash = hash(member(json, "hash"));
        return true;
    });
    if (!block)
        return fail(block.error());
    auto accounts = read_document((folder / "pre_state.json").string(),
                                  [&](const Json& json) { return read_pevm_state(json, shared); });
    if (!accounts)
        return fail(accounts.error());
    out->accounts = std::move(*accounts);
    out->block_hashes.hashes.emplace(out->block.header.number - 1, out->block.header.parent_hash);
    return out;
}

namespace {

// --- zeth ----------------------------------------------------------------------------------------------

// What an update merges when it erases a neighbour stands in the proofs after the block with a longer path:
// all nodes that could have been merged into it.
void add_shortened(trie::MemoryNodeStore& nodes, BytesView rlp) {
    BytesView cursor = rlp;
    rlp::ListReader reader = rlp::ListReader::open(cursor);
    const BytesView encoded = reader.bytes();
    const rlp::Item value = reader.item();
    if (!reader.finish() || encoded.empty() || !trie::is_hex_prefix(encoded))
        return;
    const trie::Path path(encoded);
    Bytes nibbles;
    for (std::size_t i = 0; i < path.size(); ++i)
        nibbles.push_back(static_cast<std::uint8_t>(path[i]));
    for (std::size_t skip = 1; skip <= nibbles.size(); ++skip) {
        if (!path.is_leaf() && skip == nibbles.size())
            return;  // an extension has a path
        const auto rest = std::span<const std::uint8_t>(nibbles).subspan(skip);
        Bytes shorter(trie::hex_prefix_size(rest.size()));
        trie::write_nibbles(shorter.data(), path.is_leaf() ? trie::kLeafFlag : std::uint8_t{0}, rest);
        nodes.add(rlp::ListBuilder{}.bytes(shorter).encoded(value.raw).build());
    }
}

void add_proof(trie::MemoryNodeStore& nodes, const Json& proof, bool after) {
    for (const Json& node : array(proof)) {
        const Bytes rlp = bytes(node);
        nodes.add(rlp);
        if (after)
            add_shortened(nodes, rlp);
    }
}

// An entry of the cache: a question and its answer.
struct Answer {
    const Json& question;
    const Json& answer;
};

Answer read_answer(const Json& entry) {
    const auto& parts = array(entry);
    if (parts.size() != 2)
        reject(entry, "expected a question and its answer");
    return {parts[0], parts[1]};
}

void read_zeth_proofs(const Json& json, std::uint64_t parent_number, ReplayCase& out) {
    for (const Json& entry : array(member(json, "proofs"))) {
        const auto [question, answer] = read_answer(entry);
        const bool after = number64(member(question, "block_no")) > parent_number;
        const Json& account_proof = member(answer, "accountProof");
        if (!after && array(account_proof).size() != 0)
            out.pre_root = crypto::keccak256(bytes(array(account_proof)[0]));
        add_proof(out.nodes, account_proof, after);
        for (const Json& slot : array(member(answer, "storageProof")))
            add_proof(out.nodes, member(slot, "proof"), after);
    }
    for (const Json& entry : array(member(json, "code")))
        out.codes.add(bytes(read_answer(entry).answer));
}

// The block is the one after that whose state the proofs begin with.
std::uint64_t first_proof_block(const Json& json) {
    std::uint64_t out = ~std::uint64_t{0};
    for (const Json& entry : array(member(json, "proofs")))
        out = std::min(out, number64(member(read_answer(entry).question, "block_no")));
    return out;
}

ChainConfig zeth_config(const chain::Block& block, std::string_view path) {
    const bool has_deposit =
        !block.transactions.empty() && block.transactions.front().type == chain::TxnType::Deposit;
    if (!has_deposit)
        return ChainConfig::mainnet();
    const bool sepolia = path.find("11155420") != std::string_view::npos;
    return op_config(sepolia ? kOpSepolia : kOpMainnet, block.header.timestamp);
}

// A cache made for a derivation holds the proofs for the block after its own, which is in that one's cache.
void read_block_of_neighbour(const Json& json, const std::string& path, std::uint64_t number,
                             ReplayCase& out) {
    const fs::path neighbour = fs::path(path).parent_path() / (std::to_string(number) + ".json");
    const auto document = Document::load(neighbour.string());
    if (!document)
        reject(json, "holds no block for its proofs, nor does " + neighbour.string());
    const auto* blocks = find(document->root(), "full_blocks");
    if (blocks == nullptr || array(*blocks).empty())
        reject(json, "holds no block for its proofs, nor does " + neighbour.string());
    const Json& block = read_answer(array(*blocks)[0]).answer;
    out.block = read_rpc_block(block);
    out.hash = hash(member(block, "hash"));
}

}  // namespace

CasePtr read_zeth(const Json& json, const std::string& path) {
    auto out = std::make_unique<ReplayCase>();
    const std::uint64_t parent_number = first_proof_block(json);
    bool found = false;
    for (const char* list : {"partial_blocks", "full_blocks"}) {
        const Json* blocks = find(json, list);
        if (blocks == nullptr)
            continue;
        for (const Json& entry : array(*blocks)) {
            const auto [question, answer] = read_answer(entry);
            const std::uint64_t block_number = number64(member(question, "block_no"));
            out->block_hashes.hashes[block_number] = hash(member(answer, "hash"));
            if (block_number == parent_number)
                out->parent = read_rpc_header(answer);
            if (block_number != parent_number + 1 || std::string_view(list) == "partial_blocks")
                continue;
            found = true;
            out->block = read_rpc_block(answer);
            out->hash = hash(member(answer, "hash"));
        }
    }
    if (!found)
        read_block_of_neighbour(json, path, parent_number + 1, *out);
    out->block_hashes.hashes[parent_number] = out->block.header.parent_hash;
    out->config = zeth_config(out->block, path);
    read_zeth_proofs(json, parent_number, *out);
    return out;
}

namespace {

// --- kona ----------------------------------------------------------------------------------------------

std::optional<std::uint64_t> optional_number(const Json& json, std::string_view name) {
    const Json* value = find(json, name);
    return value != nullptr ? std::optional(number64(*value)) : std::nullopt;
}

ChainConfig read_rollup_config(const Json& json, std::uint64_t timestamp) {
    const OpTimes times{.chain_id = number64(member(json, "l2_chain_id")),
                        .canyon = optional_number(json, "canyon_time"),
                        .ecotone = optional_number(json, "ecotone_time"),
                        .fjord = optional_number(json, "fjord_time"),
                        .granite = optional_number(json, "granite_time"),
                        .holocene = optional_number(json, "holocene_time"),
                        .isthmus = optional_number(json, "isthmus_time")};
    return op_config(times, timestamp);
}

// Ancestors' headers are among the preimages as far as the block asked for them.
void read_ancestors(const std::map<Hash, Bytes>& preimages, ReplayCase& out) {
    constexpr std::size_t kGenerations = 256;
    chain::Header header = *out.parent;
    Hash header_hash = chain::header_hash(header);
    for (std::size_t i = 0; i < kGenerations; ++i) {
        out.block_hashes.hashes[header.number] = header_hash;
        header_hash = header.parent_hash;
        const auto found = preimages.find(header_hash);
        if (header.number == 0)
            return;
        out.block_hashes.hashes[header.number - 1] = header_hash;
        if (found == preimages.end())
            return;
        auto decoded = chain::decode_header(found->second);
        if (!decoded)
            return;
        header = std::move(*decoded);
    }
}

// Holocene: the base fee's parameters are in the header.
Bytes holocene_extra_data(BytesView params) {
    Bytes out{0};
    append(out, params);
    return out;
}

void read_attributes(const Json& json, ReplayCase& out) {
    chain::Header& header = out.block.header;
    header.parent_hash = chain::header_hash(*out.parent);
    header.number = out.parent->number + 1;
    header.timestamp = number64(member(json, "timestamp"));
    header.mix_hash = hash(member(json, "prevRandao"));
    header.coinbase = address(member(json, "suggestedFeeRecipient"));
    header.gas_limit = number64(member(json, "gasLimit"));
    header.parent_beacon_block_root = hash(member(json, "parentBeaconBlockRoot"));
    header.excess_blob_gas = 0;
    header.blob_gas_used = 0;
    if (const Json* params = find(json, "eip1559Params"))
        header.extra_data = holocene_extra_data(bytes(*params));
    for (const Json& encoded : array(member(json, "transactions"))) {
        auto txn = chain::decode_transaction(bytes(encoded));
        if (!txn)
            reject(encoded, txn.error().field + ": " + txn.error().reason);
        out.block.transactions.push_back(std::move(*txn));
    }
    out.block.withdrawals.emplace();
}

}  // namespace

CasePtr read_kona(const Json& json) {
    auto out = std::make_unique<ReplayCase>();
    const Json& fixture = member(json, "fixture");
    const Json& attributes = member(fixture, "executing_payload");
    out->sealed = false;
    out->hash = hash(member(fixture, "expected_block_hash"));
    out->parent = read_rpc_header(member(fixture, "parent_header"));
    out->config =
        read_rollup_config(member(fixture, "rollup_config"), number64(member(attributes, "timestamp")));
    out->pre_root = out->parent->state_root;
    std::map<Hash, Bytes> preimages;
    for (const auto& item : object(member(json, "preimages"))) {
        Bytes preimage = bytes(item.value());
        out->nodes.add(preimage);
        out->codes.add(preimage);
        const Hash key = crypto::keccak256(preimage);
        preimages.emplace(key, std::move(preimage));
    }
    read_attributes(attributes, *out);
    read_ancestors(preimages, *out);
    return out;
}

}  // namespace meridian::spec
