// Unsigned 256-bit integers with the EVM's arithmetic: results wrap modulo 2^256, and division and
// remainder by zero give zero.
//
// The value is four 64-bit words, least significant first. Operations that the interpreter runs in a few
// cycles are inline and constexpr; division and what rests on it is in u256.cpp, text in u256_text.cpp.
#pragma once

#include <meridian/base/assert.hpp>
#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <bit>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace meridian {

namespace detail {
__extension__ typedef unsigned __int128 u128;

// a + b + carry; carry (0 or 1) becomes the carry out. The builtins keep it in the processor's flag.
constexpr std::uint64_t add_carry(std::uint64_t a, std::uint64_t b, unsigned char& carry) noexcept {
    if !consteval {
#if defined(__x86_64__) && !defined(__clang__)
        unsigned long long sum;
        carry = __builtin_ia32_addcarryx_u64(carry, a, b, &sum);
        return sum;
#elif defined(__clang__)
        unsigned long long out;
        const std::uint64_t sum = __builtin_addcll(a, b, carry, &out);
        carry = static_cast<unsigned char>(out);
        return sum;
#endif
    }
    const std::uint64_t partial = a + b;
    const std::uint64_t sum = partial + carry;
    carry = static_cast<unsigned char>((partial < a) | (sum < partial));
    return sum;
}

// a - b - borrow; borrow (0 or 1) becomes the borrow out.
constexpr std::uint64_t sub_borrow(std::uint64_t a, std::uint64_t b, unsigned char& borrow) noexcept {
    if !consteval {
#if defined(__x86_64__) && !defined(__clang__)
        unsigned long long difference;
        borrow = __builtin_ia32_sbb_u64(borrow, a, b, &difference);
        return difference;
#elif defined(__clang__)
        unsigned long long out;
        const std::uint64_t difference = __builtin_subcll(a, b, borrow, &out);
        borrow = static_cast<unsigned char>(out);
        return difference;
#endif
    }
    const std::uint64_t partial = a - b;
    const std::uint64_t difference = partial - borrow;
    borrow = static_cast<unsigned char>((a < b) | (partial < borrow));
    return difference;
}
}  // namespace detail

struct u256 {
    std::uint64_t words[4];  // least significant first

    constexpr u256(std::uint64_t value = 0) noexcept : words{value, 0, 0, 0} {}
    constexpr u256(std::uint64_t w0, std::uint64_t w1, std::uint64_t w2, std::uint64_t w3) noexcept
        : words{w0, w1, w2, w3} {}

    static constexpr u256 max() noexcept { return {~0ull, ~0ull, ~0ull, ~0ull}; }

    constexpr std::uint64_t& operator[](std::size_t i) noexcept { return words[i]; }
    constexpr const std::uint64_t& operator[](std::size_t i) const noexcept { return words[i]; }

    constexpr explicit operator bool() const noexcept {
        return (words[0] | words[1] | words[2] | words[3]) != 0;
    }
    // The low 64 bits.
    constexpr explicit operator std::uint64_t() const noexcept { return words[0]; }

    friend constexpr bool operator==(const u256& a, const u256& b) noexcept {
        return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == 0;
    }
    friend constexpr bool operator<(const u256& a, const u256& b) noexcept {
        unsigned char borrow = 0;
        detail::sub_borrow(a[0], b[0], borrow);
        detail::sub_borrow(a[1], b[1], borrow);
        detail::sub_borrow(a[2], b[2], borrow);
        detail::sub_borrow(a[3], b[3], borrow);
        return borrow != 0;
    }
    friend constexpr bool operator>(const u256& a, const u256& b) noexcept { return b < a; }
    friend constexpr bool operator<=(const u256& a, const u256& b) noexcept { return !(b < a); }
    friend constexpr bool operator>=(const u256& a, const u256& b) noexcept { return !(a < b); }
    friend constexpr std::strong_ordering operator<=>(const u256& a, const u256& b) noexcept {
        return a == b ? std::strong_ordering::equal
                      : (a < b ? std::strong_ordering::less : std::strong_ordering::greater);
    }

