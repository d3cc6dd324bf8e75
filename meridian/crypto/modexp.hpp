// Modular exponentiation of big-endian numbers of any size (OpenSSL's BIGNUM). Host only.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::crypto {

// out = base^exponent mod modulus, left-padded with zeros; zero for a modulus of zero or one.
// 0^0 is 1 (mod modulus). Precondition: out.size() == modulus.size().
void modexp(BytesView base, BytesView exponent, BytesView modulus, std::span<std::uint8_t> out) noexcept;

}  // namespace meridian::crypto
