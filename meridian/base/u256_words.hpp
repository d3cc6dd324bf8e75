// Multi-word arithmetic beneath u256's division and modular multiplication. Not for other folders.
#pragma once

#include <meridian/base/u256.hpp>

namespace meridian::detail {

constexpr std::uint64_t low(u128 x) {
    return static_cast<std::uint64_t>(x);
}
constexpr std::uint64_t high(u128 x) {
    return static_cast<std::uint64_t>(x >> 64);
}
constexpr u128 join(std::uint64_t high, std::uint64_t low) {
    return u128{high} << 64 | low;
}

// A double word shifted left by fewer than 64 bits, upper half; and right, lower half.
constexpr std::uint64_t shift_left(std::uint64_t high, std::uint64_t low, unsigned bits) {
    return high << bits | (low >> 1) >> (63 - bits);
}
constexpr std::uint64_t shift_right(std::uint64_t high, std::uint64_t low, unsigned bits) {
    return low >> bits | (high << 1) << (63 - bits);
}

// out[0..4] += a * factor + carry, of which only out[4] is not read before.
[[gnu::always_inline]] inline void multiply_row(std::uint64_t* out, const u256& a, std::uint64_t factor) {
    u128 t = u128{a[0]} * factor + out[0];
    out[0] = low(t);
    t = u128{a[1]} * factor + out[1] + high(t);
    out[1] = low(t);
    t = u128{a[2]} * factor + out[2] + high(t);
    out[2] = low(t);
    t = u128{a[3]} * factor + out[3] + high(t);
    out[3] = low(t);
    out[4] = high(t);
}

// out = a * b + c, eight words.
[[gnu::always_inline]] inline void multiply_add(const u256& a, const u256& b, const u256& c,
                                                std::uint64_t* out) {
    out[0] = c[0];
    out[1] = c[1];
    out[2] = c[2];
    out[3] = c[3];
    multiply_row(out, a, b[0]);
    multiply_row(out + 1, a, b[1]);
    multiply_row(out + 2, a, b[2]);
    multiply_row(out + 3, a, b[3]);
}

[[gnu::always_inline]] inline void multiply_full(const u256& a, const u256& b, std::uint64_t* out) {
    multiply_add(a, b, {}, out);
}

// u[0..N) -= d[0..N) * factor; returns what to take from u[N].
template <unsigned N>
[[gnu::always_inline]] inline std::uint64_t subtract_product(std::uint64_t* u, const std::uint64_t* d,
                                                             std::uint64_t factor) {
    std::uint64_t carry = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < N; ++i) {
        const u128 product = u128{d[i]} * factor + carry;
        carry = high(product) + (u[i] < low(product));
        u[i] -= low(product);
    }
    return carry;
}

// u[0..N) += d[0..N); returns the carry.
template <unsigned N>
inline std::uint64_t add_words(std::uint64_t* u, const std::uint64_t* d) {
    unsigned char carry = 0;
    for (unsigned i = 0; i < N; ++i)
        u[i] = add_carry(u[i], d[i], carry);
    return carry;
}

struct WordDivision {
    std::uint64_t quotient;
    std::uint64_t remainder;
};

// <high, low> / divisor. Precondition: high < divisor, so that the quotient fits.
inline WordDivision divide_2by1(std::uint64_t high, std::uint64_t low, std::uint64_t divisor) {
#if defined(__x86_64__)
    // The compilers call a library function for 128-bit division; the processor has an instruction.
    WordDivision out;
    __asm__("divq %4" : "=a"(out.quotient), "=d"(out.remainder) : "0"(low), "1"(high), "r"(divisor) : "cc");
    return out;
#else
    const auto quotient = static_cast<std::uint64_t>(join(high, low) / divisor);
    return {quotient, low - quotient * divisor};
#endif
}

// The quotient of <u2, u1, u0> by <d1, d0>, or up to two more. Precondition: d1's highest bit is set and
// <u2, u1> <= <d1, d0>.
inline std::uint64_t estimate_digit(std::uint64_t u2, std::uint64_t u1, std::uint64_t u0, std::uint64_t d1,
                                    std::uint64_t d0) {
    if (u2 >= d1) [[unlikely]]
        return ~0ull;
    auto [quotient, rest] = divide_2by1(u2, u1, d1);
    // Too large by one about as often as not, so this correction is a selection rather than a branch.
    u128 product = u128{quotient} * d0;
    const u128 remainder = join(rest, u0);
    const bool over = product > remainder;
    quotient -= over;
    product -= over ? d0 : 0;
    const u128 corrected = remainder + join(over ? d1 : 0, 0);
    if (over && high(corrected) >= d1 && product > corrected) [[unlikely]]
        --quotient;
    return quotient;
}

// One step of long division: divides the N + 1 words at u by d, leaves the remainder there, returns the
// digit. Precondition: d's highest bit is set, N >= 2, and u's upper N words are less than d.
template <unsigned N>
[[gnu::always_inline]] inline std::uint64_t divide_digit(std::uint64_t* u, const std::uint64_t* d) {
    std::uint64_t digit = estimate_digit(u[N], u[N - 1], u[N - 2], d[N - 1], d[N - 2]);
    const std::uint64_t taken = subtract_product<N>(u, d, digit);
    const bool negative = u[N] < taken;
    u[N] -= taken;
    if (negative) [[unlikely]] {
        do {
            --digit;
            u[N] += add_words<N>(u, d);
        } while (u[N] != 0);
    }
    return digit;
}

}  // namespace meridian::detail
