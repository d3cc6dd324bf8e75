// All containers in one arena beside the standard library's, driven by a stream of bytes: what the tests and
// the fuzzer have in common.
#pragma once

#include <meridian/module/arena_fixture.hpp>
#include <meridian/module/hash_map.hpp>
#include <meridian/module/heap.hpp>
#include <meridian/module/list.hpp>
#include <meridian/module/ordered_map.hpp>

#include <deque>
#include <map>

namespace meridian::module::testing {

using Owner = FixedBytes<20>;
using Line = FixedBytes<kLineSize>;

struct Order {
    std::uint64_t id;
    ListLink<Order> queue;
    std::uint64_t amount;
};

struct Timer {
    std::uint32_t due;
    std::uint32_t id;
    friend bool operator<(const Timer& a, const Timer& b) {
        return a.due != b.due ? a.due < b.due : a.id < b.id;
    }
    friend bool operator==(const Timer&, const Timer&) = default;
};

struct Root {
    PoolState orders;
    HashMapState by_owner;
    OrderedMapState levels;
    OrderedMapState names;
    HeapState timers;
    VectorState numbers;
    ListState<Order> queue;
};

// Reads numbers from bytes; zeros behind their end.
class Choices {
public:
    explicit Choices(BytesView data) : m_data(data) {}
    bool at_end() const { return m_data.empty(); }
    std::uint32_t below(std::uint32_t bound) {
        std::uint32_t value = 0;
        for (std::uint32_t reach = 1; reach < bound && !m_data.empty(); reach <<= 8) {
            value = value << 8 | m_data[0];
            m_data = m_data.subspan(1);
            if (reach > bound >> 8)
                break;
        }
        return value % bound;
    }

private:
    BytesView m_data;
};

struct Model {
    std::map<Owner, std::uint32_t> by_owner;
    std::map<std::uint64_t, std::uint32_t> levels;
    std::map<Owner, Line> names;
    std::map<std::uint32_t, Timer> timers;  // by handle
    std::vector<Timer> numbers;
    std::deque<Ptr<Order>> queue;
};

// Changes bytes of an arena to anything, past its containers.
inline void damage(Arena& arena, Random random, std::uint32_t count) {
    const std::uint32_t size = arena.page_count() * kPageSize;
    for (; count > 0; --count) {
        const Place<std::uint32_t> word(random.below(size) / 4 * 4);
        // Numbers that may be pointers, counts and heights as well as any.
        arena.edit(word) = static_cast<std::uint32_t>(random.next()) >> random.below(32);
    }
}

class World {
public:
    // `checked`: whether the containers have to agree with the model; not where pages may be missing.
    explicit World(Arena& arena, bool checked = true) : m_arena(arena), m_checked(checked) {
        if (arena.root<Root>())
            m_root = arena.root<Root>();
        else if (const auto page = arena.allocate_pages(1))
            arena.set_root(m_root = Ptr<Root>::to(offset_of_page(*page)));
    }

    void run(Choices choices) {
        while (!choices.at_end()) {
            step(choices);
            if (m_arena.failure() == Error::UndoFull)
                end(false);
        }
    }

    // Ends open checkpoints, alternately one way and the other.
    void end_all() {
        while (!m_open.empty())
            end(m_open.size() % 2 == 0);
    }

    // All that can be seen of the containers, and that the nodes of trees are half full.
    void check() const {
        MERIDIAN_ASSERT(orders_ok() && by_owner().size() == m_model.by_owner.size());
        for (const auto& [key, value] : m_model.by_owner) {
            const std::uint32_t* found = by_owner().get(key);
            MERIDIAN_ASSERT(found != nullptr && *found == value);
        }
        check_ordered(levels(), m_model.levels);
        check_ordered(names(), m_model.names);
        check_nodes(m_arena.at(part(&Root::levels)), node_layout(8, 4, 4));
        check_nodes(m_arena.at(part(&Root::names)), node_layout(sizeof(Owner), sizeof(Line), alignof(Line)));
        MERIDIAN_ASSERT(numbers().size() == m_model.numbers.size());
        for (std::uint32_t i = 0; i < m_model.numbers.size(); ++i)
            MERIDIAN_ASSERT(numbers().at(i) == m_model.numbers[i]);
        MERIDIAN_ASSERT(timers().size() == m_model.timers.size());
        for (const auto& [handle, timer] : m_model.timers)
            MERIDIAN_ASSERT(timers().value(handle) == timer);
        if (!m_model.timers.empty()) {
            const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
            const auto least = std::min_element(m_model.timers.begin(), m_model.timers.end(), less);
            MERIDIAN_ASSERT(timers().value(timers().top()) == least->second);
        }
    }

private:
    using Queue = List<Order, &Order::queue>;

