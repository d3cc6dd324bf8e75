// Memory for the arenas of tests, and a reproducible sequence.
#pragma once

#include <meridian/module/arena.hpp>

#include <cstdlib>

namespace meridian::module::testing {

class HeapRegion {
public:
    explicit HeapRegion(std::uint32_t page_capacity)
        : m_memory(std::calloc(Region::size_bytes(page_capacity) + kPageSize, 1)), m_capacity(page_capacity) {
        MERIDIAN_ASSERT(m_memory != nullptr);
    }

    Region region() const {
        const auto address = reinterpret_cast<std::uintptr_t>(m_memory.get());
        const std::uintptr_t aligned = (address + kPageSize - 1) / kPageSize * kPageSize;
        return {reinterpret_cast<std::uint8_t*>(aligned), m_capacity};
    }

private:
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    std::unique_ptr<void, Free> m_memory;
    std::uint32_t m_capacity;
};

// An arena with its memory.
struct OwnedArena {
    HeapRegion memory;
    Arena arena;

    explicit OwnedArena(std::uint32_t page_limit, std::uint32_t undo_lines_max = 1u << 14)
        : memory(page_limit), arena(*Arena::create(memory.region(), page_limit, undo_lines_max)) {}
    Arena* operator->() { return &arena; }
    Arena& operator*() { return arena; }
};

// All pages of an arena, one behind the other.
inline Bytes bytes_of(const Arena& arena) {
    Bytes out;
    for (PageNumber page = 0; page < arena.page_count(); ++page)
        append(out, arena.page(page));
    return out;
}

// Has every page but one.
class GapSource final : public PageSource {
public:
    GapSource(const Arena& full, PageNumber gap) : m_full(full), m_gap(gap) {}
    bool fetch(PageNumber page, std::span<std::uint8_t, kPageSize> out) noexcept override {
        if (page == m_gap)
            return false;
        std::memcpy(out.data(), m_full.page(page).data(), kPageSize);
        return true;
    }

private:
    const Arena& m_full;
    PageNumber m_gap;
};

// SplitMix64.
class Random {
public:
    explicit Random(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (m_state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(next() % bound); }

private:
    std::uint64_t m_state;
};

}  // namespace meridian::module::testing
