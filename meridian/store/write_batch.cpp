#include <meridian/store/write_batch.hpp>

namespace meridian::store {
namespace {

// Kind 1, table 1, size of the key 2, size of the value 4; then both.
constexpr std::size_t kHeadSize = 8;

}  // namespace

void WriteBatch::erase_range(Table table, BytesView first, BytesView end) {
    if (std::lexicographical_compare(first.begin(), first.end(), end.begin(), end.end()))
        add(Kind::EraseRange, table, first, end);
}

void WriteBatch::erase_prefix(Table table, BytesView prefix) {
    // No key is longer than 512 bytes (database.hpp), so 513 of the highest byte are above all.
    const Bytes end = prefix_end(prefix);
    add(Kind::EraseRange, table, prefix, end.empty() ? Bytes(513, 0xff) : end);
}

void WriteBatch::append(const WriteBatch& other) {
    meridian::append(m_data, other.m_data);
    m_count += other.m_count;
}

void WriteBatch::clear() noexcept {
    m_data.clear();
    m_count = 0;
}

void WriteBatch::add(Kind kind, Table table, BytesView key, BytesView value) {
    const auto key_size = static_cast<std::uint16_t>(key.size());
    const auto value_size = static_cast<std::uint32_t>(value.size());
    const std::size_t at = m_data.size();
    m_data.resize(at + kHeadSize);
    m_data[at] = static_cast<std::uint8_t>(kind);
    m_data[at + 1] = static_cast<std::uint8_t>(table);
    std::memcpy(&m_data[at + 2], &key_size, 2);
    std::memcpy(&m_data[at + 4], &value_size, 4);
    meridian::append(m_data, key);
    meridian::append(m_data, value);
    ++m_count;
}

WriteBatch::Operation WriteBatch::take(BytesView& rest) noexcept {
    std::uint16_t key_size;
    std::uint32_t value_size;
    std::memcpy(&key_size, rest.data() + 2, 2);
    std::memcpy(&value_size, rest.data() + 4, 4);
    const Operation out{static_cast<Kind>(rest[0]), static_cast<Table>(rest[1]),
                        rest.subspan(kHeadSize, key_size), rest.subspan(kHeadSize + key_size, value_size)};
    rest = rest.subspan(kHeadSize + key_size + value_size);
    return out;
}

Bytes prefix_end(BytesView prefix) {
    Bytes out = to_bytes(prefix);
    while (!out.empty() && out.back() == 0xff)
        out.pop_back();
    if (!out.empty())
        ++out.back();
    return out;
}

}  // namespace meridian::store
