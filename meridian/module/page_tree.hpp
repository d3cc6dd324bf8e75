// The commitment to an arena: a tree of hashes over its pages.
//
// A leaf is the Keccak-256 of a page's 4096 bytes, a node that of its four children's 128 bytes; there are 12
// levels above the leaves, which makes a leaf for each of the 2^24 pages an offset can lie in. Pages that an
// arena does not have count as zero. What is committed is keccak256(format, page count, root), three words.
// Nothing can be taken for anything else: a path has always 12 steps, and a leaf, a node and a commitment are
// hashes of different lengths (docs/adr/0010-arena.md).
//
// The tree lies beside the arena and is no part of the state: 43 bytes for each page, made again from pages.
#pragma once

#include <meridian/module/arena.hpp>

#include <array>

namespace meridian::module {

struct Changes;

inline constexpr std::uint32_t kTreeDepth = 12;
inline constexpr std::uint32_t kTreeArity = 4;
// Of the proof of one page: the three others of each level.
inline constexpr std::uint32_t kPageSiblings = kTreeDepth * (kTreeArity - 1);
static_assert(1u << 2 * kTreeDepth == kPagesMax);

// The root of a tree of so many levels over zero pages; level 0 is a zero page's leaf. Precondition: at most
// kTreeDepth.
const Hash& empty_subtree(std::uint32_t level) noexcept;

// keccak256("Meridian arena 1"), the first word of what is committed.
const Hash& arena_format() noexcept;

// What the module's account holds in its storage slot 0.
Hash commitment_of(std::uint32_t page_count, const Hash& root) noexcept;

class PageTree {
public:
    // Of an arena of zero pages.
    PageTree();
    // Of an arena as it is. Work: hashing all of its pages.
    explicit PageTree(const Arena& arena);

    // Says that a page has changed; once or several times.
    void mark(PageNumber page) { m_marked.push_back(page); }
    void mark(const Changes& changes);
    // Hashes the marked pages and what lies above them, level by level in batches. Gives the commitment.
    // Precondition: every page that differs from what was last hashed is marked.
    Hash update(const Arena& arena);

    const Hash& root() const noexcept { return m_levels[kTreeDepth][0]; }
    // Level 0 are the leaves. Precondition: level <= kTreeDepth.
    const Hash& node(std::uint32_t level, std::uint32_t index) const noexcept;
    // The siblings with which PagePaths gets from these pages to the root. Precondition: ascending.
    std::vector<Hash> prove(std::span<const PageNumber> pages) const;

private:
    void cover(std::uint32_t page_count);
    void hash_pages(const Arena& arena, std::span<const PageNumber> pages);
    void hash_level(std::uint32_t level, std::span<const std::uint32_t> nodes);

    // Each of a multiple of four entries, so that the children of a node lie side by side.
    std::array<std::vector<Hash>, kTreeDepth + 1> m_levels;
    std::vector<PageNumber> m_marked;
};

}  // namespace meridian::module