    friend constexpr u256 operator~(const u256& x) noexcept { return {~x[0], ~x[1], ~x[2], ~x[3]}; }
    friend constexpr u256 operator&(const u256& a, const u256& b) noexcept {
        return {a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]};
    }
    friend constexpr u256 operator|(const u256& a, const u256& b) noexcept {
        return {a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]};
    }
    friend constexpr u256 operator^(const u256& a, const u256& b) noexcept {
        return {a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]};
    }

    friend constexpr u256 operator+(const u256& a, const u256& b) noexcept {
        u256 out;
        unsigned char carry = 0;
        out[0] = detail::add_carry(a[0], b[0], carry);
        out[1] = detail::add_carry(a[1], b[1], carry);
        out[2] = detail::add_carry(a[2], b[2], carry);
        out[3] = detail::add_carry(a[3], b[3], carry);
        return out;
    }
    friend constexpr u256 operator-(const u256& a, const u256& b) noexcept {
        u256 out;
        unsigned char borrow = 0;
        out[0] = detail::sub_borrow(a[0], b[0], borrow);
        out[1] = detail::sub_borrow(a[1], b[1], borrow);
        out[2] = detail::sub_borrow(a[2], b[2], borrow);
        out[3] = detail::sub_borrow(a[3], b[3], borrow);
        return out;
    }
    friend constexpr u256 operator-(const u256& x) noexcept { return u256{} - x; }
    friend constexpr u256 operator*(const u256& a, const u256& b) noexcept {
        using detail::u128;
        // Row by row; the last column needs only low halves.
        u128 t = u128{a[0]} * b[0];
        const auto r0 = static_cast<std::uint64_t>(t);
        t = u128{a[1]} * b[0] + static_cast<std::uint64_t>(t >> 64);
        auto r1 = static_cast<std::uint64_t>(t);
        t = u128{a[2]} * b[0] + static_cast<std::uint64_t>(t >> 64);
        auto r2 = static_cast<std::uint64_t>(t);
        std::uint64_t r3 = a[3] * b[0] + static_cast<std::uint64_t>(t >> 64);

        t = u128{a[0]} * b[1] + r1;
        r1 = static_cast<std::uint64_t>(t);
        t = u128{a[1]} * b[1] + r2 + static_cast<std::uint64_t>(t >> 64);
        r2 = static_cast<std::uint64_t>(t);
        r3 += a[2] * b[1] + static_cast<std::uint64_t>(t >> 64);

        t = u128{a[0]} * b[2] + r2;
        r2 = static_cast<std::uint64_t>(t);
        r3 += a[1] * b[2] + static_cast<std::uint64_t>(t >> 64);
        r3 += a[0] * b[3];
        return {r0, r1, r2, r3};
    }
    // x / 0 == 0 and x % 0 == 0.
    friend u256 operator/(const u256& a, const u256& b) noexcept;
    friend u256 operator%(const u256& a, const u256& b) noexcept;

    // A shift by 256 or more gives zero. Within a word first, then by whole words: selections in place of
    // branches or indexed memory, which a processor cannot forward from stores of another width.
    friend constexpr u256 operator<<(const u256& x, std::uint64_t shift) noexcept {
        if (shift >= 256)
            return {};
        const unsigned bits = shift % 64;
        // Two steps, because a shift of a word by 64 is undefined.
        const auto carried = [bits](std::uint64_t word) { return (word >> 1) >> (63 - bits); };
        std::uint64_t w0 = x[0] << bits;
        std::uint64_t w1 = x[1] << bits | carried(x[0]);
        std::uint64_t w2 = x[2] << bits | carried(x[1]);
        std::uint64_t w3 = x[3] << bits | carried(x[2]);
        const bool two_words = (shift & 128) != 0;
        w3 = two_words ? w1 : w3;
        w2 = two_words ? w0 : w2;
        w1 = two_words ? 0 : w1;
        w0 = two_words ? 0 : w0;
        const bool one_word = (shift & 64) != 0;
        return {one_word ? 0 : w0, one_word ? w0 : w1, one_word ? w1 : w2, one_word ? w2 : w3};
    }
    friend constexpr u256 operator>>(const u256& x, std::uint64_t shift) noexcept {
        if (shift >= 256)
            return {};
        const unsigned bits = shift % 64;
        const auto carried = [bits](std::uint64_t word) { return (word << 1) << (63 - bits); };
        std::uint64_t w0 = x[0] >> bits | carried(x[1]);
        std::uint64_t w1 = x[1] >> bits | carried(x[2]);
        std::uint64_t w2 = x[2] >> bits | carried(x[3]);
        std::uint64_t w3 = x[3] >> bits;
        const bool two_words = (shift & 128) != 0;
        w0 = two_words ? w2 : w0;
        w1 = two_words ? w3 : w1;
        w2 = two_words ? 0 : w2;
        w3 = two_words ? 0 : w3;
        const bool one_word = (shift & 64) != 0;
        return {one_word ? w1 : w0, one_word ? w2 : w1, one_word ? w3 : w2, one_word ? 0 : w3};
    }
    friend constexpr u256 operator<<(const u256& x, const u256& shift) noexcept {
        return (shift[1] | shift[2] | shift[3]) != 0 ? u256{} : x << shift[0];
    }
    friend constexpr u256 operator>>(const u256& x, const u256& shift) noexcept {
        return (shift[1] | shift[2] | shift[3]) != 0 ? u256{} : x >> shift[0];
    }

    constexpr u256& operator+=(const u256& b) noexcept { return *this = *this + b; }
    constexpr u256& operator-=(const u256& b) noexcept { return *this = *this - b; }
    constexpr u256& operator*=(const u256& b) noexcept { return *this = *this * b; }
    constexpr u256& operator&=(const u256& b) noexcept { return *this = *this & b; }
    constexpr u256& operator|=(const u256& b) noexcept { return *this = *this | b; }
    constexpr u256& operator^=(const u256& b) noexcept { return *this = *this ^ b; }
    constexpr u256& operator<<=(std::uint64_t shift) noexcept { return *this = *this << shift; }
    constexpr u256& operator>>=(std::uint64_t shift) noexcept { return *this = *this >> shift; }
    u256& operator/=(const u256& b) noexcept { return *this = *this / b; }
    u256& operator%=(const u256& b) noexcept { return *this = *this % b; }
    constexpr u256& operator++() noexcept { return *this += 1; }
    constexpr u256& operator--() noexcept { return *this -= 1; }
};

