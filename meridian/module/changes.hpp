// What was written to an arena, as lines: how replicas, shadow copies and stores follow one.
//
// Encoded: the number of pages (4 bytes), then for each page its number (4), its mask (8), and 64 bytes for
// each line of the mask; little-endian, pages ascending, no empty masks. There is one encoding of any
// changes.
#pragma once

#include <meridian/module/error.hpp>
#include <meridian/module/layout.hpp>

namespace meridian::module {

using Line = FixedBytes<kLineSize>;

struct PageChange {
    PageNumber page;
    // Bit n: line n of the page changed.
    std::uint64_t lines;

    friend bool operator==(const PageChange&, const PageChange&) = default;
};

struct Changes {
    // Ascending by page; no empty masks.
    std::vector<PageChange> pages;
    // The content of the lines, page by page, each page's ascending.
    std::vector<Line> lines;

    bool empty() const noexcept { return pages.empty(); }
    friend bool operator==(const Changes&, const Changes&) = default;
};

// The most lines that changes may have when they are read: 1 GiB of them.
inline constexpr std::uint32_t kChangedLinesMax = 1u << 24;

Bytes encode(const Changes& changes);
// Error: BadChanges.
Result<Changes, Error> decode_changes(BytesView encoded);

}  // namespace meridian::module