    template <class M>
    Place<M> part(M Root::* member) const {
        return m_arena.place(m_root, member);
    }
    Pool<Order> orders() const { return {m_arena, part(&Root::orders)}; }
    HashMap<Owner, std::uint32_t> by_owner() const { return {m_arena, part(&Root::by_owner)}; }
    OrderedMap<std::uint64_t, std::uint32_t> levels() const { return {m_arena, part(&Root::levels)}; }
    OrderedMap<Owner, Line> names() const { return {m_arena, part(&Root::names)}; }
    Heap<Timer> timers() const { return {m_arena, part(&Root::timers)}; }
    Vector<Timer> numbers() const { return {m_arena, part(&Root::numbers)}; }
    Queue queue() const { return {m_arena, part(&Root::queue)}; }

    // Whether an operation was done, and its effect belongs into the model.
    template <class T>
    bool done(const Result<T, Error>& result) const {
        MERIDIAN_ASSERT(!m_checked || result || result.error() == Error::OutOfPages ||
                        result.error() == Error::UndoFull);
        MERIDIAN_ASSERT(result || result.error() != Error::UndoFull || m_arena.failure() == Error::UndoFull);
        return result.has_value();
    }
    bool failed() const { return m_arena.failure().has_value(); }

    void step(Choices& choices) {
        switch (choices.below(12)) {
            case 0:
            case 1:
                return put_order(choices);
            case 2:
                return take_order(choices);
            case 3:
                return use_table(choices);
            case 4:
            case 5:
                return use_levels(choices);
            case 6:
                return use_names(choices);
            case 7:
            case 8:
                return use_timers(choices);
            case 9:
                return use_numbers(choices);
            case 10:
                if (m_open.size() < 6)
                    m_open.emplace_back(m_arena.checkpoint(), m_model);
                return;
            default:
                if (!m_open.empty())
                    end(choices.below(2) == 0);
        }
    }

    void end(bool keep) {
        auto [checkpoint, before] = std::move(m_open.back());
        m_open.pop_back();
        if (keep && m_arena.commit(checkpoint))
            return;
        m_arena.revert(checkpoint);
        m_model = std::move(before);
        if (m_checked)
            check();
    }

    void put_order(Choices& choices) {
        const auto order = orders().allocate();
        if (!done(order))
            return;
        MERIDIAN_ASSERT(!m_checked ||
                        (m_arena.at(*order).id == 0 && m_arena.at(*order).queue.next.granule == 0));
        m_arena.edit(*order, &Order::id) = order->granule;
        const bool front = choices.below(4) == 0;
        front ? queue().push_front(*order) : queue().push_back(*order);
        if (failed())
            return;
        m_model.queue.insert(front ? m_model.queue.begin() : m_model.queue.end(), *order);
    }

    void take_order(Choices& choices) {
        if (m_model.queue.empty())
            return;
        const std::uint32_t index = choices.below(static_cast<std::uint32_t>(m_model.queue.size()));
        const Ptr<Order> order = m_model.queue[index];
        queue().remove(order);
        orders().free(order);
        if (!failed())
            m_model.queue.erase(m_model.queue.begin() + index);
    }

    bool orders_ok() const {
        if (orders().size() != m_model.queue.size())
            return false;
        Ptr<Order> order = queue().first();
        Ptr<Order> before;
        for (const Ptr<Order> expected : m_model.queue) {
            if (order != expected || queue().previous(order) != before ||
                m_arena.at(order).id != order.granule)
                return false;
            before = order;
            order = queue().next(order);
        }
        return !order && queue().last() == before;
    }

    static Owner owner(Choices& choices) {
        Owner out;
        // Keys that share most of their bytes.
        out[choices.below(2) * 19] = static_cast<std::uint8_t>(choices.below(256));
        out[5] = static_cast<std::uint8_t>(choices.below(4));
        return out;
    }

    void use_table(Choices& choices) {
        const Owner key = owner(choices);
        if (choices.below(3) > 0) {
            const std::uint32_t value = choices.below(1000);
            if (done(by_owner().put(key, value)))
                m_model.by_owner[key] = value;
        } else {
            const bool erased = by_owner().erase(key);
            MERIDIAN_ASSERT(!m_checked || failed() || erased == m_model.by_owner.contains(key));
            if (!failed())
                m_model.by_owner.erase(key);
        }
    }

    template <class Map, class Expected>
    static void check_at(const Map& map, typename Map::Cursor cursor, const Expected& expected,
                         typename Expected::const_iterator at) {
        MERIDIAN_ASSERT(static_cast<bool>(cursor) == (at != expected.end()));
        MERIDIAN_ASSERT(!cursor || (map.key(cursor) == at->first && map.value(cursor) == at->second));
    }

