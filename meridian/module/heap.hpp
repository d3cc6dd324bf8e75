// A priority queue: the least value first, by the operator <. A handle finds an entry again to change or
// remove it. Entries that compare equal leave in an order that only the history decides; put what is to break
// ties into the value. Work: logarithmic.
#pragma once

#include <meridian/module/vector.hpp>

namespace meridian::module {

// Zero is an empty heap.
struct HeapState {
    VectorState values;
    // Of the value at the same index.
    VectorState handles;
    // By handle: its index, or with kFreeHandle the next free handle.
    VectorState indices;
    // The first free handle, plus one.
    std::uint32_t free;
    std::uint32_t reserved[3];
};
static_assert(Storable<HeapState>);

template <class T>
class Heap {
public:
    // Not 0; used again after its entry is gone.
    using Handle = std::uint32_t;

    Heap(Arena& arena, Place<HeapState> state) noexcept
        : m_arena(arena),
          m_state(state),
          m_values(arena, arena.place(state, &HeapState::values)),
          m_handles(arena, arena.place(state, &HeapState::handles)),
          m_indices(arena, arena.place(state, &HeapState::indices)) {}

    std::uint32_t size() const noexcept { return m_values.size(); }
    bool empty() const noexcept { return size() == 0; }
    // Of the least value; 0 if empty.
    Handle top() const noexcept { return empty() ? 0 : m_handles.at(0); }
    // Precondition for these three: the handle's entry is in the heap.
    const T& value(Handle handle) const noexcept { return m_values.at(index_of(handle)); }
    void update(Handle handle, const T& value) { settle(index_of(handle), handle, value); }
    void remove(Handle handle) {
        const std::uint32_t index = index_of(handle);
        const std::uint32_t last = size() - 1;
        const T moved_value = m_values.at(last);
        const Handle moved = m_handles.at(last);
        m_values.pop_back();
        m_handles.pop_back();
        release(handle);
        if (index < last)
            settle(index, moved, moved_value);
    }

    // Errors: OutOfPages, what the arena has failed with; then nothing was added.
    Result<Handle, Error> push(const T& value) {
        const Result<Handle, Error> handle = acquire();
        if (!handle)
            return handle;
        Result<void, Error> added = m_values.push_back(value);
        if (added) {
            added = m_handles.push_back(*handle);
            if (!added)
                m_values.pop_back();
        }
        if (!added) {
            if (!m_arena.failure())
                release(*handle);
            return fail(added.error());
        }
        settle(size() - 1, *handle, value);
        if (const auto failure = m_arena.failure())
            return fail(*failure);
        return handle;
    }

private:
    static constexpr std::uint32_t kFreeHandle = 1u << 31;
    // Of four children most lie in one line, and a move down, which costs the barrier, is one of half as
    // many.
    static constexpr std::uint32_t kArity = 4;

    std::uint32_t index_of(Handle handle) const noexcept { return m_indices.at(handle - 1); }

    Result<Handle, Error> acquire() {
        if (const Handle free = m_arena.at(m_state).free; free != 0) {
            m_arena.edit(m_state).free = m_indices.at(free - 1) & ~kFreeHandle;
            return free;
        }
        if (const Result<void, Error> added = m_indices.push_back(0); !added)
            return fail(added.error());
        return m_indices.size();
    }
    void release(Handle handle) {
        m_indices.edit(handle - 1) = m_arena.at(m_state).free | kFreeHandle;
        m_arena.edit(m_state).free = handle;
    }

    void put(std::uint32_t index, Handle handle, const T& value) {
        m_values.edit(index) = value;
        m_handles.edit(index) = handle;
        m_indices.edit(handle - 1) = index;
    }
    // Puts an entry in its place, from the hole at `index`: up while it is less than its parent, else down
    // while a child is less.
    void settle(std::uint32_t index, Handle handle, T value) {
        while (index > 0 && value < m_values.at((index - 1) / kArity)) {
            const std::uint32_t parent = (index - 1) / kArity;
            put(index, m_handles.at(parent), T(m_values.at(parent)));
            index = parent;
        }
        const std::uint32_t count = size();
        while (index < count && kArity * std::uint64_t{index} + 1 < count) {
            const std::uint32_t child = least_child(index, count);
            if (!(m_values.at(child) < value))
                break;
            put(index, m_handles.at(child), T(m_values.at(child)));
            index = child;
        }
        put(index, handle, value);
    }
    // Precondition: there is one.
    std::uint32_t least_child(std::uint32_t index, std::uint32_t count) const noexcept {
        std::uint32_t least = kArity * index + 1;
        const std::uint32_t end = std::min(least + kArity, count);
        for (std::uint32_t child = least + 1; child < end; ++child) {
            if (m_values.at(child) < m_values.at(least))
                least = child;
        }
        return least;
    }

    Arena& m_arena;
    Place<HeapState> m_state;
    Vector<T> m_values;
    Vector<Handle> m_handles;
    Vector<std::uint32_t> m_indices;
};

}  // namespace meridian::module
