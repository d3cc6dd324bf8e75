#include <meridian/base/hex.hpp>
#include <meridian/crypto/bn254.hpp>
#include <meridian/crypto/bn254_tower.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian::crypto::bn254 {
namespace {

constexpr std::string_view kPrimeHex = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
constexpr std::string_view kOrderHex = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const std::string kZero(64, '0');

std::string word(std::uint64_t value) {
    Hash out;
    for (std::size_t i = 0; i < 8; ++i)
        out[31 - i] = static_cast<std::uint8_t>(value >> (8 * i));
    return to_hex(out);
}

const std::string kG1 = word(1) + word(2);
const std::string kMinusG1 = word(1) + "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45";
// The generator of EIP-197.
const std::string kG2 =
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";

Bytes bytes(const std::string& text) {
    return from_hex(text).value();
}

// The result in hexadecimal, or "failure".
std::string add_points(const std::string& p, const std::string& q) {
    FixedBytes<64> out;
    return add(bytes(p + q), out.bytes) ? to_hex(out) : "failure";
}
std::string multiply(const std::string& p, const std::string& scalar) {
    FixedBytes<64> out;
    return mul(bytes(p + scalar), out.bytes) ? to_hex(out) : "failure";
}
std::string pair(const std::string& input) {
    bool out = false;
    if (!pairing(bytes(input), out))
        return "failure";
    return out ? "one" : "other";
}

// --- fields ----------------------------------------------------------------------------------------

class Source {
public:
    explicit Source(std::uint64_t seed) : m_random(seed) {}

