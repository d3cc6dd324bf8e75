// The accelerator of a native process: each function is one call of a library or of our own code.
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/bls12.hpp>
#include <meridian/crypto/bn254.hpp>
#include <meridian/crypto/digest.hpp>
#include <meridian/crypto/kzg.hpp>
#include <meridian/crypto/modexp.hpp>
#include <meridian/crypto/p256.hpp>
#include <meridian/crypto/secp256k1.hpp>

namespace meridian::crypto {
namespace {

class NativeAccelerator final : public Accelerator {
public:
    std::optional<Address> ecrecover(const Hash& digest, const Hash& r, const Hash& s,
                                     std::uint8_t recovery_id) const noexcept override {
        if (recovery_id > 1)
            return std::nullopt;
        const auto key = secp256k1::recover(digest, r, s, recovery_id);
        if (!key)
            return std::nullopt;
        return secp256k1::address_of_public_key(*key);
    }
    Hash sha256(BytesView input) const noexcept override { return digest::sha256(input); }
    FixedBytes<20> ripemd160(BytesView input) const noexcept override { return digest::ripemd160(input); }
    void modexp(BytesView base, BytesView exponent, BytesView modulus,
                std::span<std::uint8_t> out) const noexcept override {
        crypto::modexp(base, exponent, modulus, out);
    }
    bool bn254_add(BytesView input, std::span<std::uint8_t, 64> out) const noexcept override {
        return bn254::add(input, out);
    }
    bool bn254_mul(BytesView input, std::span<std::uint8_t, 64> out) const noexcept override {
        return bn254::mul(input, out);
    }
    bool bn254_pairing(BytesView input, bool& out) const noexcept override {
        return bn254::pairing(input, out);
    }
    bool kzg_verify(const Hash& z, const Hash& y, const FixedBytes<48>& commitment,
                    const FixedBytes<48>& proof) const noexcept override {
        return kzg::verify(z, y, commitment, proof);
    }
    bool bls12_g1_add(BytesView input, std::span<std::uint8_t, 128> out) const noexcept override {
        return bls12::g1_add(input, out);
    }
    bool bls12_g1_msm(BytesView input, std::span<std::uint8_t, 128> out) const noexcept override {
        return bls12::g1_msm(input, out);
    }
    bool bls12_g2_add(BytesView input, std::span<std::uint8_t, 256> out) const noexcept override {
        return bls12::g2_add(input, out);
    }
    bool bls12_g2_msm(BytesView input, std::span<std::uint8_t, 256> out) const noexcept override {
        return bls12::g2_msm(input, out);
    }
    bool bls12_pairing(BytesView input, bool& out) const noexcept override {
        return bls12::pairing(input, out);
    }
    bool bls12_map_fp_to_g1(BytesView input, std::span<std::uint8_t, 128> out) const noexcept override {
        return bls12::map_fp_to_g1(input, out);
    }
    bool bls12_map_fp2_to_g2(BytesView input, std::span<std::uint8_t, 256> out) const noexcept override {
        return bls12::map_fp2_to_g2(input, out);
    }
    bool p256_verify(BytesView input) const noexcept override { return p256::verify(input); }
};

}  // namespace

const Accelerator& accelerator() noexcept {
    static const NativeAccelerator instance;
    return instance;
}

}  // namespace meridian::crypto
