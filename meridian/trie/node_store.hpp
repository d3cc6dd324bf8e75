// Where a trie reads nodes that it does not hold, and where it writes new ones.
#pragma once

#include <meridian/base/bytes.hpp>

#include <span>
#include <unordered_map>

namespace meridian::trie {

class NodeReader {
public:
    virtual ~NodeReader() = default;

    // Replaces `out` by the encoding of the node with that hash; false if it is not there. The trie checks
    // what it gets, so a reader needs not be trusted.
    virtual bool node(const Hash& hash, Bytes& out) = 0;
    // What the trie calls: as node(), with the way from the root to the node, a nibble a byte. For readers
    // that keep nodes by where they stand.
    virtual bool node_at(std::span<const std::uint8_t> nibbles, const Hash& hash, Bytes& out) {
        static_cast<void>(nibbles);
        return node(hash, out);
    }
};

class NodeSink {
public:
    virtual ~NodeSink() = default;

    // Takes a node; `rlp` is valid during the call. Children come before their parents.
    virtual void put(const Hash& hash, BytesView rlp) = 0;
};

// Keeps every node it was given, so that the trie of any root committed to it can be opened again.
class MemoryNodeStore final : public NodeReader, public NodeSink {
public:
    bool node(const Hash& hash, Bytes& out) override;
    void put(const Hash& hash, BytesView rlp) override;

    // For nodes from elsewhere, such as a proof or a witness: computes the hash.
    void add(BytesView rlp);
    void remove(const Hash& hash) { m_nodes.erase(hash); }
    std::size_t size() const noexcept { return m_nodes.size(); }

private:
    std::unordered_map<Hash, Bytes> m_nodes;
};

}  // namespace meridian::trie
