// What recovery in batches (secp256k1_recover.cpp) asks of a vector implementation: the curve arithmetic of
// eight signatures at a time. The numbers modulo the group order are prepared by the caller.
//
// The implementation's file is compiled for processors beyond the baseline. It includes this and nothing with
// inline functions, lest the linker keep a copy of one that other processors cannot run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace meridian::crypto::secp256k1::detail {

// A scalar is odd and given as a row of digits without zeros: with W the sum of the digits' widths and
// b = (k - 1) / 2 + 2^(W-1), which is not negative and below 2^W for |k| < 2^W, a digit of width w at
// position i of b stands for (2 * digit - (2^w - 1)) * 2^i.

// The multiplier of the nonce point, in two parts (the curve's endomorphism): 26 digits of 5 bits.
inline constexpr unsigned kWindowBits = 5;
inline constexpr unsigned kWindows = 26;
inline constexpr unsigned kSplitBits = kWindowBits * kWindows;
// The multiplier of the generator: digits of kFixedBits, the last of which takes what is left of 256.
inline constexpr unsigned kFixedBits = 10;
inline constexpr unsigned kFixedDigits = (256 + kFixedBits - 1) / kFixedBits;
inline constexpr std::size_t kFixedEntries = std::size_t{1} << (kFixedBits - 1);

// Eight signatures side by side: word i (64 bits, least significant first) of lane j at [i][j]. Every lane
// holds numbers in range, also one that nobody asks for.
struct alignas(64) RecoverGroup {
    // In: the nonce point's x, below the field's prime.
    std::uint64_t x[4][8];
    // Digits of the multipliers: of the generator, of the nonce point and of its image (beta * x, y).
    std::uint64_t fixed[4][8];
    std::uint64_t split[2][3][8];
    // Out: the public key's x and y, four words each, for the lanes with neither bit set below.
    std::uint64_t key[8][8];
    // In: bit j tells whether the y of lane j's nonce point is odd.
    std::uint8_t odd;
    // Out: there is no point with this x.
    std::uint8_t off_curve;
    // The formulas met a case they do not cover: another implementation has to do it.
    std::uint8_t exceptional;
};

// A point, four words of x and four of y.
struct alignas(64) PointRow {
    std::uint64_t words[8];
};
inline constexpr std::size_t kFixedRows = kFixedDigits * kFixedEntries;

// Groups that share their inversions; more gain nothing.
inline constexpr std::size_t kGroupsMax = 8;

// secp256k1_recover_ifma.cpp; these need AVX-512 F, DQ, VL and IFMA.
// Bytes of memory, aligned to 64, that the functions below work in.
std::size_t workspace_size_ifma(std::size_t groups) noexcept;
// Row [digit][entry] becomes (2 * entry + 1) * 2^(kFixedBits * digit) times the generator. powers[i] is
// 2^i times the generator, i < kFixedDigits * kFixedBits.
void make_fixed_table_ifma(PointRow* table, const PointRow* powers, void* workspace) noexcept;
// Precondition: 1 <= count <= kGroupsMax.
void recover_ifma(RecoverGroup* groups, std::size_t count, const PointRow* table, void* workspace) noexcept;

// secp256k1_inverse.cpp: the inverse modulo the field's prime of a number that is not zero modulo it.
void invert_mod_p(const std::uint64_t (&value)[4], std::uint64_t (&inverse)[4]) noexcept;

}  // namespace meridian::crypto::secp256k1::detail
