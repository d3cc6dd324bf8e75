// The tree of hashes over an arena's pages (page_tree.hpp) as a part of the state, so that whoever has a
// state can go on from it without all of its pages.
//
// It lies in pages of its own, whose numbers begin above those of all arenas. A page holds three levels of
// a node's descendants: 64 hashes, the 16 above them, and the 4 above those. Four such pages are on the way
// from a leaf to the root. An entry of zeros stands for a subtree of zero pages, so that the same arena has
// the same tree.
#pragma once

#include <meridian/module/page_tree.hpp>
#include <meridian/state/state_reader.hpp>

#include <map>
#include <memory>

namespace meridian::module {

inline constexpr std::uint32_t kTreePages = 1u << 31;
constexpr bool is_tree_page(std::uint32_t page) noexcept {
    return page >= kTreePages;
}

class StoredTree {
public:
    StoredTree(state::StateReader& reader, const Address& module) : m_reader(reader), m_module(module) {}

    // Hashes those pages and what lies above them. Gives the commitment, or nothing if a page of the tree is
    // not to be had. Precondition: ascending; every page that differs from what was last hashed is there.
    std::optional<Hash> update(const Arena& arena, std::span<const PageNumber> pages);

    // What was written since the last forget().
    void collect(state::ArenaPatch& out) const;
    void forget() noexcept;

private:
    struct Page {
        std::array<std::uint8_t, kPageSize> bytes;
        std::uint64_t changed = 0;
    };

    Page* page(std::uint32_t tier, std::uint32_t index);
    static void set(Page& page, std::uint32_t entry, const Hash& hash, std::uint32_t level) noexcept;
    static Hash parent(const Page& page, std::uint32_t first, std::uint32_t level) noexcept;
    std::optional<Hash> raise(std::map<std::uint32_t, Hash> nodes);

    state::StateReader& m_reader;
    Address m_module;
    std::map<std::uint32_t, std::unique_ptr<Page>> m_pages;
};

}  // namespace meridian::module