static_assert(sizeof(u256) == 32);

struct QuotientAndRemainder {
    u256 quotient;
    u256 remainder;
};
// Both at once; zero and zero for a zero divisor.
QuotientAndRemainder divide(const u256& dividend, const u256& divisor) noexcept;

// Two's complement division, truncating towards zero; the remainder has the dividend's sign.
u256 sdiv(const u256& a, const u256& b) noexcept;
u256 smod(const u256& a, const u256& b) noexcept;
// (a + b) % modulus and (a * b) % modulus without wrapping in between; zero for a zero modulus.
u256 addmod(const u256& a, const u256& b, const u256& modulus) noexcept;
u256 mulmod(const u256& a, const u256& b, const u256& modulus) noexcept;
// base^exponent modulo 2^256; 0^0 == 1.
u256 exp(const u256& base, const u256& exponent) noexcept;

constexpr bool fits_u64(const u256& x) noexcept {
    return (x[1] | x[2] | x[3]) == 0;
}

// Whether x is negative as a two's complement number.
constexpr bool is_negative(const u256& x) noexcept {
    return x[3] >> 63 != 0;
}

// Signed comparison a < b.
constexpr bool slt(const u256& a, const u256& b) noexcept {
    return is_negative(a) != is_negative(b) ? is_negative(a) : a < b;
}

// Leading zero bits; 256 for zero.
constexpr unsigned clz(const u256& x) noexcept {
    for (std::size_t i = 4; i-- > 0;)
        if (x[i] != 0)
            return static_cast<unsigned>(64 * (3 - i)) + static_cast<unsigned>(std::countl_zero(x[i]));
    return 256;
}

constexpr unsigned bit_length(const u256& x) noexcept {
    return 256 - clz(x);
}

constexpr unsigned byte_length(const u256& x) noexcept {
    return (bit_length(x) + 7) / 8;
}

// Arithmetic right shift: copies of the sign bit come in.
constexpr u256 sar(const u256& shift, const u256& x) noexcept {
    return is_negative(x) ? ~(~x >> shift) : x >> shift;
}

// Takes x as a two's complement number of ext + 1 bytes (EVM SIGNEXTEND).
constexpr u256 signextend(const u256& ext, const u256& x) noexcept {
    if (!fits_u64(ext) || ext[0] >= 31)
        return x;
    const std::size_t index = static_cast<std::size_t>(ext[0]) / 8;
    const unsigned unused = static_cast<unsigned>(56 - ext[0] % 8 * 8);
    const auto word = static_cast<std::uint64_t>(static_cast<std::int64_t>(x[index] << unused) >> unused);
    const auto sign = static_cast<std::uint64_t>(static_cast<std::int64_t>(word) >> 63);
    return {index == 0 ? word : x[0], index == 1 ? word : (index < 1 ? sign : x[1]),
            index == 2 ? word : (index < 2 ? sign : x[2]), index == 3 ? word : sign};
}

// Byte number index counted from the most significant (EVM BYTE); zero from 32 on.
constexpr u256 byte_at(const u256& index, const u256& x) noexcept {
    if (!fits_u64(index) || index[0] >= 32)
        return {};
    const std::size_t from_low = 31 - static_cast<std::size_t>(index[0]);
    return x[from_low / 8] >> (from_low % 8 * 8) & 0xff;
}

