// Runs of pages, as a buddy system: free blocks of 2^k pages, aligned to their size, in a list for each k.
//
// The pages are cut into groups of 4096. One page of each group is its map: a byte for each page, 1 + k for
// the first page of a free block of order k and 0 for every other. It stands beside the pages because what a
// module writes into a page must never be taken for the allocator's own. The map is the group's first page;
// that of the first group is page 1, behind the header.
#include <meridian/module/arena.hpp>

namespace meridian::module {

namespace {

constexpr std::uint32_t kGroupPages = kPageSize;

// At the start of a free block; the rest of it is zero.
struct FreeBlock {
    PageNumber next;
    PageNumber previous;
};
static_assert(Storable<FreeBlock>);

Place<FreeBlock> block_at(PageNumber first) noexcept {
    return Place<FreeBlock>(offset_of_page(first));
}

Place<std::uint8_t> map_byte(PageNumber page) noexcept {
    const PageNumber group = page / kGroupPages * kGroupPages;
    return Place<std::uint8_t>(offset_of_page(group == 0 ? 1 : group) + page % kGroupPages);
}

// Of the smallest block that holds so many pages. Precondition: between 1 and kRunPagesMax.
std::uint32_t order_of(std::uint32_t count) noexcept {
    return static_cast<std::uint32_t>(std::bit_width(count - 1));
}

constexpr Place<ArenaHeader> kHeader;

}  // namespace

void Arena::push_block(PageNumber first, std::uint32_t order) noexcept {
    ArenaHeader& h = edit(kHeader);
    const PageNumber next = h.free_blocks[order];
    h.free_blocks[order] = first;
    h.free_page_count += 1u << order;
    edit(block_at(first)) = {next, 0};
    if (next != 0)
        edit(block_at(next)).previous = first;
    edit(map_byte(first)) = static_cast<std::uint8_t>(order + 1);
}

void Arena::unlink_block(PageNumber first, std::uint32_t order) noexcept {
    const FreeBlock block = at(block_at(first));
    ArenaHeader& h = edit(kHeader);
    h.free_page_count -= 1u << order;
    if (block.previous != 0)
        edit(block_at(block.previous)).next = block.next;
    else
        h.free_blocks[order] = block.next;
    if (block.next != 0)
        edit(block_at(block.next)).previous = block.previous;
    edit(block_at(first)) = {};
    edit(map_byte(first)) = 0;
}

Result<PageNumber, Error> Arena::allocate_pages(std::uint32_t count) {
    if (count == 0 || count > kRunPagesMax)
        return fail(Error::RunTooLong);
    const std::uint32_t wanted = order_of(count);
    std::uint32_t order = wanted;
    while (order < kOrders && at(kHeader).free_blocks[order] == 0)
        ++order;
    if (order == kOrders) {
        const Result<PageNumber, Error> first = extend(wanted);
        if (m_failure)
            return fail(*m_failure);
        return first;
    }
    const PageNumber first = at(kHeader).free_blocks[order];
    unlink_block(first, order);
    while (order > wanted) {
        --order;
        push_block(first + (1u << order), order);
    }
    if (m_failure)
        return fail(*m_failure);
    return first;
}

// Takes pages behind the last one. What lies before the next multiple of the block's size becomes free
// blocks: at most one of each order in this group, and as many in the next.
Result<PageNumber, Error> Arena::extend(std::uint32_t order) {
    const std::uint32_t limit = at(kHeader).page_limit;
    while (!m_failure) {
        const PageNumber page = at(kHeader).page_count;
        const bool is_map = page % kGroupPages == 0;
        const std::uint32_t fitting =
            is_map ? 0 : std::min(order, static_cast<std::uint32_t>(std::countr_zero(page)));
        if (limit - page < 1u << fitting)
            return fail(Error::OutOfPages);
        edit(kHeader).page_count = page + (1u << fitting);
        refresh_resident();
        if (is_map)
            continue;
        if (fitting == order)
            return page;
        push_block(page, fitting);
    }
    return fail(*m_failure);
}

void Arena::free_pages(PageNumber first, std::uint32_t count) {
    MERIDIAN_ASSERT(count > 0 && count <= kRunPagesMax);
    std::uint32_t order = order_of(count);
    // A number that was read from a damaged page must not lead to the header or out of the arena.
    if (first < kPageCountMin || std::uint64_t{first} + (1u << order) > pages_here())
        fail_with(Error::OutOfBounds);
    if (m_failure)
        return;
    zero(offset_of_page(first), std::uint64_t{kPageSize} << order);
    for (; order + 1 < kOrders; ++order) {
        const PageNumber buddy = first ^ 1u << order;
        if (at(map_byte(buddy)) != order + 1)
            break;
        unlink_block(buddy, order);
        first = std::min(first, buddy);
    }
    push_block(first, order);
}

}  // namespace meridian::module
