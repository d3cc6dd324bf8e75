// Blocks and frames that were read lately.
#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

namespace meridian::node {

// Bounded by the weight of the values, such as the transactions in a block. Not thread-safe.
template <class Key, class Value>
class RecentlyRead {
public:
    explicit RecentlyRead(std::size_t weight_max) : m_weight_max(weight_max) {}
    // Null if it is not kept.
    Value find(const Key& key) const {
        const auto found = m_places.find(key);
        return found != m_places.end() ? found->second->value : Value{};
    }
    void add(const Key& key, Value value, std::size_t weight) {
        if (m_places.contains(key))
            return;
        m_entries.push_back({key, std::move(value), weight});
        m_places[key] = std::prev(m_entries.end());
        m_weight += weight;
        while (m_weight > m_weight_max && m_entries.size() > 1) {
            m_weight -= m_entries.front().weight;
            m_places.erase(m_entries.front().key);
            m_entries.pop_front();
        }
    }

private:
    struct Entry {
        Key key;
        Value value;
        std::size_t weight;
    };
    std::size_t m_weight_max;
    std::size_t m_weight = 0;
    std::list<Entry> m_entries;  // oldest first
    std::unordered_map<Key, typename std::list<Entry>::iterator> m_places;
};

}  // namespace meridian::node
