// ECDSA verification on P-256 (OpenSSL), by the rules of EIP-7951. Host only.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::crypto::p256 {

// input: digest, r, s, x, y of 32 bytes each. False for any other size, r or s not in 1..n-1,
// coordinates not below the field prime, a point that is not on the curve, and a wrong signature.
bool verify(BytesView input) noexcept;

}  // namespace meridian::crypto::p256
