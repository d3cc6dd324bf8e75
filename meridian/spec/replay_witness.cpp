// Recorded blocks that bring the nodes of their parent's tries: raiko's and nimbus-eth1's.

#include <meridian/base/hex.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/replay_formats.hpp>
#include <meridian/trie/trie.hpp>

namespace meridian::spec {
namespace {

using chain::Header;
using chain::Transaction;
using chain::TxnType;

// --- raiko --------------------------------------------------------------------------------------------

// Bytes as a list of numbers.
Bytes listed_bytes(const Json& value) {
    Bytes out;
    for (const Json& item : array(value)) {
        const std::uint64_t byte = number64(item);
        if (byte > 0xff)
            reject(item, "not a byte");
        out.push_back(static_cast<std::uint8_t>(byte));
    }
    return out;
}

// How a parent refers to the node with this encoding, which is kept.
Bytes reference_to(const Bytes& encoded, trie::MemoryNodeStore& nodes) {
    if (encoded.size() < trie::kInlineLimit)
        return encoded;
    nodes.add(encoded);
    Bytes out;
    rlp::encode_bytes(out, crypto::keccak256(encoded));
    return out;
}

// A reference to a node that is "Null", a "Digest" only, or spelt out. Recursion is bounded by the parser's
// depth.
Bytes read_node(const Json& json, trie::MemoryNodeStore& nodes) {
    const Bytes empty{0x80};
    if (json.is_null())
        return empty;
    const Json& data = member(json, "data");
    if (data.is_string())
        return text(data) == "Null" ? empty : (reject(data, "not a trie node"), empty);
    rlp::ListBuilder list;
    if (const Json* digest = find(data, "Digest")) {
        Bytes out;
        rlp::encode_bytes(out, hash(*digest));
        return out;
    }
    if (const Json* branch = find(data, "Branch")) {
        if (array(*branch).size() != 16)
            reject(*branch, "expected 16 children");
        for (const Json& child : array(*branch))
            list.encoded(read_node(child, nodes));
        list.bytes({});
    } else {
        const Json* leaf = find(data, "Leaf");
        const Json& parts = leaf != nullptr ? *leaf : member(data, "Extension");
        if (array(parts).size() != 2)
            reject(parts, "expected a path and what it leads to");
        list.bytes(listed_bytes(array(parts)[0]));
        if (leaf != nullptr)
            list.bytes(listed_bytes(array(parts)[1]));
        else
            list.encoded(read_node(array(parts)[1], nodes));
    }
    return reference_to(list.build(), nodes);
}

Header read_snake_header(const Json& json) {
    Header out;
    out.parent_hash = hash(member(json, "parent_hash"));
    out.ommers_hash = hash(member(json, "ommers_hash"));
    out.coinbase = address(member(json, "beneficiary"));
    out.state_root = hash(member(json, "state_root"));
    out.transactions_root = hash(member(json, "transactions_root"));
    out.receipts_root = hash(member(json, "receipts_root"));
    out.bloom = fixed_bytes<256>(member(json, "logs_bloom"));
    out.difficulty = number(member(json, "difficulty"));
    out.number = number64(member(json, "number"));
    out.gas_limit = number64(member(json, "gas_limit"));
    out.gas_used = number64(member(json, "gas_used"));
    out.timestamp = number64(member(json, "timestamp"));
    out.extra_data = bytes(member(json, "extra_data"));
    out.mix_hash = hash(member(json, "mix_hash"));
    out.nonce = first_bytes<8>(BytesView(to_hash(number64(member(json, "nonce")))).last(8));
    if (const Json* fee = find(json, "base_fee_per_gas"))
        out.base_fee = number(*fee);
    if (const Json* root = find(json, "withdrawals_root"))
        out.withdrawals_root = hash(*root);
    if (const Json* gas = find(json, "blob_gas_used"))
        out.blob_gas_used = number64(*gas);
    if (const Json* gas = find(json, "excess_blob_gas"))
        out.excess_blob_gas = number64(*gas);
    if (const Json* root = find(json, "parent_beacon_block_root"))
        out.parent_beacon_block_root = hash(*root);
    return out;
}

// The members of the variants "Legacy", "Eip2930", "Eip1559" and "Eip4844".
Transaction read_variant(const Json& json) {
    struct Variant {
        std::string_view name;
        TxnType type;
    };
    constexpr Variant kVariants[] = {{"Legacy", TxnType::Legacy},
                                     {"Eip2930", TxnType::AccessList},
                                     {"Eip1559", TxnType::DynamicFee},
                                     {"Eip4844", TxnType::Blob}};
    Transaction out;
    const Json* body = nullptr;
    for (const Variant& variant : kVariants)
        if (const Json* found = find(json, variant.name))
            body = found, out.type = variant.type;
    if (body == nullptr)
        reject(json, "unknown transaction type");
    const bool priced = out.type <= TxnType::AccessList;
    out.max_fee_per_gas = number(member(*body, priced ? "gas_price" : "max_fee_per_gas"));
    out.max_priority_fee_per_gas =
        priced ? out.max_fee_per_gas : number(member(*body, "max_priority_fee_per_gas"));
    if (const Json* id = find(*body, "chain_id"))
        out.chain_id = number64(*id);
    out.nonce = number64(member(*body, "nonce"));
    out.gas_limit = number64(member(*body, "gas_limit"));
    if (const Json* to = find(*body, "to"))
        out.to = address(*to);
    out.value = number(member(*body, "value"));
    out.data = bytes(member(*body, "input"));
    if (const Json* list = find(*body, "access_list"))
        out.access_list = read_access_list(*list);
    if (out.type == TxnType::Blob) {
        out.max_fee_per_blob_gas = number(member(*body, "max_fee_per_blob_gas"));
        out.blob_hashes = read_hashes(member(*body, "blob_versioned_hashes"));
    }
    return out;
}

Transaction read_raiko_transaction(const Json& json) {
    Transaction out = read_variant(member(json, "transaction"));
    const Json& signature = member(json, "signature");
    const unsigned parity = boolean(member(signature, "odd_y_parity")) ? 1 : 0;
    out.r = number(member(signature, "r"));
    out.s = number(member(signature, "s"));
    if (out.type != TxnType::Legacy)
        out.v = parity;
    else
        out.v = out.chain_id ? u256{*out.chain_id} * 2 + 35 + parity : u256{27 + parity};
    return out;
}

// --- nimbus-eth1 --------------------------------------------------------------------------------------

// The kinds of its keys; a node's key is its hash alone.
constexpr std::uint8_t kHeaderKey = 0x00;

struct NimbusRecords {
    std::map<Hash, Header> headers;
    std::map<Hash, Bytes> ommers;  // lists of headers, by their hash
};

NimbusRecords read_nimbus_records(const Json& records, ReplayCase& out) {
    NimbusRecords read;
    for (const auto& item : object(records)) {
        const auto key = from_hex(std::string_view(item.key().data(), item.key().size()));
        if (!key)
            reject(records, "a key that is not hexadecimal");
        Bytes value = bytes(item.value());
        out.nodes.add(value);
        out.codes.add(value);
        if (key->size() != 33 || key->front() != kHeaderKey)
            continue;
        const Hash own = first_bytes<32>(BytesView(*key).subspan(1));
        if (auto header = chain::decode_header(value))
            read.headers.emplace(own, std::move(*header));
        else
            read.ommers.emplace(own, std::move(value));
    }
    return read;
}

// The transactions lie in their trie.
std::vector<Transaction> read_transactions_trie(const Json& where, const Hash& root,
                                                trie::NodeReader& nodes) {
    std::vector<Transaction> out;
    trie::Trie trie(root, &nodes);
    for (;;) {
        Bytes key;
        rlp::encode_uint(key, out.size());
        const auto value = trie.get(key);
        if (!value)
            reject(where, "lacks a node of the transactions' trie");
        if (!*value)
            return out;
        auto txn = chain::decode_transaction(**value);
        if (!txn)
            reject(where, "transaction " + std::to_string(out.size()) + ": " + txn.error().reason);
        out.push_back(std::move(*txn));
    }
}

std::vector<Header> read_ommers(const Json& where, const NimbusRecords& records, const Hash& ommers_hash) {
    std::vector<Header> out;
    if (ommers_hash == chain::kEmptyOmmersHash)
        return out;
    const auto found = records.ommers.find(ommers_hash);
    if (found == records.ommers.end())
        reject(where, "lacks the block's ommers");
    BytesView cursor = found->second;
    rlp::ListReader reader = rlp::ListReader::open(cursor);
    while (!reader.at_end()) {
        auto header = chain::decode_header(reader.item().raw);
        if (!header)
            reject(where, "an ommer that does not decode");
        out.push_back(std::move(*header));
    }
    return out;
}

}  // namespace

CasePtr read_raiko(const Json& json) {
    auto out = std::make_unique<ReplayCase>();
    const Json& block = member(json, "block");
    out->config = chain::ChainConfig::mainnet();
    out->parent = read_snake_header(member(json, "parent_header"));
    out->block.header = read_snake_header(member(block, "header"));
    // The file does not name the hash; the header's fields are checked one by one.
    out->hash = chain::header_hash(out->block.header);
    for (const Json& txn : array(member(block, "body")))
        out->block.transactions.push_back(read_raiko_transaction(txn));
    if (const Json* withdrawals = find(block, "withdrawals")) {
        out->block.withdrawals.emplace();
        for (const Json& withdrawal : array(*withdrawals))
            out->block.withdrawals->push_back(read_withdrawal(withdrawal));
    }
    out->pre_root = out->parent->state_root;
    read_node(member(json, "parent_state_trie"), out->nodes);
    for (const auto& item : object(member(json, "parent_storage"))) {
        if (array(item.value()).empty())
            reject(item.value(), "expected a trie and its slots");
        read_node(array(item.value())[0], out->nodes);
    }
    for (const Json& code : array(member(json, "contracts")))
        out->codes.add(bytes(code));
    out->block_hashes.hashes[out->parent->number] = out->block.header.parent_hash;
    for (const Json& ancestor : array(member(json, "ancestor_headers"))) {
        const Header header = read_snake_header(ancestor);
        out->block_hashes.hashes[header.number] = chain::header_hash(header);
    }
    return out;
}

CasePtr read_nimbus(const Json& json) {
    auto out = std::make_unique<ReplayCase>();
    const Json& state = member(json, "state");
    // Hexadecimal without a prefix.
    const auto number = parse_u256("0x" + std::string(text(member(json, "blockNumber"))));
    if (!number || !fits_u64(*number))
        reject(member(json, "blockNumber"), "not a hexadecimal number");
    const NimbusRecords records = read_nimbus_records(state, *out);
    const Header* header = nullptr;
    for (const auto& [hash, candidate] : records.headers) {
        out->block_hashes.hashes[candidate.number] = hash;
        if (u256{candidate.number} == *number)
            header = &candidate, out->hash = hash;
    }
    if (header == nullptr)
        reject(state, "lacks the block's header");
    const auto parent = records.headers.find(header->parent_hash);
    if (parent == records.headers.end())
        reject(state, "lacks the parent's header");
    out->config = chain::ChainConfig::mainnet();
    out->block.header = *header;
    out->parent = parent->second;
    out->pre_root = parent->second.state_root;
    out->block.transactions = read_transactions_trie(state, header->transactions_root, out->nodes);
    out->block.ommers = read_ommers(state, records, header->ommers_hash);
    return out;
}

}  // namespace meridian::spec
