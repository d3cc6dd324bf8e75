// Changes to the store that happen together or not at all.
//
// Operations apply in the order in which they were added, so that a later one of a key prevails: a range may
// be erased and then filled again.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/store/table.hpp>

namespace meridian::store {

class WriteBatch {
public:
    enum class Kind : std::uint8_t { Put, Erase, EraseRange };

    struct Operation {
        Kind kind;
        Table table;
        BytesView key;    // EraseRange: the first key
        BytesView value;  // Put: the value; EraseRange: the first key that stays
    };

    void put(Table table, BytesView key, BytesView value) { add(Kind::Put, table, key, value); }
    void erase(Table table, BytesView key) { add(Kind::Erase, table, key, {}); }
    // Erases from `first` up to, not including, `end`. An empty range, or one reversed, does nothing.
    void erase_range(Table table, BytesView first, BytesView end);
    // Erases every key that begins with `prefix`; an empty prefix empties the table.
    void erase_prefix(Table table, BytesView prefix);
    // Adds the other's operations after these.
    void append(const WriteBatch& other);
    void clear() noexcept;

    std::size_t operation_count() const noexcept { return m_count; }
    bool empty() const noexcept { return m_count == 0; }
    std::size_t size_bytes() const noexcept { return m_data.size(); }

    // Calls callback(const Operation&) for each, in order.
    template <class Callback>
    void for_each(Callback&& callback) const {
        BytesView rest = m_data;
        while (!rest.empty())
            callback(take(rest));
    }

private:
    void add(Kind kind, Table table, BytesView key, BytesView value);
    static Operation take(BytesView& rest) noexcept;

    Bytes m_data;
    std::size_t m_count = 0;
};

// The first key after all that begin with `prefix`; empty if there is none (the prefix is empty or all ones).
Bytes prefix_end(BytesView prefix);

}  // namespace meridian::store
