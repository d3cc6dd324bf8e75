// A map in the order of its keys: a B+ tree whose nodes are a few lines long and half full at least.
//
// For keys that users choose: nothing they choose makes it slow. Work of one operation: a node for each level
// (at most log_3 of the size, usually log_14), and for a change at most two more beside each. Leaves are
// linked, so the first, the last and the next key are at hand. Values move when keys are added or erased.
#pragma once

#include <meridian/module/pool.hpp>

namespace meridian::module {

// Zero is an empty map.
struct OrderedMapState {
    // Granules of nodes; 0 if there is none.
    std::uint32_t root;
    std::uint32_t first_leaf;
    std::uint32_t last_leaf;
    // Levels above the leaves.
    std::uint32_t height;
    std::uint32_t size;
    std::uint32_t reserved[3];
    PoolState nodes;
};
static_assert(Storable<OrderedMapState> && sizeof(OrderedMapState) == 48);

// Where things lie in a node: a head, then the keys, then values (leaves) or children (inner nodes, one more
// than keys). What is not in use is zero.
struct NodeLayout {
    std::uint32_t node_size;
    std::uint32_t key_size;
    std::uint32_t value_size;
    // Keys of a full leaf or inner node.
    std::uint32_t leaf_max;
    std::uint32_t inner_max;
    // From the node's start.
    std::uint32_t value_offset;
    std::uint32_t child_offset;

    static constexpr std::uint32_t kHeadSize = 16;
    // A node that is not the root has so many keys at least.
    constexpr std::uint32_t leaf_min() const noexcept { return leaf_max / 2; }
    constexpr std::uint32_t inner_min() const noexcept { return (inner_max - 1) / 2; }
};

constexpr NodeLayout node_layout(std::uint32_t key_size, std::uint32_t value_size,
                                 std::uint32_t value_align) noexcept {
    constexpr std::uint32_t kKeysMin = 6;
    const auto align = [](std::uint32_t offset, std::uint32_t to) { return (offset + to - 1) / to * to; };
    NodeLayout out{};
    out.key_size = key_size;
    out.value_size = value_size;
    for (out.node_size = 256; out.node_size < kPageSize; out.node_size *= 2) {
        if ((out.node_size - 32 - value_align) / (key_size + value_size) >= kKeysMin &&
            (out.node_size - 32) / (key_size + 4) >= kKeysMin)
            break;
    }
    const std::uint32_t room = out.node_size - NodeLayout::kHeadSize;
    out.leaf_max = room / (key_size + value_size) + 1;
    do {
        --out.leaf_max;
        out.value_offset = align(NodeLayout::kHeadSize + out.leaf_max * key_size, value_align);
    } while (out.value_offset + out.leaf_max * value_size > out.node_size);
    out.inner_max = (room - 4) / (key_size + 4) + 1;
    do {
        --out.inner_max;
        out.child_offset = align(NodeLayout::kHeadSize + out.inner_max * key_size, 4);
    } while (out.child_offset + (out.inner_max + 1) * 4 > out.node_size);
    return out;
}

// The way from the root to a key's place: node and position at each level, the leaf at level 0. In an inner
// node the position is that of the child.
struct NodePath {
    static constexpr std::uint32_t kHeightMax = 20;
    std::uint32_t height;
    Offset node[kHeightMax + 1];
    std::uint32_t position[kHeightMax + 1];
};

// A tree without its order: what the map does once it knows where.
class OrderedNodes {
public:
    OrderedNodes(Arena& arena, Place<OrderedMapState> state, Place<PoolState> pool,
                 const NodeLayout& layout) noexcept
        : m_arena(arena), m_state(state), m_pool(pool), m_layout(layout) {}

    // Adds an entry before that of the path (which may be of height 0 without a leaf: the map is empty). The
    // value's bytes as well. Errors: OutOfPages, what the arena has failed with; then nothing was added.
    Result<void, Error> insert(const NodePath& path, const std::uint8_t* key, const std::uint8_t* value);
    // Precondition: the path leads to an entry.
    void erase(const NodePath& path);

private:
    struct Spare;

