#include <meridian/trie/root.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::trie {
namespace {

// How many values OrderedRoot hashes together.
constexpr std::size_t kHashedTogether = 128;

template <class Value>
Hash root_of_indexed(std::span<const Value> values) {
    Trie trie;
    Bytes key;
    for (std::size_t i = 0; i < values.size(); ++i) {
        key.clear();
        rlp::encode_uint(key, i);
        const auto done = trie.put(key, values[i]);
        MERIDIAN_ASSERT(done.has_value());
    }
    return trie.root();
}

// An item in a parent's payload: a hash or an inlined node.
struct Reference {
    std::uint8_t size = 0;
    std::array<std::uint8_t, 33> bytes;

    BytesView view() const noexcept { return {bytes.data(), size}; }
};

// A branch whose last child is not known yet.
struct OpenBranch {
    std::size_t depth = 0;
    std::array<Reference, 16> children{};
};

// Builds the trie along the path to the latest key. Everything left of that path is already a reference.
class RootBuilder {
public:
    // `next` is null after the last entry.
    void add(const Hash& key, BytesView value, const Hash* next);
    Hash root() const noexcept { return crypto::keccak256(m_encoded); }

private:
    void encode_leaf(const Hash& key, std::size_t from, BytesView value);
    void encode_extension(const Hash& key, std::size_t from, std::size_t to);
    void encode_branch(const OpenBranch& branch);
    Reference reference() const;

    std::vector<OpenBranch> m_open;  // by depth, ascending
    Bytes m_payload;
    Bytes m_encoded;
};

std::size_t common_prefix(const Hash& a, const Hash& b) noexcept {
    std::size_t n = 0;
    while (n < 64 && nibble_at(a.data(), n) == nibble_at(b.data(), n))
        ++n;
    return n;
}

void RootBuilder::encode_leaf(const Hash& key, std::size_t from, BytesView value) {
    std::array<std::uint8_t, 33> path;
    const std::size_t nibbles = 64 - from;
    write_tail(path.data(), kLeafFlag, key.data() + 32, nibbles);
    m_payload.clear();
    rlp::encode_bytes(m_payload, BytesView(path).first(hex_prefix_size(nibbles)));
    rlp::encode_bytes(m_payload, value);
    m_encoded = rlp::wrap_list(m_payload);
}

// Wraps the node in m_encoded in an extension of the key's nibbles [from, to).
void RootBuilder::encode_extension(const Hash& key, std::size_t from, std::size_t to) {
    if (from == to)
        return;
    std::array<std::uint8_t, 33> path;
    write_range(path.data(), 0, key, from, to - from);
    m_payload.clear();
    rlp::encode_bytes(m_payload, BytesView(path).first(hex_prefix_size(to - from)));
    append(m_payload, reference().view());
    m_encoded = rlp::wrap_list(m_payload);
}

void RootBuilder::encode_branch(const OpenBranch& branch) {
    m_payload.clear();
    for (const Reference& child : branch.children) {
        if (child.size == 0)
            m_payload.push_back(rlp::kEmptyString);
        append(m_payload, child.view());
    }
    m_payload.push_back(rlp::kEmptyString);
    m_encoded = rlp::wrap_list(m_payload);
}

// How a parent refers to the node in m_encoded.
Reference RootBuilder::reference() const {
    Reference out;
    if (m_encoded.size() < kInlineLimit) {
        out.size = static_cast<std::uint8_t>(m_encoded.size());
        std::copy(m_encoded.begin(), m_encoded.end(), out.bytes.begin());
        return out;
    }
    const Hash hash = crypto::keccak256(m_encoded);
    out.size = 33;
    out.bytes[0] = 0x80 + 32;
    std::copy(hash.begin(), hash.end(), out.bytes.begin() + 1);
    return out;
}

void RootBuilder::add(const Hash& key, BytesView value, const Hash* next) {
    const std::size_t shared = next ? common_prefix(key, *next) : 0;
    if (next && (m_open.empty() || m_open.back().depth < shared))
        m_open.push_back({.depth = shared});
    encode_leaf(key, m_open.empty() ? 0 : m_open.back().depth + 1, value);
    // The node in m_encoded is now a child of the deepest open branch. Close those that the next key is not
    // under; where it forks off between two of them, there is another branch.
    while (!m_open.empty()) {
        OpenBranch& top = m_open.back();
        top.children[nibble_at(key.data(), top.depth)] = reference();
        if (next && top.depth <= shared)
            return;
        const std::size_t depth = top.depth;
        encode_branch(top);
        m_open.pop_back();
        if (next && (m_open.empty() || m_open.back().depth < shared))
            m_open.push_back({.depth = shared});
        encode_extension(key, m_open.empty() ? 0 : m_open.back().depth + 1, depth);
    }
}

}  // namespace

Hash ordered_root(std::span<const Bytes> values) {
    return root_of_indexed(values);
}

Hash ordered_root(std::span<const BytesView> values) {
    return root_of_indexed(values);
}

void OrderedRoot::add(BytesView value) {
    Bytes key;
    rlp::encode_uint(key, m_size);
    const auto done = m_trie.put(key, value);
    MERIDIAN_ASSERT(done.has_value());
    if (++m_size % kHashedTogether == 0)
        m_trie.root();
}

Hash root_of_sorted(std::span<const std::pair<Hash, BytesView>> entries) {
    if (entries.empty())
        return kEmptyRoot;
    RootBuilder builder;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const Hash* next = i + 1 < entries.size() ? &entries[i + 1].first : nullptr;
        MERIDIAN_DEBUG_ASSERT(!next || entries[i].first < *next);
        MERIDIAN_DEBUG_ASSERT(!entries[i].second.empty());
        builder.add(entries[i].first, entries[i].second, next);
    }
    return builder.root();
}

}  // namespace meridian::trie
