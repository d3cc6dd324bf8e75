// BN254 (alt_bn128), the curve of EIP-196 and EIP-197. Our own arithmetic: no library, so that the
// guest computes it, too. Variable time: all inputs are public.
//
// A field element is 32 big-endian bytes below the prime, a G1 point x and y, a G2 point x and y of two
// elements each, imaginary part first; the point at infinity is all zeros. A function returns false for
// an encoding that is not below the prime, a point not on its curve and, in the pairing, a G2 point
// outside the subgroup of prime order; `out` is then unspecified.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::crypto::bn254 {

// input: two points (128 bytes).
bool add(BytesView input, std::span<std::uint8_t, 64> out) noexcept;

// input: a point and a scalar of any value (96 bytes).
bool mul(BytesView input, std::span<std::uint8_t, 64> out) noexcept;

// input: pairs of a G1 and a G2 point (192 bytes each), possibly none. out: whether the product of the
// pairings is one.
bool pairing(BytesView input, bool& out) noexcept;

}  // namespace meridian::crypto::bn254
