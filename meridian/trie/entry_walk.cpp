#include <meridian/trie/entry_walk.hpp>

#include <meridian/crypto/keccak.hpp>
#include <meridian/trie/nibbles.hpp>

namespace meridian::trie {

EntryWalk::EntryWalk(const Hash& root, NodeReader& reader, WalkOrder order)
    : m_root(root), m_reader(reader), m_order(order) {}

// A branch's value has the shortest key: it comes first, or last on the way down.
unsigned EntryWalk::child_at(std::size_t place) const noexcept {
    const std::size_t ascending = m_order == WalkOrder::Ascending ? place : kBranchPlaces - 1 - place;
    return ascending == 0 ? kValuePlace : static_cast<unsigned>(ascending - 1);
}

std::size_t EntryWalk::place_of(unsigned child) const noexcept {
    const std::size_t ascending = child == kValuePlace ? 0 : child + 1;
    return m_order == WalkOrder::Ascending ? ascending : kBranchPlaces - 1 - ascending;
}

Result<EntryWalk::Frame, TrieError> EntryWalk::read(const Hash& hash, std::size_t depth) {
    Frame out;
    m_failed = hash;
    if (!m_reader.node(hash, out.encoded))
        return fail(TrieError::MissingNode);
    if (crypto::keccak256(out.encoded) != hash)
        return fail(TrieError::WrongHash);
    const auto node = decode_node(out.encoded, depth);
    if (!node)
        return fail(TrieError::InvalidNode);
    // The views stay valid: moving a vector does not move its bytes.
    out.node = *node;
    out.depth = depth;
    return out;
}

Result<void, TrieError> EntryWalk::push_root() {
    if (m_root == kEmptyRoot)
        return {};
    auto frame = read(m_root, 0);
    if (!frame)
        return fail(frame.error());
    m_frames.push_back(std::move(*frame));
    return {};
}

// Pushes a child of the last frame, and takes its place for gone through.
Result<void, TrieError> EntryWalk::push_child(unsigned index) {
    Frame& parent = m_frames.back();
    const bool branch = parent.node.kind == NodeKind::Branch;
    const std::size_t depth = parent.depth + (branch ? 1 : Path(parent.node.path).size());
    const BytesView reference = parent.node.children[index];
    Frame child;
    if ((parent.node.inlined >> index & 1) != 0) {
        // The parent's decoder has accepted it.
        child.node = *decode_node(reference, depth);
        child.depth = depth;
    } else {
        auto frame = read(first_bytes<32>(reference), depth);
        if (!frame)
            return fail(frame.error());
        child = std::move(*frame);
    }
    set_nibbles(parent);
    if (branch)
        m_nibbles.push_back(static_cast<std::uint8_t>(index));
    parent.places = branch ? place_of(index) + 1 : 1;
    m_frames.push_back(std::move(child));
    return {};
}

// The nibbles down to and with the node's own path.
void EntryWalk::set_nibbles(const Frame& frame) {
    m_nibbles.resize(frame.depth);
    if (frame.node.kind == NodeKind::Branch)
        return;
    const Path path(frame.node.path);
    for (std::size_t i = 0; i < path.size(); ++i)
        m_nibbles.push_back(static_cast<std::uint8_t>(path[i]));
}

void EntryWalk::take_entry(BytesView value) {
    m_key.resize(m_nibbles.size() / 2);
    for (std::size_t i = 0; i < m_key.size(); ++i)
        m_key[i] = static_cast<std::uint8_t>(m_nibbles[2 * i] << 4 | m_nibbles[2 * i + 1]);
    m_value = value;
}

// Goes through one place of the last frame, or leaves it: true if there is an entry.
Result<bool, TrieError> EntryWalk::step() {
    Frame& frame = m_frames.back();
    const bool branch = frame.node.kind == NodeKind::Branch;
    if (frame.places == (branch ? kBranchPlaces : 1)) {
        m_frames.pop_back();
        return false;
    }
    const unsigned child = branch ? child_at(frame.places) : 0;
    if (frame.node.kind == NodeKind::Leaf || child == kValuePlace) {
        ++frame.places;
        if (frame.node.value.empty())
            return false;
        set_nibbles(frame);
        take_entry(frame.node.value);
        return true;
    }
    if (branch && (frame.node.present >> child & 1) == 0) {
        ++frame.places;
        return false;
    }
    const auto pushed = push_child(child);
    return pushed ? Result<bool, TrieError>(false) : fail(pushed.error());
}

Result<bool, TrieError> EntryWalk::next() {
    if (!m_started) {
        if (auto pushed = push_root(); !pushed)
            return fail(pushed.error());
        m_started = true;
    }
    while (!m_frames.empty()) {
        const auto found = step();
        if (!found || *found)
            return found;
    }
    return false;
}

Result<void, TrieError> EntryWalk::seek(BytesView bound) {
    m_frames.clear();
    m_started = true;
    if (auto pushed = push_root(); !pushed)
        return pushed;
    if (m_frames.empty())
        return {};
    for (;;) {
        const auto deeper = seek_step(bound);
        if (!deeper) {
            m_frames.clear();
            return fail(deeper.error());
        }
        if (!*deeper)
            return {};
    }
}

// Takes those places of the last frame that lie before the bound for gone through; true if the bound lies
// within one of them, whose frame then is the last. So far the node's nibbles are the bound's own.
Result<bool, TrieError> EntryWalk::seek_step(BytesView bound) {
    return m_frames.back().node.kind == NodeKind::Branch ? seek_branch(bound) : seek_path(bound);
}

Result<bool, TrieError> EntryWalk::seek_branch(BytesView bound) {
    Frame& frame = m_frames.back();
    if (2 * bound.size() == frame.depth) {
        frame.places = place_of(kValuePlace);
        return false;
    }
    const unsigned nibble = nibble_at(bound.data(), frame.depth);
    if ((frame.node.present >> nibble & 1) == 0) {
        frame.places = place_of(nibble);
        return false;
    }
    const auto pushed = push_child(nibble);
    return pushed ? Result<bool, TrieError>(true) : fail(pushed.error());
}

Result<bool, TrieError> EntryWalk::seek_path(BytesView bound) {
    Frame& frame = m_frames.back();
    const Path path(frame.node.path);
    const std::size_t rest = 2 * bound.size() - frame.depth;
    const std::size_t common = common_nibbles(path, bound, frame.depth);
    const bool whole = common == path.size();
    if (whole && frame.node.kind == NodeKind::Extension) {
        const auto pushed = push_child(0);
        return pushed ? Result<bool, TrieError>(true) : fail(pushed.error());
    }
    if (whole && common == rest)
        return false;  // the bound itself
    // A leaf whose key the bound goes beyond is below it, as is a smaller nibble.
    const bool below =
        whole || (common < rest && path[common] < nibble_at(bound.data(), frame.depth + common));
    frame.places = below == (m_order == WalkOrder::Ascending) ? 1 : 0;
    return false;
}

}  // namespace meridian::trie
