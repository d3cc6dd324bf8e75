// Proofs that pages are what an arena's commitment says, and what the commitment becomes when they change.
//
// A proof is the hashes that lie beside the ways from its pages to the root: level by level from the leaves
// up, in each level from left to right. For one page these are 36 (contracts/src/PageProof.sol).
#pragma once

#include <meridian/module/page_tree.hpp>

namespace meridian::module {

// Whether `content` is page `page` of the arena that has this commitment. Takes anything.
bool verify_page(const Hash& commitment, std::uint32_t page_count, PageNumber page, BytesView content,
                 std::span<const Hash> siblings) noexcept;

// The ways from several pages to the root: the part of a tree that a witness shows.
class PagePaths {
public:
    // Error: BadProof if the pages do not ascend or are none, a leaf is missing, or siblings are too few or
    // too many. Whose root it is remains to be compared. Work: at most 12 nodes for each page.
    static Result<PagePaths, Error> make(std::span<const PageNumber> pages, std::span<const Hash> leaves,
                                         std::span<const Hash> siblings);

    const Hash& root() const noexcept { return m_root; }
    // Gives pages new leaves. Precondition: ascending, a leaf for each. Error: MissingPage if the paths do
    // not lead to one of them.
    Result<void, Error> update(std::span<const PageNumber> pages, std::span<const Hash> leaves);

private:
    struct Node {
        std::uint32_t index;
        std::array<Hash, kTreeArity> children;
    };

    // Ascending; m_levels[0] are the parents of leaves.
    std::array<std::vector<Node>, kTreeDepth> m_levels;
    Hash m_root;
};

}  // namespace meridian::module
