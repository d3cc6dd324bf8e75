#include <meridian/store/node_placement.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/store/keys.hpp>
#include <meridian/trie/nibbles.hpp>
#include <meridian/trie/node_codec.hpp>

namespace meridian::store {
namespace {

struct Placed {
    Hash hash;
    NodePath path;
};

NodePath extended(const NodePath& path, trie::Path by) {
    NodePath out = path;
    for (std::size_t i = 0; i < by.size(); ++i)
        out.push(by[i]);
    return out;
}

// After every key that begins with the prefix. A nibble is never 0xff, so this is above all of an owner's.
Bytes end_of(BytesView prefix) {
    Bytes end = prefix_end(prefix);
    return end.empty() ? Bytes(33, 0xff) : end;
}

// Below the node at `path`, except at `kept` and below it.
void erase_around(Table table, BytesView owner, const NodePath& path, const NodePath& kept,
                  WriteBatch& erasures) {
    const Bytes node = trie_node_key(owner, path.view());
    const Bytes child = trie_node_key(owner, kept.view());
    Bytes first = node;
    first.push_back(0);
    erasures.erase_range(table, first, child);
    erasures.erase_range(table, end_of(child), end_of(node));
}

void erase_below(Table table, BytesView owner, const NodePath& path, WriteBatch& erasures) {
    Bytes first = trie_node_key(owner, path.view());
    const Bytes end = end_of(first);
    first.push_back(0);
    erasures.erase_range(table, first, end);
}

}  // namespace

void NodePlacement::put(const Hash& hash, BytesView rlp) {
    if (m_nodes.try_emplace(hash, Range{m_data.size(), rlp.size()}).second)
        append(m_data, rlp);
}

void NodePlacement::write(const Hash& root, WriteBatch& erasures, WriteBatch& puts) const {
    std::vector<Placed> open;
    const auto visit = [&](const Hash& hash, const NodePath& path) {
        if (m_nodes.contains(hash))
            open.push_back({hash, path});
    };
    visit(root, {});
    while (!open.empty()) {
        const Placed at = open.back();
        open.pop_back();
        const Range range = m_nodes.at(at.hash);
        const BytesView rlp = BytesView(m_data).subspan(range.offset, range.size);
        puts.put(m_table, trie_node_key(m_owner, at.path.view()), rlp);
        const auto node = trie::decode_node(rlp, at.path.size);
        MERIDIAN_ASSERT(node.has_value());
        if (node->kind == trie::NodeKind::Extension)
            visit(first_bytes<32>(node->children[0]), extended(at.path, trie::Path(node->path)));
        if (node->kind != trie::NodeKind::Branch)
            continue;
        for (unsigned nibble = 0; nibble < 16; ++nibble) {
            if ((node->present >> nibble & 1) == 0)
                continue;
            NodePath child = at.path;
            child.push(nibble);
            if ((node->inlined >> nibble & 1) != 0)
                erasures.erase_prefix(m_table, trie_node_key(m_owner, child.view()));
            else
                visit(first_bytes<32>(node->children[nibble]), child);
        }
    }
}

void erase_beyond(Table table, BytesView owner, const Hash& key, std::span<const Bytes> nodes,
                  WriteBatch& erasures) {
    NodePath path;
    if (nodes.empty()) {
        erasures.erase_prefix(table, trie_node_key(owner, path.view()));
        return;
    }
    for (const Bytes& rlp : nodes) {
        const auto node = trie::decode_node(rlp, path.size);
        MERIDIAN_ASSERT(node.has_value());
        if (node->kind == trie::NodeKind::Leaf)
            return erase_below(table, owner, path, erasures);
        if (node->kind == trie::NodeKind::Extension) {
            const trie::Path by(node->path);
            const NodePath child = extended(path, by);
            if (trie::common_nibbles(by, key, path.size) < by.size())
                return erase_around(table, owner, path, child, erasures);
            path = child;
            continue;
        }
        const unsigned nibble = trie::nibble_at(key.data(), path.size);
        path.push(nibble);
        if ((node->present >> nibble & 1) == 0 || (node->inlined >> nibble & 1) != 0)
            return erasures.erase_prefix(table, trie_node_key(owner, path.view()));
    }
}

}  // namespace meridian::store