    std::uint32_t keys_of(Offset node, std::uint32_t level) const noexcept;
    void set_keys(Offset node, std::uint32_t count) noexcept;
    std::uint32_t max_of(std::uint32_t level) const noexcept;
    std::uint32_t min_of(std::uint32_t level) const noexcept;
    Offset key(Offset node, std::uint32_t i) const noexcept;
    Offset payload(Offset node, std::uint32_t level, std::uint32_t i) const noexcept;
    std::uint32_t payload_size(std::uint32_t level) const noexcept {
        return level == 0 ? m_layout.value_size : 4;
    }
    Offset child(Offset node, std::uint32_t i) const noexcept;

    void open(Offset base, std::uint32_t size, std::uint32_t at, std::uint32_t count,
              const std::uint8_t* from) noexcept;
    void close(Offset base, std::uint32_t size, std::uint32_t at, std::uint32_t count) noexcept;
    void move(Offset from, Offset to, std::uint32_t size) noexcept;

    std::uint32_t nodes_to_split(const NodePath& path) const noexcept;
    Result<void, Error> reserve(std::uint32_t count, Spare& spare);
    void add(Offset node, std::uint32_t level, std::uint32_t at, const std::uint8_t* key,
             const std::uint8_t* payload) noexcept;
    void remove(Offset node, std::uint32_t level, std::uint32_t key_at, std::uint32_t payload_at) noexcept;
    void split(Offset node, Offset right, std::uint32_t level, std::uint8_t* separator) noexcept;
    void grow_root(Offset root, Offset right, const std::uint8_t* separator) noexcept;
    void link_after(Offset left, Offset right) noexcept;
    void unlink(Offset leaf) noexcept;
    bool mend(Offset parent, std::uint32_t position, std::uint32_t level);
    void take_from_left(Offset parent, std::uint32_t position, std::uint32_t level) noexcept;
    void take_from_right(Offset parent, std::uint32_t position, std::uint32_t level) noexcept;
    bool merge(Offset parent, std::uint32_t left_position, std::uint32_t level);
    void shrink_root();
    void free_node(Offset node);

    Arena& m_arena;
    Place<OrderedMapState> m_state;
    Place<PoolState> m_pool;
    NodeLayout m_layout;
};

// K has the operator <, a strict total order.
template <class K, class V>
class OrderedMap {
public:
    // An entry; good until a key is added or erased. False at both ends.
    struct Cursor {
        Offset leaf = 0;
        std::uint32_t position = 0;
        explicit operator bool() const noexcept { return leaf != 0; }
        friend bool operator==(Cursor, Cursor) noexcept = default;
    };

    OrderedMap(Arena& arena, Place<OrderedMapState> state) noexcept
        : OrderedMap(arena, state, arena.place(state, &OrderedMapState::nodes)) {}
    // With nodes from a pool that maps of the same types share, so that many small ones lie side by side. All
    // uses of a map have to name the same pool.
    OrderedMap(Arena& arena, Place<OrderedMapState> state, Place<PoolState> nodes) noexcept
        : m_arena(arena), m_state(state), m_pool(nodes) {
        static_assert(Storable<K> && Storable<V> && sizeof(K) <= 64 && sizeof(V) <= 512);
        static_assert(kLayout.leaf_max >= 6 && kLayout.inner_max >= 6);
    }

    std::uint32_t size() const noexcept { return m_arena.at(m_state).size; }
    bool empty() const noexcept { return size() == 0; }

    Cursor first() const noexcept { return {Ptr<void>{m_arena.at(m_state).first_leaf}.offset(), 0}; }
    Cursor last() const noexcept { return end_of(Ptr<void>{m_arena.at(m_state).last_leaf}.offset()); }
    // Precondition for these five: a cursor that is true.
    Cursor next(Cursor at) const noexcept {
        const Head& head = head_of(at.leaf);
        return at.position + 1 < head.count ? Cursor{at.leaf, at.position + 1}
                                            : Cursor{Ptr<void>{head.next}.offset(), 0};
    }
    Cursor previous(Cursor at) const noexcept {
        return at.position > 0 ? Cursor{at.leaf, at.position - 1}
                               : end_of(Ptr<void>{head_of(at.leaf).previous}.offset());
    }
    const K& key(Cursor at) const noexcept { return m_arena.at(key_at(at.leaf, at.position)); }
    const V& value(Cursor at) const noexcept { return m_arena.at(value_at(at)); }
    V& edit(Cursor at) noexcept { return m_arena.edit(value_at(at)); }

