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

// Square roots are one long chain: with this many groups in turns it keeps the multipliers busy.
constexpr int kLiftWays = 4;

template <int Count>
struct WayCount {
    static constexpr int kCount = Count;
};

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
    Operand before[kSumsMax + kMultiples];
    Operand product;
    Operand inverse;
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
    Operand fe[Ways];
};

template <int Ways>
[[gnu::noinline]] Lanes<Ways> squared_then_times(Lanes<Ways> a, unsigned squarings, const Lanes<Ways>& b) {
    for (unsigned i = 0; i < squarings; ++i)
        for (int k = 0; k < Ways; ++k)
            a.fe[k] = operand(square(a.fe[k]));
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
        root.fe[k] = operand(square(operand(square(root.fe[k]))));
    return root;
}

// Finds y of the nonce points, or the lanes that have none.
template <int Ways>
void lift(RecoverGroup* groups, GroupWork* work) {
    Lanes<Ways> cube;
    for (int k = 0; k < Ways; ++k) {
        const Fe x = load(groups[k].x);
        work[k].odd[0].x = x;
        cube.fe[k] = operand(product_plus(operand(square(x)), x, small(7)));
    }
    const Lanes<Ways> root = square_root(cube);
    for (int k = 0; k < Ways; ++k) {
        const Limbs difference = square_plus(root.fe[k], negative<0>(masked(cube.fe[k])));
        groups[k].off_curve = static_cast<std::uint8_t>(~is_zero(canonical(carried(difference))));
        const Fe y = canonical(masked(root.fe[k]));
        const __mmask8 is_odd = _mm512_test_epi64_mask(y.limb[0], broadcast(1));
        work[k].odd[0].y = blend(y, is_odd ^ groups[k].odd, tightened(negative<0>(y)));
    }
}

// ---- inversions shared by many sums

// Lane j gets lane j ^ Distance.
template <unsigned Distance>
MERIDIAN_LANES_INLINE Operand swapped(const Operand& a) {
    Operand out;
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
[[gnu::noinline]] Operand inverses(const Operand& a) {
    const Operand pairs = mul(a, swapped<1>(a));
    const Operand fours = mul(pairs, swapped<2>(pairs));
    const Fe eight = canonical(carried(product(fours, swapped<4>(fours))));
    Vector word[4];
    pack(eight, word);
    std::uint64_t value[4];
    std::uint64_t inverse[4];
    for (int i = 0; i < 4; ++i)
        value[i] = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(word[i])));
    invert_mod_p(value, inverse);
    for (int i = 0; i < 4; ++i)
        word[i] = broadcast(inverse[i]);
    const Operand of_fours = mul(unpacked(word), swapped<4>(fours));
    const Operand of_pairs = mul(of_fours, swapped<2>(pairs));
    return mul(of_pairs, swapped<1>(a));
}

// From each group's `product` its `inverse`. A product of zero is replaced by one and its lane remembered:
// what is computed there from now on is void, and it does not spoil the others.
void share_inversion(GroupWork* work, std::size_t count) {
    Operand before[kGroupsMax];
    Operand all = small(1);
    for (std::size_t g = 0; g < count; ++g) {
        const __mmask8 zero = is_zero(canonical(masked(work[g].product)));
        work[g].exceptional |= zero;
        work[g].product = blend<Operand>(work[g].product, zero, small(1));
        before[g] = all;
        all = g == 0 ? work[g].product : mul(all, work[g].product);
    }
    Operand inverse = inverses(all);
    for (std::size_t g = count; g-- > 1;) {
        work[g].inverse = mul(inverse, before[g]);
        inverse = mul(inverse, work[g].product);
    }
    work[0].inverse = inverse;
}

MERIDIAN_LANES_INLINE Operand difference(const Fe& a, const Fe& b) {
    return operand(sum(a, negative<0>(b)));
}

MERIDIAN_LANES_INLINE Selected selected(const Affine& a) {
    return {a.x, a.y};
}

// The sums of a round are objects: size() of them, of which the i-th has denominator(i), adds left(i) and
// right(i) and goes to put(i, sum). Ways groups' are made in turns, as double_in_place() does it.

