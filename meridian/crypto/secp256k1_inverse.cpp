// The extended Euclidean algorithm by divisions by two (Bernstein and Yang, "Fast constant-time gcd
// computation and modular inversion", 2019), in the variant whose time depends on the numbers.
//
// It keeps f and g, first the modulus and x, and d and e with d * x = f and e * x = g modulo the modulus.
// A step makes g even by adding or subtracting f, after exchanging the two where that keeps them small, and
// halves it. 62 steps depend on the low 62 bits of f and g only and are one matrix, which is then applied to
// the whole numbers. When g has become zero, f is 1 or -1 and d is the inverse or its negative.
#include <meridian/crypto/secp256k1_inverse.hpp>
#include <meridian/crypto/secp256k1_recover_kernel.hpp>

#include <bit>

namespace meridian::crypto::secp256k1 {

namespace {

__extension__ typedef __int128 i128;

constexpr unsigned kSteps = 62;
constexpr std::uint64_t kMask = (1ull << kSteps) - 1;

// Five limbs of 62 bits, two's complement: the last one has the sign.
struct Signed {
    std::int64_t limb[5];
};

// 2^62 times what 62 steps make of (f, g): (u * f + v * g, q * f + r * g).
struct Matrix {
    std::int64_t u, v, q, r;
};

Signed limbs(const u256& x) {
    return {
        {static_cast<std::int64_t>(x[0] & kMask), static_cast<std::int64_t>((x[0] >> 62 | x[1] << 2) & kMask),
         static_cast<std::int64_t>((x[1] >> 60 | x[2] << 4) & kMask),
         static_cast<std::int64_t>((x[2] >> 58 | x[3] << 6) & kMask), static_cast<std::int64_t>(x[3] >> 56)}};
}

u256 words(const Signed& x) {
    const auto limb = [&](int i) { return static_cast<std::uint64_t>(x.limb[i]); };
    return {limb(0) | limb(1) << 62, limb(1) >> 2 | limb(2) << 60, limb(2) >> 4 | limb(3) << 58,
            limb(3) >> 6 | limb(4) << 56};
}

// `delta` counts how much larger f may be than g; it is below zero where they have to be exchanged.
Matrix steps(std::int64_t& delta, std::uint64_t f, std::uint64_t g) {
    std::uint64_t u = 1, v = 0, q = 0, r = 1;
    unsigned left = kSteps;
    while (true) {
        const auto zeros = static_cast<unsigned>(std::countr_zero(g | ~0ull << left));
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        delta -= zeros;
        left -= zeros;
        if (left == 0)
            break;
        if (delta < 0) {
            delta = -delta;
            const std::uint64_t old_f = f, old_u = u, old_v = v;
            f = g, u = q, v = r;
            g = -old_f, q = -old_u, r = -old_v;
        }
        // Up to six bits at once, as long as no exchange is due: f is its own inverse modulo 8, hence
        // f * (2 - f * f) is the inverse modulo 64.
        const auto may = static_cast<std::uint64_t>(delta) + 1;
        const auto bits = static_cast<unsigned>(std::min<std::uint64_t>({may, left, 6}));
        const std::uint64_t multiple = (f * g * (f * f - 2)) & ((1ull << bits) - 1);
        g += f * multiple;
        q += u * multiple;
        r += v * multiple;
    }
    const auto as_signed = [](std::uint64_t x) { return static_cast<std::int64_t>(x); };
    return {as_signed(u), as_signed(v), as_signed(q), as_signed(r)};
}

// (f, g) to the matrix times it; the division by 2^62 leaves no rest.
void apply(const Matrix& m, Signed& f, Signed& g) {
    i128 a = i128{m.u} * f.limb[0] + i128{m.v} * g.limb[0];
    i128 b = i128{m.q} * f.limb[0] + i128{m.r} * g.limb[0];
    for (int i = 1; i < 5; ++i) {
        a = (a >> kSteps) + i128{m.u} * f.limb[i] + i128{m.v} * g.limb[i];
        b = (b >> kSteps) + i128{m.q} * f.limb[i] + i128{m.r} * g.limb[i];
        f.limb[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a) & kMask);
        g.limb[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(b) & kMask);
    }
    f.limb[4] = static_cast<std::int64_t>(a >> kSteps);
    g.limb[4] = static_cast<std::int64_t>(b >> kSteps);
}

// The same modulo the modulus, a multiple of which makes the division come out even: (u * d + v * e) / 2^62
// lies between -2 and 1 times the modulus if d and e do.
void apply_modulo(const Matrix& m, Signed& d, Signed& e, const Signed& modulus, std::uint64_t inverse62) {
    // The modulus is added once for each negative number, so that the result stays within bounds.
    const std::int64_t d_sign = d.limb[4] >> 63;
    const std::int64_t e_sign = e.limb[4] >> 63;
    std::int64_t md = (m.u & d_sign) + (m.v & e_sign);
    std::int64_t me = (m.q & d_sign) + (m.r & e_sign);
    i128 a = i128{m.u} * d.limb[0] + i128{m.v} * e.limb[0];
    i128 b = i128{m.q} * d.limb[0] + i128{m.r} * e.limb[0];
    const auto rest = [&](i128 sum, std::int64_t multiple) {
        const std::uint64_t low =
            inverse62 * static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(multiple);
        return static_cast<std::int64_t>(low & kMask);
    };
    md -= rest(a, md);
    me -= rest(b, me);
    a += i128{modulus.limb[0]} * md;
    b += i128{modulus.limb[0]} * me;
    for (int i = 1; i < 5; ++i) {
        a = (a >> kSteps) + i128{m.u} * d.limb[i] + i128{m.v} * e.limb[i] + i128{modulus.limb[i]} * md;
        b = (b >> kSteps) + i128{m.q} * d.limb[i] + i128{m.r} * e.limb[i] + i128{modulus.limb[i]} * me;
        d.limb[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a) & kMask);
        e.limb[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(b) & kMask);
    }
    d.limb[4] = static_cast<std::int64_t>(a >> kSteps);
    e.limb[4] = static_cast<std::int64_t>(b >> kSteps);
}

