// The BLS12-381 operations of EIP-2537 in its encodings (blst). Host only.
//
// A field element is 64 big-endian bytes, the first 16 zero and the rest below the prime; a G1 point is
// 128 bytes, a G2 point 256, the point at infinity all zeros. Each function returns false for an input
// of a wrong size, a wrong encoding or a point that is not on the curve; the multiplications and the
// pairing also for a point outside the subgroup of prime order. `out` is then unspecified.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::crypto::bls12 {

bool g1_add(BytesView input, std::span<std::uint8_t, 128> out) noexcept;
bool g1_msm(BytesView input, std::span<std::uint8_t, 128> out) noexcept;
bool g2_add(BytesView input, std::span<std::uint8_t, 256> out) noexcept;
bool g2_msm(BytesView input, std::span<std::uint8_t, 256> out) noexcept;
bool pairing(BytesView input, bool& out) noexcept;
bool map_fp_to_g1(BytesView input, std::span<std::uint8_t, 128> out) noexcept;
bool map_fp2_to_g2(BytesView input, std::span<std::uint8_t, 256> out) noexcept;

}  // namespace meridian::crypto::bls12