namespace detail {
constexpr std::uint64_t load_be64(const std::uint8_t* in) noexcept {
    if consteval {
        std::uint64_t out = 0;
        for (int i = 0; i < 8; ++i)
            out = out << 8 | in[i];
        return out;
    } else {
        std::uint64_t out;
        std::memcpy(&out, in, 8);
        return __builtin_bswap64(out);
    }
}

constexpr void store_be64(std::uint64_t x, std::uint8_t* out) noexcept {
    if consteval {
        for (int i = 0; i < 8; ++i)
            out[i] = static_cast<std::uint8_t>(x >> (56 - 8 * i));
    } else {
        x = __builtin_bswap64(x);
        std::memcpy(out, &x, 8);
    }
}
}  // namespace detail

// The 32 bytes at `in`, most significant first.
constexpr u256 load_be32(const std::uint8_t* in) noexcept {
    return {detail::load_be64(in + 24), detail::load_be64(in + 16), detail::load_be64(in + 8),
            detail::load_be64(in)};
}

// Writes 32 bytes, most significant first.
constexpr void store_be(const u256& x, std::uint8_t* out32) noexcept {
    detail::store_be64(x[3], out32);
    detail::store_be64(x[2], out32 + 8);
    detail::store_be64(x[1], out32 + 16);
    detail::store_be64(x[0], out32 + 24);
}

namespace detail {
// Adds the bytes to `out`, which is zero. Into the caller's memory, because a copy of words written a
// moment ago, made in a wider register, waits for them.
constexpr void load_be_into(u256& out, BytesView bytes) noexcept {
    std::size_t left = bytes.size();
    std::size_t word = 0;
    for (; left >= 8; left -= 8)
        out[word++] = load_be64(bytes.data() + left - 8);
    for (std::size_t i = 0; i < left; ++i)
        out[word] = out[word] << 8 | bytes[i];
}
}  // namespace detail

// A big-endian number, leading zeros or none. Precondition: at most 32 bytes.
constexpr u256 load_be(BytesView bytes) noexcept {
    u256 out;
    detail::load_be_into(out, bytes);
    return out;
}

constexpr u256 from_hash(const Hash& hash) noexcept {
    return load_be32(hash.data());
}

constexpr u256 from_address(const Address& address) noexcept {
    return load_be({address.data(), 20});
}

constexpr Hash to_hash(const u256& x) noexcept {
    Hash out;
    store_be(x, out.data());
    return out;
}

// The low 20 bytes.
constexpr Address to_address(const u256& x) noexcept {
    return first_bytes<20>({to_hash(x).data() + 12, 20});
}

// "0x" and the minimal number of lower-case digits; "0x0" for zero (a JSON-RPC QUANTITY).
std::string to_quantity(const u256& x);
std::string to_decimal(const u256& x);

enum class [[nodiscard]] NumberError : std::uint8_t { Empty, InvalidDigit, Overflow };

// Decimal digits, or hexadecimal ones after 0x. Leading zeros are accepted.
constexpr Result<u256, NumberError> parse_u256(std::string_view text) noexcept {
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex)
        text.remove_prefix(2);
    if (text.empty())
        return fail(NumberError::Empty);
    const std::uint64_t radix = hex ? 16 : 10;
    // (2^256 - 1) / radix: a larger value cannot take another digit.
    const u256 limit =
        hex ? u256::max() >> 4
            : u256{0x9999999999999999, 0x9999999999999999, 0x9999999999999999, 0x1999999999999999};
    u256 out;
    for (const char c : text) {
        const bool decimal = c >= '0' && c <= '9';
        const bool lower = c >= 'a' && c <= 'f';
        const bool upper = c >= 'A' && c <= 'F';
        if (!decimal && !(hex && (lower || upper)))
            return fail(NumberError::InvalidDigit);
        const auto digit = static_cast<std::uint64_t>(decimal ? c - '0' : (c | 0x20) - 'a' + 10);
        const u256 scaled = out * radix;
        if (out > limit || scaled > u256::max() - digit)
            return fail(NumberError::Overflow);
        out = scaled + digit;
    }
    return out;
}

inline namespace literals {
// 123_u256 or 0xff_u256.
consteval u256 operator""_u256(const char* text) {
    const auto parsed = parse_u256(text);
    if (!parsed)
        invalid_literal("not a number of 256 bits");
    return *parsed;
}
}  // namespace literals

}  // namespace meridian

// For lookup only, as FixedBytes's.
template <>
struct std::hash<meridian::u256> {
    std::size_t operator()(const meridian::u256& v) const noexcept {
        std::uint64_t h = 0x9e3779b97f4a7c15u;
        for (const std::uint64_t word : v.words) {
            h = (h ^ word) * 0xff51afd7ed558ccdu;
            h ^= h >> 32;
        }
        return static_cast<std::size_t>(h);
    }
};
