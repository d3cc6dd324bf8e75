// The group operations of EIP-196: affine addition, and multiplication with the curve's endomorphism
// (x, y) -> (beta x, y), which halves the number of doublings.
#include <meridian/crypto/bn254.hpp>

#include <meridian/crypto/bn254_field.hpp>

namespace meridian::crypto::bn254 {
namespace {

struct Affine {
    Fp x;
    Fp y;
    constexpr bool is_infinity() const noexcept { return x.is_zero() && y.is_zero(); }
};

// x / z^2, y / z^3; z = 0 is infinity.
struct Jacobian {
    Fp x = kFpOne;
    Fp y = kFpOne;
    Fp z = {};
};

bool read(Affine& out, const std::uint8_t* in) noexcept {
    if (!read(out.x, in) || !read(out.y, in + 32))
        return false;
    constexpr Fp kB = to_fp({3, 0, 0, 0});
    return out.is_infinity() || squared(out.y) == squared(out.x) * out.x + kB;
}

void write(std::uint8_t* out, const Affine& a) noexcept {
    write(out, a.x);
    write(out + 32, a.y);
}

Jacobian doubled(const Jacobian& p) noexcept {
    const Fp a = squared(p.x);
    const Fp b = squared(p.y);
    const Fp c = squared(b);
    const Fp d = doubled(squared(p.x + b) - a - c);
    const Fp e = doubled(a) + a;
    const Fp x = squared(e) - doubled(d);
    return {x, e * (d - x) - doubled(doubled(doubled(c))), doubled(p.y * p.z)};
}

// p + q for q that is not infinity.
Jacobian add(const Jacobian& p, const Affine& q) noexcept {
    if (p.z.is_zero())
        return {q.x, q.y, kFpOne};
    const Fp zz = squared(p.z);
    const Fp h = q.x * zz - p.x;
    const Fp r = q.y * zz * p.z - p.y;
    if (h.is_zero())
        return r.is_zero() ? doubled(p) : Jacobian{};
    const Fp hh = squared(h);
    const Fp hhh = hh * h;
    const Fp v = p.x * hh;
    const Fp x = squared(r) - hhh - doubled(v);
    return {x, r * (v - x) - p.y * hhh, p.z * h};
}

Affine to_affine(const Jacobian& p) noexcept {
    if (p.z.is_zero())
        return {};
    const Fp i = inverse(p.z);
    const Fp ii = squared(i);
    return {p.x * ii, p.y * ii * i};
}

Affine add(const Affine& p, const Affine& q) noexcept {
    if (p.is_infinity())
        return q;
    if (q.is_infinity())
        return p;
    Fp numerator = q.y - p.y;
    Fp denominator = q.x - p.x;
    if (denominator.is_zero()) {
        if (!numerator.is_zero())
            return {};
        // No point has y = 0: the group's order is odd.
        const Fp xx = squared(p.x);
        numerator = doubled(xx) + xx;
        denominator = doubled(p.y);
    }
    const Fp slope = numerator * inverse(denominator);
    const Fp x = squared(slope) - p.x - q.x;
    return {x, slope * (p.x - x) - p.y};
}

// --- scalars ---------------------------------------------------------------------------------------

constexpr Words kOrder = {0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029};

// A signed number of at most 128 bits.
struct Half {
    std::array<std::uint64_t, 2> magnitude{};
    bool negative = false;
};

template <std::size_t N, std::size_t M>
constexpr std::array<std::uint64_t, N + M> multiply(const std::array<std::uint64_t, N>& a,
                                                    const std::array<std::uint64_t, M>& b) noexcept {
    std::array<std::uint64_t, N + M> t{};
    for (std::size_t i = 0; i < M; ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < N; ++j)
            t[i + j] = detail::mul_add(a[j], b[i], t[i + j], carry, carry);
        t[i + N] = carry;
    }
    return t;
}

// Big-endian, reduced modulo the group order.
Words read_scalar(const std::uint8_t* in) noexcept {
    Words k{};
    for (std::size_t i = 0; i < 32; ++i)
        k[3 - i / 8] = k[3 - i / 8] << 8 | in[i];
    for (;;) {
        Words reduced{};
        std::uint64_t borrow = 0;
        for (std::size_t i = 0; i < 4; ++i)
            reduced[i] = detail::sub_borrow(k[i], kOrder[i], borrow);
        if (borrow != 0)
            return k;
        k = reduced;
    }
}

// x as a number modulo 2^256 that is small in absolute value.
Half to_half(Words x) noexcept {
    const bool negative = x[3] >> 63 != 0;
    if (negative)
        x = detail::sub_words({}, x);
    return {{x[0], x[1]}, negative};
}

template <std::size_t N>
Words low_words(const std::array<std::uint64_t, N>& x) noexcept {
    return {x[0], x[1], x[2], x[3]};
}

// k = k1 + k2 * lambda modulo the order, with lambda the endomorphism's eigenvalue and both halves below
// 2^127 (Gallant, Lambert, Vanstone). The short lattice basis is (kA, -kB), (kC, kA).
void split(const Words& k, Half& k1, Half& k2) noexcept {
    constexpr std::array<std::uint64_t, 2> kA = {0x89d3256894d213e3, 0};
    constexpr std::array<std::uint64_t, 2> kB = {0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc};
    constexpr std::array<std::uint64_t, 2> kC = {0x0be4e1541221250b, 0x6f4d8248eeb859fd};
    // floor(2^256 * kA / order) and floor(2^256 * kB / order)
    constexpr std::array<std::uint64_t, 3> kScaledA = {0xd91d232ec7e0b3d7, 0x0000000000000002,
                                                       0x0000000000000000};
    constexpr std::array<std::uint64_t, 3> kScaledB = {0x7a7bd9d4391eb18d, 0x4ccef014a773d2cf,
                                                       0x0000000000000002};
    const auto high = [](const std::array<std::uint64_t, 7>& x) {
        return std::array<std::uint64_t, 3>{x[4], x[5], x[6]};
    };
    const auto c1 = high(multiply(k, kScaledA));
    const auto c2 = high(multiply(k, kScaledB));
    // k1 = k - c1 kA - c2 kC,  k2 = c1 kB - c2 kA
    const Words first =
        detail::sub_words(detail::sub_words(k, low_words(multiply(c1, kA))), low_words(multiply(c2, kC)));
    k1 = to_half(first);
    k2 = to_half(detail::sub_words(low_words(multiply(c1, kB)), low_words(multiply(c2, kA))));
}

constexpr unsigned kWindow = 5;
constexpr std::size_t kTableSize = std::size_t{1} << (kWindow - 2);
constexpr std::size_t kDigits = 130;

// The non-adjacent form: digits are zero or odd and below 2^(kWindow-1) in absolute value.
using Digits = std::array<std::int8_t, kDigits>;

Digits recode(const Half& k) noexcept {
    u128 x = static_cast<u128>(k.magnitude[1]) << 64 | k.magnitude[0];
    Digits digits{};
    for (std::size_t i = 0; x != 0; ++i, x >>= 1) {
        if ((x & 1) == 0)
            continue;
        int digit = static_cast<int>(x & ((1u << kWindow) - 1));
        if (digit >= 1 << (kWindow - 1)) {
            digit -= 1 << kWindow;
            x += static_cast<unsigned>(-digit);
        } else {
            x -= static_cast<unsigned>(digit);
        }
        digits[i] = static_cast<std::int8_t>(k.negative ? -digit : digit);
    }
    return digits;
}

using Table = std::array<Affine, kTableSize>;

// p, 3p, 5p, ... with one inversion.
Table odd_multiples(const Affine& p) noexcept {
    std::array<Jacobian, kTableSize> points;
    points[0] = {p.x, p.y, kFpOne};
    const Affine twice = to_affine(doubled(points[0]));
    for (std::size_t i = 1; i < kTableSize; ++i)
        points[i] = add(points[i - 1], twice);
    // Multiples below the group's order: no z is zero.
    std::array<Fp, kTableSize> products;
    products[0] = kFpOne;
    for (std::size_t i = 1; i < kTableSize; ++i)
        products[i] = products[i - 1] * points[i - 1].z;
    Fp inverted = inverse(products[kTableSize - 1] * points[kTableSize - 1].z);
    Table table;
    for (std::size_t i = kTableSize; i-- > 0;) {
        const Fp z = inverted * products[i];
        inverted = inverted * points[i].z;
        const Fp zz = squared(z);
        table[i] = {points[i].x * zz, points[i].y * zz * z};
    }
    return table;
}

void add_digit(Jacobian& sum, const Table& table, int digit) noexcept {
    if (digit == 0)
        return;
    Affine term = table[static_cast<std::size_t>(digit < 0 ? -digit : digit) / 2];
    if (digit < 0)
        term.y = -term.y;
    sum = add(sum, term);
}

Affine multiply(const Affine& p, const Words& k) noexcept {
    constexpr Fp kBeta = to_fp({0x5763473177fffffe, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0});
    if (p.is_infinity())
        return p;
    Half k1;
    Half k2;
    split(k, k1, k2);
    const Digits digits1 = recode(k1);
    const Digits digits2 = recode(k2);
    const Table table1 = odd_multiples(p);
    Table table2 = table1;
    for (auto& term : table2)
        term.x = term.x * kBeta;
    Jacobian sum;
    std::size_t i = kDigits;
    while (i > 0 && digits1[i - 1] == 0 && digits2[i - 1] == 0)
        --i;
    while (i-- > 0) {
        sum = doubled(sum);
        add_digit(sum, table1, digits1[i]);
        add_digit(sum, table2, digits2[i]);
    }
    return to_affine(sum);
}

}  // namespace

bool add(BytesView input, std::span<std::uint8_t, 64> out) noexcept {
    Affine p;
    Affine q;
    if (input.size() != 128 || !read(p, input.data()) || !read(q, input.data() + 64))
        return false;
    write(out.data(), add(p, q));
    return true;
}

bool mul(BytesView input, std::span<std::uint8_t, 64> out) noexcept {
    Affine p;
    if (input.size() != 96 || !read(p, input.data()))
        return false;
    write(out.data(), multiply(p, read_scalar(input.data() + 64)));
    return true;
}

}  // namespace meridian::crypto::bn254
