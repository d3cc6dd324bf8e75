// The base field of BN254 and its quadratic extension.
//
// Fp is four little-endian words in Montgomery form (factor 2^256), always below p. p has 254 bits, so
// that sums of two elements fit a word array, products need no extra carry word, and several products
// can be summed before one reduction.
#pragma once

#include <meridian/base/bytes.hpp>
// Without optimisation compilers lack the registers for the assembly's operands.
#if defined(__x86_64__) && defined(__BMI2__) && defined(__OPTIMIZE__)
#include <meridian/crypto/bn254_field_x86.hpp>
#define MERIDIAN_BN254_X86 1
#else
#define MERIDIAN_BN254_X86 0
#endif

#include <array>

namespace meridian::crypto::bn254 {

__extension__ typedef unsigned __int128 u128;
using Words = std::array<std::uint64_t, 4>;

inline constexpr Words kPrime = {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d,
                                 0x30644e72e131a029};
// -p^-1 mod 2^64
inline constexpr std::uint64_t kPrimeInverse = 0x87d20782e4866389;

namespace detail {

constexpr std::uint64_t add_carry(std::uint64_t a, std::uint64_t b, std::uint64_t& carry) noexcept {
    const u128 sum = static_cast<u128>(a) + b + carry;
    carry = static_cast<std::uint64_t>(sum >> 64);
    return static_cast<std::uint64_t>(sum);
}

constexpr std::uint64_t sub_borrow(std::uint64_t a, std::uint64_t b, std::uint64_t& borrow) noexcept {
    const u128 difference = static_cast<u128>(a) - b - borrow;
    borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
    return static_cast<std::uint64_t>(difference);
}

// low word of a * b + c + d; the high word goes to `high`. Cannot overflow.
constexpr std::uint64_t mul_add(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
                                std::uint64_t& high) noexcept {
    const u128 product = static_cast<u128>(a) * b + c + d;
    high = static_cast<std::uint64_t>(product >> 64);
    return static_cast<std::uint64_t>(product);
}

// x - p if x >= p, for x < 2p.
constexpr Words reduce_once(const Words& x) noexcept {
    Words y{};
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 4; ++i)
        y[i] = sub_borrow(x[i], kPrime[i], borrow);
    // A mask instead of a branch: the outcome is random.
    const std::uint64_t keep = 0 - borrow;
    for (std::size_t i = 0; i < 4; ++i)
        y[i] = (x[i] & keep) | (y[i] & ~keep);
    return y;
}

// (a * b + c * d) / 2^256 mod p, interleaved. The operands may be as large as 2p as long as the sum of
// the products is below p * 2^256; the accumulator then stays within five words.
template <bool kTwoProducts>
constexpr Words montgomery_sum(const Words& a, const Words& b, const Words& c, const Words& d) noexcept {
    std::array<std::uint64_t, 5> t{};
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < 4; ++j)
            t[j] = mul_add(a[j], b[i], t[j], carry, carry);
        t[4] += carry;
        if constexpr (kTwoProducts) {
            carry = 0;
            for (std::size_t j = 0; j < 4; ++j)
                t[j] = mul_add(c[j], d[i], t[j], carry, carry);
            t[4] += carry;
        }
        const std::uint64_t m = t[0] * kPrimeInverse;
        mul_add(m, kPrime[0], t[0], 0, carry);
        for (std::size_t j = 1; j < 4; ++j)
            t[j - 1] = mul_add(m, kPrime[j], t[j], carry, carry);
        std::uint64_t top = 0;
        t[3] = add_carry(t[4], carry, top);
        t[4] = top;
    }
    return reduce_once({t[0], t[1], t[2], t[3]});
}

// a * b / 2^256 mod p
constexpr Words montgomery_mul(const Words& a, const Words& b) noexcept {
#if MERIDIAN_BN254_X86
    if !consteval {
        return x86::mul(a, b);
    }
#endif
    return montgomery_sum<false>(a, b, a, b);
}

// (a * b + c * d) / 2^256 mod p
constexpr Words montgomery_dot(const Words& a, const Words& b, const Words& c, const Words& d) noexcept {
#if MERIDIAN_BN254_X86
    if !consteval {
        return x86::dot(a, b, c, d);
    }
#endif
    return montgomery_sum<true>(a, b, c, d);
}

constexpr Words add_words(const Words& a, const Words& b) noexcept {
    Words t{};
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < 4; ++i)
        t[i] = add_carry(a[i], b[i], carry);
    return t;
}

constexpr Words sub_words(const Words& a, const Words& b) noexcept {
    Words t{};
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 4; ++i)
        t[i] = sub_borrow(a[i], b[i], borrow);
    return t;
}

}  // namespace detail

struct Fp {
    Words w{};

    friend constexpr bool operator==(const Fp&, const Fp&) noexcept = default;
    constexpr bool is_zero() const noexcept { return (w[0] | w[1] | w[2] | w[3]) == 0; }

