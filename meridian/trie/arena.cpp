#include <meridian/trie/arena.hpp>

#include <meridian/base/assert.hpp>

#include <utility>

namespace meridian::trie {
namespace {

// Sizes up to this many units have a free list of their own; above, four sizes share each doubling.
constexpr std::uint64_t kExactUnits = 128;
constexpr unsigned kExactWidth = 7;

std::uint64_t rounded_units(std::size_t size) {
    const std::uint64_t units = (size + 7) / 8;
    if (units <= kExactUnits)
        return units;
    const int shift = static_cast<int>(std::bit_width(units - 1)) - 3;
    return (((units - 1) >> shift) + 1) << shift;
}

std::size_t size_class(std::uint64_t units) {
    if (units <= kExactUnits)
        return units;
    const auto width = static_cast<unsigned>(std::bit_width(units)) - 1;
    return kExactUnits + (width - kExactWidth) * 4 + ((units >> (width - 2)) & 3);
}

}  // namespace

Arena::Arena(const Arena& other)
    : m_free(other.m_free), m_next(other.m_next), m_used_units(other.m_used_units) {
    m_chunks.resize(other.m_chunks.size());
    for (std::size_t i = 0; i < m_chunks.size(); ++i) {
        if (!other.m_chunks[i])
            continue;
        const std::uint64_t size = kFirstUnits << i;
        const std::uint64_t begin = size - kFirstUnits;
        m_chunks[i] = std::make_unique_for_overwrite<std::uint64_t[]>(size);
        if (m_next > begin)
            std::copy_n(other.m_chunks[i].get(), std::min(size, m_next - begin), m_chunks[i].get());
    }
}

Arena& Arena::operator=(const Arena& other) {
    if (this != &other)
        *this = Arena(other);
    return *this;
}

Arena::Arena(Arena&& other) noexcept
    : m_chunks(std::exchange(other.m_chunks, {})),
      m_free(std::exchange(other.m_free, {})),
      m_next(std::exchange(other.m_next, 1)),
      m_used_units(std::exchange(other.m_used_units, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
    m_chunks = std::exchange(other.m_chunks, {});
    m_free = std::exchange(other.m_free, {});
    m_next = std::exchange(other.m_next, 1);
    m_used_units = std::exchange(other.m_used_units, 0);
    return *this;
}

NodeId Arena::allocate(std::size_t size) {
    MERIDIAN_DEBUG_ASSERT(size > 0);
    const std::uint64_t units = rounded_units(size);
    m_used_units += units;
    const std::size_t list = size_class(units);
    if (list >= m_free.size() || m_free[list] == kNoNode)
        return allocate_new(units);
    const NodeId id = m_free[list];
    std::memcpy(&m_free[list], at(id), sizeof(NodeId));
    return id;
}

void Arena::release(NodeId id, std::size_t size) {
    const std::uint64_t units = rounded_units(size);
    m_used_units -= units;
    keep_for_reuse(id, size_class(units));
}

void Arena::keep_for_reuse(NodeId id, std::size_t list) {
    if (list >= m_free.size())
        m_free.resize(list + 1, kNoNode);
    std::memcpy(at(id), &m_free[list], sizeof(NodeId));
    m_free[list] = id;
}

std::uint64_t Arena::chunk_end(std::uint64_t index) const noexcept {
    return (std::uint64_t{1} << std::bit_width(index + kFirstUnits)) - kFirstUnits;
}

NodeId Arena::allocate_new(std::uint64_t units) {
    const auto chunk_of = [](std::uint64_t id) {
        return static_cast<std::size_t>(std::bit_width(id + kFirstUnits)) - 1 - kFirstWidth;
    };
    std::uint64_t id = m_next;
    const std::uint64_t left = chunk_end(id) - id;
    if (left < units) {
        if (left <= kExactUnits && chunk_of(id) < m_chunks.size() && m_chunks[chunk_of(id)])
            keep_for_reuse(static_cast<NodeId>(id), size_class(left));
        do {
            id = chunk_end(id);
        } while (chunk_end(id) - id < units);
    }
    MERIDIAN_ASSERT(id + units + kFirstUnits <= (std::uint64_t{1} << 32));
    const std::size_t chunk = chunk_of(id);
    if (chunk >= m_chunks.size())
        m_chunks.resize(chunk + 1);
    if (!m_chunks[chunk])
        m_chunks[chunk] = std::make_unique_for_overwrite<std::uint64_t[]>(kFirstUnits << chunk);
    m_next = id + units;
    return static_cast<NodeId>(id);
}

}  // namespace meridian::trie
