#include <meridian/base/hex.hpp>
#include <meridian/crypto/oracle_accelerator.hpp>
#include <meridian/crypto/oracle_server.hpp>
#include <meridian/crypto/secp256k1.hpp>

#include <gtest/gtest.h>

namespace meridian::crypto {
namespace {

Bytes g_answer;
std::size_t g_requests = 0;

BytesView serve(BytesView request) noexcept {
    ++g_requests;
    EXPECT_TRUE(serve_oracle(request, g_answer).has_value());
    return g_answer;
}

class oracle : public testing::Test {
protected:
    void SetUp() override { set_oracle_transport(serve); }
    void TearDown() override { set_oracle_transport(nullptr); }
    const Accelerator& asked = oracle_accelerator();
    const Accelerator& native = accelerator();
};

Bytes request(std::uint8_t kind, std::size_t length, BytesView payload) {
    Bytes out = {kind};
    for (unsigned shift = 0; shift < 32; shift += 8)
        out.push_back(static_cast<std::uint8_t>(length >> shift));
    append(out, payload);
    return out;
}

TEST_F(oracle, answers_equal_the_native_ones) {
    const Hash digest = "0x1234"_hash;
    const auto signature = *secp256k1::sign(digest, "0x2a"_hash);
    EXPECT_EQ(asked.ecrecover(digest, signature.r, signature.s, signature.recovery_id),
              secp256k1::address_of("0x2a"_hash));
    EXPECT_FALSE(asked.ecrecover(digest, Hash{}, signature.s, 0));
    EXPECT_EQ(asked.sha256(as_bytes("abc")), native.sha256(as_bytes("abc")));
    EXPECT_EQ(asked.sha256({}), native.sha256({}));
    EXPECT_EQ(asked.ripemd160(as_bytes("abc")), native.ripemd160(as_bytes("abc")));
    const Bytes three = {3};
    const Bytes modulus = {1, 0, 0};
    Bytes power(3);
    asked.modexp(three, three, modulus, power);
    EXPECT_EQ(to_hex(power), "00001b");
    asked.modexp({}, {}, {}, {});
    EXPECT_EQ(g_requests, 7u);
}

TEST_F(oracle, bls12_answers_equal_the_native_ones) {
    Bytes field(64, 0);
    field[63] = 5;
    FixedBytes<128> p;
    FixedBytes<128> expected_p;
    ASSERT_TRUE(asked.bls12_map_fp_to_g1(field, p.bytes));
    ASSERT_TRUE(native.bls12_map_fp_to_g1(field, expected_p.bytes));
    EXPECT_EQ(p, expected_p);
    FixedBytes<256> q;
    FixedBytes<256> expected_q;
    Bytes field2 = field;
    append(field2, field);
    ASSERT_TRUE(asked.bls12_map_fp2_to_g2(field2, q.bytes));
    ASSERT_TRUE(native.bls12_map_fp2_to_g2(field2, expected_q.bytes));
    EXPECT_EQ(q, expected_q);

    const auto doubled = [](const auto& point) {
        Bytes out = to_bytes(point);
        append(out, point);
        return out;
    };
    const auto term = [](const auto& point) {
        Bytes out = to_bytes(point);
        append(out, "0x02"_hash);
        return out;
    };
    FixedBytes<128> sum1;
    FixedBytes<128> product1;
    EXPECT_TRUE(asked.bls12_g1_add(doubled(p), sum1.bytes) && asked.bls12_g1_msm(term(p), product1.bytes));
    EXPECT_EQ(sum1, product1);
    FixedBytes<256> sum2;
    FixedBytes<256> product2;
    EXPECT_TRUE(asked.bls12_g2_add(doubled(q), sum2.bytes) && asked.bls12_g2_msm(term(q), product2.bytes));
    EXPECT_EQ(sum2, product2);
    Bytes pair = to_bytes(p);
    append(pair, q);
    bool is_one = true;
    EXPECT_TRUE(asked.bls12_pairing(pair, is_one));
    EXPECT_FALSE(is_one);
    pair[0] = 1;
    EXPECT_FALSE(asked.bls12_pairing(pair, is_one));
    EXPECT_FALSE(asked.bls12_g1_add(p, sum1.bytes));
}

TEST_F(oracle, predicates) {
    FixedBytes<48> infinity;
    infinity[0] = 0xc0;
    EXPECT_TRUE(asked.kzg_verify("0x01"_hash, Hash{}, infinity, infinity));
    EXPECT_FALSE(asked.kzg_verify("0x01"_hash, "0x01"_hash, infinity, infinity));
    const Bytes p256 = from_hex(
                           "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
                           "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
                           "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76"
                           "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838"
                           "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e")
                           .value();
    EXPECT_TRUE(asked.p256_verify(p256));
    EXPECT_FALSE(asked.p256_verify(BytesView(p256).first(159)));
}

TEST_F(oracle, bn254_is_computed_without_asking) {
    const std::size_t before = g_requests;
    FixedBytes<64> out;
    EXPECT_TRUE(asked.bn254_add(Bytes(128), out.bytes));
    EXPECT_TRUE(asked.bn254_mul(Bytes(96), out.bytes));
    bool is_one = false;
    EXPECT_TRUE(asked.bn254_pairing({}, is_one) && is_one);
    EXPECT_EQ(g_requests, before);
}

TEST(oracle_server, malformed_requests_are_named) {
    Bytes answer;
    const auto error = [&](const Bytes& r) {
        const auto result = serve_oracle(r, answer);
        EXPECT_FALSE(result.has_value());
        return result.has_value() ? OracleError{} : result.error();
    };
    EXPECT_EQ(error({}), OracleError::WrongLength);
    EXPECT_EQ(error({2, 0, 0, 0}), OracleError::WrongLength);
    EXPECT_EQ(error(request(2, 1, {})), OracleError::WrongLength);
    EXPECT_EQ(error(request(2, 0, Bytes(1))), OracleError::WrongLength);
    EXPECT_EQ(error(request(2, 0xffffffff, {})), OracleError::WrongLength);
    EXPECT_EQ(error(request(0, 0, {})), OracleError::UnknownKind);
    EXPECT_EQ(error(request(14, 0, {})), OracleError::UnknownKind);
    EXPECT_EQ(error(request(255, 0, {})), OracleError::UnknownKind);
    EXPECT_EQ(error(request(1, 96, Bytes(96))), OracleError::WrongLength);
    EXPECT_EQ(error(request(5, 161, Bytes(161))), OracleError::WrongLength);
    EXPECT_EQ(error(request(4, 11, Bytes(11))), OracleError::WrongLength);
    EXPECT_EQ(error(request(4, 12, Bytes(12, 0xff))), OracleError::WrongLength);
    EXPECT_EQ(error(request(2, kOracleMaxPayload + 1, Bytes(kOracleMaxPayload + 1))), OracleError::TooLong);
}

}  // namespace
}  // namespace meridian::crypto
