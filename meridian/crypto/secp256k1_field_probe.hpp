// Single operations of the vector field (secp256k1_field_ifma.hpp), so that a test can hand it the largest
// numbers that its types allow, which no signature would bring about. Built into the tests only.
#pragma once

#include <cstdint>

namespace meridian::crypto::secp256k1::detail {

enum class FieldOperation : std::uint8_t {
    Product,            // a * b
    TripledSquare,      // 3 * a * a
    ProductPlus,        // a * b + c, where c is the largest summand that is used
    SquarePlus,         // a * a + c
    NegativeOfProduct,  // -8 * a * b
    Negative,           // -a, for a tight a
    Tightened,          // a
};

// Of lane j: limb i of the operands at [i][j]; below 2^52, and the result, below p, as words.
// The summand c of a lane is as many times p as has limbs of 2^59.
void probe_field_ifma(FieldOperation operation, const std::uint64_t (&a)[5][8],
                      const std::uint64_t (&b)[5][8], std::uint64_t (&out)[4][8]) noexcept;

}  // namespace meridian::crypto::secp256k1::detail
