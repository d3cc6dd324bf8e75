// Division of 256-bit numbers and what rests on it.
//
// Long division after Knuth (The Art of Computer Programming, volume 2, 4.3.1, algorithm D), whose quotient
// digits come from a precomputed reciprocal of the divisor's two highest words (Möller and Granlund,
// "Improved division by invariant integers", 2011).
#include <meridian/base/u256.hpp>

namespace meridian {

namespace {

using detail::add_carry;
using detail::sub_borrow;
using detail::u128;

constexpr std::uint64_t low(u128 x) {
    return static_cast<std::uint64_t>(x);
}
constexpr std::uint64_t high(u128 x) {
    return static_cast<std::uint64_t>(x >> 64);
}
constexpr u128 join(std::uint64_t high, std::uint64_t low) {
    return u128{high} << 64 | low;
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
    const u128 dividend = join(high, low);
    const auto quotient = static_cast<std::uint64_t>(dividend / divisor);
    return {quotient, low - quotient * divisor};
#endif
}

// The low word of floor((2^192 - 1) / <d1, d0>). Precondition: d1's highest bit is set.
std::uint64_t reciprocal_3by2(std::uint64_t d1, std::uint64_t d0) {
    std::uint64_t v = divide_2by1(~d1, ~0ull, d1).quotient;
    std::uint64_t p = d1 * v + d0;
    if (p < d0) {
        --v;
        if (p >= d1) {
            --v;
            p -= d1;
        }
        p -= d1;
    }
    const u128 t = u128{v} * d0;
    p += high(t);
    if (p < high(t)) {
        --v;
        if (join(p, low(t)) >= join(d1, d0))
            --v;
    }
    return v;
}

struct DigitDivision {
    std::uint64_t quotient;
    u128 remainder;
};

// <u2, u1, u0> / d with d's reciprocal v. Precondition: <u2, u1> < d and d's highest bit is set.
inline DigitDivision divide_3by2(std::uint64_t u2, std::uint64_t u1, std::uint64_t u0, u128 d,
                                 std::uint64_t v) {
    const u128 estimate = u128{v} * u2 + join(u2, u1);
    std::uint64_t quotient = high(estimate) + 1;
    u128 remainder = join(u1 - high(estimate) * high(d), u0) - u128{low(d)} * high(estimate) - d;
    if (high(remainder) >= low(estimate)) {
        --quotient;
        remainder += d;
    }
    if (remainder >= d) [[unlikely]] {
        ++quotient;
        remainder -= d;
    }
    return {quotient, remainder};
}

// u[0..size) -= d[0..size) * factor; returns the word to take from u[size].
inline std::uint64_t subtract_product(std::uint64_t* u, const std::uint64_t* d, unsigned size,
                                      std::uint64_t factor) {
    std::uint64_t carry = 0;
    for (unsigned i = 0; i < size; ++i) {
        const u128 product = u128{d[i]} * factor + carry;
        carry = high(product) + (u[i] < low(product));
        u[i] -= low(product);
    }
    return carry;
}

inline std::uint64_t add_words(std::uint64_t* u, const std::uint64_t* d, unsigned size) {
    unsigned char carry = 0;
    for (unsigned i = 0; i < size; ++i)
        u[i] = add_carry(u[i], d[i], carry);
    return carry;
}

// One step of algorithm D: divides the N + 1 words at u by d, leaves the remainder there, returns the digit.
// Precondition: d is normalised, N >= 2, and u's upper N words are less than d.
template <unsigned N>
inline std::uint64_t divide_digit(std::uint64_t* u, const std::uint64_t* d, std::uint64_t reciprocal) {
    const u128 top = join(d[N - 1], d[N - 2]);
    if (join(u[N], u[N - 1]) == top) [[unlikely]] {
        // The digit would not come out of divide_3by2. It is the greatest one, possibly less one.
        std::uint64_t digit = ~0ull;
        const std::uint64_t taken = subtract_product(u, d, N, digit);
        if (u[N] < taken) {
            --digit;
            add_words(u, d, N);
        }
        u[N] = 0;
        return digit;
    }
    auto [digit, remainder] = divide_3by2(u[N], u[N - 1], u[N - 2], top, reciprocal);
    const std::uint64_t taken = subtract_product(u, d, N - 2, digit);
    const bool negative = remainder < taken;
    remainder -= taken;
    u[N - 2] = low(remainder);
    u[N - 1] = high(remainder);
    u[N] = 0;
    if (negative) [[unlikely]] {
        --digit;
        add_words(u, d, N);
    }
    return digit;
}

// Divides u by d, both normalised, N words in d. Digits go to q[0..size - N); the remainder stays in u.
template <unsigned N>
inline void divide_words(std::uint64_t* u, unsigned size, const std::uint64_t* d, std::uint64_t* q) {
    const std::uint64_t reciprocal = reciprocal_3by2(d[N - 1], d[N - 2]);
    for (unsigned j = size - N; j-- > 0;)
        q[j] = divide_digit<N>(u + j, d, reciprocal);
}

inline unsigned word_length(const std::uint64_t* words, unsigned size) {
    while (size > 0 && words[size - 1] == 0)
        --size;
    return size;
}

inline void shift_left(std::uint64_t* words, unsigned size, unsigned bits) {
    for (unsigned i = size; i-- > 1;)
        words[i] = words[i] << bits | (words[i - 1] >> 1) >> (63 - bits);
    words[0] <<= bits;
}

// Divides the `size` words at u by the divisor; u has room for one more word. q takes `size` words.
// Returns the remainder. Precondition: divisor != 0.
u256 divide_long(std::uint64_t* u, unsigned size, const u256& divisor, std::uint64_t* q) {
    const unsigned n = word_length(divisor.words, 4);
    if (n == 1) {
        std::uint64_t remainder = 0;
        for (unsigned i = size; i-- > 0;) {
            const auto step = divide_2by1(remainder, u[i], divisor[0]);
            q[i] = step.quotient;
            remainder = step.remainder;
        }
        return remainder;
    }
    const auto bits = static_cast<unsigned>(std::countl_zero(divisor[n - 1]));
    u256 d = divisor;
    shift_left(d.words, n, bits);
    u[size] = 0;
    shift_left(u, size + 1, bits);
    if (n == 2)
        divide_words<2>(u, size + 1, d.words, q);
    else if (n == 3)
        divide_words<3>(u, size + 1, d.words, q);
    else
        divide_words<4>(u, size + 1, d.words, q);
    u256 remainder;
    for (unsigned i = 0; i < n; ++i)
        remainder[i] = u[i];
    return remainder >> bits;
}

// The `size` words at u modulo m. Precondition: m != 0, size <= 8, and u has room for one more word.
u256 remainder_long(std::uint64_t* u, unsigned size, const u256& m) {
    size = word_length(u, size);
    if (size <= 4) {
        u256 x;
        for (unsigned i = 0; i < size; ++i)
            x[i] = u[i];
        return x % m;
    }
    std::uint64_t q[9];
    return divide_long(u, size, m, q);
}

// x less the modulus where that is possible: a full reduction if x < 2 * modulus.
u256 subtract_once(const u256& x, const u256& modulus) {
    return x < modulus ? x : x - modulus;
}

bool is_power_of_two(const u256& x) {
    return x && !(x & (x - 1));
}

}  // namespace

QuotientAndRemainder divide(const u256& dividend, const u256& divisor) noexcept {
    if (fits_u64(dividend) && fits_u64(divisor)) {
        if (divisor[0] == 0)
            return {};
        return {dividend[0] / divisor[0], dividend[0] % divisor[0]};
    }
    if (dividend < divisor)
        return {0, dividend};
    if (!divisor)
        return {};
    if (is_power_of_two(divisor))
        return {dividend >> (bit_length(divisor) - 1), dividend & (divisor - 1)};
    std::uint64_t u[5] = {dividend[0], dividend[1], dividend[2], dividend[3], 0};
    u256 quotient;
    const u256 remainder = divide_long(u, word_length(u, 4), divisor, quotient.words);
    return {quotient, remainder};
}

u256 operator/(const u256& a, const u256& b) noexcept {
    return divide(a, b).quotient;
}

u256 operator%(const u256& a, const u256& b) noexcept {
    return divide(a, b).remainder;
}

u256 sdiv(const u256& a, const u256& b) noexcept {
    const u256 quotient = (is_negative(a) ? -a : a) / (is_negative(b) ? -b : b);
    return is_negative(a) != is_negative(b) ? -quotient : quotient;
}

u256 smod(const u256& a, const u256& b) noexcept {
    const u256 remainder = (is_negative(a) ? -a : a) % (is_negative(b) ? -b : b);
    return is_negative(a) ? -remainder : remainder;
}

u256 addmod(const u256& a, const u256& b, const u256& modulus) noexcept {
    if (!modulus)
        return {};
    // Modular arithmetic on nearly reduced numbers is what contracts do: no division needed.
    const bool wide = modulus[3] != 0 && a[3] <= modulus[3] && b[3] <= modulus[3];
    const u256 x = wide ? subtract_once(a, modulus) : a;
    const u256 y = wide ? subtract_once(b, modulus) : b;
    unsigned char carry = 0;
    u256 sum;
    for (std::size_t i = 0; i < 4; ++i)
        sum[i] = add_carry(x[i], y[i], carry);
    if (wide)
        return carry != 0 ? sum - modulus : subtract_once(sum, modulus);
    if (carry == 0)
        return sum % modulus;
    std::uint64_t u[6] = {sum[0], sum[1], sum[2], sum[3], 1, 0};
    return remainder_long(u, 5, modulus);
}

u256 mulmod(const u256& a, const u256& b, const u256& modulus) noexcept {
    if (!modulus)
        return {};
    if (is_power_of_two(modulus))
        return a * b & (modulus - 1);
    std::uint64_t product[9] = {};
    for (unsigned i = 0; i < 4; ++i) {
        std::uint64_t carry = 0;
        for (unsigned j = 0; j < 4; ++j) {
            const u128 t = u128{a[j]} * b[i] + product[i + j] + carry;
            product[i + j] = low(t);
            carry = high(t);
        }
        product[i + 4] = carry;
    }
    return remainder_long(product, 8, modulus);
}

u256 exp(const u256& base, const u256& exponent) noexcept {
    if (is_power_of_two(base)) {
        // base^exponent = 2^(log * exponent); from 2^256 on it is zero.
        const std::uint64_t log = bit_length(base) - 1;
        if (log == 0 || !exponent)
            return 1;
        return fits_u64(exponent) && exponent[0] < 256 ? u256{1} << log * exponent[0] : u256{};
    }
    u256 out = 1;
    for (unsigned i = bit_length(exponent); i-- > 0;) {
        out *= out;
        if ((exponent[i / 64] >> (i % 64) & 1) != 0)
            out *= base;
    }
    return out;
}

}  // namespace meridian