    std::uint64_t next() { return m_random(); }
    // Every fourth is next to zero or to p, where carries go wrong.
    Fp fp() {
        const std::uint64_t choice = m_random();
        Words w = {m_random(), m_random(), m_random(), m_random() >> 3};
        if (choice % 8 == 0)
            w = {choice >> 60, 0, 0, 0};
        else if (choice % 8 == 1)
            w = detail::sub_words(kPrime, {1 + (choice >> 60), 0, 0, 0});
        return {detail::reduce_once(w)};
    }
    Fp2 fp2() { return {fp(), fp()}; }
    Fp6 fp6() { return {fp2(), fp2(), fp2()}; }
    Fp12 fp12() { return {fp6(), fp6()}; }
    std::string scalar() {
        return word(m_random()).substr(48) + word(m_random()).substr(48) + word(m_random()).substr(48) +
               word(m_random()).substr(48);
    }

private:
    std::mt19937_64 m_random;
};

TEST(bn254_field, assembly_matches_the_portable_code) {
    Source source(1);
    for (int i = 0; i < 20000; ++i) {
        const Fp a = source.fp();
        const Fp b = source.fp();
        const Fp c = source.fp();
        const Fp d = source.fp();
        ASSERT_EQ(detail::montgomery_mul(a.w, b.w), detail::montgomery_sum<false>(a.w, b.w, a.w, b.w));
        ASSERT_EQ(detail::montgomery_dot(a.w, b.w, c.w, d.w),
                  detail::montgomery_sum<true>(a.w, b.w, c.w, d.w));
        // p itself stands for the negative of zero in products of extension elements.
        ASSERT_EQ(detail::montgomery_dot(a.w, b.w, c.w, kPrime),
                  detail::montgomery_sum<true>(a.w, b.w, c.w, kPrime));
        ASSERT_EQ((a + b).w, detail::reduce_once(detail::add_words(a.w, b.w)));
        ASSERT_EQ((a - b) + b, a);
    }
}

TEST(bn254_field, arithmetic_laws) {
    Source source(2);
    for (int i = 0; i < 2000; ++i) {
        const Fp2 a = source.fp2();
        const Fp2 b = source.fp2();
        const Fp2 c = source.fp2();
        ASSERT_EQ((a + b) * c, a * c + b * c);
        ASSERT_EQ(a * b, b * a);
        ASSERT_EQ(squared(a), a * a);
        ASSERT_EQ(times_xi(a), a * (Fp2{to_fp({9, 0, 0, 0}), kFpOne}));
        ASSERT_EQ(doubled(halved(a)), a);
        ASSERT_EQ(a + -a, Fp2{});
    }
}

TEST(bn254_field, inverse) {
    Source source(3);
    EXPECT_EQ(inverse(Fp{}), Fp{});
    EXPECT_EQ(inverse(kFpOne), kFpOne);
    EXPECT_EQ(inverse(-kFpOne), -kFpOne);
    for (int i = 0; i < 5000; ++i) {
        const Fp a = source.fp();
        if (!a.is_zero()) {
            ASSERT_EQ(a * inverse(a), kFpOne);
        }
        const Fp2 b = source.fp2();
        if (!b.is_zero()) {
            ASSERT_EQ(b * inverse(b), kFp2One);
        }
    }
}

TEST(bn254_field, reads_only_numbers_below_the_prime) {
    Fp out;
    EXPECT_FALSE(read(out, bytes(std::string(kPrimeHex)).data()));
    EXPECT_FALSE(read(out, bytes(std::string(64, 'f')).data()));
    EXPECT_TRUE(read(out, bytes("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd46").data()));
    EXPECT_EQ(out, -kFpOne);
    Hash written;
    write(written.data(), out);
    EXPECT_EQ(to_hex(written), "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd46");
}

// The constants follow from xi: k^6 = xi^(p-1), which times xi is xi's conjugate.
TEST(bn254_tower, frobenius_constants) {
    const Fp2 xi = {to_fp({9, 0, 0, 0}), kFpOne};
    const Fp2 k = kFrobenius[0][0];
    EXPECT_EQ(squared(squared(k) * k) * xi, conjugate(xi));
    for (std::size_t n = 0; n < 3; ++n) {
        Fp2 power = kFp2One;
        for (std::size_t i = 0; i < 5; ++i) {
            power = power * kFrobenius[n][0];
            EXPECT_EQ(kFrobenius[n][i], power);
        }
    }
    EXPECT_EQ(kFrobenius[1][0], k * conjugate(k));
    EXPECT_EQ(kFrobenius[2][0], kFrobenius[1][0] * k);
}

TEST(bn254_tower, arithmetic_laws) {
    Source source(4);
    for (int i = 0; i < 200; ++i) {
        const Fp12 a = source.fp12();
        const Fp12 b = source.fp12();
        const Fp12 c = source.fp12();
        ASSERT_EQ(a * b, b * a);
        ASSERT_EQ((a * b) * c, a * (b * c));
        ASSERT_EQ(squared(a), a * a);
        ASSERT_EQ(a * inverse(a), kFp12One);
        for (unsigned n = 1; n <= 3; ++n)
            ASSERT_EQ(frobenius(a * b, n), frobenius(a, n) * frobenius(b, n));
        ASSERT_EQ(frobenius(frobenius(a, 1), 1), frobenius(a, 2));
        ASSERT_EQ(frobenius(frobenius(a, 2), 1), frobenius(a, 3));
        ASSERT_EQ(frobenius(frobenius(a, 3), 3), conjugate(a));
        const Line line = {source.fp2(), source.fp2(), source.fp2()};
        ASSERT_EQ(a * line, a * (Fp12{{line.l0, {}, {}}, {line.l1, line.l3, {}}}));
        Fp12 unitary = conjugate(a) * inverse(a);
        unitary = frobenius(unitary, 2) * unitary;
        ASSERT_EQ(cyclotomic_squared(unitary), squared(unitary));
    }
}

// --- EIP-196 ---------------------------------------------------------------------------------------

TEST(bn254_add, sums) {
    const std::string twice = multiply(kG1, word(2));
    EXPECT_EQ(twice,
              "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3"
              "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4");
    EXPECT_EQ(add_points(kG1, kG1), twice);
    EXPECT_EQ(add_points(twice, kG1),
              "0769bf9ac56bea3ff40232bcb1b6bd159315d84715b8e679f2d355961915abf0"
              "2ab799bee0489429554fdb7c8d086475319e63b40b9c5b57cdf1ff3dd9fe2261");
    EXPECT_EQ(add_points(kG1, kMinusG1), kZero + kZero);
    EXPECT_EQ(add_points(kZero + kZero, kG1), kG1);
    EXPECT_EQ(add_points(kG1, kZero + kZero), kG1);
    EXPECT_EQ(add_points(kZero + kZero, kZero + kZero), kZero + kZero);
}

TEST(bn254_add, rejects_invalid_points) {
    EXPECT_EQ(add_points(word(1) + word(1), kG1), "failure");
    EXPECT_EQ(add_points(kG1, word(0) + word(1)), "failure");
    EXPECT_EQ(add_points(kG1, std::string(kPrimeHex) + word(0)), "failure");
    // x = p + 1 is 1 in the field, but not an encoding.
    EXPECT_EQ(add_points("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd48" + word(2), kG1),
              "failure");
    FixedBytes<64> out;
    EXPECT_FALSE(add(Bytes(127), out.bytes));
    EXPECT_FALSE(mul(Bytes(97), out.bytes));
}

TEST(bn254_mul, known_multiples) {
    EXPECT_EQ(multiply(kG1, word(0)), kZero + kZero);
    EXPECT_EQ(multiply(kG1, word(1)), kG1);
    EXPECT_EQ(multiply(kG1, std::string(kOrderHex)), kZero + kZero);
    EXPECT_EQ(multiply(kG1, "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000"), kMinusG1);
    EXPECT_EQ(multiply(kG1, "2f1f5e2a7c0f5a41b3c8e8f6a4d2c1b09f8e7d6c5b4a39281706f5e4d3c2b1a0"),
              "12f0117ebaaf809c8b7ac81b1c6eedbdecc339459446eb1420ff05c43ccb0d08"
              "03468c62128b65d214fe36e41b54e74ee1f2df4756297fd67ca1d271638be52d");
    EXPECT_EQ(multiply(kG1, std::string(64, 'f')),
              "2f588cffe99db877a4434b598ab28f81e0522910ea52b45f0adaa772b2d5d352"
              "12f42fa8fd34fb1b33d8c6a718b6590198389b26fc9d8808d971f8b009777a97");
    EXPECT_EQ(multiply(kG1, word(0).substr(32) + "80000000000000000000000000000000"),
              "25d8a9ba3266bd80af59395320e940663ab8c05932a4280b42bfcd0ec4f69d62"
              "2fc95abfe6be50f1add78a03a9b4e60931ac358a132ad5ef5076c4894fb14aab");
    // The endomorphism's eigenvalue.
    EXPECT_EQ(multiply(kG1, "0000000000000000b3c4d79d41a917585bfc41088d8daaa78b17ea66b99c90dd"),
              "000000000000000059e26bcea0d48bacd4f263f1acdb5c4f5763473177fffffe" + word(2));
    EXPECT_EQ(multiply(kZero + kZero, word(7)), kZero + kZero);
}

TEST(bn254_mul, small_multiples_are_repeated_sums) {
    std::string sum = kZero + kZero;
    for (std::uint64_t k = 0; k < 100; ++k) {
        ASSERT_EQ(multiply(kG1, word(k)), sum) << k;
        sum = add_points(sum, kG1);
    }
}

TEST(bn254_mul, distributes_over_scalars) {
    Source source(5);
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t a = source.next() >> 1;
        const std::uint64_t b = source.next() >> 1;
        const std::string p = multiply(kG1, source.scalar());
        ASSERT_EQ(add_points(multiply(p, word(a)), multiply(p, word(b))), multiply(p, word(a + b)));
    }
    for (int i = 0; i < 200; ++i) {
        const std::string a = source.scalar();
        const std::string b = source.scalar();
        ASSERT_EQ(multiply(multiply(kG1, a), b), multiply(multiply(kG1, b), a));
    }
}

