// Encoding and hashing of the nodes that changed.
//
// Marked nodes are listed by level from the root, and hashed from the deepest level up, so that within one
// level all are independent and go to the hash function many at once.
#include <meridian/crypto/keccak.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/trie/trie.hpp>

namespace meridian::trie {
namespace {

// Nodes hashed in one call, and bytes of encodings after which a call is made.
constexpr std::size_t kBatchNodes = 256;
constexpr std::size_t kBatchBytes = std::size_t{1} << 17;
// How many nodes ahead memory is asked for.
constexpr std::size_t kLookahead = 4;
constexpr std::size_t kPrefetchBytesMax = 1024;
constexpr std::size_t kHashItem = 33;
// What encode() may write beyond the end.
constexpr std::size_t kSlack = 16;

std::size_t branch_payload(BranchNode& node, BytesView value) noexcept {
    const unsigned count = node.count();
    std::size_t payload = 16 - count + kHashItem * count + rlp::length_of_bytes(value);
    for (unsigned mask = node.inlined; mask != 0; mask &= mask - 1) {
        const auto nibble = static_cast<unsigned>(std::countr_zero(mask));
        payload -= kHashItem - inlined_rlp(node.refs()[node.rank(nibble)]).size();
    }
    return payload;
}

std::uint8_t* write_ref(std::uint8_t* out, const Hash& ref, bool inlined) noexcept {
    if (inlined) {
        const BytesView rlp = inlined_rlp(ref);
        std::memcpy(out, rlp.data(), rlp.size());
        return out + rlp.size();
    }
    *out++ = 0x80 + 32;
    std::memcpy(out, ref.data(), 32);
    return out + 32;
}

// May write up to kSlack bytes more than it returns.
std::uint8_t* write_branch(std::uint8_t* out, BranchNode& node, BytesView value) noexcept {
    const Hash* ref = node.refs();
    unsigned written = 0;
    for (unsigned mask = node.present; mask != 0; mask &= mask - 1) {
        const auto nibble = static_cast<unsigned>(std::countr_zero(mask));
        std::memset(out, rlp::kEmptyString, kSlack);
        out += nibble - written;
        out = write_ref(out, *ref++, (node.inlined >> nibble & 1) != 0);
        written = nibble + 1;
    }
    std::memset(out, rlp::kEmptyString, kSlack);
    return write_rlp_string(out + (16 - written), value);
}

}  // namespace

// The size of a node's encoding, and of its payload.
std::size_t Trie::encoded_size(NodeId id, std::size_t& payload) const noexcept {
    switch (as<NodeKind>(id)) {
        case NodeKind::Leaf: {
            auto& leaf = as<LeafNode>(id);
            payload = rlp::length_of_bytes(leaf.path().encoded()) + rlp::length_of_bytes(leaf.value());
            break;
        }
        case NodeKind::Extension: {
            auto& node = as<ExtensionNode>(id);
            payload = rlp::length_of_bytes(node.path().encoded()) +
                      (node.inlined ? inlined_rlp(node.ref).size() : kHashItem);
            break;
        }
        case NodeKind::Branch:
            payload = branch_payload(as<BranchNode>(id), branch_value(id));
            break;
    }
    return rlp::length_of_list(payload);
}

// Writes encoded_size() bytes and up to kSlack more. Precondition: no child is dirty.
void Trie::encode(NodeId id, std::size_t payload, std::uint8_t* out) const noexcept {
    out = write_rlp_list_prefix(out, payload);
    switch (as<NodeKind>(id)) {
        case NodeKind::Leaf: {
            auto& leaf = as<LeafNode>(id);
            out = write_rlp_string(out, leaf.path().encoded());
            write_rlp_string(out, leaf.value());
            break;
        }
        case NodeKind::Extension: {
            auto& node = as<ExtensionNode>(id);
            out = write_rlp_string(out, node.path().encoded());
            write_ref(out, node.ref, node.inlined);
            break;
        }
        case NodeKind::Branch:
            write_branch(out, as<BranchNode>(id), branch_value(id));
            break;
    }
}

// The encoding of one node, in m_buffer.
BytesView Trie::encoded(NodeId id) {
    std::size_t payload = 0;
    const std::size_t size = encoded_size(id, payload);
    if (m_buffer.size() < size + kSlack)
        m_buffer.resize(size + kSlack);
    encode(id, payload, m_buffer.data());
    return BytesView(m_buffer).first(size);
}

// Lists the marked nodes in m_pending, and where the levels begin in m_levels, with an end added. Nodes on
// the path of `spared_key`, unless null, are marked as spared.
void Trie::collect(Marks marks, const BytesView* spared_key) {
    m_spared_key = spared_key ? *spared_key : BytesView{};
    m_spared_depth = 0;
    m_pending.clear();
    m_levels.assign(1, 0);
    collect_child({}, m_root.id, spared_key != nullptr);
    std::size_t next = 0;
    while (next < m_pending.size()) {
        const std::size_t end = m_pending.size();
        m_levels.push_back(end);
        for (; next < end; ++next)
            collect_children(next, marks);
    }
}

void Trie::collect_child(Slot slot, NodeId id, bool spared) {
    const auto* record = m_arena.at(id);
    prefetch(record);
    prefetch(record + kCacheLine);
    m_pending.push_back({slot, id, 0, spared});
}

void Trie::collect_children(std::size_t index, Marks marks) {
    const auto [slot, id, unused, spared] = m_pending[index];
    const std::size_t left = 2 * m_spared_key.size() - m_spared_depth;  // if spared
    std::size_t size = 0;
    if (as<NodeKind>(id) == NodeKind::Leaf) {
        size = as<LeafNode>(id).record_size();
    } else if (as<NodeKind>(id) == NodeKind::Extension) {
        auto& node = as<ExtensionNode>(id);
        size = node.record_size();
        const std::size_t nibbles = node.path().size();
        const bool on_path = spared && common_nibbles(node.path(), m_spared_key, m_spared_depth) == nibbles;
        if (on_path)
            m_spared_depth += nibbles;
        if (marks == Marks::Dirty ? node.dirty : node.fresh)
            collect_child({id, 0}, node.id, on_path);
    } else {
        auto& node = as<BranchNode>(id);
        size = node.record_size();
        const unsigned on_path = spared && left > 0 ? nibble_at(m_spared_key.data(), m_spared_depth++) : 16;
        for (unsigned mask = marks == Marks::Dirty ? node.dirty : node.fresh; mask != 0; mask &= mask - 1) {
            const auto nibble = static_cast<unsigned>(std::countr_zero(mask));
            collect_child({id, static_cast<std::uint8_t>(nibble)}, node.ids()[node.rank(nibble)],
                          nibble == on_path);
        }
    }
    m_pending[index].prefetch_size = static_cast<std::uint16_t>(std::min(size, kPrefetchBytesMax));
}

// Notes the reference of a node that has been encoded.
void Trie::set_ref(Slot slot, const Hash& ref, bool inlined) noexcept {
    if (slot.parent == kNoNode) {
        m_root.ref = ref;
        m_root.dirty = false;
    } else if (as<NodeKind>(slot.parent) == NodeKind::Extension) {
        auto& node = as<ExtensionNode>(slot.parent);
        node.ref = ref;
        node.dirty = false;
        node.inlined = inlined;
    } else {
        auto& node = as<BranchNode>(slot.parent);
        node.refs()[node.rank(slot.nibble)] = ref;
        BranchNode::set_bit(node.dirty, slot.nibble, false);
        BranchNode::set_bit(node.inlined, slot.nibble, inlined);
    }
}

void Trie::prefetch_record(const Pending& pending) const noexcept {
    const auto* record = m_arena.at(pending.id);
    for (std::size_t at = 0; at < pending.prefetch_size; at += kCacheLine)
        prefetch(record + at);
}

void Trie::hash_level(std::span<const Pending> level) {
    std::array<BytesView, kBatchNodes> inputs;
    std::array<Hash, kBatchNodes> outputs;
    std::array<std::size_t, kBatchNodes> sizes;
    std::array<Slot, kBatchNodes> slots;
    std::size_t next = 0;
    while (next < level.size()) {
        std::size_t count = 0;
        std::size_t used = 0;
        for (; next < level.size() && count < kBatchNodes && used < kBatchBytes; ++next) {
            if (next + kLookahead < level.size())
                prefetch_record(level[next + kLookahead]);
            const Pending& pending = level[next];
            if (pending.spared)
                continue;
            std::size_t payload = 0;
            const std::size_t size = encoded_size(pending.id, payload);
            if (size < kInlineLimit && pending.slot.parent != kNoNode) {
                std::array<std::uint8_t, kInlineLimit + kSlack> inlined;
                encode(pending.id, payload, inlined.data());
                set_ref(pending.slot, first_bytes<32>(inlined), true);
                continue;
            }
            if (m_buffer.size() < used + size + kSlack)
                m_buffer.resize(2 * (used + size + kSlack));
            encode(pending.id, payload, m_buffer.data() + used);
            slots[count] = pending.slot;
            sizes[count++] = size;
            used += size;
        }
        const std::uint8_t* at = m_buffer.data();
        for (std::size_t i = 0; i < count; at += sizes[i++])
            inputs[i] = {at, sizes[i]};
        crypto::keccak256_batch(std::span(inputs).first(count), std::span(outputs).first(count));
        for (std::size_t i = 0; i < count; ++i)
            set_ref(slots[i], outputs[i], false);
        m_hashed_nodes += count;
    }
}

// Hashes what is dirty but not on the path of `spared_key`, unless null.
void Trie::hash_dirty(const BytesView* spared_key) {
    if (m_empty || !m_root.dirty)
        return;
    collect(Marks::Dirty, spared_key);
    for (std::size_t level = m_levels.size() - 1; level-- > 0;)
        hash_level(std::span(m_pending).subspan(m_levels[level], m_levels[level + 1] - m_levels[level]));
}

Hash Trie::root() {
    if (m_empty)
        return kEmptyRoot;
    hash_dirty(nullptr);
    return m_root.ref;
}

void Trie::commit(NodeSink& sink) {
    root();
    if (m_empty || !m_root.fresh)
        return;
    collect(Marks::Fresh, nullptr);
    for (std::size_t i = m_pending.size(); i-- > 0;) {
        const Slot slot = m_pending[i].slot;
        Child child = slot_child(slot);
        if (!child.inlined)
            sink.put(child.ref, encoded(m_pending[i].id));
        child.fresh = false;
        set_slot_child(slot, child);
    }
}

Result<std::vector<Bytes>, TrieError> Trie::path_nodes(BytesView key) {
    root();
    const auto at = locate(key);
    if (!at)
        return fail(at.error());
    std::vector<Bytes> nodes;
    for (const Slot slot : m_path) {
        if (!slot_empty(slot) && !slot_child(slot).inlined)
            nodes.push_back(to_bytes(encoded(slot_id(slot))));
    }
    return nodes;
}

}  // namespace meridian::trie
