#include <meridian/crypto/bn254_tower.hpp>

namespace meridian::crypto::bn254 {

constexpr std::array<std::array<Fp2, 5>, 3> kFrobeniusTable = {
    {{{Fp2{to_fp({0xd60b35dadcc9e470, 0x5c521e08292f2176, 0xe8b99fdd76e68b60, 0x1284b71c2865a7df}),
           to_fp({0xca5cf05f80f362ac, 0x747992778eeec7e5, 0xa6327cfe12150b8e, 0x246996f3b4fae7e6})},
       Fp2{to_fp({0x99e39557176f553d, 0xb78cc310c2c3330c, 0x4c0bec3cf559b143, 0x2fb347984f7911f7}),
           to_fp({0x1665d51c640fcba2, 0x32ae2a1d0b7c9dce, 0x4ba4cc8bd75a0794, 0x16c9e55061ebae20})},
       Fp2{to_fp({0xdc54014671a0135a, 0xdbaae0eda9c95998, 0xdc5ec698b6e2f9b9, 0x063cf305489af5dc}),
           to_fp({0x82d37f632623b0e3, 0x21807dc98fa25bd2, 0x0704b5a7ec796f2b, 0x07c03cbcac41049a})},
       Fp2{to_fp({0x848a1f55921ea762, 0xd33365f7be94ec72, 0x80f3c0b75a181e84, 0x05b54f5e64eea801}),
           to_fp({0xc13b4711cd2b8126, 0x3685d2ea1bdec763, 0x9f3a80b03b0b1c92, 0x2c145edbe7fd8aee})},
       Fp2{to_fp({0x2ea2c810eab7692f, 0x425c459b55aa1bd3, 0xe93a3661a4353ff4, 0x0183c1e74f798649}),
           to_fp({0x24c6b8ee6e0c2c4b, 0xb080cb99678e2ac0, 0xa27fb246c7729f7d, 0x12acf2ca76fd0675})}}},
     {{Fp2{to_fp({0xe4bd44e5607cfd49, 0xc28f069fbb966e3d, 0x5e6dd9e7e0acccb0, 0x30644e72e131a029}),
           to_fp({0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000})},
       Fp2{to_fp({0xe4bd44e5607cfd48, 0xc28f069fbb966e3d, 0x5e6dd9e7e0acccb0, 0x30644e72e131a029}),
           to_fp({0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000})},
       Fp2{to_fp({0x3c208c16d87cfd46, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}),
           to_fp({0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000})},
       Fp2{to_fp({0x5763473177fffffe, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0x0000000000000000}),
           to_fp({0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000})},
       Fp2{to_fp({0x5763473177ffffff, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0x0000000000000000}),
           to_fp({0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000})}}},
     {{Fp2{to_fp({0xe86f7d391ed4a67f, 0x894cb38dbe55d24a, 0xefe9608cd0acaa90, 0x19dc81cfcc82e4bb}),
           to_fp({0x7694aa2bf4c0c101, 0x7f03a5e397d439ec, 0x06cbeee33576139d, 0x00abf8b60be77d73})},
       Fp2{to_fp({0x7b746ee87bdcfb6d, 0x805ffd3d5d6942d3, 0xbaff1c77959f25ac, 0x0856e078b755ef0a}),
           to_fp({0x380cab2baaa586de, 0x0fdf31bf98ff2631, 0xa9f30e6dec26094f, 0x04f1de41b3d1766f})},
       Fp2{to_fp({0x5fcc8ad066dce9ed, 0xbbd689a3bea870f4, 0xdbf17f1dca9e5ea3, 0x2a275b6d9896aa4c}),
           to_fp({0xb94d0cb3b2594c64, 0x7600ecc7d8cf6eba, 0xb14b900e9507e932, 0x28a411b634f09b8f})},
       Fp2{to_fp({0x0e1a92bc3ccbf066, 0xe633094575b06bcb, 0x19bee0f7b5b2444e, 0x0bc58c6611c08dab}),
           to_fp({0x5fe3ed9d730c239f, 0xa44a9e08737f96e5, 0xfeb0f6ef0cd21d04, 0x23d5e999e1910a12})},
       Fp2{to_fp({0xebde847076261b43, 0x2ed68098967c84a5, 0x711699fa3b4d3f69, 0x13c49044952c0905}),
           to_fp({0x1f25041384282499, 0x3e2ddaea20028021, 0x9fb1b2282a48633d, 0x16db366a59b1dd0b})}}}}};
const std::array<std::array<Fp2, 5>, 3> kFrobenius = kFrobeniusTable;

Fp6 operator*(const Fp6& a, const Fp6& b) noexcept {
    const Fp2 t0 = a.c0 * b.c0;
    const Fp2 t1 = a.c1 * b.c1;
    const Fp2 t2 = a.c2 * b.c2;
    const Fp2 m12 = (a.c1 + a.c2) * (b.c1 + b.c2) - t1 - t2;
    const Fp2 m01 = (a.c0 + a.c1) * (b.c0 + b.c1) - t0 - t1;
    const Fp2 m02 = (a.c0 + a.c2) * (b.c0 + b.c2) - t0 - t2;
    return {t0 + times_xi(m12), m01 + times_xi(t2), m02 + t1};
}

Fp6 inverse(const Fp6& a) noexcept {
    const Fp2 t0 = squared(a.c0) - times_xi(a.c1 * a.c2);
    const Fp2 t1 = times_xi(squared(a.c2)) - a.c0 * a.c1;
    const Fp2 t2 = squared(a.c1) - a.c0 * a.c2;
    const Fp2 norm = a.c0 * t0 + times_xi(a.c2 * t1 + a.c1 * t2);
    const Fp2 n = inverse(norm);
    return {t0 * n, t1 * n, t2 * n};
}

Fp12 operator*(const Fp12& a, const Fp12& b) noexcept {
    const Fp6 t0 = a.c0 * b.c0;
    const Fp6 t1 = a.c1 * b.c1;
    return {t0 + times_v(t1), (a.c0 + a.c1) * (b.c0 + b.c1) - t0 - t1};
}

Fp12 squared(const Fp12& a) noexcept {
    const Fp6 product = a.c0 * a.c1;
    const Fp6 sum = (a.c0 + a.c1) * (a.c0 + times_v(a.c1)) - product - times_v(product);
    return {sum, product + product};
}

Fp12 inverse(const Fp12& a) noexcept {
    const Fp6 n = inverse(a.c0 * a.c0 - times_v(a.c1 * a.c1));
    return {a.c0 * n, -(a.c1 * n)};
}

Fp12 frobenius(const Fp12& a, unsigned n) noexcept {
    const auto& k = kFrobenius[n - 1];
    const auto map = [n](const Fp2& x) { return n % 2 == 1 ? conjugate(x) : x; };
    // The coefficients belong to w^0, w^2, w^4 and w^1, w^3, w^5.
    return {{map(a.c0.c0), map(a.c0.c1) * k[1], map(a.c0.c2) * k[3]},
            {map(a.c1.c0) * k[0], map(a.c1.c1) * k[2], map(a.c1.c2) * k[4]}};
}

namespace {
// (x + y s)^2 in Fp4 = Fp2[s]/(s^2 - xi)
struct Fp4Square {
    Fp2 c0;
    Fp2 c1;
};

Fp4Square square_fp4(const Fp2& x, const Fp2& y) noexcept {
    const Fp2 xx = squared(x);
    const Fp2 yy = squared(y);
    return {xx + times_xi(yy), squared(x + y) - xx - yy};
}

// 3s - 2x and 3s + 2x
Fp2 triple_minus(const Fp2& s, const Fp2& x) noexcept {
    return doubled(s - x) + s;
}
Fp2 triple_plus(const Fp2& s, const Fp2& x) noexcept {
    return doubled(s + x) + s;
}
}  // namespace

Fp12 cyclotomic_squared(const Fp12& a) noexcept {
    const Fp4Square t0 = square_fp4(a.c0.c0, a.c1.c1);
    const Fp4Square t1 = square_fp4(a.c1.c0, a.c0.c2);
    const Fp4Square t2 = square_fp4(a.c0.c1, a.c1.c2);
    return {
        {triple_minus(t0.c0, a.c0.c0), triple_minus(t1.c0, a.c0.c1), triple_minus(t2.c0, a.c0.c2)},
        {triple_plus(times_xi(t2.c1), a.c1.c0), triple_plus(t0.c1, a.c1.c1), triple_plus(t1.c1, a.c1.c2)}};
}

namespace {
// a * (x + y v)
Fp6 times_sparse(const Fp6& a, const Fp2& x, const Fp2& y) noexcept {
    const Fp2 t0 = a.c0 * x;
    const Fp2 t1 = a.c1 * y;
    return {t0 + times_xi(a.c2 * y), (a.c0 + a.c1) * (x + y) - t0 - t1, a.c2 * x + t1};
}
}  // namespace

Fp12 operator*(const Fp12& a, const Line& line) noexcept {
    const Fp6 t0 = {a.c0.c0 * line.l0, a.c0.c1 * line.l0, a.c0.c2 * line.l0};
    const Fp6 t1 = times_sparse(a.c1, line.l1, line.l3);
    const Fp6 cross = times_sparse(a.c0 + a.c1, line.l0 + line.l1, line.l3);
    return {t0 + times_v(t1), cross - t0 - t1};
}

}  // namespace meridian::crypto::bn254
