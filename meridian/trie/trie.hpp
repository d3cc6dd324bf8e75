// The Merkle Patricia trie of Ethereum (yellow paper, appendix D), in memory, whole or in part.
//
// A trie opened by its root reads nodes as it needs them and checks each against its hash. Changes mark the
// path to them; root() hashes what is marked, level by level, many nodes at once. commit() gives every node
// made since the last commit to a sink, from where the trie of that root can be opened again.
//
// An operation that fails changes nothing (an update: nothing of the failing entry), so it can be repeated
// once the missing node is there. Nothing recurses over the depth of the trie.
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/trie/node.hpp>
#include <meridian/trie/node_store.hpp>

#include <optional>

namespace meridian::trie {

// keccak256(0x80): the root of the trie without entries.
inline constexpr Hash kEmptyRoot = [] {
    constexpr std::uint8_t b[32] = {0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                    0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                    0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21};
    Hash h;
    std::copy_n(b, 32, h.bytes.begin());
    return h;
}();

enum class [[nodiscard]] TrieError : std::uint8_t {
    MissingNode,   // the reader does not have it, or there is no reader
    WrongHash,     // the reader gave other bytes than those asked for
    InvalidNode,   // of the right hash, but no node that an encoder would write
    KeyTooLong,    // above kKeySizeMax
    ValueTooLong,  // above kValueSizeMax
};

// Name of an error, for messages.
const char* to_string(TrieError error) noexcept;

// Empty if the trie has no such key. The bytes are the trie's: valid until it next changes.
using BytesOrNone = std::optional<BytesView>;

struct KeyValue {
    BytesView key;
    BytesView value;  // empty: erase
};

class Trie {
public:
    Trie() = default;
    // The reader must outlive the trie; without one, only what was put can be read.
    explicit Trie(const Hash& root, NodeReader* reader);

    Result<BytesOrNone, TrieError> get(BytesView key);
    // An empty value erases.
    Result<void, TrieError> put(BytesView key, BytesView value);
    Result<void, TrieError> erase(BytesView key);
    // As put() for each entry in turn; fastest if they are sorted by key. A large update also hashes most of
    // what it changes, as it goes.
    Result<void, TrieError> update(std::span<const KeyValue> entries);

    // Costs the hashing of what changed since the last call.
    Hash root();
    bool empty() const noexcept { return m_empty; }

    // Gives the sink all nodes made since the last commit that are part of the trie now.
    void commit(NodeSink& sink);
    // As commit(), to callback(const Hash&, BytesView rlp).
    template <class Callback>
    void for_each_new_node(Callback&& callback);

    // The encodings of the nodes from the root to where the key's path ends, without the inlined ones.
    Result<std::vector<Bytes>, TrieError> path_nodes(BytesView key);

    // The node that the last failed operation asked for.
    const Hash& failed_node() const noexcept { return m_failed; }
    // Bytes that the nodes in memory take.
    std::uint64_t used_bytes() const noexcept { return m_arena.used_bytes(); }
    // Nodes hashed by root() since the trie was made (inlined ones not counted), for measurements.
    std::uint64_t hashed_nodes() const noexcept { return m_hashed_nodes; }

private:
    // Where a reference to a node stands: in a branch, in an extension, or (parent kNoNode) at the root.
    struct Slot {
        NodeId parent = kNoNode;
        std::uint8_t nibble = 0;
    };
    // A node to be encoded, and where its reference goes.
    struct Pending {
        Slot slot;
        NodeId id;
        std::uint16_t prefetch_size;
        bool spared;  // not to be hashed yet
    };
    // Where a key's path ends.
    struct Location {
        Slot slot;
        NodeId id = kNoNode;     // kNoNode: nothing in the slot
        std::size_t depth = 0;   // nibbles above the node
        std::size_t common = 0;  // nibbles of the node's own path that agree with the key
        bool match = false;      // the key has a value, in this leaf or branch
    };
    enum class Marks : std::uint8_t { Dirty, Fresh };

    template <class T>
    T& as(NodeId id) const noexcept {
        return *reinterpret_cast<T*>(m_arena.at(id));
    }

