// A doubly linked list through objects that carry their links: a queue from whose middle anything can leave.
//
// The objects are not the list's: whoever made them frees them. Work: constant.
#pragma once

#include <meridian/module/arena.hpp>

namespace meridian::module {

// A member of the objects. Zero outside of lists, and for the only object of one.
template <class T>
struct ListLink {
    Ptr<T> next;
    Ptr<T> previous;
};

// Zero is an empty list.
template <class T>
struct ListState {
    Ptr<T> first;
    Ptr<T> last;
};

template <class T, ListLink<T> T::* Link>
class List {
public:
    List(Arena& arena, Place<ListState<T>> state) noexcept : m_arena(arena), m_state(state) {}

    bool empty() const noexcept { return !first(); }
    // Null at the ends.
    Ptr<T> first() const noexcept { return m_arena.at(m_state).first; }
    Ptr<T> last() const noexcept { return m_arena.at(m_state).last; }
    Ptr<T> next(Ptr<T> object) const noexcept { return (m_arena.at(object).*Link).next; }
    Ptr<T> previous(Ptr<T> object) const noexcept { return (m_arena.at(object).*Link).previous; }

    // Precondition: the object is in no list by this link.
    void push_back(Ptr<T> object) noexcept {
        ListState<T>& list = m_arena.edit(m_state);
        const Ptr<T> before = list.last;
        (before ? next_of(before) : list.first) = object;
        list.last = object;
        m_arena.edit(object, Link).previous = before;
    }
    void push_front(Ptr<T> object) noexcept {
        ListState<T>& list = m_arena.edit(m_state);
        const Ptr<T> after = list.first;
        (after ? previous_of(after) : list.last) = object;
        list.first = object;
        m_arena.edit(object, Link).next = after;
    }
    // Precondition: the object is in this list.
    void remove(Ptr<T> object) noexcept {
        const ListLink<T> link = m_arena.at(object).*Link;
        if (!link.next || !link.previous) {
            ListState<T>& list = m_arena.edit(m_state);
            if (!link.previous)
                list.first = link.next;
            if (!link.next)
                list.last = link.previous;
        }
        if (link.previous)
            next_of(link.previous) = link.next;
        if (link.next)
            previous_of(link.next) = link.previous;
        if (link.next || link.previous)
            m_arena.edit(object, Link) = {};
    }

private:
    Ptr<T>& next_of(Ptr<T> object) noexcept { return m_arena.edit(object, Link).next; }
    Ptr<T>& previous_of(Ptr<T> object) noexcept { return m_arena.edit(object, Link).previous; }

    Arena& m_arena;
    Place<ListState<T>> m_state;
};

}  // namespace meridian::module