// Takes the denominators into the groups' products; the first of them is number `base` of this round.
template <int Ways, class Sums>
MERIDIAN_LANES_INLINE void take(GroupWork* work, const Sums (&sums)[Ways], std::size_t base) {
    for (std::size_t i = 0; i < sums[0].size(); ++i) {
        Operand denominator[Ways];
        for (int k = 0; k < Ways; ++k)
            denominator[k] = sums[k].denominator(i);
        for (int k = 0; k < Ways; ++k) {
            work[k].before[base + i] = work[k].product;
            work[k].product = mul(work[k].product, denominator[k]);
        }
    }
}

// The inverse of denominator number `i` of this round, going backwards.
template <int Ways>
MERIDIAN_LANES_INLINE void next_inverse(GroupWork* work, std::size_t i, const Operand (&denominator)[Ways],
                                        Operand (&inverse)[Ways]) {
    for (int k = 0; k < Ways; ++k)
        inverse[k] = mul(work[k].inverse, work[k].before[i]);
    for (int k = 0; k < Ways; ++k)
        work[k].inverse = mul(work[k].inverse, denominator[k]);
}

// Makes the sums, last first. The groups' `inverse` is that of the product of all denominators so far.
template <int Ways, class Sums>
MERIDIAN_LANES_INLINE void make(GroupWork* work, const Sums (&sums)[Ways], std::size_t base) {
    for (std::size_t i = sums[0].size(); i-- > 0;) {
        Selected left[Ways];
        Selected right[Ways];
        Operand denominator[Ways];
        Operand inverse[Ways];
        Affine sum[Ways];
        for (int k = 0; k < Ways; ++k) {
            left[k] = sums[k].left(i);
            right[k] = sums[k].right(i);
            denominator[k] = difference(right[k].x, left[k].x);
        }
        next_inverse(work, base + i, denominator, inverse);
        affine_sums(left, right, inverse, sum);
        for (int k = 0; k < Ways; ++k)
            sums[k].put(i, sum[k]);
    }
}

// points[2i * stride] += points[(2i + 1) * stride]: a level of the tree over points of G's table.
struct TreeSums {
    Affine* points;
    std::size_t stride;

    std::size_t size() const { return (kLeaves + stride - 1) / stride / 2; }
    Operand denominator(std::size_t i) const { return difference(at(2 * i + 1).x, at(2 * i).x); }
    Selected left(std::size_t i) const { return selected(at(2 * i)); }
    Selected right(std::size_t i) const { return selected(at(2 * i + 1)); }
    void put(std::size_t i, const Affine& sum) const { at(2 * i) = sum; }

private:
    Affine& at(std::size_t i) const { return points[i * stride]; }
};

// odd[count + i] = power + odd[i]: the next half of the odd multiples, where the power of two is the last
// even one.
struct MultipleSums {
    const Affine* power;
    Affine* odd;
    std::size_t count;

    std::size_t size() const { return count; }
    Operand denominator(std::size_t i) const { return difference(odd[i].x, power->x); }
    Selected left(std::size_t) const { return selected(*power); }
    Selected right(std::size_t i) const { return selected(odd[i]); }
    void put(std::size_t i, const Affine& sum) const { odd[count + i] = sum; }
};

// The next even multiple, where there is one: its denominator is 2y.
struct Doubling {
    const Affine* from;
    Affine* to;  // or none

    std::size_t size() const { return to == nullptr ? 0 : 1; }
    Operand denominator(std::size_t) const { return operand(times<1>(from->y)); }
};