    bool slot_empty(Slot slot) const noexcept;
    Child slot_child(Slot slot) const noexcept;
    void set_slot_child(Slot slot, const Child& child) noexcept;
    NodeId slot_id(Slot slot) const noexcept;
    void set_slot_id(Slot slot, NodeId id) noexcept;
    void mark(Slot slot) noexcept;
    void mark_path(std::size_t slots) noexcept;

    Result<NodeId, TrieError> read(Slot slot, std::size_t depth);
    bool ask_reader(const Child& child, Slot slot, std::size_t depth);
    NodeId store(const NodeView& node);
    Result<Location, TrieError> locate(BytesView key);
    bool descend(Location& at, BytesView key) const noexcept;

    void prefetch_paths(std::span<const KeyValue> entries) const noexcept;
    NodeId next_on_path(NodeId id, BytesView key, std::size_t& depth) const noexcept;

    NodeId make_leaf(std::size_t path_size, BytesView value);
    NodeId make_tail_leaf(const std::uint8_t* end, std::size_t nibbles, BytesView value);
    NodeId make_extension(std::size_t path_size, const Child& child);
    NodeId make_branch(unsigned capacity);
    void release(NodeId id);

    NodeId add_child(NodeId branch, unsigned nibble, const Child& child);
    NodeId add_tail(NodeId branch, const std::uint8_t* end, std::size_t nibbles, BytesView value);
    void remove_child(NodeId branch, unsigned nibble) noexcept;
    void set_branch_value(NodeId branch, BytesView value);
    BytesView branch_value(NodeId branch) const noexcept;

    void insert_leaf(const Location& at, BytesView key, BytesView value);
    void replace_value(const Location& at, BytesView value);
    void split_leaf(const Location& at, BytesView key, BytesView value);
    void split_extension(const Location& at, BytesView key, BytesView value);
    void put_fork(const Location& at, BytesView key, NodeId branch);
    Result<void, TrieError> erase_at(const Location& at);
    Result<void, TrieError> collapse(std::size_t path_index, std::size_t depth, int erased, NodeId erased_id);
    void append_nibbles(Path path);
    Child make_nibble_leaf(BytesView value);
    Child make_nibble_extension(const Child& below);
    Child merged(NodeId branch, int survivor);

    void collect(Marks marks, const BytesView* spared_key);
    void collect_children(std::size_t index, Marks marks);
    void collect_child(Slot slot, NodeId id, bool spared);
    void hash_dirty(const BytesView* spared_key);
    void set_ref(Slot slot, const Hash& ref, bool inlined) noexcept;
    void prefetch_record(const Pending& pending) const noexcept;
    std::size_t encoded_size(NodeId id, std::size_t& payload) const noexcept;
    void encode(NodeId id, std::size_t payload, std::uint8_t* out) const noexcept;
    BytesView encoded(NodeId id);
    void hash_level(std::span<const Pending> level);

    Arena m_arena;
    NodeReader* m_reader = nullptr;
    bool m_empty = true;
    Child m_root;
    Hash m_failed{};
    std::uint64_t m_hashed_nodes = 0;

    // Scratch, kept for its memory.
    std::vector<Slot> m_path;           // the slots that locate() went through
    BytesView m_key;                    // the key that locate() was given
    std::vector<std::uint8_t> m_way;    // of ask_reader()
    std::vector<Pending> m_pending;     // of collect(): by level, root first
    std::vector<std::size_t> m_levels;  // of collect(): where in m_pending each level begins
    BytesView m_spared_key;             // of collect()
    std::size_t m_spared_depth = 0;
    std::vector<std::uint8_t> m_nibbles;
    Bytes m_buffer;
};

template <class Callback>
void Trie::for_each_new_node(Callback&& callback) {
    struct CallbackSink final : NodeSink {
        explicit CallbackSink(Callback& c) : call(c) {}
        void put(const Hash& hash, BytesView rlp) override { call(hash, rlp); }
        Callback& call;
    };
    CallbackSink sink(callback);
    commit(sink);
}

}  // namespace meridian::trie
