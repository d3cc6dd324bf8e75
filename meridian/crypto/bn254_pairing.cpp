// The optimal ate pairing of EIP-197 with one Miller loop and one final exponentiation for all pairs.
//
// Points of the twist y^2 = x^3 + 3/xi are kept in homogeneous coordinates; the formulas for steps and
// lines are those of Aranha, Karabina, Longa, Gebotys and Lopez (2011).
#include <meridian/crypto/bn254.hpp>
#include <meridian/crypto/bn254_tower.hpp>

#include <vector>

namespace meridian::crypto::bn254 {
namespace {

// The curve's parameter: p and the order are polynomials in it.
constexpr std::uint64_t kParameter = 0x44e992b44a6909f1;

// 3 / xi
constexpr Fp2 kTwistB = {
    to_fp({0x3267e6dc24a138e5, 0xb5b4c5e559dbefa3, 0x81be18991be06ac3, 0x2b149d40ceb8aaae}),
    to_fp({0xe4a2bd0685c315d2, 0xa74fa084e52d1852, 0xcd2cafadeed8fdf4, 0x009713b03af0fed4})};

struct G1 {
    Fp x;
    Fp y;
};

struct G2 {
    Fp2 x;
    Fp2 y;

    bool is_infinity() const noexcept { return x.is_zero() && y.is_zero(); }
};

// (x/z, y/z); z = 0 is infinity.
struct Projective {
    Fp2 x;
    Fp2 y;
    Fp2 z;
};

bool read(G1& out, const std::uint8_t* in, bool& infinity) noexcept {
    constexpr Fp kB = to_fp({3, 0, 0, 0});
    if (!read(out.x, in) || !read(out.y, in + 32))
        return false;
    infinity = out.x.is_zero() && out.y.is_zero();
    return infinity || squared(out.y) == squared(out.x) * out.x + kB;
}

// The imaginary part comes first.
bool read(Fp2& out, const std::uint8_t* in) noexcept {
    return read(out.c1, in) && read(out.c0, in + 32);
}

// --- steps on the twist, each with the line through its operands ------------------------------------

// The line is that at 2t's tangent, yet without the coordinates of the G1 point.
Line double_step(Projective& t) noexcept {
    const Fp2 a = halved(t.x * t.y);
    const Fp2 b = squared(t.y);
    const Fp2 c = squared(t.z);
    const Fp2 e = kTwistB * (doubled(c) + c);
    const Fp2 f = doubled(e) + e;
    const Fp2 g = halved(b + f);
    const Fp2 h = squared(t.y + t.z) - b - c;
    const Fp2 xx = squared(t.x);
    const Fp2 ee = squared(e);
    t.x = a * (b - f);
    t.y = squared(g) - doubled(ee) - ee;
    t.z = b * h;
    return {-h, doubled(xx) + xx, e - b};
}

// t + q, for t neither q nor -q nor infinity.
Line add_step(Projective& t, const G2& q) noexcept {
    const Fp2 theta = t.y - q.y * t.z;
    const Fp2 lambda = t.x - q.x * t.z;
    const Fp2 d = squared(lambda);
    const Fp2 e = lambda * d;
    const Fp2 g = t.x * d;
    const Fp2 h = e + t.z * squared(theta) - doubled(g);
    t.x = lambda * h;
    t.y = theta * (g - h) - e * t.y;
    t.z = t.z * e;
    return {lambda, -theta, theta * q.x - lambda * q.y};
}

Line at(const Line& line, const G1& p) noexcept {
    return {line.l0 * p.y, line.l1 * p.x, line.l3};
}

// The Frobenius map carried over to the twist.
G2 psi(const G2& q) noexcept {
    return {conjugate(q.x) * kFrobenius[0][1], conjugate(q.y) * kFrobenius[0][2]};
}
Projective psi(const Projective& q) noexcept {
    return {conjugate(q.x) * kFrobenius[0][1], conjugate(q.y) * kFrobenius[0][2], conjugate(q.z)};
}

bool on_curve(const G2& q) noexcept {
    return squared(q.y) == squared(q.x) * q.x + kTwistB;
}

// General addition in homogeneous coordinates, with every exception.
Projective add(const Projective& p, const Projective& q) noexcept {
    if (p.z.is_zero())
        return q;
    if (q.z.is_zero())
        return p;
    const Fp2 u = q.y * p.z - p.y * q.z;
    const Fp2 v = q.x * p.z - p.x * q.z;
    if (v.is_zero()) {
        if (!u.is_zero())
            return {};
        Projective twice = p;
        double_step(twice);
        return twice;
    }
    const Fp2 zz = p.z * q.z;
    const Fp2 vv = squared(v);
    const Fp2 vvv = vv * v;
    const Fp2 r = vv * p.x * q.z;
    const Fp2 a = squared(u) * zz - vvv - doubled(r);
    return {v * a, u * (r - a) - vvv * p.y * q.z, vvv * zz};
}

bool equal(const Projective& p, const Projective& q) noexcept {
    if (p.z.is_zero() || q.z.is_zero())
        return p.z.is_zero() && q.z.is_zero();
    return p.x * q.z == q.x * p.z && p.y * q.z == q.y * p.z;
}

// [x+1]Q + psi([x]Q) + psi^2([x]Q) == psi^3([2x]Q), x the curve's parameter (Dai, Lin, Zhao, Zhou 2022).
// The endomorphism that this says is zero has a norm whose common divisor with the order of the twist's
// group is exactly the prime order of the subgroup, so it holds on the subgroup and nowhere else.
bool in_subgroup(const G2& q) noexcept {
    const Projective base = {q.x, q.y, kFp2One};
    Projective t = base;
    for (int i = 61; i >= 0; --i) {
        double_step(t);
        if ((kParameter >> i & 1) != 0)
            t = add(t, base);
    }
    const Projective psi1 = psi(t);
    const Projective psi2 = psi(psi1);
    const Projective left = add(add(add(t, base), psi1), psi2);
    Projective right = psi(psi2);
    double_step(right);
    return equal(left, right);
}

// --- the pairing -----------------------------------------------------------------------------------

struct Pair {
    G1 p;
    G2 q;
    G2 minus_q;
    Projective t;
};

// 6 * kParameter + 2 in signed binary digits without adjacent non-zeros, from the second highest down.
constexpr std::array<std::int8_t, 65> kLoop = {0,  -1, 0, 1,  0, 0,  0,  -1, 0, -1, 0, 0,  0,  -1, 0, 1, 0,
                                               -1, 0,  0, -1, 0, 0,  0,  0,  0, 1,  0, 0,  -1, 0,  1, 0, 0,
                                               -1, 0,  0, 0,  0, -1, 0,  1,  0, 0,  0, -1, 0,  -1, 0, 0, 1,
                                               0,  0,  0, -1, 0, 0,  -1, 0,  1, 0,  1, 0,  0,  0};

Fp12 miller_loop(std::vector<Pair>& pairs) noexcept {
    Fp12 f = kFp12One;
    for (const int digit : kLoop) {
        f = squared(f);
        for (auto& pair : pairs)
            f = f * at(double_step(pair.t), pair.p);
        if (digit == 0)
            continue;
        for (auto& pair : pairs)
            f = f * at(add_step(pair.t, digit > 0 ? pair.q : pair.minus_q), pair.p);
    }
    for (auto& pair : pairs) {
        const G2 q1 = psi(pair.q);
        G2 q2 = psi(q1);
        q2.y = -q2.y;
        f = f * at(add_step(pair.t, q1), pair.p);
        f = f * at(add_step(pair.t, q2), pair.p);
    }
    return f;
}

// a^-x for a in the cyclotomic subgroup, x the curve's parameter.
Fp12 power_minus_parameter(const Fp12& a) noexcept {
    // Digits of x in a window of four bits: zero or odd, from the highest down; see the static_assert.
    struct Digits {
        std::array<std::int8_t, 64> at{};
        std::size_t count = 0;
    };
    static constexpr Digits kDigits = [] {
        Digits digits;
        for (std::uint64_t x = kParameter; x != 0; x >>= 1) {
            int digit = 0;
            if ((x & 1) != 0) {
                digit = static_cast<int>(x & 15);
                digit -= digit >= 8 ? 16 : 0;
                x -= static_cast<std::uint64_t>(static_cast<std::int64_t>(digit));
            }
            digits.at[digits.count++] = static_cast<std::int8_t>(digit);
        }
        return digits;
    }();
    const Fp12 square = cyclotomic_squared(a);
    std::array<Fp12, 4> odd;
    odd[0] = a;
    for (std::size_t i = 1; i < odd.size(); ++i)
        odd[i] = odd[i - 1] * square;
    const auto term = [&](int digit) {
        const Fp12& power = odd[static_cast<std::size_t>(digit < 0 ? -digit : digit) / 2];
        return digit < 0 ? conjugate(power) : power;
    };
    static_assert(kDigits.at[kDigits.count - 1] > 0);
    Fp12 result = term(kDigits.at[kDigits.count - 1]);
    for (std::size_t i = kDigits.count - 1; i-- > 0;) {
        result = cyclotomic_squared(result);
        if (kDigits.at[i] != 0)
            result = result * term(kDigits.at[i]);
    }
    return conjugate(result);
}

// f^((p^12 - 1) / r) up to a power that is prime to r (Fuentes-Castaneda, Knapp, Rodriguez-Henriquez).
Fp12 final_exponentiation(const Fp12& f) noexcept {
    Fp12 r = conjugate(f) * inverse(f);
    r = frobenius(r, 2) * r;
    const Fp12 a2 = cyclotomic_squared(power_minus_parameter(r));  // r^(-2x)
    const Fp12 a6 = cyclotomic_squared(a2) * a2;                   // r^(-6x)
    const Fp12 b = power_minus_parameter(a6);                      // r^(6x^2)
    const Fp12 c = power_minus_parameter(cyclotomic_squared(b));   // r^(-12x^3)
    const Fp12 d = conjugate(c) * b * conjugate(a6);               // r^(12x^3 + 6x^2 + 6x)
    const Fp12 e = d * a2;                                         // r^(12x^3 + 6x^2 + 4x)
    const Fp12 g = d * b * r;                                      // r^(12x^3 + 12x^2 + 6x + 1)
    return frobenius(conjugate(r) * e, 3) * frobenius(d, 2) * frobenius(e, 1) * g;
}

}  // namespace

bool pairing(BytesView input, bool& out) noexcept {
    constexpr std::size_t kPairSize = 192;
    if (input.size() % kPairSize != 0)
        return false;
    std::vector<Pair> pairs;
    pairs.reserve(input.size() / kPairSize);
    for (std::size_t i = 0; i < input.size(); i += kPairSize) {
        Pair pair;
        bool infinity = false;
        if (!read(pair.p, input.data() + i, infinity) || !read(pair.q.x, input.data() + i + 64) ||
            !read(pair.q.y, input.data() + i + 128))
            return false;
        if (!pair.q.is_infinity() && (!on_curve(pair.q) || !in_subgroup(pair.q)))
            return false;
        // A pair with infinity contributes a factor of one.
        if (infinity || pair.q.is_infinity())
            continue;
        pair.minus_q = {pair.q.x, -pair.q.y};
        pair.t = {pair.q.x, pair.q.y, kFp2One};
        pairs.push_back(pair);
    }
    out = pairs.empty() || final_exponentiation(miller_loop(pairs)) == kFp12One;
    return true;
}

}  // namespace meridian::crypto::bn254
