// Points of secp256k1 in the eight lanes of AVX-512, and their way between lanes and tables in memory.
//
// Coordinates are tight (secp256k1_field_ifma.hpp). No formula here looks for its exceptional cases: a sum
// of points that are equal or opposite gives z = 0 in Jacobian coordinates, which later sums and doublings
// keep, and has a denominator of zero in affine ones. Who calls looks for those zeros in the end.
#pragma once

#include <meridian/crypto/secp256k1_field_ifma.hpp>

#include <cstddef>

namespace meridian::crypto::secp256k1::detail {
namespace {

struct Affine {
    Fe x;
    Fe y;
};

// The point (x / z^2, y / z^3).
struct Jacobian {
    Fe x;
    Operand y;
    Operand z;
};

// A point of a table, of which some are to be negated: y is tight or 2p minus a tight number, not carried.
struct Selected {
    Fe x;
    Limbs y;
};

// Doubles Ways independent points, in turns: one multiplication waits for the one before it, so that a
// single point leaves the multipliers idle. Three multiplications and four squares each.
template <int Ways>
MERIDIAN_LANES_INLINE void double_in_place(Jacobian (&p)[Ways]) {
    Operand slope[Ways], y2[Ways], step[Ways];
    Limbs xy2[Ways], y4[Ways];
    for (int k = 0; k < Ways; ++k)
        slope[k] = operand(square<3>(p[k].x));
    for (int k = 0; k < Ways; ++k)
        y2[k] = operand(square(p[k].y));
    for (int k = 0; k < Ways; ++k)
        p[k].z = operand(product<2>(p[k].y, p[k].z));
    for (int k = 0; k < Ways; ++k)
        xy2[k] = product(p[k].x, y2[k]);
    for (int k = 0; k < Ways; ++k)
        y4[k] = square(y2[k]);
    for (int k = 0; k < Ways; ++k)
        p[k].x = carried(square_plus(slope[k], negative<6>(times<3>(xy2[k]))));
    for (int k = 0; k < Ways; ++k)
        step[k] = operand(sum(times<2>(xy2[k]), negative<0>(p[k].x)));
    for (int k = 0; k < Ways; ++k)
        p[k].y = operand(product_plus(slope[k], step[k], negative<6>(times<3>(y4[k]))));
}

// p += q, for Ways independent sums in turns. Eight multiplications and three squares each.
template <int Ways>
MERIDIAN_LANES_INLINE void add_in_place(Jacobian (&p)[Ways], const Affine* const (&q)[Ways]) {
    Operand z2[Ways], z3[Ways], h[Ways], r[Ways], h2[Ways], step[Ways];
    Fe h3[Ways];
    Limbs v[Ways], t[Ways];
    for (int k = 0; k < Ways; ++k)
        z2[k] = operand(square(p[k].z));
    for (int k = 0; k < Ways; ++k)
        h[k] = operand(product_plus(q[k]->x, z2[k], negative<0>(p[k].x)));
    for (int k = 0; k < Ways; ++k)
        z3[k] = mul(p[k].z, z2[k]);
    for (int k = 0; k < Ways; ++k)
        h2[k] = operand(square(h[k]));
    for (int k = 0; k < Ways; ++k)
        r[k] = operand(product_plus(q[k]->y, z3[k], negative<0>(masked(p[k].y))));
    for (int k = 0; k < Ways; ++k)
        p[k].z = mul(p[k].z, h[k]);
    for (int k = 0; k < Ways; ++k)
        h3[k] = carried(product(h[k], h2[k]));
    for (int k = 0; k < Ways; ++k)
        v[k] = product(p[k].x, h2[k]);
    for (int k = 0; k < Ways; ++k)
        p[k].x = carried(square_plus(r[k], negative<4>(sum(h3[k], times<1>(v[k])))));
    for (int k = 0; k < Ways; ++k)
        t[k] = product(p[k].y, h3[k]);
    for (int k = 0; k < Ways; ++k)
        step[k] = operand(sum(v[k], negative<0>(p[k].x)));
    for (int k = 0; k < Ways; ++k)
        p[k].y = operand(product_plus(r[k], step[k], negative<3>(t[k])));
}

// a + b, where `inverse` is that of b.x - a.x, for Ways independent sums in turns.
template <int Ways>
MERIDIAN_LANES_INLINE void affine_sums(const Selected (&a)[Ways], const Selected (&b)[Ways],
                                       const Operand (&inverse)[Ways], Affine (&out)[Ways]) {
    Operand slope[Ways];
    for (int k = 0; k < Ways; ++k)
        slope[k] = mul(operand(sum(b[k].y, negative<1>(a[k].y))), inverse[k]);
    for (int k = 0; k < Ways; ++k)
        out[k].x = carried(square_plus(slope[k], negative<1>(sum(a[k].x, b[k].x))));
    for (int k = 0; k < Ways; ++k)
        out[k].y =
            carried(product_plus(slope[k], operand(sum(a[k].x, negative<0>(out[k].x))), negative<1>(a[k].y)));
}

// 2a, where `inverse` is that of 2 * a.y.
MERIDIAN_LANES_INLINE Affine affine_double(const Affine& a, const Operand& inverse) {
    const Operand slope = mul(operand(square<3>(a.x)), inverse);
    Affine out;
    out.x = carried(square_plus(slope, negative<1>(times<1>(a.x))));
    out.y = carried(product_plus(slope, operand(sum(a.x, negative<0>(out.x))), negative<0>(a.y)));
    return out;
}

// Row i becomes lane i, and the other way round.
MERIDIAN_LANES_INLINE void transpose(Vector (&row)[8]) {
    Vector even[4];
    Vector odd[4];
    for (int i = 0; i < 4; ++i) {
        even[i] = _mm512_unpacklo_epi64(row[2 * i], row[2 * i + 1]);
        odd[i] = _mm512_unpackhi_epi64(row[2 * i], row[2 * i + 1]);
    }
    constexpr int kBlocks02 = 0x88;
    constexpr int kBlocks13 = 0xdd;
    for (int parity = 0; parity < 2; ++parity) {
        const Vector* half = parity == 0 ? even : odd;
        const Vector low02 = _mm512_shuffle_i64x2(half[0], half[1], kBlocks02);
        const Vector high02 = _mm512_shuffle_i64x2(half[2], half[3], kBlocks02);
        const Vector low13 = _mm512_shuffle_i64x2(half[0], half[1], kBlocks13);
        const Vector high13 = _mm512_shuffle_i64x2(half[2], half[3], kBlocks13);
        row[parity] = _mm512_shuffle_i64x2(low02, high02, kBlocks02);
        row[parity + 2] = _mm512_shuffle_i64x2(low13, high13, kBlocks02);
        row[parity + 4] = _mm512_shuffle_i64x2(low02, high02, kBlocks13);
        row[parity + 6] = _mm512_shuffle_i64x2(low13, high13, kBlocks13);
    }
}

// Eight words from each lane's place.
MERIDIAN_LANES_INLINE void load_rows(const std::uint64_t* const* place, Vector (&word)[8]) {
    for (int i = 0; i < 8; ++i)
        word[i] = _mm512_loadu_si512(place[i]);
    transpose(word);
}

// The first four words at each lane's place.
MERIDIAN_LANES_INLINE void load_half_rows(const std::uint64_t* const* place, Vector (&word)[4]) {
    const auto pair = [&](int low, int high) {
        const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place[low]));
        const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place[high]));
        return _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
    };
    const Vector rows02 = pair(0, 2);
    const Vector rows13 = pair(1, 3);
    const Vector rows46 = pair(4, 6);
    const Vector rows57 = pair(5, 7);
    const Vector even0 = _mm512_unpacklo_epi64(rows02, rows13);
    const Vector even1 = _mm512_unpacklo_epi64(rows46, rows57);
    const Vector odd0 = _mm512_unpackhi_epi64(rows02, rows13);
    const Vector odd1 = _mm512_unpackhi_epi64(rows46, rows57);
    word[0] = _mm512_shuffle_i64x2(even0, even1, 0x88);
    word[1] = _mm512_shuffle_i64x2(odd0, odd1, 0x88);
    word[2] = _mm512_shuffle_i64x2(even0, even1, 0xdd);
    word[3] = _mm512_shuffle_i64x2(odd0, odd1, 0xdd);
}

// Two numbers of each lane as eight words at its place.
MERIDIAN_LANES_INLINE void store_rows(std::uint64_t* const* place, const Fe& first, const Fe& second) {
    Vector word[8];
    pack(canonical(first), word);
    pack(canonical(second), word + 4);
    transpose(word);
    for (int i = 0; i < 8; ++i)
        _mm512_storeu_si512(place[i], word[i]);
}

// y, or -y in the lanes of the mask.
MERIDIAN_LANES_INLINE Limbs with_sign(const Fe& y, __mmask8 negate) {
    return blend<Limbs>(y, negate, negative<0>(y));
}

}  // namespace
}  // namespace meridian::crypto::secp256k1::detail
