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
    Fe y;
    Fe z;
};

// A point of a table, of which some are to be negated: y is not carried.
struct Selected {
    Fe x;
    Limbs y;
};

// Doubles Ways independent points, in turns: one multiplication waits for the one before it, so that a
// single point leaves the multipliers idle. Three multiplications and four squares each.
template <int Ways>
MERIDIAN_LANES_INLINE void double_in_place(Jacobian (&p)[Ways]) {
    Fe slope[Ways], y2[Ways], xy2[Ways], y4[Ways], x[Ways], step[Ways];
    for (int k = 0; k < Ways; ++k)
        slope[k] = sqr<3>(p[k].x);
    for (int k = 0; k < Ways; ++k)
        y2[k] = sqr(p[k].y);
    for (int k = 0; k < Ways; ++k)
        p[k].z = mul<2>(p[k].y, p[k].z);
    for (int k = 0; k < Ways; ++k)
        xy2[k] = mul(p[k].x, y2[k]);
    for (int k = 0; k < Ways; ++k)
        y4[k] = sqr(y2[k]);
    for (int k = 0; k < Ways; ++k)
        x[k] = sqr_add(slope[k], negative_times<3>(xy2[k]));
    for (int k = 0; k < Ways; ++k)
        step[k] = carried(times_minus<2>(xy2[k], x[k]));
    for (int k = 0; k < Ways; ++k)
        p[k].y = mul_add(slope[k], step[k], negative_times<3>(y4[k]));
    for (int k = 0; k < Ways; ++k)
        p[k].x = x[k];
}

// p += q, for Ways independent sums in turns. Eight multiplications and three squares each.
template <int Ways>
MERIDIAN_LANES_INLINE void add_in_place(Jacobian (&p)[Ways], const Affine* const (&q)[Ways]) {
    Fe z2[Ways], z3[Ways], h[Ways], r[Ways], h2[Ways], h3[Ways], v[Ways], t[Ways];
    for (int k = 0; k < Ways; ++k)
        z2[k] = sqr(p[k].z);
    for (int k = 0; k < Ways; ++k)
        h[k] = mul_add(q[k]->x, z2[k], negative(p[k].x));
    for (int k = 0; k < Ways; ++k)
        z3[k] = mul(p[k].z, z2[k]);
    for (int k = 0; k < Ways; ++k)
        h2[k] = sqr(h[k]);
    for (int k = 0; k < Ways; ++k)
        r[k] = mul_add(q[k]->y, z3[k], negative(p[k].y));
    for (int k = 0; k < Ways; ++k)
        p[k].z = mul(p[k].z, h[k]);
    for (int k = 0; k < Ways; ++k)
        h3[k] = mul(h[k], h2[k]);
    for (int k = 0; k < Ways; ++k)
        v[k] = mul(p[k].x, h2[k]);
    for (int k = 0; k < Ways; ++k)
        p[k].x = sqr_add(r[k], negative<1>(sum(h3[k], sum(v[k], v[k]))));
    for (int k = 0; k < Ways; ++k)
        t[k] = mul(p[k].y, h3[k]);
    for (int k = 0; k < Ways; ++k)
        v[k] = carried(times_minus<0>(v[k], p[k].x));
    for (int k = 0; k < Ways; ++k)
        p[k].y = mul_add(r[k], v[k], negative(t[k]));
}

// a + b, where `inverse` is that of b.x - a.x.
MERIDIAN_LANES_INLINE Affine affine_sum(const Selected& a, const Selected& b, const Fe& inverse) {
    const Fe slope = mul(carried(sum(b.y, negative<1>(a.y))), inverse);
    Affine out;
    out.x = sqr_add(slope, negative<1>(sum(a.x, b.x)));
    out.y = mul_add(slope, carried(times_minus<0>(a.x, out.x)), negative<1>(a.y));
    return out;
}

// 2a, where `inverse` is that of 2 * a.y.
MERIDIAN_LANES_INLINE Affine affine_double(const Affine& a, const Fe& inverse) {
    const Fe slope = mul(sqr<3>(a.x), inverse);
    Affine out;
    out.x = sqr_add(slope, negative<1>(sum(a.x, a.x)));
    out.y = mul_add(slope, carried(times_minus<0>(a.x, out.x)), negative(a.y));
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
    return blend(as_limbs(y), negate, negative(y));
}

}  // namespace
}  // namespace meridian::crypto::secp256k1::detail
