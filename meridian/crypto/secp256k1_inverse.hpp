// Inverses modulo the two primes of secp256k1. The time depends on the numbers: not for secrets.
#pragma once

#include <meridian/base/u256.hpp>

namespace meridian::crypto::secp256k1 {

// The field's prime and the group's order.
inline constexpr u256 kFieldPrime{0xfffffffefffffc2f, ~0ull, ~0ull, ~0ull};
inline constexpr u256 kGroupOrder{0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, ~0ull};

// The number below the modulus that gives one when multiplied by x; of zero it is zero.
// Preconditions: x is below the modulus, which is kFieldPrime or kGroupOrder.
u256 inverse_modulo(const u256& x, const u256& modulus) noexcept;

}  // namespace meridian::crypto::secp256k1