    friend constexpr Fp operator+(const Fp& a, const Fp& b) noexcept {
#if MERIDIAN_BN254_X86
        if !consteval {
            return {x86::add(a.w, b.w)};
        }
#endif
        return {detail::reduce_once(detail::add_words(a.w, b.w))};
    }
    friend constexpr Fp operator-(const Fp& a, const Fp& b) noexcept {
#if MERIDIAN_BN254_X86
        if !consteval {
            return {x86::sub(a.w, b.w)};
        }
#endif
        Fp t;
        std::uint64_t borrow = 0;
        for (std::size_t i = 0; i < 4; ++i)
            t.w[i] = detail::sub_borrow(a.w[i], b.w[i], borrow);
        const std::uint64_t mask = 0 - borrow;
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i < 4; ++i)
            t.w[i] = detail::add_carry(t.w[i], kPrime[i] & mask, carry);
        return t;
    }
    constexpr Fp operator-() const noexcept { return Fp{} - *this; }
    friend constexpr Fp operator*(const Fp& a, const Fp& b) noexcept {
        return {detail::montgomery_mul(a.w, b.w)};
    }
};

constexpr Fp doubled(const Fp& a) noexcept {
    return a + a;
}
constexpr Fp squared(const Fp& a) noexcept {
    return a * a;
}

namespace detail {
// 2^512 mod p by doubling one.
consteval Words montgomery_square() {
    Words x = {1, 0, 0, 0};
    for (int i = 0; i < 512; ++i)
        x = reduce_once(add_words(x, x));
    return x;
}
}  // namespace detail

inline constexpr Words kMontgomerySquare = detail::montgomery_square();

// The element of a plain number below p.
constexpr Fp to_fp(const Words& plain) noexcept {
    return {detail::montgomery_mul(plain, kMontgomerySquare)};
}
constexpr Words to_plain(const Fp& a) noexcept {
    return detail::montgomery_mul(a.w, {1, 0, 0, 0});
}

inline constexpr Fp kFpOne = to_fp({1, 0, 0, 0});

// 1 / a; zero for zero.
Fp inverse(const Fp& a) noexcept;

// Big-endian; false unless the number is below p.
bool read(Fp& out, const std::uint8_t* in) noexcept;
void write(std::uint8_t* out, const Fp& a) noexcept;

// c0 + c1 * i with i^2 = -1.
struct Fp2 {
    Fp c0;
    Fp c1;

    friend constexpr bool operator==(const Fp2&, const Fp2&) noexcept = default;
    constexpr bool is_zero() const noexcept { return c0.is_zero() && c1.is_zero(); }

    friend constexpr Fp2 operator+(const Fp2& a, const Fp2& b) noexcept { return {a.c0 + b.c0, a.c1 + b.c1}; }
    friend constexpr Fp2 operator-(const Fp2& a, const Fp2& b) noexcept { return {a.c0 - b.c0, a.c1 - b.c1}; }
    constexpr Fp2 operator-() const noexcept { return {-c0, -c1}; }
    friend constexpr Fp2 operator*(const Fp2& a, const Fp& b) noexcept { return {a.c0 * b, a.c1 * b}; }
};

// Schoolbook, but with one reduction per coefficient: fewer steps than Karatsuba with three.
constexpr Fp2 operator*(const Fp2& a, const Fp2& b) noexcept {
    const Words minus_b1 = detail::sub_words(kPrime, b.c1.w);
    return {{detail::montgomery_dot(a.c0.w, b.c0.w, a.c1.w, minus_b1)},
            {detail::montgomery_dot(a.c0.w, b.c1.w, a.c1.w, b.c0.w)}};
}

constexpr Fp2 doubled(const Fp2& a) noexcept {
    return a + a;
}
constexpr Fp2 squared(const Fp2& a) noexcept {
    return {{detail::montgomery_mul(detail::add_words(a.c0.w, a.c1.w), (a.c0 - a.c1).w)},
            {detail::montgomery_mul(detail::add_words(a.c0.w, a.c0.w), a.c1.w)}};
}
constexpr Fp2 conjugate(const Fp2& a) noexcept {
    return {a.c0, -a.c1};
}
// a / 2: the plain number, or it plus p, shifted.
constexpr Fp halved(const Fp& a) noexcept {
    const std::uint64_t mask = 0 - (a.w[0] & 1);
    Words t{};
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < 4; ++i)
        t[i] = detail::add_carry(a.w[i], kPrime[i] & mask, carry);
    for (std::size_t i = 0; i < 3; ++i)
        t[i] = (t[i] >> 1) | (t[i + 1] << 63);
    t[3] >>= 1;
    return {t};
}
constexpr Fp2 halved(const Fp2& a) noexcept {
    return {halved(a.c0), halved(a.c1)};
}
// a * (9 + i), the non-residue that the tower is built on.
constexpr Fp2 times_xi(const Fp2& a) noexcept {
    const Fp2 a8 = doubled(doubled(doubled(a)));
    return {a8.c0 + a.c0 - a.c1, a8.c1 + a.c1 + a.c0};
}

Fp2 inverse(const Fp2& a) noexcept;

inline constexpr Fp2 kFp2One = {kFpOne, {}};

}  // namespace meridian::crypto::bn254
