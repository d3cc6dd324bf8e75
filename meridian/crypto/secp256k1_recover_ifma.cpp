// Recovery of public keys in the eight lanes of AVX-512 IFMA.
//
// The key is a * G + b * R, with R the nonce point. R's y is a square root. b is split by the curve's
// endomorphism into b1 + b2 * lambda of half the length, where lambda * (x, y) = (beta * x, y). Both parts
// have 26 digits d without zeros, for which a table holds R, 3R .. 31R. For each of the 26 positions the sum
// d1 * R + d2 * lambda * R is made at once; then 25 times five doublings and one addition follow. a * G is a
// sum of points from a table with every digit's multiples.
//
// Everything but the doublings' chain is added in affine coordinates, where a sum costs six multiplications
// instead of eleven, but for an inversion: that is shared by the sums of all groups. Seven inversions are
// made, each of which also tells the lanes with a denominator of zero (share_inversion).
//
// See secp256k1_recover_kernel.hpp for what must not be included.
#include <meridian/crypto/secp256k1_point_ifma.hpp>
#include <meridian/crypto/secp256k1_recover_kernel.hpp>

namespace meridian::crypto::secp256k1::detail {

namespace {

constexpr std::size_t kMultiples = std::size_t{1} << (kWindowBits - 1);
constexpr unsigned kTableRounds = kWindowBits;
constexpr std::size_t kLeaves = kFixedDigits / 2;
static_assert(kFixedDigits % 2 == 0 && kLeaves > (1u << (kTableRounds - 2)) &&
                  kLeaves <= (1u << (kTableRounds - 1)),
              "the generator's sums take as many rounds as the nonce point's table");
constexpr std::size_t kSumsMax = kWindows > kLeaves ? kWindows : kLeaves;

// What is kept of a group between two shared inversions.
struct GroupWork {
    // For each lane and entry e: x, y and beta * x of (2e + 1) * R, four words each.
    std::uint64_t rows[8][kMultiples][12];
    Affine odd[kMultiples];         // (2e + 1) * R
    Affine even[kTableRounds - 1];  // 2^(k + 1) * R
    Affine sums[kSumsMax];          // first of points of G's table, then d1 * R + d2 * lambda * R
    Affine fixed;                   // a * G
    Jacobian point;
    // Of the denominators of a round: the product before each, the product of all, and its inverse.
    Fe before[kSumsMax + kMultiples];
    Fe product;
    Fe inverse;
    __mmask8 exceptional;
};

MERIDIAN_LANES_INLINE Fe load(const std::uint64_t (&words)[4][8]) {
    Vector word[4];
    for (int i = 0; i < 4; ++i)
        word[i] = _mm512_load_si512(words[i]);
    return unpacked(word);
}

Fe beta() {
    constexpr std::uint64_t kBeta[4] = {0xc1396c28719501ee, 0x9cf0497512f58995, 0x6e64479eac3434e9,
                                        0x7ae96a2b657c0710};
    const Vector word[4] = {broadcast(kBeta[0]), broadcast(kBeta[1]), broadcast(kBeta[2]),
                            broadcast(kBeta[3])};
    return unpacked(word);
}

// ---- the square root

template <int Ways>
struct Lanes {
    Fe fe[Ways];
};

template <int Ways>
[[gnu::noinline]] Lanes<Ways> squared_then_times(Lanes<Ways> a, unsigned squarings, const Lanes<Ways>& b) {
    for (unsigned i = 0; i < squarings; ++i)
        for (int k = 0; k < Ways; ++k)
            a.fe[k] = sqr(a.fe[k]);
    for (int k = 0; k < Ways; ++k)
        a.fe[k] = mul(a.fe[k], b.fe[k]);
    return a;
}

// a^((p + 1) / 4): a square root where there is one. The exponent's bits are runs of 223, 22 and 2 ones with
// a zero behind the first and four behind the second, then two zeros. `runN` is a^(2^N - 1).
template <int Ways>
Lanes<Ways> square_root(const Lanes<Ways>& a) {
    const auto run2 = squared_then_times(a, 1, a);
    const auto run3 = squared_then_times(run2, 1, a);
    const auto run6 = squared_then_times(run3, 3, run3);
    const auto run9 = squared_then_times(run6, 3, run3);
    const auto run11 = squared_then_times(run9, 2, run2);
    const auto run22 = squared_then_times(run11, 11, run11);
    const auto run44 = squared_then_times(run22, 22, run22);
    const auto run88 = squared_then_times(run44, 44, run44);
    const auto run176 = squared_then_times(run88, 88, run88);
    const auto run220 = squared_then_times(run176, 44, run44);
    const auto run223 = squared_then_times(run220, 3, run3);
    auto root = squared_then_times(run223, 23, run22);
    root = squared_then_times(root, 6, run2);
    for (int k = 0; k < Ways; ++k)
        root.fe[k] = sqr(sqr(root.fe[k]));
    return root;
}

// Finds y of the nonce points, or the lanes that have none.
template <int Ways>
void lift(RecoverGroup* groups, GroupWork* work) {
    Lanes<Ways> cube;
    for (int k = 0; k < Ways; ++k) {
        work[k].odd[0].x = load(groups[k].x);
        cube.fe[k] = mul_add(sqr(work[k].odd[0].x), work[k].odd[0].x, as_limbs(small(7)));
    }
    const Lanes<Ways> root = square_root(cube);
    for (int k = 0; k < Ways; ++k) {
        const Fe difference = tightened(sum(sqr(root.fe[k]), negative(cube.fe[k])));
        groups[k].off_curve = static_cast<std::uint8_t>(~is_zero(canonical(difference)));
        const Fe y = canonical(root.fe[k]);
        const __mmask8 is_odd = _mm512_test_epi64_mask(y.limb[0], broadcast(1));
        work[k].odd[0].y = blend(y, is_odd ^ groups[k].odd, tightened(negative(y)));
    }
}

// ---- inversions shared by many sums

// Lane j gets lane j ^ Distance.
template <unsigned Distance>
MERIDIAN_LANES_INLINE Fe swapped(const Fe& a) {
    Fe out;
    for (int i = 0; i < 5; ++i) {
        if constexpr (Distance == 1)
            out.limb[i] = _mm512_permutex_epi64(a.limb[i], 0xb1);
        else if constexpr (Distance == 2)
            out.limb[i] = _mm512_permutex_epi64(a.limb[i], 0x4e);
        else
            out.limb[i] = _mm512_shuffle_i64x2(a.limb[i], a.limb[i], 0x4e);
    }
    return out;
}

// The inverses of eight numbers that are not zero, from the inverse of their product.
[[gnu::noinline]] Fe inverses(const Fe& a) {
    const Fe pairs = mul(a, swapped<1>(a));
    const Fe fours = mul(pairs, swapped<2>(pairs));
    const Fe eight = canonical(mul(fours, swapped<4>(fours)));
    Vector word[4];
    pack(eight, word);
    std::uint64_t value[4];
    std::uint64_t inverse[4];
    for (int i = 0; i < 4; ++i)
        value[i] = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(word[i])));
    invert_mod_p(value, inverse);
    for (int i = 0; i < 4; ++i)
        word[i] = broadcast(inverse[i]);
    const Fe of_fours = mul(unpacked(word), swapped<4>(fours));
    const Fe of_pairs = mul(of_fours, swapped<2>(pairs));
    return mul(of_pairs, swapped<1>(a));
}

