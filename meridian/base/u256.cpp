// Division of 256-bit numbers and what rests on it.
//
// Long division after Knuth (The Art of Computer Programming, volume 2, 4.3.1, algorithm D) with 64-bit
// digits. A quotient of up to three digits has each estimated by the processor's division; the longer
// ones of modular multiplication by a reciprocal of the divisor's two highest words, computed once (Möller
// and Granlund, "Improved division by invariant integers", 2011).
#include <meridian/base/u256.hpp>
#include <meridian/base/u256_words.hpp>

namespace meridian {

namespace {

using namespace detail;

// The low word of floor((2^192 - 1) / <d1, d0>). Precondition: d1's highest bit is set.
std::uint64_t reciprocal_of(std::uint64_t d1, std::uint64_t d0) {
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

// As divide_digit, with the reciprocal of d's two highest words.
template <unsigned N>
[[gnu::always_inline]] inline void reduce_digit(std::uint64_t* u, const std::uint64_t* d,
                                                std::uint64_t reciprocal) {
    const u128 top = join(d[N - 1], d[N - 2]);
    if (join(u[N], u[N - 1]) >= top) [[unlikely]] {
        // The greatest digit, or one less.
        if (u[N] < subtract_product<N>(u, d, ~0ull))
            add_words<N>(u, d);
        u[N] = 0;
        return;
    }
    const u128 estimate = u128{reciprocal} * u[N] + join(u[N], u[N - 1]);
    std::uint64_t digit = high(estimate) + 1;
    u128 remainder =
        join(u[N - 1] - high(estimate) * high(top), u[N - 2]) - u128{low(top)} * high(estimate) - top;
    const bool over = high(remainder) >= low(estimate);
    digit -= over;
    remainder += over ? top : 0;
    if (remainder >= top) [[unlikely]] {
        ++digit;
        remainder -= top;
    }
    const std::uint64_t taken = subtract_product<N - 2>(u, d, digit);
    const bool negative = remainder < taken;
    remainder -= taken;
    u[N - 2] = low(remainder);
    u[N - 1] = high(remainder);
    u[N] = 0;
    if (negative) [[unlikely]]
        add_words<N>(u, d);
}

inline unsigned word_length(const std::uint64_t* words, unsigned size) {
    while (size > 0 && words[size - 1] == 0)
        --size;
    return size;
}

bool is_power_of_two(const u256& x) {
    return x && !(x & (x - 1));
}

// A divisor of N >= 2 words, shifted so that its highest bit is set.
template <unsigned N>
struct Normalised {
    std::uint64_t words[N];
    unsigned bits;

    explicit Normalised(const u256& d) : bits(static_cast<unsigned>(std::countl_zero(d[N - 1]))) {
        words[0] = d[0] << bits;
        for (unsigned i = 1; i < N; ++i)
            words[i] = shift_left(d[i], d[i - 1], bits);
    }
    // The remainder at u, shifted back.
    u256 remainder(const std::uint64_t* u) const {
        u256 out;
        for (unsigned i = 0; i + 1 < N; ++i)
            out[i] = shift_right(u[i + 1], u[i], bits);
        out[N - 1] = u[N - 1] >> bits;
        return out;
    }
};

template <unsigned N>
[[gnu::always_inline]] inline QuotientAndRemainder divide_by_words(const u256& dividend,
                                                                   const u256& divisor) {
    const Normalised<N> d(divisor);
    std::uint64_t u[5] = {dividend[0] << d.bits, shift_left(dividend[1], dividend[0], d.bits),
                          shift_left(dividend[2], dividend[1], d.bits),
                          shift_left(dividend[3], dividend[2], d.bits), shift_left(0, dividend[3], d.bits)};
    u256 quotient;
    if constexpr (N <= 2)
        quotient[2] = divide_digit<N>(u + 2, d.words);
    if constexpr (N <= 3)
        quotient[1] = divide_digit<N>(u + 1, d.words);
    quotient[0] = divide_digit<N>(u, d.words);
    return {quotient, d.remainder(u)};
}

QuotientAndRemainder divide_by_word(const u256& dividend, std::uint64_t divisor) {
    if (divisor == 0)
        return {};
    if ((divisor & (divisor - 1)) == 0)
        return {dividend >> static_cast<unsigned>(std::countr_zero(divisor)), dividend[0] & (divisor - 1)};
    // Short dividends are common, and a step whose words are zero need not be taken.
    WordDivision step{0, 0};
    u256 quotient;
    if (dividend[3] >= divisor)
        step = {dividend[3] / divisor, dividend[3] % divisor};
    else
        step.remainder = dividend[3];
    quotient[3] = step.quotient;
    for (unsigned i = 3; i-- > 0;) {
        step = divide_2by1(step.remainder, dividend[i], divisor);
        quotient[i] = step.quotient;
    }
    return {quotient, step.remainder};
}

// The eight words at u modulo m of N words; u has room for a ninth.
template <unsigned N>
u256 reduce_by_words(std::uint64_t* u, unsigned size, const u256& m) {
    const Normalised<N> d(m);
    u[size] = shift_left(0, u[size - 1], d.bits);
    for (unsigned i = size; i-- > 1;)
        u[i] = shift_left(u[i], u[i - 1], d.bits);
    u[0] <<= d.bits;
    const std::uint64_t reciprocal = reciprocal_of(d.words[N - 1], d.words[N - 2]);
    for (unsigned j = size - N + 1; j-- > 0;)
        reduce_digit<N>(u + j, d.words, reciprocal);
    return d.remainder(u);
}

// The `size` words at u modulo m. Precondition: m != 0, size <= 8, and u has room for one more word.
u256 reduce(std::uint64_t* u, unsigned size, const u256& m) {
    size = word_length(u, size);
    if (size <= 4) {
        u256 x;
        for (unsigned i = 0; i < size; ++i)
            x[i] = u[i];
        return x % m;
    }
    switch (word_length(m.words, 4)) {
        case 4:
            return reduce_by_words<4>(u, size, m);
        case 3:
            return reduce_by_words<3>(u, size, m);
        case 2:
            return reduce_by_words<2>(u, size, m);
        default: {
            std::uint64_t remainder = 0;
            for (unsigned i = size; i-- > 0;)
                remainder = divide_2by1(remainder, u[i], m[0]).remainder;
            return remainder;
        }
    }
}

// x less the modulus where that is possible: a full reduction if x < 2 * modulus.
u256 subtract_once(const u256& x, const u256& modulus, bool force = false) {
    unsigned char borrow = 0;
    u256 less;
    less[0] = sub_borrow(x[0], modulus[0], borrow);
    less[1] = sub_borrow(x[1], modulus[1], borrow);
    less[2] = sub_borrow(x[2], modulus[2], borrow);
    less[3] = sub_borrow(x[3], modulus[3], borrow);
    const bool take = force || borrow == 0;
    return {take ? less[0] : x[0], take ? less[1] : x[1], take ? less[2] : x[2], take ? less[3] : x[3]};
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
    if (fits_u64(divisor))
        return divide_by_word(dividend, divisor[0]);
    if (is_power_of_two(divisor))
        return {dividend >> (bit_length(divisor) - 1), dividend & (divisor - 1)};
    if (divisor[3] != 0)
        return divide_by_words<4>(dividend, divisor);
    if (divisor[2] != 0)
        return divide_by_words<3>(dividend, divisor);
    return divide_by_words<2>(dividend, divisor);
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
    sum[0] = add_carry(x[0], y[0], carry);
    sum[1] = add_carry(x[1], y[1], carry);
    sum[2] = add_carry(x[2], y[2], carry);
    sum[3] = add_carry(x[3], y[3], carry);
    if (wide)
        return subtract_once(sum, modulus, carry != 0);
    if (carry == 0)
        return sum % modulus;
    std::uint64_t u[6] = {sum[0], sum[1], sum[2], sum[3], 1, 0};
    return reduce(u, 5, modulus);
}

u256 mulmod(const u256& a, const u256& b, const u256& modulus) noexcept {
    if (!modulus)
        return {};
    if (is_power_of_two(modulus))
        return a * b & (modulus - 1);
    std::uint64_t product[9];
    multiply_full(a, b, product);
    return reduce(product, 8, modulus);
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
