// Hostile proofs, and tries opened from hostile nodes.
//
// The input is a key and nodes, each after two bytes of length. Where a node has 0xa0 and the number of a
// later node, the hash of that node is filled in, so that inputs reach behind the comparison of hashes.
#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/trie/proof.hpp>

namespace meridian::trie {
namespace {

constexpr std::size_t kNodesMax = 16;
constexpr std::size_t kHashSize = 32;

Bytes take(BytesView& rest, std::size_t size) {
    const auto head = rest.first(std::min(size, rest.size()));
    rest = rest.subspan(head.size());
    return to_bytes(head);
}

std::size_t take_size(BytesView& rest) {
    const Bytes size = take(rest, 2);
    return size.size() < 2 ? 0 : size[0] * 256u + size[1];
}

std::vector<Bytes> linked_nodes(BytesView rest) {
    std::vector<Bytes> nodes;
    while (!rest.empty() && nodes.size() < kNodesMax) {
        const std::size_t size = take_size(rest);
        nodes.push_back(take(rest, size));
    }
    for (std::size_t i = nodes.size(); i-- > 0;) {
        Bytes& node = nodes[i];
        for (std::size_t at = 0; at + 1 + kHashSize <= node.size(); ++at) {
            if (node[at] != 0xa0 || node[at + 1] <= i || node[at + 1] >= nodes.size())
                continue;
            const Hash hash = crypto::keccak256(nodes[node[at + 1]]);
            std::copy(hash.begin(), hash.end(), node.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            at += kHashSize;
        }
    }
    return nodes;
}

std::optional<Bytes> copy(const BytesOrNone& value) {
    return value ? std::optional(to_bytes(*value)) : std::nullopt;
}

// What a trie of these nodes says has a proof that says the same.
void check_against_trie(const Hash& root, BytesView key, MemoryNodeStore& store,
                        const Result<std::optional<Bytes>, ProofError>& verified) {
    Trie trie(root, &store);
    const auto value = trie.get(key);
    MERIDIAN_ASSERT(!verified || (value && copy(*value) == *verified));
    if (!value)
        return;
    const auto expected = copy(*value);
    const auto proof = prove(trie, key);
    MERIDIAN_ASSERT(proof.has_value());
    const auto again = verify_proof(root, key, *proof);
    MERIDIAN_ASSERT(again && *again == expected);
}

// A change succeeds, or fails and changes nothing.
void change(const Hash& root, BytesView key, MemoryNodeStore& store) {
    for (const BytesView value : {as_bytes("a value"), BytesView{}}) {
        Trie trie(root, &store);
        if (!trie.put(key, value)) {
            MERIDIAN_ASSERT(trie.root() == root);
            continue;
        }
        trie.commit(store);
        Trie reopened(trie.root(), &store);
        const auto now = reopened.get(key);
        MERIDIAN_ASSERT(now && equal(now->value_or(BytesView{}), value));
    }
}

void run(BytesView input) {
    const std::size_t key_size = take_size(input);
    const Bytes key = take(input, key_size % 40);
    const std::vector<Bytes> nodes = linked_nodes(input);
    const Hash root = nodes.empty() ? kEmptyRoot : crypto::keccak256(nodes[0]);
    MemoryNodeStore store;
    for (const Bytes& node : nodes)
        store.add(node);
    check_against_trie(root, key, store, verify_proof(root, key, nodes));
    change(root, key, store);
}

}  // namespace
}  // namespace meridian::trie

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::trie::run({data, size});
    return 0;
}
