#include <meridian/trie/trie.hpp>

#include <meridian/crypto/keccak.hpp>
#include <meridian/trie/node.hpp>

namespace meridian::trie {
namespace {

Child new_child(NodeId id) noexcept {
    return {.id = id, .dirty = true, .fresh = true, .inlined = false, .ref = {}};
}

}  // namespace

const char* to_string(TrieError error) noexcept {
    switch (error) {
        case TrieError::MissingNode:
            return "missing trie node";
        case TrieError::WrongHash:
            return "trie node does not have its hash";
        case TrieError::InvalidNode:
            return "invalid trie node";
        case TrieError::KeyTooLong:
            return "trie key too long";
        case TrieError::ValueTooLong:
            return "trie value too long";
    }
    return "unknown trie error";
}

Trie::Trie(const Hash& root, NodeReader* reader)
    : m_reader(reader), m_empty(root == kEmptyRoot), m_root{.ref = root} {}

// Slots -------------------------------------------------------------------------------------------------

bool Trie::slot_empty(Slot slot) const noexcept {
    if (slot.parent == kNoNode)
        return m_empty;
    return as<NodeKind>(slot.parent) == NodeKind::Branch && !as<BranchNode>(slot.parent).has(slot.nibble);
}

Child Trie::slot_child(Slot slot) const noexcept {
    if (slot.parent == kNoNode)
        return m_root;
    if (as<NodeKind>(slot.parent) == NodeKind::Extension)
        return as<ExtensionNode>(slot.parent).child();
    return as<BranchNode>(slot.parent).child(slot.nibble);
}

void Trie::set_slot_child(Slot slot, const Child& child) noexcept {
    if (slot.parent == kNoNode) {
        m_root = child;
        m_empty = false;
    } else if (as<NodeKind>(slot.parent) == NodeKind::Extension) {
        as<ExtensionNode>(slot.parent).set_child(child);
    } else {
        as<BranchNode>(slot.parent).set_child(slot.nibble, child);
    }
}

NodeId Trie::slot_id(Slot slot) const noexcept {
    if (slot.parent == kNoNode)
        return m_root.id;
    if (as<NodeKind>(slot.parent) == NodeKind::Extension)
        return as<ExtensionNode>(slot.parent).id;
    auto& branch = as<BranchNode>(slot.parent);
    return branch.ids()[branch.rank(slot.nibble)];
}

void Trie::set_slot_id(Slot slot, NodeId id) noexcept {
    if (slot.parent == kNoNode) {
        m_root.id = id;
    } else if (as<NodeKind>(slot.parent) == NodeKind::Extension) {
        as<ExtensionNode>(slot.parent).id = id;
    } else {
        auto& branch = as<BranchNode>(slot.parent);
        branch.ids()[branch.rank(slot.nibble)] = id;
    }
}

void Trie::mark(Slot slot) noexcept {
    if (slot.parent == kNoNode) {
        m_root.dirty = m_root.fresh = true;
    } else if (as<NodeKind>(slot.parent) == NodeKind::Extension) {
        auto& extension = as<ExtensionNode>(slot.parent);
        extension.dirty = extension.fresh = true;
    } else {
        auto& branch = as<BranchNode>(slot.parent);
        BranchNode::set_bit(branch.dirty, slot.nibble, true);
        BranchNode::set_bit(branch.fresh, slot.nibble, true);
    }
}

void Trie::mark_path(std::size_t slots) noexcept {
    for (std::size_t i = 0; i < slots; ++i)
        mark(m_path[i]);
}

// Reading -----------------------------------------------------------------------------------------------

// Takes a node that is not in memory from its parent or from the reader. Precondition: the slot is not
// empty.
Result<NodeId, TrieError> Trie::read(Slot slot, std::size_t depth) {
    const Child child = slot_child(slot);
    m_failed = child.ref;
    BytesView encoded;
    if (child.inlined) {
        encoded = inlined_rlp(child.ref);
    } else {
        if (!ask_reader(child, slot, depth))
            return fail(TrieError::MissingNode);
        encoded = m_buffer;
        if (crypto::keccak256(encoded) != child.ref)
            return fail(TrieError::WrongHash);
        if (encoded.size() < kInlineLimit && slot.parent != kNoNode)
            return fail(TrieError::InvalidNode);
    }
    const auto node = decode_node(encoded, depth);
    if (!node)
        return fail(TrieError::InvalidNode);
    const bool below_extension = slot.parent != kNoNode && as<NodeKind>(slot.parent) == NodeKind::Extension;
    if (below_extension && node->kind != NodeKind::Branch)
        return fail(TrieError::InvalidNode);
    const NodeId id = store(*node);
    set_slot_id(slot, id);
    return id;
}

// The way to a node that is read is that of the key last looked for, except that a branch's survivor stands
// beside it.
bool Trie::ask_reader(const Child& child, Slot slot, std::size_t depth) {
    if (m_reader == nullptr)
        return false;
    m_way.resize(depth);
    for (std::size_t i = 0; i < depth; ++i)
        m_way[i] = i < 2 * m_key.size() ? static_cast<std::uint8_t>(nibble_at(m_key.data(), i)) : 0;
    if (slot.parent != kNoNode && as<NodeKind>(slot.parent) == NodeKind::Branch)
        m_way[depth - 1] = slot.nibble;
    return m_reader->node_at(m_way, child.ref, m_buffer);
}

// Makes the record of a decoded node, its children not in memory.
NodeId Trie::store(const NodeView& node) {
    const auto child = [&](unsigned i) {
        Child c;
        c.inlined = (node.inlined >> i & 1) != 0;
        std::copy(node.children[i].begin(), node.children[i].end(), c.ref.begin());
        return c;
    };
    if (node.kind == NodeKind::Leaf) {
        const NodeId id = make_leaf(node.path.size(), node.value);
        std::copy(node.path.begin(), node.path.end(), as<LeafNode>(id).path_data());
        return id;
    }
    if (node.kind == NodeKind::Extension) {
        const NodeId id = make_extension(node.path.size(), child(0));
        std::copy(node.path.begin(), node.path.end(), as<ExtensionNode>(id).path_data());
        return id;
    }
    NodeId id = make_branch(static_cast<unsigned>(std::popcount(node.present)));
    for (unsigned i = 0; i < 16; ++i) {
        if ((node.present >> i & 1) != 0)
            id = add_child(id, i, child(i));
    }
    if (!node.value.empty())
        set_branch_value(id, node.value);
    return id;
}

// Walks down as far as the key leads and notes the slots passed in m_path, the last one included.
Result<Trie::Location, TrieError> Trie::locate(BytesView key) {
    if (key.size() > kKeySizeMax)
        return fail(TrieError::KeyTooLong);
    m_path.assign(1, Slot{});
    m_key = key;
    Location at;
    at.id = m_root.id;
    if (m_empty)
        return at;
    for (;;) {
        if (at.id == kNoNode) {
            const auto id = read(at.slot, at.depth);
            if (!id)
                return fail(id.error());
            at.id = *id;
        }
        if (!descend(at, key))
            return at;
        m_path.push_back(at.slot);
        if (at.id == kNoNode && slot_empty(at.slot))
            return at;
    }
}

// Goes from a node to its child on the key's path, whose id is kNoNode if it is not in memory or not there.
// False if the path ends at the node.
bool Trie::descend(Location& at, BytesView key) const noexcept {
    const std::size_t nibbles = 2 * key.size();
    if (as<NodeKind>(at.id) == NodeKind::Branch) {
        auto& branch = as<BranchNode>(at.id);
        at.match = at.depth == nibbles && branch.value != kNoNode;
        if (at.depth == nibbles)
            return false;
        const unsigned nibble = nibble_at(key.data(), at.depth++);
        at.slot = {at.id, static_cast<std::uint8_t>(nibble)};
        at.id = branch.has(nibble) ? branch.ids()[branch.rank(nibble)] : kNoNode;
        return true;
    }
    const bool is_leaf = as<NodeKind>(at.id) == NodeKind::Leaf;
    const Path path = is_leaf ? as<LeafNode>(at.id).path() : as<ExtensionNode>(at.id).path();
    at.common = common_nibbles(path, key, at.depth);
    at.match = is_leaf && at.common == path.size() && at.depth + at.common == nibbles;
    if (is_leaf || at.common < path.size())
        return false;
    at.depth += at.common;
    at.slot = {at.id, 0};
    at.id = as<ExtensionNode>(at.id).id;
    return true;
}

Result<BytesOrNone, TrieError> Trie::get(BytesView key) {
    const auto at = locate(key);
    if (!at)
        return fail(at.error());
    if (!at->match)
        return BytesOrNone{};
    return BytesOrNone{as<NodeKind>(at->id) == NodeKind::Leaf ? as<LeafNode>(at->id).value()
                                                              : branch_value(at->id)};
}

// Records -----------------------------------------------------------------------------------------------

NodeId Trie::make_leaf(std::size_t path_size, BytesView value) {
    const NodeId id = m_arena.allocate(LeafNode::record_size(path_size, value.size()));
    auto& leaf = as<LeafNode>(id);
    leaf = {.kind = NodeKind::Leaf,
            .reserved = 0,
            .path_size = static_cast<std::uint16_t>(path_size),
            .value_size = static_cast<std::uint32_t>(value.size())};
    std::memcpy(leaf.value_data(), value.data(), value.size());
    return id;
}

// A leaf whose path is the `nibbles` before `end`, a byte boundary.
NodeId Trie::make_tail_leaf(const std::uint8_t* end, std::size_t nibbles, BytesView value) {
    const NodeId id = make_leaf(hex_prefix_size(nibbles), value);
    write_tail(as<LeafNode>(id).path_data(), kLeafFlag, end, nibbles);
    return id;
}

NodeId Trie::make_extension(std::size_t path_size, const Child& child) {
    const NodeId id = m_arena.allocate(ExtensionNode::record_size(path_size));
    auto& extension = as<ExtensionNode>(id);
    extension.kind = NodeKind::Extension;
    extension.path_size = static_cast<std::uint16_t>(path_size);
    extension.reserved = 0;
    extension.set_child(child);
    return id;
}

NodeId Trie::make_branch(unsigned capacity) {
    const NodeId id = m_arena.allocate(BranchNode::record_size(capacity));
    as<BranchNode>(id) = {.kind = NodeKind::Branch,
                          .capacity = static_cast<std::uint8_t>(capacity),
                          .present = 0,
                          .dirty = 0,
                          .fresh = 0,
                          .inlined = 0,
                          .reserved = 0,
                          .value = kNoNode};
    return id;
}

void Trie::release(NodeId id) {
    switch (as<NodeKind>(id)) {
        case NodeKind::Leaf:
            return m_arena.release(id, as<LeafNode>(id).record_size());
        case NodeKind::Extension:
            return m_arena.release(id, as<ExtensionNode>(id).record_size());
        case NodeKind::Branch:
            if (const NodeId value = as<BranchNode>(id).value; value != kNoNode)
                m_arena.release(value, ValueRecord::record_size(as<ValueRecord>(value).size));
            return m_arena.release(id, as<BranchNode>(id).record_size());
    }
}

// Adds an entry and returns the branch, which may have moved to a larger record.
NodeId Trie::add_child(NodeId id, unsigned nibble, const Child& child) {
    const unsigned count = as<BranchNode>(id).count();
    if (count == as<BranchNode>(id).capacity) {
        const NodeId larger = make_branch(count + 1);
        auto& from = as<BranchNode>(id);
        auto& to = as<BranchNode>(larger);
        to = from;
        to.capacity = static_cast<std::uint8_t>(count + 1);
        std::copy_n(from.ids(), count, to.ids());
        std::copy_n(from.refs(), count, to.refs());
        m_arena.release(id, from.record_size());
        id = larger;
    }
    auto& branch = as<BranchNode>(id);
    const unsigned at = branch.rank(nibble);
    std::copy_backward(branch.ids() + at, branch.ids() + count, branch.ids() + count + 1);
    std::copy_backward(branch.refs() + at, branch.refs() + count, branch.refs() + count + 1);
    BranchNode::set_bit(branch.present, nibble, true);
    branch.set_child(nibble, child);
    return id;
}

// Adds a value to a branch, at the `nibbles` before `end` from there. Returns the branch as add_child().
NodeId Trie::add_tail(NodeId branch, const std::uint8_t* end, std::size_t nibbles, BytesView value) {
    if (nibbles == 0) {
        set_branch_value(branch, value);
        return branch;
    }
    const Child leaf = new_child(make_tail_leaf(end, nibbles - 1, value));
    return add_child(branch, nibble_before(end, nibbles), leaf);
}

void Trie::remove_child(NodeId id, unsigned nibble) noexcept {
    auto& branch = as<BranchNode>(id);
    const unsigned at = branch.rank(nibble);
    const unsigned count = branch.count();
    std::copy(branch.ids() + at + 1, branch.ids() + count, branch.ids() + at);
    std::copy(branch.refs() + at + 1, branch.refs() + count, branch.refs() + at);
    for (auto* mask : {&branch.present, &branch.dirty, &branch.fresh, &branch.inlined})
        BranchNode::set_bit(*mask, nibble, false);
}

// An empty value removes it.
void Trie::set_branch_value(NodeId branch, BytesView value) {
    const NodeId old = as<BranchNode>(branch).value;
    NodeId id = kNoNode;
    if (!value.empty()) {
        id = m_arena.allocate(ValueRecord::record_size(value.size()));
        as<ValueRecord>(id).size = static_cast<std::uint32_t>(value.size());
        std::memcpy(as<ValueRecord>(id).data(), value.data(), value.size());
    }
    if (old != kNoNode)
        m_arena.release(old, ValueRecord::record_size(as<ValueRecord>(old).size));
    as<BranchNode>(branch).value = id;
}

BytesView Trie::branch_value(NodeId branch) const noexcept {
    const NodeId value = as<BranchNode>(branch).value;
    return value == kNoNode ? BytesView{} : as<ValueRecord>(value).value();
}

// Putting -----------------------------------------------------------------------------------------------

Result<void, TrieError> Trie::put(BytesView key, BytesView value) {
    if (value.empty())
        return erase(key);
    if (value.size() > kValueSizeMax)
        return fail(TrieError::ValueTooLong);
    const auto at = locate(key);
    if (!at)
        return fail(at.error());
    if (at->id == kNoNode) {
        insert_leaf(*at, key, value);
    } else if (at->match || as<NodeKind>(at->id) == NodeKind::Branch) {
        replace_value(*at, value);
    } else if (as<NodeKind>(at->id) == NodeKind::Leaf) {
        split_leaf(*at, key, value);
    } else {
        split_extension(*at, key, value);
    }
    return {};
}

void Trie::insert_leaf(const Location& at, BytesView key, BytesView value) {
    mark_path(m_path.size() - 1);
    const Child leaf = new_child(make_tail_leaf(key.data() + key.size(), 2 * key.size() - at.depth, value));
    if (at.slot.parent == kNoNode)
        return set_slot_child(at.slot, leaf);
    const NodeId branch = add_child(at.slot.parent, at.slot.nibble, leaf);
    set_slot_id(m_path[m_path.size() - 2], branch);
}

// Gives a value to the leaf or branch where the key ends.
void Trie::replace_value(const Location& at, BytesView value) {
    if (as<NodeKind>(at.id) == NodeKind::Branch) {
        if (equal(branch_value(at.id), value))
            return;
        set_branch_value(at.id, value);
        return mark_path(m_path.size());
    }
    auto& leaf = as<LeafNode>(at.id);
    if (equal(leaf.value(), value))
        return;
    mark_path(m_path.size());
    if (leaf.value_size == value.size()) {
        std::memmove(leaf.value_data(), value.data(), value.size());
        return;
    }
    const NodeId id = make_leaf(leaf.path_size, value);
    std::memcpy(as<LeafNode>(id).path_data(), leaf.path_data(), leaf.path_size);
    set_slot_id(at.slot, id);
    release(at.id);
}

void Trie::split_leaf(const Location& at, BytesView key, BytesView value) {
    auto& old = as<LeafNode>(at.id);
    NodeId branch = make_branch(2);
    branch = add_tail(branch, old.path().end(), old.path().size() - at.common, old.value());
    branch = add_tail(branch, key.data() + key.size(), 2 * key.size() - at.depth - at.common, value);
    put_fork(at, key, branch);
}

void Trie::split_extension(const Location& at, BytesView key, BytesView value) {
    auto& old = as<ExtensionNode>(at.id);
    const Path path = old.path();
    const std::size_t below = path.size() - at.common - 1;
    Child rest = old.child();
    if (below > 0) {
        const NodeId tail = make_extension(hex_prefix_size(below), rest);
        write_tail(as<ExtensionNode>(tail).path_data(), 0, path.end(), below);
        rest = new_child(tail);
    }
    NodeId branch = add_child(make_branch(2), path[at.common], rest);
    branch = add_tail(branch, key.data() + key.size(), 2 * key.size() - at.depth - at.common, value);
    put_fork(at, key, branch);
}

// Puts a branch, below what the key has in common with it, in place of the node at the location.
void Trie::put_fork(const Location& at, BytesView key, NodeId branch) {
    NodeId top = branch;
    if (at.common > 0) {
        top = make_extension(hex_prefix_size(at.common), new_child(branch));
        write_range(as<ExtensionNode>(top).path_data(), 0, key, at.depth, at.common);
    }
    mark_path(m_path.size());
    set_slot_child(at.slot, new_child(top));
    release(at.id);
}

// Erasing -----------------------------------------------------------------------------------------------

Result<void, TrieError> Trie::erase(BytesView key) {
    const auto at = locate(key);
    if (!at)
        return fail(at.error());
    if (!at->match)
        return {};
    return erase_at(*at);
}

Result<void, TrieError> Trie::erase_at(const Location& at) {
    const bool is_leaf = as<NodeKind>(at.id) == NodeKind::Leaf;
    if (is_leaf && at.slot.parent == kNoNode) {
        release(at.id);
        m_root = {};
        m_empty = true;
        return {};
    }
    // A leaf's parent is a branch, since an extension has a branch below.
    const NodeId id = is_leaf ? at.slot.parent : at.id;
    const auto& branch = as<BranchNode>(id);
    const std::size_t path_index = m_path.size() - (is_leaf ? 2 : 1);
    const unsigned entries = branch.count() + (branch.value != kNoNode);
    if (entries == 2)
        return collapse(path_index, is_leaf ? at.depth : at.depth + 1, is_leaf ? at.slot.nibble : -1, at.id);
    mark_path(path_index + 1);
    if (is_leaf) {
        remove_child(id, at.slot.nibble);
        release(at.id);
    } else {
        set_branch_value(id, {});
    }
    return {};
}

// Replaces the branch in m_path[path_index] by its one entry that is not erased, merging paths, together
// with the extension above it if there is one. `depth` is that of the branch's children. `erased` is the
// child's nibble, and `erased_id` its leaf, or -1 for the value.
Result<void, TrieError> Trie::collapse(std::size_t path_index, std::size_t depth, int erased,
                                       NodeId erased_id) {
    Slot target = m_path[path_index];
    const NodeId branch = slot_id(target);
    const unsigned others =
        erased < 0 ? as<BranchNode>(branch).present : as<BranchNode>(branch).present & ~(1u << erased);
    const int survivor = others == 0 ? -1 : std::countr_zero(others);
    if (survivor >= 0) {
        // First of all, since it can fail.
        const Slot slot{branch, static_cast<std::uint8_t>(survivor)};
        if (slot_id(slot) == kNoNode) {
            if (const auto id = read(slot, depth); !id)
                return fail(id.error());
        }
    }
    m_nibbles.clear();
    NodeId extension = kNoNode;
    if (target.parent != kNoNode && as<NodeKind>(target.parent) == NodeKind::Extension) {
        extension = target.parent;
        target = m_path[--path_index];
        append_nibbles(as<ExtensionNode>(extension).path());
    }
    const Child child = merged(branch, survivor);
    mark_path(path_index);
    set_slot_child(target, child);
    if (erased >= 0)
        release(erased_id);
    if (extension != kNoNode)
        release(extension);
    release(branch);
    return {};
}

void Trie::append_nibbles(Path path) {
    for (std::size_t i = 0; i < path.size(); ++i)
        m_nibbles.push_back(static_cast<std::uint8_t>(path[i]));
}

// A leaf and an extension with the path in m_nibbles.
Child Trie::make_nibble_leaf(BytesView value) {
    const NodeId id = make_leaf(hex_prefix_size(m_nibbles.size()), value);
    write_nibbles(as<LeafNode>(id).path_data(), kLeafFlag, m_nibbles);
    return new_child(id);
}

Child Trie::make_nibble_extension(const Child& below) {
    const NodeId id = make_extension(hex_prefix_size(m_nibbles.size()), below);
    write_nibbles(as<ExtensionNode>(id).path_data(), 0, m_nibbles);
    return new_child(id);
}

// What takes the place of a branch with one entry left, below the nibbles in m_nibbles. The survivor's own
// record is released unless it lives on.
Child Trie::merged(NodeId branch, int survivor) {
    if (survivor < 0)
        return make_nibble_leaf(branch_value(branch));
    m_nibbles.push_back(static_cast<std::uint8_t>(survivor));
    const Child child = as<BranchNode>(branch).child(static_cast<unsigned>(survivor));
    if (as<NodeKind>(child.id) == NodeKind::Branch)
        return make_nibble_extension(child);
    Child result;
    if (as<NodeKind>(child.id) == NodeKind::Leaf) {
        append_nibbles(as<LeafNode>(child.id).path());
        result = make_nibble_leaf(as<LeafNode>(child.id).value());
    } else {
        append_nibbles(as<ExtensionNode>(child.id).path());
        result = make_nibble_extension(as<ExtensionNode>(child.id).child());
    }
    release(child.id);
    return result;
}

}  // namespace meridian::trie