// From each group's `product` its `inverse`. A product of zero is replaced by one and its lane remembered:
// what is computed there from now on is void, and it does not spoil the others.
void share_inversion(GroupWork* work, std::size_t count) {
    Fe before[kGroupsMax];
    Fe all = small(1);
    for (std::size_t g = 0; g < count; ++g) {
        const __mmask8 zero = is_zero(canonical(work[g].product));
        work[g].exceptional |= zero;
        work[g].product = blend(work[g].product, zero, small(1));
        before[g] = all;
        all = g == 0 ? work[g].product : mul(all, work[g].product);
    }
    Fe inverse = inverses(all);
    for (std::size_t g = count; g-- > 1;) {
        work[g].inverse = mul(inverse, before[g]);
        inverse = mul(inverse, work[g].product);
    }
    work[0].inverse = inverse;
}

// Sums of a round: size() of them, of which the i-th has denominator(i) and is made by make(i, inverse).
// Takes the denominators into the group's product; the first of them is number `base` of this round.
template <class Sums>
MERIDIAN_LANES_INLINE void take(GroupWork& work, const Sums& sums, std::size_t base) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
        work.before[base + i] = work.product;
        work.product = mul(work.product, sums.denominator(i));
    }
}

// Makes the sums, last first. `inverse` is that of the product of all denominators up to this one.
template <class Sums>
MERIDIAN_LANES_INLINE void make(GroupWork& work, const Sums& sums, std::size_t base) {
    for (std::size_t i = sums.size(); i-- > 0;) {
        const Fe inverse = mul(work.inverse, work.before[base + i]);
        work.inverse = mul(work.inverse, sums.make(i, inverse));
    }
}

