// ECDSA on secp256k1 (libsecp256k1) for the host: recovery, signing and addresses of keys.
//
// A private key is a Hash holding a big-endian number in 1..n-1. Thread-safe.
#pragma once

#include <meridian/base/bytes.hpp>

#include <optional>

namespace meridian::crypto::secp256k1 {

struct Signature {
    Hash r;
    Hash s;                      // in the lower half of the group order, as Ethereum asks
    std::uint8_t recovery_id{};  // 0 or 1: the parity of the nonce point's y
};

// Deterministic (RFC 6979). Empty for a key of zero or not below the group order.
std::optional<Signature> sign(const Hash& digest, const Hash& private_key) noexcept;

// The uncompressed public key without its 0x04 prefix: x and y. Empty for an invalid key.
std::optional<FixedBytes<64>> public_key(const Hash& private_key) noexcept;

// The account that the key controls. Empty for an invalid key.
std::optional<Address> address_of(const Hash& private_key) noexcept;

// The account of a public key as public_key() gives it (the point is not checked).
Address address_of_public_key(const FixedBytes<64>& key) noexcept;

// The signer's public key. recovery_id is 0..3; no low-s rule. Empty for an invalid signature.
std::optional<FixedBytes<64>> recover(const Hash& digest, const Hash& r, const Hash& s,
                                      std::uint8_t recovery_id) noexcept;

}  // namespace meridian::crypto::secp256k1
