// Storage of trie nodes: records of any size, addressed by 32-bit indices.
//
// An index counts units of 8 bytes. Memory comes in chunks, each twice the size of the one before, so that
// a trie of three nodes costs half a kilobyte, one of ten million accounts a few allocations, and a record
// never moves while it lives. A released record goes to a free list of its size. Index 0 is never a record.
#pragma once

#include <meridian/base/bytes.hpp>

#include <bit>
#include <memory>
#include <vector>

namespace meridian::trie {

using NodeId = std::uint32_t;

inline constexpr NodeId kNoNode = 0;

class Arena {
public:
    Arena() = default;
    Arena(const Arena& other);
    Arena& operator=(const Arena& other);
    Arena(Arena&& other) noexcept;
    Arena& operator=(Arena&& other) noexcept;
    ~Arena() = default;

    // Uninitialised, aligned to 8 bytes. Aborts when 32 GiB are in use. Precondition: size > 0.
    NodeId allocate(std::size_t size);
    // Precondition: `size` is what the record was allocated with.
    void release(NodeId id, std::size_t size);

    std::uint8_t* at(NodeId id) const noexcept {
        const std::uint64_t position = std::uint64_t{id} + kFirstUnits;
        const unsigned width = static_cast<unsigned>(std::bit_width(position)) - 1;
        auto* chunk = m_chunks[width - kFirstWidth].get();
        return reinterpret_cast<std::uint8_t*>(chunk + (position - (std::uint64_t{1} << width)));
    }

    // Bytes in live records, rounded up to their size classes.
    std::uint64_t used_bytes() const noexcept { return m_used_units * kUnit; }

private:
    static constexpr std::size_t kUnit = 8;
    static constexpr unsigned kFirstWidth = 6;
    static constexpr std::uint64_t kFirstUnits = std::uint64_t{1} << kFirstWidth;

    NodeId allocate_new(std::uint64_t units);
    void keep_for_reuse(NodeId id, std::size_t size_class);
    std::uint64_t chunk_end(std::uint64_t index) const noexcept;

    std::vector<std::unique_ptr<std::uint64_t[]>> m_chunks;
    std::vector<NodeId> m_free;  // by size class: the first record; each names the next
    std::uint64_t m_next = 1;    // the first index never handed out
    std::uint64_t m_used_units = 0;
};

}  // namespace meridian::trie
