// The field of secp256k1 in the eight lanes of AVX-512: integers modulo p = 2^256 - kFold, eight at a time,
// for processors with IFMA, which multiplies numbers of 52 bits and adds either half of the product.
//
// A number is five limbs of 52 bits and is reduced lazily: it may be up to 2^260, or sixteen times p. Types
// say what was done about the carries between limbs:
//   Limbs    Nothing: limbs below 2^60, none of them negative. What products give is *tight*, that is below
//            2^256 + 2^217, and its limbs are below 9 * 2^52.
//   Fe       Limbs of 52 bits.
//   Operand  The low 52 bits of each limb are right, what is above them is not. A multiplication looks at no
//            more, so that a number which goes nowhere else need not have them cleared.
// Only for files compiled for these processors; see secp256k1_recover_kernel.hpp for what else they include.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace meridian::crypto::secp256k1::detail {
namespace {

// Only single instructions are, where code is instrumented: with all of it inline compilation takes minutes.
#ifdef MERIDIAN_LANES_INSTRUMENTED
#define MERIDIAN_LANES_INLINE [[gnu::noinline]] inline
#else
#define MERIDIAN_LANES_INLINE [[gnu::always_inline]] inline
#endif

using Vector = __m512i;

struct Limbs {
    Vector limb[5];
};

struct Operand {
    Vector limb[5];
};

struct Fe : Operand {
    MERIDIAN_LANES_INLINE operator Limbs() const {
        Limbs out;
        for (int i = 0; i < 5; ++i)
            out.limb[i] = limb[i];
        return out;
    }
};

constexpr std::uint64_t kMask52 = (1ull << 52) - 1;
constexpr std::uint64_t kMask48 = (1ull << 48) - 1;
// 2^256 modulo p.
constexpr std::uint64_t kFold = 0x1000003d1;

[[gnu::always_inline]] inline Vector broadcast(std::uint64_t x) {
    return _mm512_set1_epi64(static_cast<long long>(x));
}
[[gnu::always_inline]] inline Vector add(Vector a, Vector b) {
    return _mm512_add_epi64(a, b);
}
[[gnu::always_inline]] inline Vector sub(Vector a, Vector b) {
    return _mm512_sub_epi64(a, b);
}
[[gnu::always_inline]] inline Vector both(Vector a, Vector b) {
    return _mm512_and_si512(a, b);
}
template <unsigned Bits>
[[gnu::always_inline]] inline Vector up(Vector a) {
    return _mm512_slli_epi64(a, Bits);
}
template <unsigned Bits>
[[gnu::always_inline]] inline Vector down(Vector a) {
    return _mm512_srli_epi64(a, Bits);
}
// sum + the lower or upper 52 bits of a * b. Of a and b only the low 52 bits count.
[[gnu::always_inline]] inline Vector add_low(Vector sum, Vector a, Vector b) {
    return _mm512_madd52lo_epu64(sum, a, b);
}
[[gnu::always_inline]] inline Vector add_high(Vector sum, Vector a, Vector b) {
    return _mm512_madd52hi_epu64(sum, a, b);
}

MERIDIAN_LANES_INLINE Limbs zero_limbs() {
    Limbs out;
    for (auto& limb : out.limb)
        limb = _mm512_setzero_si512();
    return out;
}

MERIDIAN_LANES_INLINE Fe small(std::uint64_t x) {
    Fe out;
    out.limb[0] = broadcast(x);
    for (int i = 1; i < 5; ++i)
        out.limb[i] = _mm512_setzero_si512();
    return out;
}

// Limb i of 2^(1 + Doublings) * p, which is nearly as many times 2^52, or 2^48 for the last one.
template <unsigned Doublings>
[[gnu::always_inline]] inline Vector multiple_of_p(int i) {
    const std::uint64_t limb = i == 0 ? kMask52 + 1 - kFold : i < 4 ? kMask52 : kMask48;
    return broadcast(limb << (1 + Doublings));
}

// Precondition: the number is below 2^260.
MERIDIAN_LANES_INLINE Operand operand(const Limbs& a) {
    Operand out;
    out.limb[0] = a.limb[0];
    for (int i = 1; i < 5; ++i)
        out.limb[i] = add(a.limb[i], down<52>(out.limb[i - 1]));
    return out;
}

MERIDIAN_LANES_INLINE Fe masked(const Operand& a) {
    Fe out;
    for (int i = 0; i < 4; ++i)
        out.limb[i] = both(a.limb[i], broadcast(kMask52));
    out.limb[4] = a.limb[4];
    return out;
}

// Precondition: the number is below 2^260.
MERIDIAN_LANES_INLINE Fe carried(const Limbs& a) {
    return masked(operand(a));
}

// The tight number that is congruent. Precondition: the number is below 2^260.
MERIDIAN_LANES_INLINE Fe tightened(const Limbs& a) {
    Limbs out = carried(a);
    out.limb[0] = add_low(out.limb[0], down<48>(out.limb[4]), broadcast(kFold));
    out.limb[4] = both(out.limb[4], broadcast(kMask48));
    return carried(out);
}

MERIDIAN_LANES_INLINE Limbs sum(const Limbs& a, const Limbs& b) {
    Limbs out;
    for (int i = 0; i < 5; ++i)
        out.limb[i] = add(a.limb[i], b.limb[i]);
    return out;
}

template <unsigned Bits>
MERIDIAN_LANES_INLINE Limbs times(const Limbs& a) {
    Limbs out;
    for (int i = 0; i < 5; ++i)
        out.limb[i] = up<Bits>(a.limb[i]);
    return out;
}

// -a. Precondition: a is less than the sum of 2^(1 + Doublings) tight carried numbers: a carried one counts
// as one, a product as nine, and 2^(1 + n) * p as that many.
template <unsigned Doublings>
MERIDIAN_LANES_INLINE Limbs negative(const Limbs& a) {
    Limbs out;
    for (int i = 0; i < 5; ++i)
        out.limb[i] = sub(multiple_of_p<Doublings>(i), a.limb[i]);
    return out;
}

// The ten columns of a product, to the tight number Factor times as large. With the columns' carries taken
// along, what is at or above 2^260 is multiplied by 2^260 mod p and added below, and then once more what is
// at or above 2^256. Columns: below 2^60.
template <unsigned Factor>
MERIDIAN_LANES_INLINE Limbs reduced(Vector (&column)[10]) {
    static_assert(Factor >= 1 && Factor <= 3);
    const Vector fold260 = broadcast(kFold << 4);
    for (int i = 5; i < 9; ++i)
        column[i + 1] = add(column[i + 1], down<52>(column[i]));
    Vector top = add_low(_mm512_setzero_si512(), down<52>(column[9]), fold260);
    for (int i = 0; i < 5; ++i)
        column[i] = add_low(column[i], column[i + 5], fold260);
    for (int i = 0; i < 4; ++i)
        column[i + 1] = add_high(column[i + 1], column[i + 5], fold260);
    top = add_high(top, column[9], fold260);
    const auto scaled = [](Vector x) { return Factor == 1 ? x : Factor == 2 ? up<1>(x) : add(x, up<1>(x)); };
    Limbs out;
    for (int i = 0; i < 5; ++i)
        out.limb[i] = scaled(column[i]);
    top = add(down<48>(out.limb[4]), up<4>(scaled(top)));
    out.limb[4] = both(out.limb[4], broadcast(kMask48));
    const Vector fold256 = broadcast(kFold);
    out.limb[0] = add_low(out.limb[0], top, fold256);
    out.limb[1] = add_high(out.limb[1], top, fold256);
    return out;
}

// Factor * (a * b + summand), tight. Summand: limbs below 2^59.5.
template <unsigned Factor = 1>
MERIDIAN_LANES_INLINE Limbs product_plus(const Operand& a, const Operand& b, const Limbs& summand) {
    Vector column[10];
    for (int i = 0; i < 5; ++i) {
        column[i] = summand.limb[i];
        column[i + 5] = _mm512_setzero_si512();
    }
    for (int i = 0; i < 5; ++i) {
        for (int j = 0; j < 5; ++j)
            column[i + j] = add_low(column[i + j], a.limb[i], b.limb[j]);
        for (int j = 0; j < 5; ++j)
            column[i + j + 1] = add_high(column[i + j + 1], a.limb[i], b.limb[j]);
    }
    return reduced<Factor>(column);
}

// Factor * a * b, tight.
template <unsigned Factor = 1>
MERIDIAN_LANES_INLINE Limbs product(const Operand& a, const Operand& b) {
    return product_plus<Factor>(a, b, zero_limbs());
}

// Factor * (a * a + summand), tight. Summand: limbs below 2^59.5.
template <unsigned Factor = 1>
MERIDIAN_LANES_INLINE Limbs square_plus(const Operand& a, const Limbs& summand) {
    Vector column[10];
    for (auto& c : column)
        c = _mm512_setzero_si512();
    for (int i = 0; i < 5; ++i) {
        for (int j = i + 1; j < 5; ++j) {
            column[i + j] = add_low(column[i + j], a.limb[i], a.limb[j]);
            column[i + j + 1] = add_high(column[i + j + 1], a.limb[i], a.limb[j]);
        }
    }
    for (int i = 1; i < 9; ++i)
        column[i] = up<1>(column[i]);
    for (int i = 0; i < 5; ++i)
        column[i] = add(column[i], summand.limb[i]);
    for (int i = 0; i < 5; ++i) {
        column[2 * i] = add_low(column[2 * i], a.limb[i], a.limb[i]);
        column[2 * i + 1] = add_high(column[2 * i + 1], a.limb[i], a.limb[i]);
    }
    return reduced<Factor>(column);
}

// Factor * a * a, tight.
template <unsigned Factor = 1>
MERIDIAN_LANES_INLINE Limbs square(const Operand& a) {
    return square_plus<Factor>(a, zero_limbs());
}

MERIDIAN_LANES_INLINE Operand mul(const Operand& a, const Operand& b) {
    return operand(product(a, b));
}

// The one number below p. Precondition: a is tight.
MERIDIAN_LANES_INLINE Fe canonical(const Fe& a) {
    Limbs plus_fold;
    plus_fold.limb[0] = add(a.limb[0], broadcast(kFold));
    for (int i = 1; i < 5; ++i)
        plus_fold.limb[i] = a.limb[i];
    Fe out = carried(plus_fold);
    const __mmask8 small_enough = _mm512_cmplt_epu64_mask(out.limb[4], broadcast(kMask48 + 1));
    out.limb[4] = both(out.limb[4], broadcast(kMask48));
    for (int i = 0; i < 5; ++i)
        out.limb[i] = _mm512_mask_mov_epi64(out.limb[i], small_enough, a.limb[i]);
    return out;
}

// The lanes in which a canonical number is zero.
MERIDIAN_LANES_INLINE __mmask8 is_zero(const Fe& a) {
    Vector any = a.limb[0];
    for (int i = 1; i < 5; ++i)
        any = _mm512_or_si512(any, a.limb[i]);
    return _mm512_testn_epi64_mask(any, any);
}

// `other` in the lanes of the mask, a elsewhere.
template <class Number>
MERIDIAN_LANES_INLINE Number blend(const Number& a, __mmask8 mask, const Number& other) {
    Number out;
    for (int i = 0; i < 5; ++i)
        out.limb[i] = _mm512_mask_mov_epi64(a.limb[i], mask, other.limb[i]);
    return out;
}

// Four words of 64 bits, least significant first, to five limbs and back. What is packed is canonical.
MERIDIAN_LANES_INLINE Fe unpacked(const Vector* word) {
    const Vector mask = broadcast(kMask52);
    Fe out;
    out.limb[0] = both(word[0], mask);
    out.limb[1] = both(_mm512_or_si512(down<52>(word[0]), up<12>(word[1])), mask);
    out.limb[2] = both(_mm512_or_si512(down<40>(word[1]), up<24>(word[2])), mask);
    out.limb[3] = both(_mm512_or_si512(down<28>(word[2]), up<36>(word[3])), mask);
    out.limb[4] = down<16>(word[3]);
    return out;
}
MERIDIAN_LANES_INLINE void pack(const Fe& a, Vector* word) {
    word[0] = _mm512_or_si512(a.limb[0], up<52>(a.limb[1]));
    word[1] = _mm512_or_si512(down<12>(a.limb[1]), up<40>(a.limb[2]));
    word[2] = _mm512_or_si512(down<24>(a.limb[2]), up<28>(a.limb[3]));
    word[3] = _mm512_or_si512(down<36>(a.limb[3]), up<16>(a.limb[4]));
}

}  // namespace
}  // namespace meridian::crypto::secp256k1::detail
