#include <meridian/trie/node_codec.hpp>

#include <meridian/rlp/decode.hpp>
#include <meridian/trie/nibbles.hpp>

#include <bit>

namespace meridian::trie {
namespace {

constexpr std::size_t kBranchItems = 17;
constexpr std::size_t kShortLimit = 56;

struct Item {
    bool is_list = false;
    BytesView payload;
    BytesView whole;
};

// Accepts a child of an extension or a branch; recursion is bounded since an inlined node is shorter than
// 32 bytes and holds its own children.
bool take_child(NodeView& node, unsigned index, const rlp::Item& item, std::size_t depth) {
    const auto bit = static_cast<std::uint16_t>(1u << index);
    if (!item.is_list) {
        if (item.payload.size() != 32)
            return false;
        node.children[index] = item.payload;
    } else {
        if (item.raw.size() >= kInlineLimit)
            return false;
        const auto child = decode_node(item.raw, depth);
        if (!child || (node.kind == NodeKind::Extension && child->kind != NodeKind::Branch))
            return false;
        node.children[index] = item.raw;
        node.inlined |= bit;
    }
    node.present |= bit;
    return true;
}

bool decode_short(NodeView& node, const rlp::Item& path, const rlp::Item& content, std::size_t depth) {
    if (path.is_list || !is_hex_prefix(path.payload))
        return false;
    const Path nibbles(path.payload);
    const std::size_t below = depth + nibbles.size();
    node.path = path.payload;
    if (below > 2 * kKeySizeMax)
        return false;
    if (!nibbles.is_leaf()) {
        node.kind = NodeKind::Extension;
        return nibbles.size() > 0 && take_child(node, 0, content, below);
    }
    node.kind = NodeKind::Leaf;
    node.value = content.payload;
    return below % 2 == 0 && !content.is_list && !content.payload.empty();
}

bool decode_branch(NodeView& node, std::span<const rlp::Item, kBranchItems> items, std::size_t depth) {
    node.kind = NodeKind::Branch;
    if (depth > 2 * kKeySizeMax)
        return false;
    for (unsigned i = 0; i < 16; ++i) {
        if (!items[i].is_list && items[i].payload.empty())
            continue;
        if (!take_child(node, i, items[i], depth + 1))
            return false;
    }
    if (items[16].is_list)
        return false;
    node.value = items[16].payload;
    const bool has_value = !node.value.empty();
    return (!has_value || depth % 2 == 0) && std::popcount(node.present) + has_value >= 2;
}

}  // namespace

std::optional<NodeView> decode_node(BytesView encoded, std::size_t depth) {
    if (encoded.size() > kNodeSizeMax)
        return {};
    const auto list = rlp::decode_exact(encoded);
    if (!list || !list->is_list)
        return {};
    std::array<rlp::Item, kBranchItems> items;
    std::size_t count = 0;
    for (BytesView rest = list->payload; !rest.empty(); ++count) {
        if (count == kBranchItems)
            return {};
        const auto item = rlp::next(rest);
        if (!item)
            return {};
        items[count] = *item;
    }
    NodeView node;
    const bool valid = count == 2              ? decode_short(node, items[0], items[1], depth)
                       : count == kBranchItems ? decode_branch(node, items, depth)
                                               : false;
    if (!valid)
        return {};
    return node;
}

namespace {

std::size_t length_width(std::size_t length) noexcept {
    return (static_cast<std::size_t>(std::bit_width(length)) + 7) / 8;
}

std::uint8_t* write_prefix(std::uint8_t* out, std::size_t length, unsigned base) noexcept {
    if (length < kShortLimit) {
        *out++ = static_cast<std::uint8_t>(base + length);
        return out;
    }
    const std::size_t width = length_width(length);
    *out++ = static_cast<std::uint8_t>(base + kShortLimit - 1 + width);
    for (std::size_t i = width; i-- > 0;)
        *out++ = static_cast<std::uint8_t>(length >> (8 * i));
    return out;
}

}  // namespace

std::uint8_t* write_rlp_string(std::uint8_t* out, BytesView content) noexcept {
    if (content.size() != 1 || content[0] >= 0x80)
        out = write_prefix(out, content.size(), 0x80);
    if (!content.empty())
        std::memcpy(out, content.data(), content.size());
    return out + content.size();
}

std::uint8_t* write_rlp_list_prefix(std::uint8_t* out, std::size_t payload) noexcept {
    return write_prefix(out, payload, 0xc0);
}

}  // namespace meridian::trie
