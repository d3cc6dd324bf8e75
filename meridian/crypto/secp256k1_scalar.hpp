// Multipliers of points of secp256k1, in the form that recovery in batches takes
// (secp256k1_recover_kernel.hpp): odd, and as a row of bits b = (k - 1) / 2 + 2^(W - 1).
#pragma once

#include <meridian/base/modulus.hpp>
#include <meridian/crypto/secp256k1_recover_kernel.hpp>

namespace meridian::crypto::secp256k1 {

const Modulus& group_order() noexcept;

// k = k1 + k2 * lambda modulo the group order, where lambda * (x, y) = (beta * x, y). Both parts are odd and
// below 2^129 in magnitude. Their bits, W = kSplitBits.
struct SplitBits {
    u256 first;
    u256 second;
};

// Precondition: k is below the group order.
SplitBits split_bits(const u256& k) noexcept;

// The bits, W = 256, of k or, where that is even, of k minus the group order. Precondition as above.
u256 fixed_bits(const u256& k) noexcept;

}  // namespace meridian::crypto::secp256k1
