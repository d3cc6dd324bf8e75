#include <meridian/crypto/secp256k1.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

namespace meridian::crypto::secp256k1 {
namespace {

// Read-only after its creation, hence shared between threads.
const secp256k1_context* context() noexcept {
    static const secp256k1_context* const instance = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    return instance;
}

FixedBytes<64> coordinates(const secp256k1_pubkey& key) noexcept {
    std::uint8_t encoded[65];
    std::size_t size = sizeof encoded;
    secp256k1_ec_pubkey_serialize(context(), encoded, &size, &key, SECP256K1_EC_UNCOMPRESSED);
    MERIDIAN_ASSERT(size == sizeof encoded);
    return first_bytes<64>(BytesView{encoded + 1, 64});
}

}  // namespace

std::optional<Signature> sign(const Hash& digest, const Hash& private_key) noexcept {
    secp256k1_ecdsa_recoverable_signature raw;
    if (secp256k1_ecdsa_sign_recoverable(context(), &raw, digest.data(), private_key.data(), nullptr,
                                         nullptr) == 0)
        return std::nullopt;
    std::uint8_t compact[64];
    int recovery_id = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), compact, &recovery_id, &raw);
    // An x coordinate of the nonce point at or above the group order (ids 2 and 3) cannot be written
    // in an Ethereum signature; it has a probability of 2^-127.
    MERIDIAN_ASSERT(recovery_id < 2);
    return Signature{first_bytes<32>(BytesView{compact, 32}), first_bytes<32>(BytesView{compact + 32, 32}),
                     static_cast<std::uint8_t>(recovery_id)};
}

std::optional<FixedBytes<64>> public_key(const Hash& private_key) noexcept {
    secp256k1_pubkey key;
    if (secp256k1_ec_pubkey_create(context(), &key, private_key.data()) == 0)
        return std::nullopt;
    return coordinates(key);
}

Address address_of_public_key(const FixedBytes<64>& key) noexcept {
    const Hash hash = keccak256(key);
    return first_bytes<20>(BytesView{hash.data() + 12, 20});
}

std::optional<Address> address_of(const Hash& private_key) noexcept {
    const auto key = public_key(private_key);
    if (!key)
        return std::nullopt;
    return address_of_public_key(*key);
}

std::optional<FixedBytes<64>> recover(const Hash& digest, const Hash& r, const Hash& s,
                                      std::uint8_t recovery_id) noexcept {
    if (recovery_id > 3)
        return std::nullopt;
    std::uint8_t compact[64];
    std::copy(r.begin(), r.end(), compact);
    std::copy(s.begin(), s.end(), compact + 32);
    secp256k1_ecdsa_recoverable_signature signature;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &signature, compact, recovery_id) == 0)
        return std::nullopt;
    secp256k1_pubkey key;
    if (secp256k1_ecdsa_recover(context(), &key, &signature, digest.data()) == 0)
        return std::nullopt;
    return coordinates(key);
}

}  // namespace meridian::crypto::secp256k1
