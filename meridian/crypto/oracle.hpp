// What the guest and its oracle say to each other.
//
//   request  u8 kind | u32 little-endian length of the payload | payload
//   answer   u8 status (1 success, 0 the function failed) | output, empty on failure
//
// The payload is the input of the precompiled contract of the same name; ecrecover takes digest, r, s
// and one byte of recovery id, KZG z, y, commitment and proof, and modexp the three lengths as u32
// little-endian before base, exponent and modulus. A predicate's output is one byte, 0 or 1.
#pragma once

#include <meridian/crypto/accelerator.hpp>

namespace meridian::crypto {

enum class OracleKind : std::uint8_t {
    Ecrecover = 1,
    Sha256,
    Ripemd160,
    Modexp,
    KzgVerify,
    Bls12G1Add,
    Bls12G1Msm,
    Bls12G2Add,
    Bls12G2Msm,
    Bls12Pairing,
    Bls12MapFpToG1,
    Bls12MapFp2ToG2,
    P256Verify,
};

inline constexpr std::size_t kOracleHeaderSize = 5;

}  // namespace meridian::crypto
