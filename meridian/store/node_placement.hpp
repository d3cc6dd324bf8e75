// Where the nodes of a trie stand: turns what Trie::commit() gives into writes by path, and finds what an
// erasure leaves behind.
#pragma once

#include <meridian/store/write_batch.hpp>
#include <meridian/trie/node_store.hpp>

#include <unordered_map>

namespace meridian::store {

// Nibbles from the root of a trie to a node, one a byte. Keys are hashes: at most 64.
struct NodePath {
    std::array<std::uint8_t, 64> nibbles{};
    std::size_t size = 0;

    std::span<const std::uint8_t> view() const noexcept { return {nibbles.data(), size}; }
    // Precondition: size < 64.
    void push(unsigned nibble) noexcept { nibbles[size++] = static_cast<std::uint8_t>(nibble); }
};

// Collects the new nodes of one trie, then writes each under its path.
class NodePlacement final : public trie::NodeSink {
public:
    // `owner` is empty for the account trie, else the account's key. It outlives this.
    NodePlacement(Table table, BytesView owner) : m_table(table), m_owner(owner) {}

    void put(const Hash& hash, BytesView rlp) override;
    // Puts go to `puts`; erasures of nodes that stand in their parents now go to `erasures`.
    // Precondition: the nodes are those of a trie with that root, whose keys have 32 bytes.
    void write(const Hash& root, WriteBatch& erasures, WriteBatch& puts) const;

private:
    struct Range {
        std::size_t offset;
        std::size_t size;
    };

    Table m_table;
    BytesView m_owner;
    Bytes m_data;
    std::unordered_map<Hash, Range> m_nodes;
};

// Erases what may stand beyond the end of an erased key's path. `nodes` are those on its path now
// (Trie::path_nodes()).
void erase_beyond(Table table, BytesView owner, const Hash& key, std::span<const Bytes> nodes,
                  WriteBatch& erasures);

}  // namespace meridian::store
