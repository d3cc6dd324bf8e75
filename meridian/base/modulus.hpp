// Repeated multiplication modulo the same number, as contracts that compute on elliptic curves do.
//
// The quotient of the division comes from a precomputed reciprocal (Barrett reduction), which makes a
// multiplication two to three times as fast as mulmod. Making a Modulus costs about one mulmod.
#pragma once

#include <meridian/base/u256.hpp>

namespace meridian {

class Modulus {
public:
    // Precondition: value != 0.
    explicit Modulus(const u256& value) noexcept;

    const u256& value() const noexcept { return m_value; }
    // a * b % value() without wrapping in between.
    u256 multiply(const u256& a, const u256& b) const noexcept;

private:
    u256 m_value;
    unsigned m_shift;   // leading zero bits of the value
    u256 m_divisor;     // the value shifted left by them
    u256 m_reciprocal;  // floor((2^512 - 1) / m_divisor) - 2^256
};

// mulmod for an interpreter: remembers the modulus and makes a Modulus of one that comes twice in a row.
// Results never depend on what is remembered.
class MulmodCache {
public:
    u256 multiply(const u256& a, const u256& b, const u256& modulus) noexcept {
        if (m_ready && modulus == m_modulus.value()) [[likely]]
            return m_modulus.multiply(a, b);
        return multiply_slowly(a, b, modulus);
    }

private:
    u256 multiply_slowly(const u256& a, const u256& b, const u256& modulus) noexcept;

    Modulus m_modulus{1};
    bool m_ready = false;
    u256 m_last;  // zero: none
};

}  // namespace meridian
