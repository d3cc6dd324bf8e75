#include <meridian/module/restore.hpp>

namespace meridian::module {

Result<void, Error> PageRestore::append(BytesView pages) noexcept {
    if (pages.size() % kPageSize != 0)
        return fail(Error::BadHeader);
    if (pages.size() / kPageSize > m_region.page_capacity - m_pages)
        return fail(Error::RegionTooSmall);
    std::copy(pages.begin(), pages.end(), m_region.base + offset_of_page(m_pages));
    m_pages += static_cast<std::uint32_t>(pages.size() / kPageSize);
    return {};
}

Result<Restored, Error> PageRestore::finish(const Hash& commitment, std::uint32_t undo_lines_max) const {
    Result<Arena, Error> arena = Arena::open(m_region, nullptr, undo_lines_max);
    if (!arena)
        return fail(arena.error());
    if (arena->page_count() != m_pages)
        return fail(Error::BadHeader);
    PageTree tree(*arena);
    if (commitment_of(m_pages, tree.root()) != commitment)
        return fail(Error::WrongRoot);
    return Restored{std::move(*arena), std::move(tree)};
}

}  // namespace meridian::module