template <int Ways>
MERIDIAN_LANES_INLINE void make(GroupWork* work, const Doubling (&doubling)[Ways], std::size_t base) {
    if (doubling[0].size() == 0)
        return;
    Operand denominator[Ways];
    Operand inverse[Ways];
    for (int k = 0; k < Ways; ++k)
        denominator[k] = doubling[k].denominator(0);
    next_inverse(work, base, denominator, inverse);
    for (int k = 0; k < Ways; ++k)
        *doubling[k].to = affine_double(*doubling[k].from, inverse[k]);
}

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
    Operand denominator(std::size_t i) const {
        return difference(x_at(at(digit(2 * i + 1), 2 * i + 1)), x_at(at(digit(2 * i), 2 * i)));
    }
    Selected left(std::size_t i) const { return point(2 * i); }
    Selected right(std::size_t i) const { return point(2 * i + 1); }
    void put(std::size_t i, const Affine& sum) const { sums[i] = sum; }

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
    Operand denominator(std::size_t i) const {
        return difference(x_at(at(digit(1, i), 8)), x_at(at(digit(0, i), 0)));
    }
    Selected left(std::size_t i) const {
        const Digits d = digit(0, i);
        Vector word[8];
        load_rows(at(d, 0).place, word);
        return {unpacked(word), with_sign(unpacked(word + 4), d.negative)};
    }
    Selected right(std::size_t i) const {
        const Digits d = digit(1, i);
        Vector word[8];
        load_rows(at(d, 4).place, word);
        return {unpacked(word + 4), with_sign(unpacked(word), d.negative)};
    }
    void put(std::size_t i, const Affine& sum) const { work->sums[i] = sum; }

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

// The sums of round 1 to kTableRounds: the tree over G's points and the table of the nonce point's
// multiples grow together.
template <int Ways>
struct Round {
    bool is_first;
    FixedSums fixed[Ways];
    TreeSums tree[Ways];
    Doubling doubling[Ways];
    MultipleSums multiples[Ways];
    // Where in the round the denominators of the last two begin.
    std::size_t doubling_base;
    std::size_t multiples_base;
};

template <int Ways>
Round<Ways> make_round(unsigned number, const RecoverGroup* groups, const PointRow* table, GroupWork* work) {
    Round<Ways> out;
    out.is_first = number == 1;
    for (int k = 0; k < Ways; ++k) {
        GroupWork& w = work[k];
        const Affine* power = number == 1 ? &w.odd[0] : &w.even[number - 2];
        out.fixed[k] = {&groups[k], table, w.sums};
        out.tree[k] = {w.sums, number == 1 ? 1 : std::size_t{1} << (number - 2)};
        out.doubling[k] = {power, number < kTableRounds ? &w.even[number - 1] : nullptr};
        out.multiples[k] = {power, w.odd, number == 1 ? 0 : std::size_t{1} << (number - 2)};
    }
    out.doubling_base = number == 1 ? out.fixed[0].size() : out.tree[0].size();
    out.multiples_base = out.doubling_base + out.doubling[0].size();
    return out;
}

template <int Ways>
[[gnu::noinline]] void take_round(unsigned number, const RecoverGroup* groups, const PointRow* table,
                                  GroupWork* work) {
    const Round<Ways> round = make_round<Ways>(number, groups, table, work);
    for (int k = 0; k < Ways; ++k)
        work[k].product = small(1);
    if (round.is_first)
        take(work, round.fixed, 0);
    else
        take(work, round.tree, 0);
    take(work, round.doubling, round.doubling_base);
    take(work, round.multiples, round.multiples_base);
}

template <int Ways>
[[gnu::noinline]] void finish_round(unsigned number, const RecoverGroup* groups, const PointRow* table,
                                    GroupWork* work) {
    const Round<Ways> round = make_round<Ways>(number, groups, table, work);
    make(work, round.multiples, round.multiples_base);
    make(work, round.doubling, round.doubling_base);
    if (round.is_first)
        make(work, round.fixed, 0);
    else
        make(work, round.tree, 0);
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
        store_rows(place, point.y, carried(product(point.x, factor)));
    }
    work.fixed = work.sums[0];
}

template <int Ways>
struct Windows {
    WindowSums sums[Ways];
};

template <int Ways>
Windows<Ways> windows(const RecoverGroup* groups, GroupWork* work) {
    Windows<Ways> out;
    for (int k = 0; k < Ways; ++k)
        out.sums[k] = {&groups[k], &work[k]};
    return out;
}

template <int Ways>
[[gnu::noinline]] void take_windows(const RecoverGroup* groups, GroupWork* work) {
    for (int k = 0; k < Ways; ++k) {
        spread(work[k]);
        work[k].product = small(1);
    }
    take(work, windows<Ways>(groups, work).sums, 0);
}