    // The first entry whose key is not less.
    Cursor lower_bound(const K& key) const noexcept {
        const NodePath path = descend(key);
        if (path.node[0] == 0 || path.position[0] < head_of(path.node[0]).count)
            return {path.node[0], path.position[0]};
        return {Ptr<void>{head_of(path.node[0]).next}.offset(), 0};
    }
    Cursor find(const K& key) const noexcept {
        const NodePath path = descend(key);
        return holds(path, key) ? Cursor{path.node[0], path.position[0]} : Cursor{};
    }
    // Adds the key or gives it another value. Errors: OutOfPages, what the arena has failed with.
    Result<void, Error> put(const K& key, const V& value) {
        const NodePath path = descend(key);
        if (holds(path, key))
            edit({path.node[0], path.position[0]}) = value;
        else if (const auto done = nodes().insert(path, reinterpret_cast<const std::uint8_t*>(&key),
                                                  reinterpret_cast<const std::uint8_t*>(&value));
                 !done)
            return done;
        if (const auto failure = m_arena.failure())
            return fail(*failure);
        return {};
    }
    // Whether there was one.
    bool erase(const K& key) {
        const NodePath path = descend(key);
        if (!holds(path, key))
            return false;
        nodes().erase(path);
        return true;
    }

private:
    struct Head {
        std::uint32_t count;
        std::uint32_t next;
        std::uint32_t previous;
        std::uint32_t reserved;
    };
    static_assert(sizeof(Head) == NodeLayout::kHeadSize);
    static constexpr NodeLayout kLayout = node_layout(sizeof(K), sizeof(V), alignof(V));

    OrderedNodes nodes() noexcept { return {m_arena, m_state, m_pool, kLayout}; }
    const Head& head_of(Offset node) const noexcept { return m_arena.at(Place<Head>(node)); }
    static Place<K> key_at(Offset node, std::uint32_t i) noexcept {
        return Place<K>(node + NodeLayout::kHeadSize + i * sizeof(K));
    }
    static Place<V> value_at(Cursor at) noexcept {
        return Place<V>(at.leaf + kLayout.value_offset + at.position * sizeof(V));
    }
    Cursor end_of(Offset leaf) const noexcept {
        return leaf == 0 ? Cursor{}
                         : Cursor{leaf, std::max(std::min(head_of(leaf).count, kLayout.leaf_max), 1u) - 1};
    }
    bool holds(const NodePath& path, const K& key) const noexcept {
        return path.node[0] != 0 &&
               path.position[0] < std::min(head_of(path.node[0]).count, kLayout.leaf_max) &&
               !(key < m_arena.at(key_at(path.node[0], path.position[0])));
    }

    // To the first key that is not less; in inner nodes to the child that has or would have the key.
    NodePath descend(const K& key) const noexcept {
        const OrderedMapState& map = m_arena.at(m_state);
        NodePath path;
        path.height = std::min(map.height, NodePath::kHeightMax);
        Offset node = Ptr<void>{map.root}.offset();
        for (std::uint32_t level = path.height; level > 0; --level) {
            const std::uint32_t count = std::min(head_of(node).count, kLayout.inner_max);
            const K* keys = &m_arena.at(key_at(node, 0));
            path.node[level] = node;
            path.position[level] =
                static_cast<std::uint32_t>(std::upper_bound(keys, keys + count, key) - keys);
            node = Ptr<void>{m_arena.at(Place<std::uint32_t>(node + kLayout.child_offset +
                                                             4 * path.position[level]))}
                       .offset();
        }
        path.node[0] = node;
        const std::uint32_t count = std::min(node == 0 ? 0 : head_of(node).count, kLayout.leaf_max);
        const K* keys = &m_arena.at(key_at(node, 0));
        path.position[0] = static_cast<std::uint32_t>(std::lower_bound(keys, keys + count, key) - keys);
        return path;
    }

    Arena& m_arena;
    Place<OrderedMapState> m_state;
    Place<PoolState> m_pool;
};

}  // namespace meridian::module
