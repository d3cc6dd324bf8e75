// A sequence that grows and shrinks at its end, and whose elements never move.
//
// Elements lie in pages of their own, found through directories of 1024 pages each: none for the first page,
// then one level after the other. Popping gives back pages that become empty, but not directories. Work: a
// step for each level of directories (at most three), and at most five new pages.
#pragma once

#include <meridian/module/arena.hpp>

namespace meridian::module {

// Zero is an empty vector.
struct VectorState {
    std::uint32_t size;
    // A directory, or the page of elements at height 0; 0 if there is none.
    PageNumber root;
    std::uint32_t height;
    std::uint32_t reserved;
};
static_assert(Storable<VectorState>);

inline constexpr std::uint32_t kDirectoryBits = 10;
static_assert(kPageSize / sizeof(PageNumber) == 1u << kDirectoryBits);
inline constexpr std::uint32_t kVectorHeightMax = 3;

// Makes room for the page of elements number `leaf`. Errors: OutOfPages, what the arena has failed with.
Result<PageNumber, Error> add_leaf(Arena& arena, Place<VectorState> state, std::uint32_t leaf);
void drop_leaf(Arena& arena, Place<VectorState> state, std::uint32_t leaf);

// The page of elements number `leaf`. Precondition: it was added.
inline PageNumber find_leaf(const Arena& arena, const VectorState& vector, std::uint32_t leaf) noexcept {
    PageNumber page = vector.root;
    for (std::uint32_t level = std::min(vector.height, kVectorHeightMax); level-- > 0;) {
        const std::uint32_t entry = leaf >> level * kDirectoryBits & ((1u << kDirectoryBits) - 1);
        page = arena.at(Place<PageNumber>(offset_of_page(page) + entry * sizeof(PageNumber)));
    }
    return page;
}

template <class T>
class Vector {
public:
    static constexpr std::uint32_t kPerPage = kPageSize / sizeof(T);

    Vector(Arena& arena, Place<VectorState> state) noexcept : m_arena(arena), m_state(state) {
        static_assert(Storable<T>);
    }

    std::uint32_t size() const noexcept { return m_arena.at(m_state).size; }
    // Precondition for these three: index < size().
    Place<T> place(std::uint32_t index) const noexcept {
        const PageNumber page = find_leaf(m_arena, m_arena.at(m_state), index / kPerPage);
        return Place<T>(offset_of_page(page) + index % kPerPage * sizeof(T));
    }
    const T& at(std::uint32_t index) const noexcept { return m_arena.at(place(index)); }
    T& edit(std::uint32_t index) noexcept { return m_arena.edit(place(index)); }

    // Errors: OutOfPages, what the arena has failed with; then nothing was added.
    Result<void, Error> push_back(const T& value) {
        const VectorState vector = m_arena.at(m_state);
        const std::uint32_t leaf = vector.size / kPerPage;
        PageNumber page = 0;
        if (vector.size % kPerPage == 0) {
            const Result<PageNumber, Error> added = add_leaf(m_arena, m_state, leaf);
            if (!added)
                return fail(added.error());
            page = *added;
        } else {
            page = find_leaf(m_arena, vector, leaf);
        }
        m_arena.edit(Place<T>(offset_of_page(page) + vector.size % kPerPage * sizeof(T))) = value;
        m_arena.edit(m_state).size = vector.size + 1;
        if (const auto failure = m_arena.failure())
            return fail(*failure);
        return {};
    }
    // Precondition: not empty.
    void pop_back() {
        const std::uint32_t last = size() - 1;
        m_arena.zero(place(last).offset, sizeof(T));
        m_arena.edit(m_state).size = last;
        if (last % kPerPage == 0)
            drop_leaf(m_arena, m_state, last / kPerPage);
    }

private:
    Arena& m_arena;
    Place<VectorState> m_state;
};

}  // namespace meridian::module
