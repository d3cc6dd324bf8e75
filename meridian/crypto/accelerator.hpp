// The cryptography that the state-transition function needs beyond Keccak, behind one interface.
//
// Natively the functions call libraries (native_accelerator()). In the RV64 guest they ask the host's
// oracle, whose answers L1 can check with Ethereum's own precompiles. Inputs and outputs are therefore
// those of the precompiled contracts wherever one exists. A function returns false where the precompile
// fails; `out` is then unspecified. Gas is charged by the caller (evm/precompiles).
#pragma once

#include <meridian/base/bytes.hpp>

#include <optional>

namespace meridian::crypto {

class Accelerator {
public:
    virtual ~Accelerator() = default;

    // Recovers the signer's address (ECDSA on secp256k1). recovery_id is 0 or 1. Empty for an invalid
    // signature (r or s zero or not below the group order; no low-s rule here).
    virtual std::optional<Address> ecrecover(const Hash& digest, const Hash& r, const Hash& s,
                                             std::uint8_t recovery_id) const noexcept = 0;
    virtual Hash sha256(BytesView input) const noexcept = 0;
    virtual FixedBytes<20> ripemd160(BytesView input) const noexcept = 0;
    // base^exponent mod modulus; out.size() == modulus.size(); zero for a zero modulus. Big-endian.
    virtual void modexp(BytesView base, BytesView exponent, BytesView modulus,
                        std::span<std::uint8_t> out) const noexcept = 0;
    // EIP-196/197. Inputs of exactly 128, 96 and a multiple of 192 bytes (the caller pads).
    virtual bool bn254_add(BytesView input, std::span<std::uint8_t, 64> out) const noexcept = 0;
    virtual bool bn254_mul(BytesView input, std::span<std::uint8_t, 64> out) const noexcept = 0;
    virtual bool bn254_pairing(BytesView input, bool& out) const noexcept = 0;
    // EIP-4844 point evaluation: z, y, commitment, proof. The versioned hash is checked by the caller.
    virtual bool kzg_verify(const Hash& z, const Hash& y, const FixedBytes<48>& commitment,
                            const FixedBytes<48>& proof) const noexcept = 0;
    // EIP-2537, in its encodings (G1 128 bytes, G2 256 bytes).
    virtual bool bls12_g1_add(BytesView input, std::span<std::uint8_t, 128> out) const noexcept = 0;
    virtual bool bls12_g1_msm(BytesView input, std::span<std::uint8_t, 128> out) const noexcept = 0;
    virtual bool bls12_g2_add(BytesView input, std::span<std::uint8_t, 256> out) const noexcept = 0;
    virtual bool bls12_g2_msm(BytesView input, std::span<std::uint8_t, 256> out) const noexcept = 0;
    virtual bool bls12_pairing(BytesView input, bool& out) const noexcept = 0;
    virtual bool bls12_map_fp_to_g1(BytesView input, std::span<std::uint8_t, 128> out) const noexcept = 0;
    virtual bool bls12_map_fp2_to_g2(BytesView input, std::span<std::uint8_t, 256> out) const noexcept = 0;
    // EIP-7951: 160 bytes (digest, r, s, x, y). True for a valid signature.
    virtual bool p256_verify(BytesView input) const noexcept = 0;
};

// The process's accelerator: libraries natively, the oracle in the guest. Thread-safe.
const Accelerator& accelerator() noexcept;

}  // namespace meridian::crypto