MERIDIAN_LANES_INLINE Fe difference(const Fe& a, const Fe& b) {
    return carried(times_minus<0>(a, b));
}

MERIDIAN_LANES_INLINE Selected selected(const Affine& a) {
    return {a.x, as_limbs(a.y)};
}

// sums[to(i)] = sums[to(i)] + sums[from(i)]: a level of the tree over points of G's table.
struct TreeSums {
    Affine* points;
    std::size_t stride;  // between the points of this level

    std::size_t size() const { return (kLeaves + stride - 1) / stride / 2; }
    Fe denominator(std::size_t i) const { return difference(right(i).x, left(i).x); }
    Fe make(std::size_t i, const Fe& inverse) const {
        const Fe d = denominator(i);
        left(i) = affine_sum(selected(left(i)), selected(right(i)), inverse);
        return d;
    }

private:
    Affine& left(std::size_t i) const { return points[2 * i * stride]; }
    Affine& right(std::size_t i) const { return points[(2 * i + 1) * stride]; }
};

// out[i] = odd[i] + power: the next half of the odd multiples, where the power of two is the last even one.
struct MultipleSums {
    const Affine* power;
    Affine* odd;
    std::size_t count;

    std::size_t size() const { return count; }
    Fe denominator(std::size_t i) const { return difference(odd[i].x, power->x); }
    Fe make(std::size_t i, const Fe& inverse) const {
        odd[count + i] = affine_sum(selected(*power), selected(odd[i]), inverse);
        return denominator(i);
    }
};

struct Doubling {
    const Affine* from;
    Affine* to;  // or none

    std::size_t size() const { return to == nullptr ? 0 : 1; }
    Fe denominator(std::size_t) const { return carried(sum(from->y, from->y)); }
    Fe make(std::size_t, const Fe& inverse) const {
        *to = affine_double(*from, inverse);
        return denominator(0);
    }
};

// ---- points by digits

struct Digits {
    Vector entry;
    __mmask8 negative;
};

// Bits position .. position + width - 1 of numbers of several words, as kernel.hpp explains them.
MERIDIAN_LANES_INLINE Digits digits(const std::uint64_t (*words)[8], unsigned word_count, unsigned position,
                                    unsigned width) {
    const unsigned word = position / 64;
    const unsigned shift = position % 64;
    Vector bits = _mm512_srlv_epi64(_mm512_load_si512(words[word]), broadcast(shift));
    if (shift + width > 64 && word + 1 < word_count)
        bits = _mm512_or_si512(bits,
                               _mm512_sllv_epi64(_mm512_load_si512(words[word + 1]), broadcast(64 - shift)));
    const Vector half = broadcast(std::uint64_t{1} << (width - 1));
    const __mmask8 negative = _mm512_testn_epi64_mask(bits, half);
    // A negative digit counts downwards from the middle.
    bits = _mm512_mask_xor_epi64(bits, negative, bits, broadcast(~std::uint64_t{0}));
    return {both(bits, sub(half, broadcast(1))), negative};
}

