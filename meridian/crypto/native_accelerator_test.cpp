#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <random>
#include <thread>

namespace meridian::crypto {
namespace {

Bytes bytes(std::string_view text) {
    return from_hex(text).value();
}

TEST(digest, published_examples) {
    EXPECT_EQ(to_hex(accelerator().sha256({})),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(accelerator().sha256(as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(accelerator().ripemd160({})), "9c1185a5c5e9fc54612808977ee8f548b2258d31");
    EXPECT_EQ(to_hex(accelerator().ripemd160(as_bytes("abc"))), "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
}

// --- modexp ----------------------------------------------------------------------------------------

std::string modexp(std::string_view base, std::string_view exponent, std::string_view modulus) {
    const Bytes m = bytes(modulus);
    Bytes out(m.size(), 0xaa);
    accelerator().modexp(bytes(base), bytes(exponent), m, out);
    return to_hex(out);
}

TEST(modexp, degenerate_operands) {
    EXPECT_EQ(modexp("", "", ""), "");
    EXPECT_EQ(modexp("05", "03", "00"), "00");
    EXPECT_EQ(modexp("05", "03", "000000"), "000000");
    EXPECT_EQ(modexp("05", "00", "0001"), "0000");
    EXPECT_EQ(modexp("", "", "02"), "01");
    EXPECT_EQ(modexp("", "", "03"), "01");
    EXPECT_EQ(modexp("", "01", "03"), "00");
    EXPECT_EQ(modexp("", "01", "04"), "00");
    EXPECT_EQ(modexp("0000000005", "0000000002", "000007"), "000004");
}

// Computed by another implementation (Python's pow).
TEST(modexp, known_powers) {
    struct Case {
        const char* base;
        const char* exponent;
        const char* modulus;
        const char* result;
    };
    constexpr Case kCases[] = {
        {"03", "05", "07", "05"},
        {"00", "00", "05", "01"},
        {"00", "00", "01", "00"},
        {"05", "00", "0001", "0000"},
        {"02", "0a", "0100", "0000"},
        {"03", "100000", "010000000000000000", "00d3c6712e8f400001"},
        {"06", "07", "0c", "00"},
        {"02", "ff", "00030000000000000000", "00020000000000000000"},
        {"3b9aca07", "1fffffffffffffff", "00fffffffe0000", "0023283b9a83b7"},
        {"ffffffffffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffff",
         "0100000000000000000000000000000000", "00ffffffffffffffffffffffffffffffff"},
        {"010000000000000000", "03", "0100000000000000010000000000000000",
         "0000000000000000010000000000000000"},
        {"6b6f03675a1600a35a099950d836f675cc81e74ef5e8e25d94", "005ce3df3d9c172411e20b8f",
         "955d9dc9f81818e811892f902bd23f0824128b2f330c5c7fd0a6a3a4506513270e",
         "1fdd57e2375bbf7a16fb6b0febad194f1d387f8223e0c2aa9622c41df1483bacc6"},
        {"0b3898d190f9ebdacc0cb1e29c658cda1495e60af593bd04cf", "00885efadbc496cb8e81973e",
         "1e53a1b5953f48f1a09f76b5a170b33839263059f28c105d1fb17c2390c192cfd3ac94af0f21ddb6",
         "057371660e5bab7e3893ab3a5c7fde5228e91476ce66f0a68c487bd8e73d8494e329ae8aee61e5d1"},
        {"8c18f135d25f557203301850c5a38fd547923a736994e3bf91", "0241e9c31012f037b64ce422",
         "05ae97ba94d0eda82f8f6d05584ef8aa38922766581e27a1c08a6a63ec24ede6a4",
         "014c6ccb35a667502bd8a472c559577bb435320c630c1241cd7d1e087f2f666cd5"},
        {"3f4cbd87ad5c90a9587403e430ec66a78795e761d17731af10", "02cbc5322e05319acb5c7427",
         "c6f877186d76b07e881ed162ae2eb1547f150520", "7ef1ef3ffb6c7434b224446a4b107624fabf79c0"},
        {"1e12bd4acefaecbd389be4bcfc49b64a0872e6cc3ababced20", "00a8ebd36b0a18e8830e07bc",
         "e00902c77ebff206867347214cdd2055930d6ea8", "4f9a24eea8ecff79f5b56c8dc7f1393a1bb2e0a0"},
        {"59b1fee08f571242425051c1ccd17f9acae01f5057ca02135e", "0251d00c7f26144b98289fcd",
         "8ec3baea9e13deef86ab1031d0f646e1f40a097c976bf46c690000000000000000",
         "73d700f2fbe9bc908540d0261807d41e069957d02abdf8be1c0000000000000000"},
    };
    for (const auto& c : kCases)
        EXPECT_EQ(modexp(c.base, c.exponent, c.modulus), c.result)
            << c.base << " " << c.exponent << " " << c.modulus;
}

// OpenSSL's general exponentiation takes another way for even moduli: division at every step.
Bytes divided(BytesView base, BytesView exponent, BytesView modulus) {
    BN_CTX* context = BN_CTX_new();
    BIGNUM* b = BN_bin2bn(base.data(), static_cast<int>(base.size()), nullptr);
    BIGNUM* e = BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr);
    BIGNUM* m = BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr);
    BIGNUM* r = BN_new();
    if (!BN_is_zero(m)) {
        EXPECT_EQ(BN_mod_exp(r, b, e, m, context), 1);
    }
    Bytes out(modulus.size());
    BN_bn2binpad(r, out.data(), static_cast<int>(out.size()));
    for (BIGNUM* x : {b, e, m, r})
        BN_free(x);
    BN_CTX_free(context);
    return out;
}

TEST(modexp, matches_division_for_random_operands) {
    std::mt19937_64 random(11);
    const auto number = [&](std::size_t max_size) {
        Bytes out(random() % (max_size + 1));
        for (auto& byte : out)
            byte = static_cast<std::uint8_t>(random());
        return out;
    };
    for (int i = 0; i < 3000; ++i) {
        const Bytes base = number(70);
        const Bytes exponent = number(20);
        Bytes modulus = number(70);
        // Half of the moduli get a run of low zeros, of any length.
        if (i % 2 == 0 && !modulus.empty()) {
            const std::size_t zeros = random() % modulus.size();
            std::fill(modulus.end() - static_cast<std::ptrdiff_t>(zeros), modulus.end(), std::uint8_t{0});
            auto& byte = modulus[modulus.size() - 1 - zeros];
            byte = static_cast<std::uint8_t>(byte << random() % 8);
        }
        Bytes out(modulus.size());
        accelerator().modexp(base, exponent, modulus, out);
        ASSERT_EQ(to_hex(out), to_hex(divided(base, exponent, modulus)))
            << to_hex(base) << " " << to_hex(exponent) << " " << to_hex(modulus);
    }
}

// --- P-256 -----------------------------------------------------------------------------------------

constexpr std::string_view kValidP256 =
    "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
    "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
    "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76"
    "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838"
    "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e";
constexpr std::string_view kP256Prime = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
constexpr std::string_view kP256Order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

// The valid input with one of its five words replaced.
bool verify_with(std::size_t index, std::string_view word) {
    std::string input(kValidP256);
    input.replace(64 * index, 64, word);
    return accelerator().p256_verify(bytes(input));
}

TEST(p256, accepts_a_valid_signature) {
    EXPECT_TRUE(accelerator().p256_verify(bytes(kValidP256)));
}

TEST(p256, rejects_what_the_eip_excludes) {
    const std::string zero(64, '0');
    for (std::size_t index = 0; index < 5; ++index)
        EXPECT_FALSE(verify_with(index, zero)) << index;
    for (const std::size_t index : {1, 2})
        EXPECT_FALSE(verify_with(index, kP256Order)) << index;
    for (const std::size_t index : {3, 4})
        EXPECT_FALSE(verify_with(index, kP256Prime)) << index;
    EXPECT_FALSE(verify_with(4, "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513f"));
    std::string infinity(kValidP256);
    infinity.replace(192, 128, 128, '0');
    EXPECT_FALSE(accelerator().p256_verify(bytes(infinity)));
    EXPECT_FALSE(accelerator().p256_verify(bytes(kValidP256.substr(0, 318))));
    EXPECT_FALSE(accelerator().p256_verify({}));
    EXPECT_TRUE(accelerator().p256_verify(bytes(kValidP256))) << "no state is left by failures";
}

// --- BLS12-381 -------------------------------------------------------------------------------------

const std::string kBlsG1 =
    "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83f"
    "f97a1aeffb3af00adb22c6bb"
    "0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744"
    "a2888ae40caa232946c5e7e1";
const std::string kBlsMinusG1 = kBlsG1.substr(0, 128) +
                                "00000000000000000000000000000000114d1d6855d545a8aa7d76c8cf2e21f267816aef1db5"
                                "07c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca";
const std::string kBlsG2 =
    "00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326"
    "a805bbefd48056c8c121bdb8"
    "0000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf112"
    "13945d57e5ac7d055d042b7e"
    "000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc"
    "3baca289e193548608b82801"
    "000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d27"
    "5cec1da1aaa9075ff05f79be";
const std::string kInfinity1(256, '0');
const std::string kInfinity2(512, '0');

std::string scalar(std::uint8_t value) {
    Hash out;
    out[31] = value;
    return to_hex(out);
}

using G1Function = bool (Accelerator::*)(BytesView, std::span<std::uint8_t, 128>) const;
using G2Function = bool (Accelerator::*)(BytesView, std::span<std::uint8_t, 256>) const;

std::string g1(G1Function function, const std::string& input) {
    FixedBytes<128> out;
    return (accelerator().*function)(bytes(input), out.bytes) ? to_hex(out) : "failure";
}
std::string g2(G2Function function, const std::string& input) {
    FixedBytes<256> out;
    return (accelerator().*function)(bytes(input), out.bytes) ? to_hex(out) : "failure";
}
std::string pairing(const std::string& input) {
    bool out = false;
    if (!accelerator().bls12_pairing(bytes(input), out))
        return "failure";
    return out ? "one" : "other";
}

TEST(bls12, sums_and_multiples_agree) {
    const auto add = &Accelerator::bls12_g1_add;
    const auto msm = &Accelerator::bls12_g1_msm;
    const std::string twice = g1(add, kBlsG1 + kBlsG1);
    EXPECT_EQ(g1(msm, kBlsG1 + scalar(2)), twice);
    EXPECT_EQ(g1(msm, kBlsG1 + scalar(3)), g1(add, twice + kBlsG1));
    // Several terms, with infinity, a zero scalar and a point with its negative among them.
    EXPECT_EQ(g1(msm, kBlsG1 + scalar(3) + kInfinity1 + scalar(9) + twice + scalar(0) + kBlsG1 + scalar(1) +
                          kBlsMinusG1 + scalar(2)),
              twice);
    EXPECT_EQ(g1(msm, kBlsG1 + scalar(5) + kBlsMinusG1 + scalar(5)), kInfinity1);
    EXPECT_EQ(g1(msm, kInfinity1 + scalar(5)), kInfinity1);
    EXPECT_EQ(g1(add, kBlsG1 + kBlsMinusG1), kInfinity1);
    EXPECT_EQ(g1(add, kInfinity1 + kInfinity1), kInfinity1);
    EXPECT_EQ(g1(add, kInfinity1 + kBlsG1), kBlsG1);
    const std::string twice2 = g2(&Accelerator::bls12_g2_add, kBlsG2 + kBlsG2);
    EXPECT_EQ(g2(&Accelerator::bls12_g2_msm, kBlsG2 + scalar(2)), twice2);
    EXPECT_EQ(
        g2(&Accelerator::bls12_g2_msm, kBlsG2 + scalar(1) + kInfinity2 + scalar(1) + kBlsG2 + scalar(1)),
        twice2);
    EXPECT_EQ(g2(&Accelerator::bls12_g2_add, kInfinity2 + kBlsG2), kBlsG2);
}

TEST(bls12, scalars_are_reduced_by_the_group_order) {
    const std::string order = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    EXPECT_EQ(g1(&Accelerator::bls12_g1_msm, kBlsG1 + order), kInfinity1);
    EXPECT_EQ(g2(&Accelerator::bls12_g2_msm, kBlsG2 + order), kInfinity2);
    // 2^256 - 1 = 2 * order + this
    EXPECT_EQ(g1(&Accelerator::bls12_g1_msm, kBlsG1 + std::string(64, 'f')),
              g1(&Accelerator::bls12_g1_msm,
                 kBlsG1 + "1824b159acc5056f998c4fefecbc4ff55884b7fa0003480200000001fffffffd"));
}

TEST(bls12, pairing_is_bilinear) {
    EXPECT_EQ(pairing(kBlsG1 + kBlsG2), "other");
    EXPECT_EQ(pairing(kBlsG1 + kBlsG2 + kBlsMinusG1 + kBlsG2), "one");
    EXPECT_EQ(pairing(kInfinity1 + kBlsG2), "one");
    EXPECT_EQ(pairing(kBlsG1 + kInfinity2), "one");
    const std::string twice = g1(&Accelerator::bls12_g1_add, kBlsG1 + kBlsG1);
    const std::string twice2 = g2(&Accelerator::bls12_g2_add, kBlsG2 + kBlsG2);
    EXPECT_EQ(pairing(twice + kBlsG2 + kBlsMinusG1 + twice2), "one");
    EXPECT_EQ(pairing(twice + twice2 + kBlsMinusG1 + twice2), "other");
}

TEST(bls12, rejects_invalid_input) {
    const auto add = &Accelerator::bls12_g1_add;
    EXPECT_EQ(g1(add, ""), "failure");
    EXPECT_EQ(g1(add, kBlsG1), "failure");
    EXPECT_EQ(g1(&Accelerator::bls12_g1_msm, ""), "failure");
    EXPECT_EQ(g2(&Accelerator::bls12_g2_msm, ""), "failure");
    EXPECT_EQ(pairing(""), "failure");
    std::string padded = kBlsG1;
    padded[0] = '1';
    EXPECT_EQ(g1(add, padded + kBlsG1), "failure");
    std::string off_curve = kBlsG1;
    off_curve.back() = '2';
    EXPECT_EQ(g1(add, off_curve + kBlsG1), "failure");
    const std::string prime =
        "000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eab"
        "fffeb153ffffb9feffffffffaaab";
    EXPECT_EQ(g1(&Accelerator::bls12_map_fp_to_g1, prime), "failure");
    EXPECT_EQ(g2(&Accelerator::bls12_map_fp2_to_g2, std::string(128, '0') + prime), "failure");
    EXPECT_EQ(g1(add, prime + std::string(128, '0') + kBlsG1), "failure");
}

// (0, 2) is on the curve and of order three: addition takes it, multiplication and pairing do not.
TEST(bls12, subgroup_is_checked_where_the_eip_says) {
    const std::string small_order = std::string(128, '0') + std::string(127, '0') + "2";
    EXPECT_NE(g1(&Accelerator::bls12_g1_add, small_order + kBlsG1), "failure");
    EXPECT_EQ(g1(&Accelerator::bls12_g1_msm, small_order + scalar(1)), "failure");
    EXPECT_EQ(g1(&Accelerator::bls12_g1_msm, small_order + scalar(0)), "failure");
    EXPECT_EQ(pairing(small_order + kBlsG2), "failure");
    EXPECT_EQ(pairing(small_order + kInfinity2), "failure");
}

// --- KZG -------------------------------------------------------------------------------------------

template <std::size_t N>
FixedBytes<N> fixed(std::string_view text) {
    return fixed_from_hex<N>(text).value();
}

// Of c-kzg's vectors.
TEST(kzg, opening_proofs) {
    const auto infinity = fixed<48>("c0" + std::string(94, '0'));
    const auto commitment = fixed<48>(
        "a572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e");
    const Hash z = "0x5eb7004fe57383e6c88b99d839937fddf3f99279353aaf8d5c9a75f91ce33c62"_hash;
    const Hash order = "0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"_hash;
    const auto& a = accelerator();
    // The zero polynomial and the constant two.
    EXPECT_TRUE(a.kzg_verify(z, Hash{}, infinity, infinity));
    EXPECT_TRUE(a.kzg_verify(z, "0x02"_hash, commitment, infinity));
    EXPECT_FALSE(a.kzg_verify(z, "0x03"_hash, commitment, infinity));
    EXPECT_FALSE(a.kzg_verify(z, "0x02"_hash, commitment, commitment));
    // Numbers must be below the order, points in the compressed form.
    EXPECT_FALSE(a.kzg_verify(order, Hash{}, infinity, infinity));
    EXPECT_FALSE(a.kzg_verify(z, order, infinity, infinity));
    EXPECT_FALSE(a.kzg_verify(z, Hash{}, FixedBytes<48>{}, infinity));
    EXPECT_FALSE(a.kzg_verify(z, Hash{}, infinity, FixedBytes<48>{}));
}

// Of geth's vectors: a polynomial of full degree.
TEST(kzg, opening_proof_of_a_blob) {
    const auto z = fixed<32>("564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306");
    auto y = fixed<32>("24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1");
    const auto commitment = fixed<48>(
        "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7");
    const auto proof = fixed<48>(
        "873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a");
    EXPECT_TRUE(accelerator().kzg_verify(z, y, commitment, proof));
    EXPECT_FALSE(accelerator().kzg_verify(y, y, commitment, proof));
    EXPECT_FALSE(accelerator().kzg_verify(z, y, proof, commitment));
    y[31] ^= 1;
    EXPECT_FALSE(accelerator().kzg_verify(z, y, commitment, proof));
}

// --- threads ---------------------------------------------------------------------------------------

TEST(accelerator, is_thread_safe) {
    const auto work = [](std::size_t seed, Bytes& results) {
        for (std::size_t i = 0; i < 20; ++i) {
            append(results, bytes(modexp("03", scalar(static_cast<std::uint8_t>(seed)),
                                         "0100000000000000000000000001")));
            results.push_back(accelerator().p256_verify(bytes(kValidP256)));
            append(results, accelerator().sha256(results));
            results.push_back(pairing(kBlsG1 + kBlsG2 + kBlsMinusG1 + kBlsG2) == "one");
        }
    };
    std::vector<Bytes> parallel(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < parallel.size(); ++i)
        threads.emplace_back([&, i] { work(i, parallel[i]); });
    for (auto& thread : threads)
        thread.join();
    for (std::size_t i = 0; i < parallel.size(); ++i) {
        Bytes alone;
        work(i, alone);
        EXPECT_EQ(to_hex(parallel[i]), to_hex(alone));
    }
}

}  // namespace
}  // namespace meridian::crypto
