// The entries of a committed trie in the order of their keys, either way and from any key on: what a
// snapshot of a state is written from.
//
// Holds the nodes on the path to the present entry and no others. Nodes are read when the walk comes to
// them, and each is checked against its hash.
#pragma once

#include <meridian/trie/trie.hpp>

#include <vector>

namespace meridian::trie {

enum class WalkOrder : std::uint8_t { Ascending, Descending };

class EntryWalk {
public:
    // Before the first entry in the order. The reader must outlive the walk.
    EntryWalk(const Hash& root, NodeReader& reader, WalkOrder order = WalkOrder::Ascending);

    // Goes to before the first entry at or behind `bound` in the order: of the least key not below it or,
    // descending, of the greatest key not above it. After a failure the walk is at its end.
    Result<void, TrieError> seek(BytesView bound);
    // False at the end. A failure changes nothing, so that it can be repeated once the node is there.
    Result<bool, TrieError> next();

    // Of the present entry: valid after next() gave true, until it or seek() is called again.
    BytesView key() const noexcept { return m_key; }
    BytesView value() const noexcept { return m_value; }
    // The node that the last failed operation asked for.
    const Hash& failed_node() const noexcept { return m_failed; }

private:
    // A node on the path. It is gone through in places: a branch's value and its children, which makes 17;
    // of a leaf or an extension there is one.
    struct Frame {
        Bytes encoded;  // empty if the node stands in its parent
        NodeView node;
        std::size_t depth = 0;   // nibbles above the node
        std::size_t places = 0;  // gone through already
    };
    static constexpr std::size_t kBranchPlaces = 17;
    static constexpr unsigned kValuePlace = 16;

    Result<Frame, TrieError> read(const Hash& hash, std::size_t depth);
    Result<void, TrieError> push_root();
    Result<void, TrieError> push_child(unsigned index);
    // The child whose place is the present one, or kValuePlace.
    unsigned child_at(std::size_t place) const noexcept;
    std::size_t place_of(unsigned child) const noexcept;
    void set_nibbles(const Frame& frame);
    void take_entry(BytesView value);
    Result<bool, TrieError> step();
    Result<bool, TrieError> seek_step(BytesView bound);
    Result<bool, TrieError> seek_branch(BytesView bound);
    Result<bool, TrieError> seek_path(BytesView bound);

    Hash m_root;
    NodeReader& m_reader;
    WalkOrder m_order;
    bool m_started = false;
    std::vector<Frame> m_frames;
    Bytes m_nibbles;  // of the path, one a byte
    Bytes m_key;
    BytesView m_value;
    Hash m_failed{};
};

}  // namespace meridian::trie