struct Places {
    alignas(64) const std::uint64_t* place[8];
};

// base + entry * Stride + lane * lane_stride, in words.
template <std::size_t Stride>
MERIDIAN_LANES_INLINE Places places(const std::uint64_t* base, Vector entry, std::size_t lane_stride) {
    static_assert(Stride == 8 || Stride == 12);
    const Vector lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const Vector row = Stride == 8 ? up<3>(entry) : add(up<3>(entry), up<2>(entry));
    const Vector offset = add(row, _mm512_mul_epu32(lane, broadcast(lane_stride)));
    const Vector address = add(broadcast(reinterpret_cast<std::uintptr_t>(base)), up<3>(offset));
    Places out;
    _mm512_store_si512(out.place, address);
    return out;
}

MERIDIAN_LANES_INLINE Fe x_at(const Places& at) {
    Vector word[4];
    load_half_rows(at.place, word);
    return unpacked(word);
}

// Points of G's table, by pairs.
struct FixedSums {
    const RecoverGroup* group;
    const PointRow* table;
    Affine* sums;

    std::size_t size() const { return kLeaves; }
    Fe denominator(std::size_t i) const {
        return difference(x_at(at(digit(2 * i + 1), 2 * i + 1)), x_at(at(digit(2 * i), 2 * i)));
    }
    Fe make(std::size_t i, const Fe& inverse) const {
        const Selected a = point(2 * i);
        const Selected b = point(2 * i + 1);
        sums[i] = affine_sum(a, b, inverse);
        return difference(b.x, a.x);
    }

private:
    Digits digit(std::size_t i) const {
        const auto position = static_cast<unsigned>(i) * kFixedBits;
        return digits(group->fixed, 4, position, position + kFixedBits > 256 ? 256 - position : kFixedBits);
    }
    Places at(const Digits& digit, std::size_t i) const {
        return places<8>(table[i * kFixedEntries].words, digit.entry, 0);
    }
    Selected point(std::size_t i) const {
        const Digits d = digit(i);
        Vector word[8];
        load_rows(at(d, i).place, word);
        return {unpacked(word), with_sign(unpacked(word + 4), d.negative)};
    }
};

// d1 * R + d2 * lambda * R at each position.
struct WindowSums {
    const RecoverGroup* group;
    GroupWork* work;

    std::size_t size() const { return kWindows; }
    Fe denominator(std::size_t i) const {
        return difference(x_at(at(digit(1, i), 8)), x_at(at(digit(0, i), 0)));
    }
    Fe make(std::size_t i, const Fe& inverse) const {
        const Digits d1 = digit(0, i);
        const Digits d2 = digit(1, i);
        Vector word[8];
        load_rows(at(d1, 0).place, word);
        const Selected a = {unpacked(word), with_sign(unpacked(word + 4), d1.negative)};
        load_rows(at(d2, 4).place, word);
        const Selected b = {unpacked(word + 4), with_sign(unpacked(word), d2.negative)};
        work->sums[i] = affine_sum(a, b, inverse);
        return difference(b.x, a.x);
    }

private:
    Digits digit(std::size_t part, std::size_t i) const {
        return digits(group->split[part], 3, static_cast<unsigned>(i) * kWindowBits, kWindowBits);
    }
    // Rows hold x, y and beta * x: eight words from 0 on are R's point, from 4 on its image, y first.
    Places at(const Digits& digit, std::size_t offset) const {
        return places<12>(&work->rows[0][0][offset], digit.entry, sizeof work->rows[0] / 8);
    }
};

// ---- the rounds

