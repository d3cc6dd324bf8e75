#include <meridian/trie/proof.hpp>

#include <meridian/crypto/keccak.hpp>

namespace meridian::trie {
namespace {

// The way of one key through the nodes of a proof.
class Walk {
public:
    Walk(const Hash& root, BytesView key, std::span<const Bytes> proof) noexcept
        : m_key(key), m_proof(proof), m_reference(root) {}

    Result<std::optional<Bytes>, ProofError> run();

private:
    enum class Step : std::uint8_t { Down, Absent, Found };

    Result<BytesView, ProofError> take_node();
    Result<NodeView, ProofError> next_node();
    Step enter(const NodeView& node);
    Step follow(const NodeView& node, unsigned index);

    BytesView m_key;
    std::span<const Bytes> m_proof;
    std::size_t m_used = 0;   // nodes of the proof
    std::size_t m_depth = 0;  // nibbles of the key
    BytesView m_reference;    // of the next node: its hash, or itself if inlined
    bool m_inlined = false;
    bool m_below_extension = false;
    BytesView m_value;
};

Result<BytesView, ProofError> Walk::take_node() {
    if (m_inlined)
        return m_reference;
    if (m_used == m_proof.size())
        return fail(ProofError::MissingNode);
    const BytesView node = m_proof[m_used++];
    if (node.size() > kNodeSizeMax || (node.size() < kInlineLimit && m_used > 1))
        return fail(ProofError::InvalidNode);
    if (!equal(crypto::keccak256(node), m_reference))
        return fail(ProofError::WrongHash);
    return node;
}

Result<NodeView, ProofError> Walk::next_node() {
    const auto encoded = take_node();
    if (!encoded)
        return fail(encoded.error());
    const auto node = decode_node(*encoded, m_depth);
    if (!node || (m_below_extension && node->kind != NodeKind::Branch))
        return fail(ProofError::InvalidNode);
    return *node;
}

Walk::Step Walk::follow(const NodeView& node, unsigned index) {
    if ((node.present >> index & 1) == 0)
        return Step::Absent;
    m_reference = node.children[index];
    m_inlined = (node.inlined >> index & 1) != 0;
    m_below_extension = node.kind == NodeKind::Extension;
    return Step::Down;
}

Walk::Step Walk::enter(const NodeView& node) {
    const std::size_t left = 2 * m_key.size() - m_depth;
    if (node.kind == NodeKind::Branch) {
        if (left > 0)
            return follow(node, nibble_at(m_key.data(), m_depth++));
        m_value = node.value;
        return node.value.empty() ? Step::Absent : Step::Found;
    }
    const Path path(node.path);
    if (common_nibbles(path, m_key, m_depth) != path.size())
        return Step::Absent;
    m_depth += path.size();
    if (node.kind == NodeKind::Extension)
        return follow(node, 0);
    m_value = node.value;
    return path.size() == left ? Step::Found : Step::Absent;
}

// Each turn uses a node of the proof or goes deeper into an inlined one.
Result<std::optional<Bytes>, ProofError> Walk::run() {
    for (;;) {
        const auto node = next_node();
        if (!node)
            return fail(node.error());
        const Step step = enter(*node);
        if (step == Step::Down)
            continue;
        if (m_used != m_proof.size())
            return fail(ProofError::ExtraNodes);
        return step == Step::Found ? std::optional(to_bytes(m_value)) : std::nullopt;
    }
}

}  // namespace

const char* to_string(ProofError error) noexcept {
    switch (error) {
        case ProofError::MissingNode:
            return "proof is incomplete";
        case ProofError::WrongHash:
            return "proof node does not have its hash";
        case ProofError::InvalidNode:
            return "invalid proof node";
        case ProofError::ExtraNodes:
            return "proof has superfluous nodes";
        case ProofError::KeyTooLong:
            return "proof key too long";
    }
    return "unknown proof error";
}

Result<std::vector<Bytes>, TrieError> prove(Trie& trie, BytesView key) {
    return trie.path_nodes(key);
}

Result<std::optional<Bytes>, ProofError> verify_proof(const Hash& root, BytesView key,
                                                      std::span<const Bytes> proof) {
    if (key.size() > kKeySizeMax)
        return fail(ProofError::KeyTooLong);
    if (root != kEmptyRoot)
        return Walk(root, key, proof).run();
    if (proof.empty() || (proof.size() == 1 && equal(proof[0], Bytes{0x80})))
        return std::optional<Bytes>{};
    return fail(proof.size() > 1 ? ProofError::ExtraNodes : ProofError::WrongHash);
}

}  // namespace meridian::trie
