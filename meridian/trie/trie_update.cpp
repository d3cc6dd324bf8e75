// Many changes at once.
//
// In a large trie a change waits for memory at each level of its path. So a group of paths is walked first,
// all of them one level at a time, asking for the next level's memory while the others are at work. And
// what a run of changes has touched is hashed before the cache loses it, except the path to the next key:
// if keys are sorted, nothing else will change again.
#include <meridian/trie/trie.hpp>

namespace meridian::trie {
namespace {

constexpr std::size_t kGroup = 32;
constexpr std::size_t kRunGroups = 16;

}  // namespace

// The memory asked for by one group's walk arrives during the next one's.
Result<void, TrieError> Trie::update(std::span<const KeyValue> entries) {
    const auto take_group = [&entries] {
        const auto group = entries.first(std::min(kGroup, entries.size()));
        entries = entries.subspan(group.size());
        return group;
    };
    auto group = take_group();
    for (std::size_t groups = 1; !group.empty(); ++groups) {
        const auto next = take_group();
        prefetch_paths(next);
        for (const KeyValue& entry : group) {
            if (const auto done = put(entry.key, entry.value); !done)
                return done;
        }
        if (groups % kRunGroups == 0 && !next.empty())
            hash_dirty(&next[0].key);
        group = next;
    }
    return {};
}

// The node after this one on a key's path, or kNoNode if the path ends here, in memory at least.
NodeId Trie::next_on_path(NodeId id, BytesView key, std::size_t& depth) const noexcept {
    if (as<NodeKind>(id) == NodeKind::Leaf)
        return kNoNode;
    if (as<NodeKind>(id) == NodeKind::Extension) {
        auto& node = as<ExtensionNode>(id);
        depth += node.path().size();
        return depth <= 2 * key.size() ? node.id : kNoNode;
    }
    if (depth >= 2 * key.size())
        return kNoNode;
    auto& node = as<BranchNode>(id);
    const unsigned nibble = nibble_at(key.data(), depth++);
    return node.has(nibble) ? node.ids()[node.rank(nibble)] : kNoNode;
}

void Trie::prefetch_paths(std::span<const KeyValue> entries) const noexcept {
    struct Walk {
        NodeId id;
        std::size_t depth;
        BytesView key;
    };
    std::array<Walk, kGroup> walks;
    std::size_t walking = 0;
    for (const KeyValue& entry : entries)
        walks[walking++] = {m_root.id, 0, entry.key};
    if (m_root.id == kNoNode)
        return;
    while (walking > 0) {
        std::size_t going_on = 0;
        for (std::size_t i = 0; i < walking; ++i) {
            Walk walk = walks[i];
            walk.id = next_on_path(walk.id, walk.key, walk.depth);
            if (walk.id == kNoNode)
                continue;
            const std::uint8_t* record = m_arena.at(walk.id);
            prefetch(record);
            prefetch(record + kCacheLine);
            prefetch(record + 2 * kCacheLine);
            walks[going_on++] = walk;
        }
        walking = going_on;
    }
}

}  // namespace meridian::trie