// Calls f(sums, base) for the sums of round 1 to kTableRounds: the tree over G's points and the table of
// the nonce point's multiples grow together.
template <class Function>
MERIDIAN_LANES_INLINE void for_sums(unsigned round, const RecoverGroup& group, const PointRow* table,
                                    GroupWork& work, bool backwards, Function&& f) {
    const FixedSums fixed{&group, table, work.sums};
    const TreeSums tree{work.sums, std::size_t{1} << (round >= 2 ? round - 2 : 0)};
    const std::size_t generators = round == 1 ? fixed.size() : tree.size();
    const Affine* power = round == 1 ? &work.odd[0] : &work.even[round - 2];
    const Doubling doubling{power, round < kTableRounds ? &work.even[round - 1] : nullptr};
    const MultipleSums multiples{power, work.odd, round == 1 ? 0 : std::size_t{1} << (round - 2)};
    const auto generator_sums = [&] { round == 1 ? f(fixed, 0) : f(tree, 0); };
    if (!backwards)
        generator_sums();
    if (backwards)
        f(multiples, generators + doubling.size());
    f(doubling, generators);
    if (!backwards)
        f(multiples, generators + doubling.size());
    if (backwards)
        generator_sums();
}

[[gnu::noinline]] void take_round(unsigned round, const RecoverGroup& group, const PointRow* table,
                                  GroupWork& work) {
    work.product = small(1);
    for_sums(round, group, table, work, false,
             [&](const auto& sums, std::size_t base) { take(work, sums, base); });
}

[[gnu::noinline]] void make_round(unsigned round, const RecoverGroup& group, const PointRow* table,
                                  GroupWork& work) {
    for_sums(round, group, table, work, true,
             [&](const auto& sums, std::size_t base) { make(work, sums, base); });
}

// Writes the multiples to memory by lanes, with the image's x.
[[gnu::noinline]] void spread(GroupWork& work) {
    const Fe factor = beta();
    for (std::size_t e = 0; e < kMultiples; ++e) {
        std::uint64_t* place[8];
        for (std::size_t lane = 0; lane < 8; ++lane)
            place[lane] = work.rows[lane][e];
        const Affine& point = work.odd[e];
        store_rows(place, point.x, point.y);
        for (auto& p : place)
            p += 4;
        store_rows(place, point.y, mul(point.x, factor));
    }
    work.fixed = work.sums[0];
}

[[gnu::noinline]] void take_windows(const RecoverGroup& group, GroupWork& work) {
    work.product = small(1);
    take(work, WindowSums{&group, &work}, 0);
}

[[gnu::noinline]] void make_windows(const RecoverGroup& group, GroupWork& work) {
    make(work, WindowSums{&group, &work}, 0);
}

// The sum over all positions, and a * G.
template <int Ways>
[[gnu::noinline]] void add_up(GroupWork* work) {
    Jacobian p[Ways];
    for (int k = 0; k < Ways; ++k)
        p[k] = {work[k].sums[kWindows - 1].x, work[k].sums[kWindows - 1].y, small(1)};
    const Affine* next[Ways];
    for (std::size_t i = kWindows - 1; i-- > 0;) {
        for (unsigned n = 0; n < kWindowBits; ++n)
            double_in_place(p);
        for (int k = 0; k < Ways; ++k)
            next[k] = &work[k].sums[i];
        add_in_place(p, next);
    }
    for (int k = 0; k < Ways; ++k)
        next[k] = &work[k].fixed;
    add_in_place(p, next);
    for (int k = 0; k < Ways; ++k) {
        work[k].point = p[k];
        work[k].product = p[k].z;
    }
}

void finish(RecoverGroup& group, GroupWork& work) {
    const Fe inverse2 = sqr(work.inverse);
    Vector word[8];
    pack(canonical(mul(work.point.x, inverse2)), word);
    pack(canonical(mul(work.point.y, mul(inverse2, work.inverse))), word + 4);
    for (int i = 0; i < 8; ++i)
        _mm512_store_si512(group.key[i], word[i]);
    group.exceptional = work.exceptional;
}

// ---- G's table

// Entries count .. 2 * count - 1 from those before, by adding a power of two times G, for eight digits side
// by side from `first` on; lanes beyond the last digit repeat it.
struct TableSums {
    PointRow* table;
    const PointRow* powers;
    std::size_t first_digit;
    unsigned exponent;
    std::size_t first;  // of the sums to make
    std::size_t count;

