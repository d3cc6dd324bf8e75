// The guest's cryptography as it really runs: across the pipes, answered by the host's libraries.
#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>

#include <gtest/gtest.h>

namespace meridian::crypto {
namespace {

template <typename T>
T fixed(std::string_view text) {
    const auto parsed = fixed_from_hex<T::kSize>(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value_or(T{});
}

TEST(oracle, sha256_of_fips_180_example) {
    const std::uint8_t message[] = {'a', 'b', 'c'};
    EXPECT_EQ(accelerator().sha256(message),
              fixed<Hash>("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

TEST(oracle, sha256_of_a_message_longer_than_a_pipe) {
    const Bytes message(1'000'000, 'a');
    EXPECT_EQ(accelerator().sha256(message),
              fixed<Hash>("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

// The example of EIP-155: its signer's key is 0x4646...46.
TEST(oracle, ecrecover_and_its_refusal) {
    const auto digest = fixed<Hash>("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    const auto r = fixed<Hash>("28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
    const auto s = fixed<Hash>("67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
    const auto signer = accelerator().ecrecover(digest, r, s, 0);
    ASSERT_TRUE(signer.has_value());
    EXPECT_EQ(*signer, fixed<Address>("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"));
    EXPECT_FALSE(accelerator().ecrecover(digest, Hash{}, s, 0).has_value());
}

TEST(oracle, modexp_keeps_the_length_of_the_modulus) {
    const std::uint8_t base[] = {3};
    const std::uint8_t exponent[] = {200};
    const std::uint8_t modulus[] = {0, 13};
    std::uint8_t out[2] = {0xff, 0xff};
    accelerator().modexp(base, exponent, modulus, out);
    EXPECT_EQ(out[0], 0);
    EXPECT_EQ(out[1], 9);  // the order of 3 modulo 13 is 3 and 200 mod 3 = 2
}

TEST(oracle, invalid_points_fail_as_values) {
    std::uint8_t out[128];
    const Bytes not_a_point(256, 1);
    EXPECT_FALSE(accelerator().bls12_g1_add(not_a_point, out));
    EXPECT_FALSE(accelerator().p256_verify(Bytes(160, 1)));
}

}  // namespace
}  // namespace meridian::crypto
