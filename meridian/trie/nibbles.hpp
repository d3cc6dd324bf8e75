// Paths through a trie: sequences of nibbles in keys and in hex-prefix encoding (yellow paper, appendix C).
//
// A hex-prefix string ends on a byte boundary, as a key does; so a tail of either is a copy of whole bytes
// and at most one nibble.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::trie {

inline constexpr std::uint8_t kLeafFlag = 0x20;
inline constexpr std::uint8_t kOddFlag = 0x10;

constexpr unsigned nibble_at(const std::uint8_t* bytes, std::size_t i) noexcept {
    return i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15u;
}

// The nibble that has `count - 1` nibbles between it and `end`. Precondition: count > 0.
constexpr unsigned nibble_before(const std::uint8_t* end, std::size_t count) noexcept {
    const std::uint8_t byte = *(end - (count + 1) / 2);
    return count % 2 == 0 ? byte >> 4 : byte & 15u;
}

// Bytes of the hex-prefix encoding.
constexpr std::size_t hex_prefix_size(std::size_t nibbles) noexcept {
    return nibbles / 2 + 1;
}

// A view of a valid, non-empty hex-prefix string.
class Path {
public:
    explicit constexpr Path(BytesView encoded) noexcept : m_encoded(encoded) {}

    constexpr bool is_leaf() const noexcept { return (m_encoded[0] & kLeafFlag) != 0; }
    constexpr bool is_odd() const noexcept { return (m_encoded[0] & kOddFlag) != 0; }
    constexpr std::size_t size() const noexcept { return 2 * m_encoded.size() - skipped(); }
    constexpr unsigned operator[](std::size_t i) const noexcept {
        return nibble_at(m_encoded.data(), i + skipped());
    }
    constexpr BytesView encoded() const noexcept { return m_encoded; }
    constexpr const std::uint8_t* end() const noexcept { return m_encoded.data() + m_encoded.size(); }
    // Nibbles of the first byte that are not part of the path.
    constexpr std::size_t skipped() const noexcept { return is_odd() ? 1 : 2; }

private:
    BytesView m_encoded;
};

// True if `encoded` is what an encoder writes: a known flag, and zero where nothing is said.
bool is_hex_prefix(BytesView encoded) noexcept;

// How many nibbles of `path` agree with those of `key` from nibble `depth` on.
std::size_t common_nibbles(Path path, BytesView key, std::size_t depth) noexcept;

// The functions below write hex_prefix_size(count) bytes. `flag` is kLeafFlag or 0.
// The last `count` nibbles before `end`.
void write_tail(std::uint8_t* out, std::uint8_t flag, const std::uint8_t* end, std::size_t count) noexcept;
// Nibbles given one a byte.
void write_nibbles(std::uint8_t* out, std::uint8_t flag, std::span<const std::uint8_t> nibbles) noexcept;
// Nibbles [first, first + count) of a key.
void write_range(std::uint8_t* out, std::uint8_t flag, BytesView key, std::size_t first,
                 std::size_t count) noexcept;

}  // namespace meridian::trie
