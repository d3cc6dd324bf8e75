// The address space of an arena: pages, lines, pointers, and what may live in it.
//
// A page has 4096 bytes, a line 64. An offset counts bytes from the arena's start; nothing in an arena
// depends on where the host has put it. The state is deterministic to the byte: numbers are little-endian,
// types have no padding, memory that was never used or was freed is zero.
#pragma once

#include <meridian/base/bytes.hpp>

#include <bit>
#include <type_traits>

namespace meridian::module {

static_assert(std::endian::native == std::endian::little, "what lies in an arena is what L1 is shown");

inline constexpr std::uint32_t kPageSize = 4096;
inline constexpr std::uint32_t kLineSize = 64;
inline constexpr std::uint32_t kLinesPerPage = kPageSize / kLineSize;
// A pointer counts granules of 16 bytes, so that 32 bits reach all 64 GiB.
inline constexpr std::uint32_t kGranule = 16;
inline constexpr std::uint32_t kPagesMax = 1u << 24;

static_assert(kLinesPerPage == 64, "a page's lines are the bits of a word");
static_assert(std::uint64_t{kPagesMax} * kPageSize == std::uint64_t{1} << 36);

using PageNumber = std::uint32_t;
// Bytes from the start of the arena.
using Offset = std::uint64_t;

constexpr Offset offset_of_page(PageNumber page) noexcept {
    return Offset{page} * kPageSize;
}
constexpr PageNumber page_of(Offset offset) noexcept {
    return static_cast<PageNumber>(offset / kPageSize);
}
constexpr std::uint32_t offset_in_page(Offset offset) noexcept {
    return static_cast<std::uint32_t>(offset % kPageSize);
}

// What an arena may hold. A type with padding has bytes that nobody sets; give the padding a name and
// leave it zero. Prefer integers to bool and enumerations, as every byte pattern is a value of theirs.
template <class T>
concept Storable =
    std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> &&
    std::has_unique_object_representations_v<T> && sizeof(T) <= kPageSize && alignof(T) <= kGranule;

// Refers to a T from within an arena: 4 bytes, 0 refers to nothing.
template <class T>
struct Ptr {
    std::uint32_t granule = 0;

    constexpr explicit operator bool() const noexcept { return granule != 0; }
    constexpr Offset offset() const noexcept { return Offset{granule} * kGranule; }
    // Precondition: the offset is a multiple of kGranule.
    static constexpr Ptr to(Offset offset) noexcept {
        return {static_cast<std::uint32_t>(offset / kGranule)};
    }
    friend constexpr bool operator==(Ptr, Ptr) noexcept = default;
};
static_assert(sizeof(Ptr<int>) == 4 && Storable<Ptr<int>>);

// Refers to a T at any offset, also within another object; for use outside of arenas.
template <class T>
struct Place {
    Offset offset = 0;

    constexpr Place() noexcept = default;
    constexpr explicit Place(Offset a) noexcept : offset(a) {}
    constexpr Place(Ptr<T> ptr) noexcept : offset(ptr.offset()) {}
    // False for the place that containers give for what they do not have.
    constexpr explicit operator bool() const noexcept { return offset != 0; }
    friend constexpr bool operator==(Place, Place) noexcept = default;
};

// The lines of a page that `size` bytes from `offset` on touch, as bits; what lies beyond the page is left
// out.
constexpr std::uint64_t lines_of(std::uint32_t offset, std::uint32_t size) noexcept {
    const std::uint32_t count = (offset % kLineSize + size + kLineSize - 1) / kLineSize;
    const std::uint64_t ones = count >= kLinesPerPage ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    return ones << offset / kLineSize;
}

// Blocks of free pages are of 2^0 to 2^11 pages.
inline constexpr std::uint32_t kOrders = 12;
inline constexpr std::uint32_t kRunPagesMax = 1u << (kOrders - 1);

// What page 0 begins with.
struct ArenaHeader {
    std::uint64_t magic;
    std::uint32_t layout_version;
    // How many pages are in use or free; those above are zero and were never used.
    std::uint32_t page_count;
    // How many there may be: part of the state, so that every node runs out of pages at the same point.
    std::uint32_t page_limit;
    // Free pages below page_count.
    std::uint32_t free_page_count;
    // The first page of the first free block of each order, or 0.
    std::uint32_t free_blocks[kOrders];
    // The module's own object, from which it finds everything else; a Ptr.
    std::uint32_t root;
    // The framework's own object, beside the module's (sessions.hpp); a Ptr.
    std::uint32_t framework;
};
static_assert(Storable<ArenaHeader> && sizeof(ArenaHeader) == 80);

// "MERIDIAN" in memory.
inline constexpr std::uint64_t kArenaMagic = 0x4e4149444952454d;
inline constexpr std::uint32_t kArenaLayoutVersion = 1;
// The header, and the map of the first group of pages (page_allocator.cpp).
inline constexpr std::uint32_t kPageCountMin = 2;

}  // namespace meridian::module
