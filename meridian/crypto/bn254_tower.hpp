// The extension fields of the pairing: Fp6 = Fp2[v]/(v^3 - xi), Fp12 = Fp6[w]/(w^2 - v), xi = 9 + i.
#pragma once

#include <meridian/crypto/bn254_field.hpp>

namespace meridian::crypto::bn254 {

// c0 + c1 v + c2 v^2
struct Fp6 {
    Fp2 c0;
    Fp2 c1;
    Fp2 c2;

    friend constexpr bool operator==(const Fp6&, const Fp6&) noexcept = default;
    friend Fp6 operator+(const Fp6& a, const Fp6& b) noexcept {
        return {a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2};
    }
    friend Fp6 operator-(const Fp6& a, const Fp6& b) noexcept {
        return {a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2};
    }
    Fp6 operator-() const noexcept { return {-c0, -c1, -c2}; }
};

Fp6 operator*(const Fp6& a, const Fp6& b) noexcept;
Fp6 inverse(const Fp6& a) noexcept;

inline Fp6 times_v(const Fp6& a) noexcept {
    return {times_xi(a.c2), a.c0, a.c1};
}

// c0 + c1 w
struct Fp12 {
    Fp6 c0;
    Fp6 c1;

    friend constexpr bool operator==(const Fp12&, const Fp12&) noexcept = default;
};

inline constexpr Fp12 kFp12One = {{kFp2One, {}, {}}, {}};

Fp12 operator*(const Fp12& a, const Fp12& b) noexcept;
Fp12 squared(const Fp12& a) noexcept;
Fp12 inverse(const Fp12& a) noexcept;
// a^(p^6), which is the inverse in the cyclotomic subgroup.
inline Fp12 conjugate(const Fp12& a) noexcept {
    return {a.c0, -a.c1};
}
// a^(p^n), n = 1, 2, 3
Fp12 frobenius(const Fp12& a, unsigned n) noexcept;
// a^2 for a in the cyclotomic subgroup (Granger and Scott).
Fp12 cyclotomic_squared(const Fp12& a) noexcept;

// The value of a line function: l0 + l1 w + l3 w^3.
struct Line {
    Fp2 l0;
    Fp2 l1;
    Fp2 l3;
};
Fp12 operator*(const Fp12& a, const Line& line) noexcept;

// xi^(i * (p^n - 1) / 6), at [n - 1][i - 1]; what a coefficient of w^i picks up under the Frobenius map.
extern const std::array<std::array<Fp2, 5>, 3> kFrobenius;

}  // namespace meridian::crypto::bn254
