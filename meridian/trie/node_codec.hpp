// The RLP of one trie node (yellow paper, appendix D), read strictly and written.
//
// Only what an encoder would produce is accepted: canonical RLP without rest, a valid hex-prefix path, no
// empty leaf value, no extension of zero nibbles or over anything but a branch, no branch with fewer than
// two entries, and children below 32 bytes (and only those) inlined and themselves valid.
#pragma once

#include <meridian/base/bytes.hpp>

#include <optional>

namespace meridian::trie {

enum class NodeKind : std::uint8_t { Leaf, Extension, Branch };

// A node at least this long is referred to by its hash; a shorter one stands in its parent.
inline constexpr std::size_t kInlineLimit = 32;
// Keys up to this many bytes.
inline constexpr std::size_t kKeySizeMax = 1024;
// Values up to this many bytes, and nodes that hold one.
inline constexpr std::size_t kValueSizeMax = std::size_t{1} << 28;
inline constexpr std::size_t kNodeSizeMax = kValueSizeMax + 4096;

// Views into the decoded bytes. A child is 32 bytes of hash, or the encoding of an inlined node. An
// extension has its child at index 0.
struct NodeView {
    NodeKind kind = NodeKind::Leaf;
    std::uint16_t present = 0;
    std::uint16_t inlined = 0;
    BytesView path;
    BytesView value;
    std::array<BytesView, 16> children{};
};

// `depth` is the number of nibbles above the node: a value can lie only at a whole number of bytes, and no
// deeper than kKeySizeMax. Empty if the node is invalid.
std::optional<NodeView> decode_node(BytesView encoded, std::size_t depth);

// Where meridian/rlp appends, these write to memory that is known to suffice, and return the first byte
// after.
std::uint8_t* write_rlp_string(std::uint8_t* out, BytesView content) noexcept;
std::uint8_t* write_rlp_list_prefix(std::uint8_t* out, std::size_t payload) noexcept;

}  // namespace meridian::trie
