// The memory that a host gives to an arena, and the marks beside its pages.
#pragma once

#include <meridian/module/layout.hpp>

namespace meridian::module {

// What the write barrier knows of a page. Not part of the state.
struct PageMarks {
    // Lines that need no more work before they are written to, while `epoch` is the arena's.
    std::uint64_t saved;
    // Lines written to since the changes were last taken.
    std::uint64_t changed;
    std::uint64_t epoch;
    // Whether the page is in the list of pages with changes.
    std::uint32_t listed;
    // Whether the page's content is here, where pages come on demand.
    std::uint32_t present;
};
static_assert(sizeof(PageMarks) == 32);

// One piece of zeroed memory, aligned to pages, of size_bytes(page_capacity) bytes. The arena does not own
// it.
struct Region {
    std::uint8_t* base = nullptr;
    std::uint32_t page_capacity = 0;

    // The pages, one more behind them, so that an object at a damaged pointer still lies in the region, and
    // the marks. Most of it is never touched: hosts reserve address space and let memory come on demand.
    static constexpr std::size_t size_bytes(std::uint32_t page_capacity) noexcept {
        return (std::size_t{page_capacity} + 1) * (kPageSize + sizeof(PageMarks));
    }
    PageMarks* marks() const noexcept {
        return reinterpret_cast<PageMarks*>(base + (std::size_t{page_capacity} + 1) * kPageSize);
    }
};

}  // namespace meridian::module
