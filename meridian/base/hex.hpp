// Hexadecimal text, with or without the 0x prefix, and byte literals.
#pragma once

#include <meridian/base/assert.hpp>
#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace meridian {

enum class [[nodiscard]] HexError : std::uint8_t { OddLength, InvalidDigit, WrongLength };

// Lower-case digits, two a byte, without prefix.
std::string to_hex(BytesView bytes);
// As to_hex, with the 0x prefix.
std::string to_hex0x(BytesView bytes);
// Accepts an optional 0x prefix and either letter case; an empty text is zero bytes.
Result<Bytes, HexError> from_hex(std::string_view text);
// Decodes into exactly out.size() bytes.
Result<void, HexError> from_hex_exact(std::string_view text, std::span<std::uint8_t> out);

template <std::size_t N>
Result<FixedBytes<N>, HexError> fixed_from_hex(std::string_view text) {
    FixedBytes<N> out;
    if (auto r = from_hex_exact(text, out.bytes); !r)
        return fail(r.error());
    return out;
}

// The value of one hexadecimal digit, or -1.
constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

namespace detail {
// A literal is right-aligned, so 0x01_address is the ecrecover precompile.
template <std::size_t N>
consteval FixedBytes<N> literal(std::string_view text) {
    FixedBytes<N> out;
    if (text.starts_with("0x"))
        text.remove_prefix(2);
    if (text.size() > 2 * N)
        invalid_literal("too long");
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int digit = hex_digit(text[text.size() - 1 - i]);
        if (digit < 0)
            invalid_literal("not a hexadecimal digit");
        out.bytes[N - 1 - i / 2] |= static_cast<std::uint8_t>(digit << (i % 2 * 4));
    }
    return out;
}
}  // namespace detail

inline namespace literals {
// "0x01"_address: right-aligned.
consteval Address operator""_address(const char* s, std::size_t n) {
    return detail::literal<20>({s, n});
}
consteval Hash operator""_hash(const char* s, std::size_t n) {
    return detail::literal<32>({s, n});
}
}  // namespace literals

}  // namespace meridian
