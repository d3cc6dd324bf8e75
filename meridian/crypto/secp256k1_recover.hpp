// Recovery of many signers at once (ECDSA on secp256k1), for the host: where transactions come in by
// the hundred, this is most of the work.
//
// On processors with AVX-512 IFMA eight signatures share each instruction; elsewhere, and for the cases that
// the vector formulas do not cover, libsecp256k1 recovers them one by one. Results never depend on which.
// Not constant-time: signatures are public. Thread-safe: a caller with several cores gives each its share.
//
// Worth it from two signatures on; the rate grows up to kRecoverBatch of them, and multiples of eight waste
// nothing.
#pragma once

#include <meridian/base/bytes.hpp>

#include <optional>
#include <span>

namespace meridian::crypto::secp256k1 {

// Signatures whose recovery shares what can be shared.
inline constexpr std::size_t kRecoverBatch = 64;

struct RecoverRequest {
    Hash digest;
    Hash r;
    Hash s;
    std::uint8_t parity{};  // of the nonce point's y
};

// signers[i] = the address of the account that signed requests[i], exactly as Accelerator::ecrecover() gives
// it: empty for an invalid signature (r or s zero or not below the group order, no such point, a parity above
// 1); no low-s rule. Any number of requests; allocates less than 500 KB for the time of the call.
// Precondition: the spans are of equal length.
void recover_batch(std::span<const RecoverRequest> requests,
                   std::span<std::optional<Address>> signers) noexcept;

// The same for uncompressed public keys without their 0x04 prefix: x and y.
void recover_batch(std::span<const RecoverRequest> requests,
                   std::span<std::optional<FixedBytes<64>>> keys) noexcept;

}  // namespace meridian::crypto::secp256k1
