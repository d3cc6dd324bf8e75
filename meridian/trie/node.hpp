// How the nodes of a trie lie in its arena. Internal to meridian/trie.
//
// A parent holds its children's references (hash, or encoding if inlined) beside their indices. So encoding
// a branch reads one contiguous record, and a child that is not in memory costs nothing more.
#pragma once

#include <meridian/trie/arena.hpp>
#include <meridian/trie/nibbles.hpp>
#include <meridian/trie/node_codec.hpp>

namespace meridian::trie {

inline constexpr std::size_t kCacheLine = 64;

// Asks for memory ahead of its use.
inline void prefetch(const void* address) noexcept {
    __builtin_prefetch(address);
    // Without this, g++ takes a function that only prefetches for one without effect and drops it.
    asm volatile("");
}

// A subtrie as its parent sees it. `id` is kNoNode while it is not in memory. `ref` means nothing while
// `dirty`. `fresh`: not yet given to a sink. Whatever is dirty is fresh, and whatever is fresh is in memory.
struct Child {
    NodeId id = kNoNode;
    bool dirty = false;
    bool fresh = false;
    bool inlined = false;
    Hash ref{};
};

// The encoding of an inlined node begins with its length.
inline BytesView inlined_rlp(const Hash& ref) noexcept {
    return BytesView(ref).first(1u + (ref[0] - 0xc0u));
}

// Followed by the hex-prefix path, then the value.
struct LeafNode {
    NodeKind kind;
    std::uint8_t reserved;
    std::uint16_t path_size;
    std::uint32_t value_size;

    static std::size_t record_size(std::size_t path, std::size_t value) noexcept {
        return sizeof(LeafNode) + path + value;
    }
    std::size_t record_size() const noexcept { return record_size(path_size, value_size); }
    std::uint8_t* path_data() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
    std::uint8_t* value_data() noexcept { return path_data() + path_size; }
    Path path() noexcept { return Path({path_data(), path_size}); }
    BytesView value() noexcept { return {value_data(), value_size}; }
};
static_assert(sizeof(LeafNode) == 8);

// Followed by the hex-prefix path.
struct ExtensionNode {
    NodeKind kind;
    bool dirty;
    bool fresh;
    bool inlined;
    std::uint16_t path_size;
    std::uint16_t reserved;
    NodeId id;
    Hash ref;

    static std::size_t record_size(std::size_t path) noexcept { return sizeof(ExtensionNode) + path; }
    std::size_t record_size() const noexcept { return record_size(path_size); }
    std::uint8_t* path_data() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
    Path path() noexcept { return Path({path_data(), path_size}); }
    Child child() const noexcept { return {id, dirty, fresh, inlined, ref}; }
    void set_child(const Child& c) noexcept {
        id = c.id, dirty = c.dirty, fresh = c.fresh, inlined = c.inlined, ref = c.ref;
    }
};
static_assert(sizeof(ExtensionNode) == 44);

// Followed by `capacity` indices, then `capacity` references; the entries of the children present come
// first, in order of their nibbles.
struct BranchNode {
    NodeKind kind;
    std::uint8_t capacity;
    std::uint16_t present;
    std::uint16_t dirty;
    std::uint16_t fresh;
    std::uint16_t inlined;
    std::uint16_t reserved;
    NodeId value;  // a ValueRecord, or kNoNode

    static std::size_t record_size(std::size_t capacity) noexcept {
        return sizeof(BranchNode) + capacity * (sizeof(NodeId) + sizeof(Hash));
    }
    std::size_t record_size() const noexcept { return record_size(capacity); }
    NodeId* ids() noexcept { return reinterpret_cast<NodeId*>(this + 1); }
    Hash* refs() noexcept { return reinterpret_cast<Hash*>(ids() + capacity); }
    bool has(unsigned nibble) const noexcept { return (present >> nibble & 1) != 0; }
    unsigned count() const noexcept { return static_cast<unsigned>(std::popcount(present)); }
    // Where the entry of a nibble is, or would be inserted.
    unsigned rank(unsigned nibble) const noexcept {
        return static_cast<unsigned>(std::popcount(present & ((1u << nibble) - 1)));
    }
    Child child(unsigned nibble) noexcept {
        const unsigned i = rank(nibble);
        return {ids()[i], (dirty >> nibble & 1) != 0, (fresh >> nibble & 1) != 0,
                (inlined >> nibble & 1) != 0, refs()[i]};
    }
    // Overwrites an entry that is present.
    void set_child(unsigned nibble, const Child& c) noexcept {
        const unsigned i = rank(nibble);
        ids()[i] = c.id;
        refs()[i] = c.ref;
        set_bit(dirty, nibble, c.dirty);
        set_bit(fresh, nibble, c.fresh);
        set_bit(inlined, nibble, c.inlined);
    }
    static void set_bit(std::uint16_t& mask, unsigned bit, bool on) noexcept {
        mask = static_cast<std::uint16_t>((mask & ~(1u << bit)) | (static_cast<unsigned>(on) << bit));
    }
};
static_assert(sizeof(BranchNode) == 16);

// The value of a branch. Followed by its bytes.
struct ValueRecord {
    std::uint32_t size;

    static std::size_t record_size(std::size_t size) noexcept { return sizeof(ValueRecord) + size; }
    std::uint8_t* data() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
    BytesView value() noexcept { return {data(), size}; }
};

}  // namespace meridian::trie
