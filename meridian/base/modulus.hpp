// Repeated multiplication modulo the same number, as contracts that compute on elliptic curves do.
//
// The quotient of the division comes from a precomputed reciprocal (Barrett reduction), which makes a
// multiplication two to three times as fast as mulmod. Making a Modulus costs about one mulmod.
#pragma once

#include <meridian/base/u256.hpp>

#include <optional>

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

// mulmod for an interpreter: makes a Modulus of a number that clearly outweighs the others of late. Only
// factors of full width count and gain: those of fixed-point arithmetic are shorter, and divided sooner than
// multiplied by a reciprocal. Results never depend on what is remembered.
class MulmodCache {
public:
    u256 multiply(const u256& a, const u256& b, const u256& modulus) noexcept {
        return a[3] == 0 || b[3] == 0 ? mulmod(a, b, modulus) : multiply_wide(a, b, modulus);
    }

private:
    // How many times more than all others together a number has come since it became the candidate.
    static constexpr unsigned kLeadMin = 8;

    u256 multiply_wide(const u256& a, const u256& b, const u256& modulus) noexcept;
    void count(const u256& modulus) noexcept;

    std::optional<Modulus> m_modulus;
    u256 m_candidate;
    unsigned m_lead = 0;
};

}  // namespace meridian
