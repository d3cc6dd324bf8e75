#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1.hpp>

#include <gtest/gtest.h>

namespace meridian::crypto::secp256k1 {
namespace {

TEST(secp256k1, addresses_of_known_keys) {
    EXPECT_EQ(address_of("0x01"_hash), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"_address);
    // The first account of the well-known test mnemonic.
    EXPECT_EQ(address_of("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"_hash),
              "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"_address);
}

TEST(secp256k1, invalid_keys) {
    const Hash order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"_hash;
    for (const Hash& key : {Hash{}, order}) {
        EXPECT_FALSE(public_key(key));
        EXPECT_FALSE(address_of(key));
        EXPECT_FALSE(sign("0x05"_hash, key));
    }
}

TEST(secp256k1, signatures_recover_to_their_signer) {
    for (std::uint8_t i = 1; i < 40; ++i) {
        Hash key;
        key[3] = i;
        Hash digest;
        digest[7] = i;
        const auto signature = sign(digest, key);
        ASSERT_TRUE(signature);
        EXPECT_LE(signature->s, "0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"_hash);
        EXPECT_EQ(recover(digest, signature->r, signature->s, signature->recovery_id), public_key(key));
        const auto signer =
            accelerator().ecrecover(digest, signature->r, signature->s, signature->recovery_id);
        EXPECT_EQ(signer, address_of(key));
        const auto other = static_cast<std::uint8_t>(1 - signature->recovery_id);
        EXPECT_NE(recover(digest, signature->r, signature->s, other), public_key(key));
    }
}

// The example of EIP-155, by key 0x4646...46.
TEST(secp256k1, eip155_example) {
    Hash key;
    key.bytes.fill(0x46);
    const Hash digest = "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"_hash;
    const auto signature = sign(digest, key);
    ASSERT_TRUE(signature);
    EXPECT_EQ(signature->r, "0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"_hash);
    EXPECT_EQ(signature->s, "0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"_hash);
    EXPECT_EQ(signature->recovery_id, 0);
}

TEST(secp256k1, recovery_refuses_values_out_of_range) {
    const Hash order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"_hash;
    const auto signature = *sign("0x01"_hash, "0x02"_hash);
    EXPECT_FALSE(recover("0x01"_hash, Hash{}, signature.s, 0));
    EXPECT_FALSE(recover("0x01"_hash, signature.r, Hash{}, 0));
    EXPECT_FALSE(recover("0x01"_hash, order, signature.s, 0));
    EXPECT_FALSE(recover("0x01"_hash, signature.r, order, 0));
    EXPECT_FALSE(recover("0x01"_hash, signature.r, signature.s, 4));
    EXPECT_FALSE(accelerator().ecrecover("0x01"_hash, signature.r, signature.s, 2));
}

}  // namespace
}  // namespace meridian::crypto::secp256k1
