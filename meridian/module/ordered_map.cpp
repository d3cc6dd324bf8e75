#include <meridian/module/ordered_map.hpp>

namespace meridian::module {

namespace {

struct NodeHead {
    std::uint32_t count;
    // Of leaves: granules of those beside it.
    std::uint32_t next;
    std::uint32_t previous;
    std::uint32_t reserved;
};
static_assert(sizeof(NodeHead) == NodeLayout::kHeadSize);

constexpr std::uint32_t kKeySizeMax = 64;

Place<NodeHead> head_of(Offset node) noexcept {
    return Place<NodeHead>(node);
}

std::uint32_t granule_of(Offset node) noexcept {
    return Ptr<void>::to(node).granule;
}

const std::uint8_t* bytes_of(const std::uint32_t& granule) noexcept {
    return reinterpret_cast<const std::uint8_t*>(&granule);
}

}  // namespace

// Nodes made before an insertion begins, so that it ends once it has begun.
struct OrderedNodes::Spare {
    Offset nodes[NodePath::kHeightMax + 2];
    std::uint32_t count = 0;

    Offset take() noexcept { return nodes[--count]; }
};

std::uint32_t OrderedNodes::max_of(std::uint32_t level) const noexcept {
    return level == 0 ? m_layout.leaf_max : m_layout.inner_max;
}

std::uint32_t OrderedNodes::min_of(std::uint32_t level) const noexcept {
    return level == 0 ? m_layout.leaf_min() : m_layout.inner_min();
}

// A damaged page must not lead out of the node.
std::uint32_t OrderedNodes::keys_of(Offset node, std::uint32_t level) const noexcept {
    return std::min(m_arena.at(head_of(node)).count, max_of(level));
}

void OrderedNodes::set_keys(Offset node, std::uint32_t count) noexcept {
    m_arena.edit(Place<std::uint32_t>(node)) = count;
}

Offset OrderedNodes::key(Offset node, std::uint32_t i) const noexcept {
    return node + NodeLayout::kHeadSize + i * m_layout.key_size;
}

Offset OrderedNodes::payload(Offset node, std::uint32_t level, std::uint32_t i) const noexcept {
    return level == 0 ? node + m_layout.value_offset + i * m_layout.value_size
                      : node + m_layout.child_offset + i * 4;
}

Offset OrderedNodes::child(Offset node, std::uint32_t i) const noexcept {
    return Ptr<void>{m_arena.at(Place<std::uint32_t>(payload(node, 1, i)))}.offset();
}

// Puts an element at `at` of an array of `count`, and those behind it one further.
void OrderedNodes::open(Offset base, std::uint32_t size, std::uint32_t at, std::uint32_t count,
                        const std::uint8_t* from) noexcept {
    std::uint8_t* bytes = m_arena.edit_bytes(base + at * size, (count - at + 1) * size);
    std::memmove(bytes + size, bytes, (count - at) * size);
    std::memmove(bytes, from, size);
}

// Takes the element at `at` out; the last place becomes zero.
void OrderedNodes::close(Offset base, std::uint32_t size, std::uint32_t at, std::uint32_t count) noexcept {
    std::uint8_t* bytes = m_arena.edit_bytes(base + at * size, (count - at) * size);
    std::memmove(bytes, bytes + size, (count - at - 1) * size);
    std::memset(bytes + (count - at - 1) * size, 0, size);
}

// Moves bytes between nodes and leaves zeros.
void OrderedNodes::move(Offset from, Offset to, std::uint32_t size) noexcept {
    if (size == 0)
        return;
    // In a damaged tree, nodes may lie over each other.
    std::uint8_t* target = m_arena.edit_bytes(to, size);
    std::memmove(target, m_arena.bytes(from), size);
    std::memset(m_arena.edit_bytes(from, size), 0, size);
}

// Adds a key and its payload: in a leaf its value, in an inner node the child to the right of it.
void OrderedNodes::add(Offset node, std::uint32_t level, std::uint32_t at, const std::uint8_t* new_key,
                       const std::uint8_t* new_payload) noexcept {
    const std::uint32_t count = keys_of(node, level);
    const std::uint32_t right = level == 0 ? 0 : 1;
    if (count == max_of(level) || at > count)
        return;  // of a damaged tree: a full node was split before
    open(key(node, 0), m_layout.key_size, at, count, new_key);
    open(payload(node, level, 0), payload_size(level), at + right, count + right, new_payload);
    set_keys(node, count + 1);
}

void OrderedNodes::remove(Offset node, std::uint32_t level, std::uint32_t key_at,
                          std::uint32_t payload_at) noexcept {
    const std::uint32_t count = keys_of(node, level);
    if (key_at >= count)
        return;
    close(key(node, 0), m_layout.key_size, key_at, count);
    close(payload(node, level, 0), payload_size(level), payload_at, count + (level == 0 ? 0 : 1));
    set_keys(node, count - 1);
}

std::uint32_t OrderedNodes::nodes_to_split(const NodePath& path) const noexcept {
    std::uint32_t count = 0;
    for (std::uint32_t level = 0; level <= path.height; ++level) {
        if (keys_of(path.node[level], level) < max_of(level))
            return count;
        ++count;
    }
    return count + 1;
}

Result<void, Error> OrderedNodes::reserve(std::uint32_t count, Spare& spare) {
    while (spare.count < count) {
        const Result<Offset, Error> node = allocate_slot(m_arena, m_pool, m_layout.node_size);
        if (!node) {
            while (spare.count > 0)
                free_node(spare.take());
            return fail(node.error());
        }
        spare.nodes[spare.count++] = *node;
    }
    return {};
}

Result<void, Error> OrderedNodes::insert(const NodePath& path, const std::uint8_t* new_key,
                                         const std::uint8_t* value) {
    Spare spare;
    const bool is_first = path.node[0] == 0;
    if (const auto reserved = reserve(is_first ? 1 : nodes_to_split(path), spare); !reserved)
        return reserved;
    ++m_arena.edit(m_arena.place(m_state, &OrderedMapState::size));
    if (is_first) {
        const Offset leaf = spare.take();
        OrderedMapState& map = m_arena.edit(m_state);
        map.root = map.first_leaf = map.last_leaf = granule_of(leaf);
        add(leaf, 0, 0, new_key, value);
        return {};
    }
    std::uint8_t up_key[kKeySizeMax];
    std::memcpy(up_key, new_key, m_layout.key_size);
    const std::uint8_t* up_payload = value;
    std::uint32_t new_node = 0;
    for (std::uint32_t level = 0; level <= path.height; ++level) {
        const Offset node = path.node[level];
        if (keys_of(node, level) < max_of(level)) {
            add(node, level, path.position[level], up_key, up_payload);
            return {};
        }
        const Offset right = spare.take();
        const std::uint32_t half = max_of(level) / 2;
        std::uint8_t separator[kKeySizeMax];
        split(node, right, level, separator);
        // The left half of an inner node gave its last key to the parent.
        const std::uint32_t first_right = level == 0 ? half : half + 1;
        if (path.position[level] <= half)
            add(node, level, path.position[level], up_key, up_payload);
        else
            add(right, level, path.position[level] - first_right, up_key, up_payload);
        std::memcpy(up_key, separator, m_layout.key_size);
        new_node = granule_of(right);
        up_payload = bytes_of(new_node);
    }
    grow_root(spare.take(), Ptr<void>{new_node}.offset(), up_key);
    return {};
}

// Moves the upper half of a full node to an empty one. `separator`: what divides the two in their parent.
void OrderedNodes::split(Offset node, Offset right, std::uint32_t level, std::uint8_t* separator) noexcept {
    const std::uint32_t count = max_of(level);
    const std::uint32_t half = count / 2;
    const std::uint32_t from = level == 0 ? half : half + 1;
    std::memcpy(separator, m_arena.bytes(key(node, half)), m_layout.key_size);
    move(key(node, from), key(right, 0), (count - from) * m_layout.key_size);
    if (level == 0) {
        move(payload(node, 0, half), payload(right, 0, 0), (count - half) * m_layout.value_size);
        link_after(node, right);
    } else {
        std::memset(m_arena.edit_bytes(key(node, half), m_layout.key_size), 0, m_layout.key_size);
        move(payload(node, level, from), payload(right, level, 0), (count + 1 - from) * 4);
    }
    set_keys(node, half);
    set_keys(right, count - from);
}

void OrderedNodes::grow_root(Offset root, Offset right, const std::uint8_t* separator) noexcept {
    OrderedMapState& map = m_arena.edit(m_state);
    if (map.height >= NodePath::kHeightMax)
        return;  // of a damaged tree
    m_arena.edit(Place<std::uint32_t>(payload(root, 1, 0))) = map.root;
    map.root = granule_of(root);
    ++map.height;
    const std::uint32_t granule = granule_of(right);
    add(root, 1, 0, separator, bytes_of(granule));
}

void OrderedNodes::link_after(Offset left, Offset right) noexcept {
    NodeHead& head = m_arena.edit(head_of(left));
    const std::uint32_t next = head.next;
    head.next = granule_of(right);
    NodeHead& new_head = m_arena.edit(head_of(right));
    new_head.next = next;
    new_head.previous = granule_of(left);
    if (next != 0)
        m_arena.edit(head_of(Ptr<void>{next}.offset())).previous = granule_of(right);
    else
        m_arena.edit(m_state).last_leaf = granule_of(right);
}

void OrderedNodes::unlink(Offset leaf) noexcept {
    const NodeHead head = m_arena.at(head_of(leaf));
    if (head.previous != 0)
        m_arena.edit(head_of(Ptr<void>{head.previous}.offset())).next = head.next;
    else
        m_arena.edit(m_state).first_leaf = head.next;
    if (head.next != 0)
        m_arena.edit(head_of(Ptr<void>{head.next}.offset())).previous = head.previous;
    else
        m_arena.edit(m_state).last_leaf = head.previous;
}

void OrderedNodes::free_node(Offset node) {
    free_slot(m_arena, m_pool, m_layout.node_size, node);
}

void OrderedNodes::erase(const NodePath& path) {
    --m_arena.edit(m_arena.place(m_state, &OrderedMapState::size));
    remove(path.node[0], 0, path.position[0], path.position[0]);
    for (std::uint32_t level = 0; level < path.height; ++level) {
        if (keys_of(path.node[level], level) >= min_of(level) ||
            !mend(path.node[level + 1], path.position[level + 1], level))
            return;
    }
    shrink_root();
}

// A child has one key too few: it takes one from beside it, or becomes one with it. Whether the parent lost a
// key.
bool OrderedNodes::mend(Offset parent, std::uint32_t position, std::uint32_t level) {
    const std::uint32_t siblings = keys_of(parent, level + 1);
    if (position > 0 && keys_of(child(parent, position - 1), level) > min_of(level)) {
        take_from_left(parent, position, level);
        return false;
    }
    if (position < siblings && keys_of(child(parent, position + 1), level) > min_of(level)) {
        take_from_right(parent, position, level);
        return false;
    }
    return merge(parent, position > 0 ? position - 1 : position, level);
}

void OrderedNodes::take_from_left(Offset parent, std::uint32_t position, std::uint32_t level) noexcept {
    const Offset left = child(parent, position - 1);
    const Offset node = child(parent, position);
    const Offset separator = key(parent, position - 1);
    const std::uint32_t last = keys_of(left, level) - 1;
    const std::uint32_t count = keys_of(node, level);
    const std::uint32_t inner = level == 0 ? 0 : 1;
    // In an inner node the separator comes down, and the left one's last key takes its place.
    std::uint8_t down[kKeySizeMax];
    std::memcpy(down, m_arena.bytes(inner != 0 ? separator : key(left, last)), m_layout.key_size);
    std::memmove(m_arena.edit_bytes(separator, m_layout.key_size), m_arena.bytes(key(left, last)),
                 m_layout.key_size);
    open(key(node, 0), m_layout.key_size, 0, count, down);
    open(payload(node, level, 0), payload_size(level), 0, count + inner,
         m_arena.bytes(payload(left, level, last + inner)));
    set_keys(node, count + 1);
    remove(left, level, last, last + inner);
}

void OrderedNodes::take_from_right(Offset parent, std::uint32_t position, std::uint32_t level) noexcept {
    const Offset node = child(parent, position);
    const Offset right = child(parent, position + 1);
    const Offset separator = key(parent, position);
    const std::uint32_t count = keys_of(node, level);
    const std::uint32_t inner = level == 0 ? 0 : 1;
    open(key(node, 0), m_layout.key_size, count, count,
         m_arena.bytes(inner != 0 ? separator : key(right, 0)));
    open(payload(node, level, 0), payload_size(level), count + inner, count + inner,
         m_arena.bytes(payload(right, level, 0)));
    set_keys(node, count + 1);
    // The right one's least key, which it keeps if it is a leaf.
    std::memmove(m_arena.edit_bytes(separator, m_layout.key_size),
                 m_arena.bytes(key(right, inner != 0 ? 0 : 1)), m_layout.key_size);
    remove(right, level, 0, 0);
}

bool OrderedNodes::merge(Offset parent, std::uint32_t left_position, std::uint32_t level) {
    const Offset left = child(parent, left_position);
    const Offset right = child(parent, left_position + 1);
    const std::uint32_t count = keys_of(left, level);
    const std::uint32_t more = keys_of(right, level);
    const std::uint32_t inner = level == 0 ? 0 : 1;
    if (left_position >= keys_of(parent, level + 1) || count + more + inner > max_of(level))
        return false;  // of a damaged tree
    if (inner != 0)
        std::memmove(m_arena.edit_bytes(key(left, count), m_layout.key_size),
                     m_arena.bytes(key(parent, left_position)), m_layout.key_size);
    move(key(right, 0), key(left, count + inner), more * m_layout.key_size);
    move(payload(right, level, 0), payload(left, level, count + inner), (more + inner) * payload_size(level));
    set_keys(left, count + more + inner);
    if (inner == 0)
        unlink(right);
    free_node(right);
    remove(parent, level + 1, left_position, left_position + 1);
    return true;
}

// A root with a single child gives way to it; an empty leaf to nothing.
void OrderedNodes::shrink_root() {
    const OrderedMapState map = m_arena.at(m_state);
    const Offset root = Ptr<void>{map.root}.offset();
    if (root == 0 || keys_of(root, map.height) > 0)
        return;
    OrderedMapState& edited = m_arena.edit(m_state);
    if (map.height > 0) {
        edited.root = granule_of(child(root, 0));
        --edited.height;
    } else {
        edited.root = edited.first_leaf = edited.last_leaf = 0;
    }
    free_node(root);
}

}  // namespace meridian::module
