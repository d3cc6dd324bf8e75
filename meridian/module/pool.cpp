#include <meridian/module/pool.hpp>

namespace meridian::module {

namespace {

// What a free slot begins with: the granule of the next one.
Place<std::uint32_t> link_of(Offset slot) noexcept {
    return Place<std::uint32_t>(slot);
}

Offset take_fresh(Arena& arena, Place<PoolState> state, std::uint32_t stride) noexcept {
    PoolState& pool = arena.edit(state);
    const Offset slot = Ptr<void>{pool.fresh}.offset();
    const bool page_has_more = offset_in_page(slot) + 2 * stride <= kPageSize;
    pool.fresh = page_has_more ? Ptr<void>::to(slot + stride).granule : 0;
    ++pool.size;
    return slot;
}

}  // namespace

Result<Offset, Error> allocate_slot(Arena& arena, Place<PoolState> state, std::uint32_t stride) {
    Offset slot = 0;
    if (const std::uint32_t free = arena.at(state).free; free != 0) {
        slot = Ptr<void>{free}.offset();
        PoolState& pool = arena.edit(state);
        pool.free = arena.at(link_of(slot));
        ++pool.size;
        arena.edit(link_of(slot)) = 0;
    } else {
        if (arena.at(state).fresh == 0) {
            const Result<PageNumber, Error> page = arena.allocate_pages(1);
            if (!page)
                return fail(page.error());
            PoolState& pool = arena.edit(state);
            pool.fresh = Ptr<void>::to(offset_of_page(*page)).granule;
            ++pool.page_count;
        }
        slot = take_fresh(arena, state, stride);
    }
    if (const auto failure = arena.failure())
        return fail(*failure);
    return slot;
}

void free_slot(Arena& arena, Place<PoolState> state, std::uint32_t stride, Offset slot) {
    arena.zero(slot, stride);
    PoolState& pool = arena.edit(state);
    const std::uint32_t next = pool.free;
    pool.free = Ptr<void>::to(slot).granule;
    --pool.size;
    arena.edit(link_of(slot)) = next;
}

}  // namespace meridian::module