    template <class Map, class Expected>
    static void check_ordered(const Map& map, const Expected& expected) {
        MERIDIAN_ASSERT(map.size() == expected.size());
        auto cursor = map.first();
        for (auto at = expected.begin(); at != expected.end(); ++at) {
            check_at(map, cursor, expected, at);
            check_at(map, map.find(at->first), expected, at);
            cursor = map.next(cursor);
        }
        MERIDIAN_ASSERT(!cursor);
        cursor = map.last();
        for (auto at = expected.end(); at != expected.begin();) {
            check_at(map, cursor, expected, --at);
            cursor = map.previous(cursor);
        }
        MERIDIAN_ASSERT(!cursor);
    }

    void check_nodes(const OrderedMapState& map, const NodeLayout& layout) const {
        if (map.root == 0) {
            MERIDIAN_ASSERT(map.height == 0 && map.nodes.size == 0);
            return;
        }
        MERIDIAN_ASSERT(nodes_below(map.root, map.height, layout, true) == map.nodes.size);
    }
    // Recursion depth: the tree's height.
    std::uint32_t nodes_below(std::uint32_t granule, std::uint32_t level, const NodeLayout& layout,
                              bool is_root) const {
        const Place<std::uint32_t> count(Ptr<void>{granule}.offset());
        const std::uint32_t keys = m_arena.at(count);
        MERIDIAN_ASSERT(keys >= (is_root ? 1 : level == 0 ? layout.leaf_min() : layout.inner_min()));
        MERIDIAN_ASSERT(keys <= (level == 0 ? layout.leaf_max : layout.inner_max));
        std::uint32_t nodes = 1;
        for (std::uint32_t i = 0; level > 0 && i <= keys; ++i) {
            const Place<std::uint32_t> child(count.offset + layout.child_offset + 4 * i);
            nodes += nodes_below(m_arena.at(child), level - 1, layout, false);
        }
        return nodes;
    }

    template <class Map, class Expected, class Key, class Value>
    void use_ordered(Map map, Expected& expected, const Key& key, const Value& value, std::uint32_t action) {
        if (action < 5) {
            if (done(map.put(key, value)))
                expected[key] = value;
        } else if (action < 8) {
            const bool erased = map.erase(key);
            MERIDIAN_ASSERT(!m_checked || failed() || erased == expected.contains(key));
            if (!failed())
                expected.erase(key);
        } else {
            const auto cursor = map.lower_bound(key);
            if (m_checked && !failed())
                check_at(map, cursor, expected, expected.lower_bound(key));
        }
    }

    void use_levels(Choices& choices) {
        const std::uint32_t action = choices.below(9);
        const std::uint64_t key = choices.below(3) == 0 ? choices.below(65536) : 1000 + choices.below(256);
        if (action == 7 && !m_model.levels.empty() && m_checked) {
            // The best level goes, as when orders are matched.
            use_ordered(levels(), m_model.levels, m_model.levels.begin()->first, 0u, action);
        } else {
            use_ordered(levels(), m_model.levels, key, choices.below(256), action);
        }
    }

    void use_names(Choices& choices) {
        const std::uint32_t action = choices.below(9);
        const Owner key = owner(choices);
        Line value;
        value[choices.below(64)] = 7;
        use_ordered(names(), m_model.names, key, value, action);
    }

    void use_timers(Choices& choices) {
        const std::uint32_t action = choices.below(5);
        const Timer timer{choices.below(200), choices.below(50)};
        if (action < 2 || m_model.timers.empty()) {
            const auto handle = timers().push(timer);
            if (done(handle))
                m_model.timers[*handle] = timer;
            return;
        }
        const std::uint32_t index = choices.below(static_cast<std::uint32_t>(m_model.timers.size()));
        const std::uint32_t handle =
            action == 4 ? timers().top() : std::next(m_model.timers.begin(), index)->first;
        if (action == 2)
            timers().update(handle, timer);
        else
            timers().remove(handle);
        if (failed())
            return;
        if (action == 2)
            m_model.timers[handle] = timer;
        else
            m_model.timers.erase(handle);
    }

    void use_numbers(Choices& choices) {
        const std::uint32_t action = choices.below(4);
        const Timer value{choices.below(256), 1};
        auto& expected = m_model.numbers;
        if (action < 2) {
            // Many at a time, so that pages and directories fill.
            for (std::uint32_t more = choices.below(400); more > 0 && done(numbers().push_back(value));
                 --more)
                expected.push_back(value);
        } else if (action == 2 && !expected.empty()) {
            const std::uint32_t index = choices.below(static_cast<std::uint32_t>(expected.size()));
            numbers().edit(index) = value;
            if (!failed())
                expected[index] = value;
        } else {
            for (std::uint32_t more = choices.below(400); more > 0 && !expected.empty(); --more) {
                numbers().pop_back();
                if (failed())
                    return;
                expected.pop_back();
            }
        }
    }

    Arena& m_arena;
    bool m_checked;
    Ptr<Root> m_root;
    Model m_model;
    std::vector<std::pair<Arena::Checkpoint, Model>> m_open;
};

}  // namespace meridian::module::testing
