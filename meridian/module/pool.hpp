// Objects of one type, made and freed one at a time.
//
// Slots are multiples of 16 bytes and do not cross pages. A freed slot is zero but for the link to the next
// free one. Freed slots are used again last first; a pool's pages stay the pool's. Work: constant.
#pragma once

#include <meridian/module/arena.hpp>

namespace meridian::module {

// Zero is an empty pool.
struct PoolState {
    // Granules of the first free slot, and of the first slot never used on the newest page; 0 if there is
    // none.
    std::uint32_t free;
    std::uint32_t fresh;
    std::uint32_t size;
    std::uint32_t page_count;
};
static_assert(Storable<PoolState>);

// Slots of `stride` bytes: a multiple of kGranule. The offset of a slot that is zero, or OutOfPages or what
// the arena has failed with.
Result<Offset, Error> allocate_slot(Arena& arena, Place<PoolState> state, std::uint32_t stride);
// Precondition: from allocate_slot with this stride, and not freed since.
void free_slot(Arena& arena, Place<PoolState> state, std::uint32_t stride, Offset slot);

constexpr std::uint32_t slot_stride(std::size_t size) noexcept {
    return static_cast<std::uint32_t>((size + kGranule - 1) / kGranule * kGranule);
}

template <class T>
class Pool {
public:
    Pool(Arena& arena, Place<PoolState> state) noexcept : m_arena(arena), m_state(state) {}

    // A zero object.
    Result<Ptr<T>, Error> allocate() {
        static_assert(Storable<T>);
        const Result<Offset, Error> slot = allocate_slot(m_arena, m_state, slot_stride(sizeof(T)));
        if (!slot)
            return fail(slot.error());
        return Ptr<T>::to(*slot);
    }
    void free(Ptr<T> object) { free_slot(m_arena, m_state, slot_stride(sizeof(T)), object.offset()); }
    std::uint32_t size() const noexcept { return m_arena.at(m_state).size; }

private:
    Arena& m_arena;
    Place<PoolState> m_state;
};

}  // namespace meridian::module
