// SHA-256 and RIPEMD-160 (OpenSSL). Host only.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::crypto::digest {

Hash sha256(BytesView input) noexcept;
FixedBytes<20> ripemd160(BytesView input) noexcept;

}  // namespace meridian::crypto::digest
