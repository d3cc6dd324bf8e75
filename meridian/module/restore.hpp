// An arena from the pages of another: what an import of a snapshot does. Exporting is Arena::page of each.
#pragma once

#include <meridian/module/page_tree.hpp>

namespace meridian::module {

struct Restored {
    Arena arena;
    PageTree tree;
};

// Takes pages in their order, then compares the commitment. After an error the region holds rubbish.
class PageRestore {
public:
    // Precondition: the region is zero.
    explicit PageRestore(Region region) noexcept : m_region(region) {}

    // One or several whole pages. Errors: RegionTooSmall; BadHeader if it is not a multiple of pages.
    Result<void, Error> append(BytesView pages) noexcept;
    // Errors: BadHeader also if the number of pages is not the header's; WrongRoot; RegionTooSmall.
    Result<Restored, Error> finish(const Hash& commitment,
                                   std::uint32_t undo_lines_max = kUndoLinesMax) const;

private:
    Region m_region;
    std::uint32_t m_pages = 0;
};

}  // namespace meridian::module