// --- EIP-197 ---------------------------------------------------------------------------------------

TEST(bn254_pairing, trivial_products) {
    EXPECT_EQ(pair(""), "one");
    EXPECT_EQ(pair(kG1 + kG2), "other");
    EXPECT_EQ(pair(kZero + kZero + kG2), "one");
    EXPECT_EQ(pair(kG1 + kZero + kZero + kZero + kZero), "one");
    EXPECT_EQ(pair(kG1 + kG2 + kMinusG1 + kG2), "one");
    EXPECT_EQ(pair(kG1 + kG2 + kG1 + kG2), "other");
}

TEST(bn254_pairing, bilinear) {
    Source source(6);
    for (int i = 0; i < 10; ++i) {
        const std::string p = multiply(kG1, source.scalar());
        const std::string q = multiply(kG1, source.scalar());
        const std::string minus_sum =
            multiply(add_points(p, q), "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000");
        ASSERT_EQ(pair(p + kG2 + q + kG2 + minus_sum + kG2), "one");
        ASSERT_EQ(pair(p + kG2 + q + kG2 + kG1 + kG2 + minus_sum + kG2), "other");
    }
}

// Of the public vectors for EIP-197 ("jeff2"): two different points of G2.
TEST(bn254_pairing, published_vector) {
    const std::string input =
        "2eca0c7238bf16e83e7a1e6c5d49540685ff51380f309842a98561558019fc02"
        "03d3260361bb8451de5ff5ecd17f010ff22f5c31cdf184e9020b06fa5997db84"
        "1213d2149b006137fcfb23036606f848d638d576a120ca981b5b1a5f9300b3ee"
        "2276cf730cf493cd95d64677bbb75fc42db72513a4c1e387b476d056f80aa75f"
        "21ee6226d31426322afcda621464d0611d226783262e21bb3bc86b537e986237"
        "096df1f82dff337dd5972e32a8ad43e28a78a96a823ef1cd4debe12b6552ea5f"
        "06967a1237ebfeca9aaae0d6d0bab8e28c198c5a339ef8a2407e31cdac516db9"
        "22160fa257a5fd5b280642ff47b65eca77e626cb685c84fa6d3b6882a283ddd1"
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
    EXPECT_EQ(pair(input), "one");
    std::string exchanged = input.substr(384) + input.substr(0, 384);
    EXPECT_EQ(pair(exchanged), "one");
    // Another G1 point in the first pair.
    EXPECT_EQ(pair(kG1 + input.substr(128)), "other");
}

TEST(bn254_pairing, rejects_invalid_input) {
    bool out = false;
    EXPECT_FALSE(pairing(Bytes(191), out));
    EXPECT_EQ(pair(word(1) + word(1) + kG2), "failure");
    std::string off_curve = kG2;
    off_curve.back() = 'b';
    EXPECT_EQ(pair(kG1 + off_curve), "failure");
    // The checks apply although the pair contributes nothing.
    EXPECT_EQ(pair(kZero + kZero + off_curve), "failure");
    EXPECT_EQ(pair(kG1 + std::string(kPrimeHex) + kG2.substr(64)), "failure");
    // On the twist (x = 1), not in the subgroup.
    const std::string outside = word(0) + word(1) +
                                "0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4"
                                "2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb";
    EXPECT_EQ(pair(kG1 + outside), "failure");
    EXPECT_EQ(pair(kZero + kZero + outside), "failure");
}

}  // namespace
}  // namespace meridian::crypto::bn254