    std::size_t size() const { return count; }
    Fe denominator(std::size_t i) const { return difference(point(entries(i)).x, point(power()).x); }
    Fe make(std::size_t i, const Fe& inverse) const {
        const Selected a = point(power());
        const Selected b = point(entries(i));
        const Affine out = affine_sum(a, b, inverse);
        std::uint64_t* place[8];
        for (std::size_t lane = 0; lane < 8; ++lane)
            place[lane] =
                table[digit(lane) * kFixedEntries + (std::size_t{1} << (exponent - 1)) + first + i].words;
        store_rows(place, out.x, out.y);
        return difference(b.x, a.x);
    }

private:
    std::size_t digit(std::size_t lane) const {
        return first_digit + lane < kFixedDigits ? first_digit + lane : kFixedDigits - 1;
    }
    Places power() const {
        Places out;
        for (std::size_t lane = 0; lane < 8; ++lane)
            out.place[lane] = powers[digit(lane) * kFixedBits + exponent].words;
        return out;
    }
    Places entries(std::size_t i) const {
        Places out;
        for (std::size_t lane = 0; lane < 8; ++lane)
            out.place[lane] = table[digit(lane) * kFixedEntries + first + i].words;
        return out;
    }
    static Selected point(const Places& at) {
        Vector word[8];
        load_rows(at.place, word);
        return {unpacked(word), as_limbs(unpacked(word + 4))};
    }
};

// f for two groups at a time, and for the last one of an odd number.
template <class Two, class One>
void by_twos(std::size_t count, Two&& two, One&& one) {
    std::size_t g = 0;
    for (; g + 2 <= count; g += 2)
        two(g);
    if (g < count)
        one(g);
}

}  // namespace

std::size_t workspace_size_ifma(std::size_t groups) noexcept {
    return groups * sizeof(GroupWork);
}

void make_fixed_table_ifma(PointRow* table, const PointRow* powers, void* workspace) noexcept {
    auto& work = *static_cast<GroupWork*>(workspace);
    for (std::size_t digit = 0; digit < kFixedDigits; ++digit)
        table[digit * kFixedEntries] = powers[digit * kFixedBits];
    for (unsigned exponent = 1; exponent < kFixedBits; ++exponent) {
        const std::size_t known = std::size_t{1} << (exponent - 1);
        for (std::size_t first = 0; first < known; first += kSumsMax) {
            for (std::size_t digit = 0; digit < kFixedDigits; digit += 8) {
                const std::size_t count = known - first < kSumsMax ? known - first : kSumsMax;
                const TableSums sums{table, powers, digit, exponent, first, count};
                work.product = small(1);
                take(work, sums, 0);
                share_inversion(&work, 1);
                make(work, sums, 0);
            }
        }
    }
}

void recover_ifma(RecoverGroup* groups, std::size_t count, const PointRow* table, void* workspace) noexcept {
    auto* work = static_cast<GroupWork*>(workspace);
    for (std::size_t g = 0; g < count; ++g)
        work[g].exceptional = 0;
    by_twos(
        count, [&](std::size_t g) { lift<2>(groups + g, work + g); },
        [&](std::size_t g) { lift<1>(groups + g, work + g); });
    for (unsigned round = 1; round <= kTableRounds; ++round) {
        for (std::size_t g = 0; g < count; ++g)
            take_round(round, groups[g], table, work[g]);
        share_inversion(work, count);
        for (std::size_t g = 0; g < count; ++g)
            make_round(round, groups[g], table, work[g]);
    }
    for (std::size_t g = 0; g < count; ++g) {
        spread(work[g]);
        take_windows(groups[g], work[g]);
    }
    share_inversion(work, count);
    for (std::size_t g = 0; g < count; ++g)
        make_windows(groups[g], work[g]);
    by_twos(count, [&](std::size_t g) { add_up<2>(work + g); }, [&](std::size_t g) { add_up<1>(work + g); });
    share_inversion(work, count);
    for (std::size_t g = 0; g < count; ++g)
        finish(groups[g], work[g]);
}

}  // namespace meridian::crypto::secp256k1::detail