template <int Ways>
[[gnu::noinline]] void finish_windows(const RecoverGroup* groups, GroupWork* work) {
    make(work, windows<Ways>(groups, work).sums, 0);
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
    const Operand inverse2 = operand(square(work.inverse));
    const Operand inverse3 = mul(inverse2, work.inverse);
    Vector word[8];
    pack(canonical(carried(product(work.point.x, inverse2))), word);
    pack(canonical(carried(product(work.point.y, inverse3))), word + 4);
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
    Operand denominator(std::size_t i) const { return difference(right(i).x, left(i).x); }
    Selected left(std::size_t) const { return point(power()); }
    Selected right(std::size_t i) const { return point(entries(i)); }
    void put(std::size_t i, const Affine& sum) const {
        const std::size_t known = std::size_t{1} << (exponent - 1);
        std::uint64_t* place[8];
        for (std::size_t lane = 0; lane < 8; ++lane)
            place[lane] = table[digit(lane) * kFixedEntries + known + first + i].words;
        store_rows(place, sum.x, sum.y);
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
        return {unpacked(word), unpacked(word + 4)};
    }
};

// f(first, Ways) for Ways groups at a time, as many as there are, and for the rest.
template <int WaysMax, class Function>
MERIDIAN_LANES_INLINE void by_ways(std::size_t count, Function&& f) {
    std::size_t first = 0;
    for (; first + WaysMax <= count; first += WaysMax)
        f(first, WayCount<WaysMax>{});
    if constexpr (WaysMax > 1)
        by_ways<WaysMax / 2>(count - first, [&](std::size_t i, auto ways) { f(first + i, ways); });
}

}  // namespace

std::size_t workspace_size_ifma(std::size_t groups) noexcept {
    return groups * sizeof(GroupWork);
}

void make_fixed_table_ifma(PointRow* table, const PointRow* powers, void* workspace) noexcept {
    auto* work = static_cast<GroupWork*>(workspace);
    work->exceptional = 0;
    for (std::size_t digit = 0; digit < kFixedDigits; ++digit)
        table[digit * kFixedEntries] = powers[digit * kFixedBits];
    for (unsigned exponent = 1; exponent < kFixedBits; ++exponent) {
        const std::size_t known = std::size_t{1} << (exponent - 1);
        for (std::size_t first = 0; first < known; first += kSumsMax) {
            for (std::size_t digit = 0; digit < kFixedDigits; digit += 8) {
                const std::size_t count = known - first < kSumsMax ? known - first : kSumsMax;
                const TableSums sums[1] = {{table, powers, digit, exponent, first, count}};
                work->product = small(1);
                take(work, sums, 0);
                share_inversion(work, 1);
                make(work, sums, 0);
            }
        }
    }
}

void recover_ifma(RecoverGroup* groups, std::size_t count, const PointRow* table, void* workspace) noexcept {
    auto* work = static_cast<GroupWork*>(workspace);
    for (std::size_t g = 0; g < count; ++g)
        work[g].exceptional = 0;
    by_ways<kLiftWays>(count, [&](std::size_t g, auto ways) { lift<ways.kCount>(groups + g, work + g); });
    for (unsigned round = 1; round <= kTableRounds; ++round) {
        by_ways<2>(count, [&](std::size_t g, auto ways) {
            take_round<ways.kCount>(round, groups + g, table, work + g);
        });
        share_inversion(work, count);
        by_ways<2>(count, [&](std::size_t g, auto ways) {
            finish_round<ways.kCount>(round, groups + g, table, work + g);
        });
    }
    by_ways<2>(count, [&](std::size_t g, auto ways) { take_windows<ways.kCount>(groups + g, work + g); });
    share_inversion(work, count);
    by_ways<2>(count, [&](std::size_t g, auto ways) { finish_windows<ways.kCount>(groups + g, work + g); });
    by_ways<2>(count, [&](std::size_t g, auto ways) { add_up<ways.kCount>(work + g); });
    share_inversion(work, count);
    for (std::size_t g = 0; g < count; ++g)
        finish(groups[g], work[g]);
}

}  // namespace meridian::crypto::secp256k1::detail