// x + factor * y, where the result's last limb takes the sign.
Signed plus_times(const Signed& x, std::int64_t factor, const Signed& y) {
    Signed out;
    i128 sum = 0;
    for (int i = 0; i < 5; ++i) {
        sum += i128{x.limb[i]} + i128{factor} * y.limb[i];
        out.limb[i] = i < 4 ? static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) & kMask)
                            : static_cast<std::int64_t>(sum);
        sum >>= kSteps;
    }
    return out;
}

bool is_zero(const Signed& x) {
    return (x.limb[0] | x.limb[1] | x.limb[2] | x.limb[3] | x.limb[4]) == 0;
}

// An odd word's inverse modulo 2^62, by Newton's iteration from three right bits.
std::uint64_t inverse_of_word(std::uint64_t x) {
    std::uint64_t y = x;
    for (int bits = 3; bits < 62; bits *= 2)
        y *= 2 - x * y;
    return y & kMask;
}

}  // namespace

u256 inverse_modulo(const u256& x, const u256& modulus) noexcept {
    const Signed m = limbs(modulus);
    const std::uint64_t inverse62 = inverse_of_word(modulus[0]);
    Signed f = m;
    Signed g = limbs(x);
    Signed d = {};
    Signed e = {{1, 0, 0, 0, 0}};
    std::int64_t delta = -1;
    while (!is_zero(g)) {
        const Matrix matrix =
            steps(delta, static_cast<std::uint64_t>(f.limb[0]) | static_cast<std::uint64_t>(f.limb[1]) << 62,
                  static_cast<std::uint64_t>(g.limb[0]) | static_cast<std::uint64_t>(g.limb[1]) << 62);
        apply(matrix, f, g);
        apply_modulo(matrix, d, e, m, inverse62);
    }
    const bool negative = f.limb[4] < 0;
    if (d.limb[4] < 0)
        d = plus_times(d, 1, m);
    if (negative)
        d = plus_times(Signed{}, -1, d);
    while (d.limb[4] < 0)
        d = plus_times(d, 1, m);
    u256 out = words(d);
    while (out >= modulus)
        out -= modulus;
    return out;
}

namespace detail {

void invert_mod_p(const std::uint64_t (&value)[4], std::uint64_t (&inverse)[4]) noexcept {
    const u256 out = inverse_modulo({value[0], value[1], value[2], value[3]}, kFieldPrime);
    for (int i = 0; i < 4; ++i)
        inverse[i] = out[i];
}

}  // namespace detail

}  // namespace meridian::crypto::secp256k1
