#include <meridian/base/hex.hpp>
#include <meridian/evm/evm_fixture.hpp>
#include <meridian/evm/precompiles.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace meridian::evm {
namespace {

using testing::World;

constexpr std::uint64_t kMaxGas = std::numeric_limits<std::uint64_t>::max();

Address address_of(std::uint16_t number) {
    Address address;
    address[18] = static_cast<std::uint8_t>(number >> 8);
    address[19] = static_cast<std::uint8_t>(number);
    return address;
}

const Precompile& at(Revision revision, std::uint16_t number) {
    const Precompile* precompile = find_precompile(revision, address_of(number));
    EXPECT_NE(precompile, nullptr) << number;
    return *precompile;
}

std::uint64_t gas(Revision revision, std::uint16_t number, BytesView input) {
    return at(revision, number).gas(input);
}

// The output in hexadecimal, or the error's name.
std::string run(Revision revision, std::uint16_t number, BytesView input) {
    Bytes output = {1, 2, 3};
    const auto result = at(revision, number).run(input, output);
    if (result)
        return to_hex(output);
    return result.error() == PrecompileError::InvalidLength ? "invalid length" : "invalid input";
}

Bytes bytes(const std::string& text) {
    return from_hex(text).value();
}

std::string word(std::uint64_t value) {
    Hash out;
    for (std::size_t i = 0; i < 8; ++i)
        out[31 - i] = static_cast<std::uint8_t>(value >> (8 * i));
    return to_hex(out);
}

// --- the table -------------------------------------------------------------------------------------

TEST(precompiles, each_revision_has_its_set) {
    const auto count = [](Revision revision) { return precompile_addresses(revision).size(); };
    EXPECT_EQ(count(Revision::Frontier), 4u);
    EXPECT_EQ(count(Revision::SpuriousDragon), 4u);
    EXPECT_EQ(count(Revision::Byzantium), 8u);
    EXPECT_EQ(count(Revision::Petersburg), 8u);
    EXPECT_EQ(count(Revision::Istanbul), 9u);
    EXPECT_EQ(count(Revision::Shanghai), 9u);
    EXPECT_EQ(count(Revision::Cancun), 10u);
    EXPECT_EQ(count(Revision::Prague), 17u);
    EXPECT_EQ(count(Revision::Osaka), 18u);
}

TEST(precompiles, the_list_and_the_lookup_agree) {
    for (std::size_t i = 0; i < kRevisionCount; ++i) {
        const auto revision = static_cast<Revision>(i);
        const auto addresses = precompile_addresses(revision);
        EXPECT_TRUE(std::is_sorted(addresses.begin(), addresses.end()));
        std::size_t found = 0;
        for (unsigned number = 0; number <= 0xffff; ++number) {
            const Address address = address_of(static_cast<std::uint16_t>(number));
            const bool listed = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
            ASSERT_EQ(find_precompile(revision, address) != nullptr, listed) << number;
            found += listed;
        }
        EXPECT_EQ(found, addresses.size());
        Address other = address_of(1);
        other[0] = 1;
        EXPECT_EQ(find_precompile(revision, other), nullptr);
        other = address_of(1);
        other[17] = 1;
        EXPECT_EQ(find_precompile(revision, other), nullptr);
    }
}

TEST(precompiles, fixed_and_linear_prices) {
    EXPECT_EQ(gas(Revision::Frontier, 1, {}), 3000u);
    EXPECT_EQ(gas(Revision::Frontier, 2, {}), 60u);
    EXPECT_EQ(gas(Revision::Frontier, 2, Bytes(33)), 84u);
    EXPECT_EQ(gas(Revision::Frontier, 3, Bytes(32)), 720u);
    EXPECT_EQ(gas(Revision::Frontier, 4, Bytes(65)), 24u);
    EXPECT_EQ(gas(Revision::Byzantium, 6, {}), 500u);
    EXPECT_EQ(gas(Revision::Istanbul, 6, {}), 150u);
    EXPECT_EQ(gas(Revision::Byzantium, 7, {}), 40000u);
    EXPECT_EQ(gas(Revision::Istanbul, 7, {}), 6000u);
    EXPECT_EQ(gas(Revision::Byzantium, 8, Bytes(384)), 260000u);
    EXPECT_EQ(gas(Revision::Istanbul, 8, Bytes(384)), 113000u);
    EXPECT_EQ(gas(Revision::Cancun, 0x0a, {}), 50000u);
    EXPECT_EQ(gas(Revision::Osaka, 0x100, {}), 6900u);
}

TEST(precompiles, bls12_prices) {
    EXPECT_EQ(gas(Revision::Prague, 0x0b, {}), 375u);
    EXPECT_EQ(gas(Revision::Prague, 0x0c, {}), 0u);
    EXPECT_EQ(gas(Revision::Prague, 0x0c, Bytes(160)), 12000u);
    EXPECT_EQ(gas(Revision::Prague, 0x0c, Bytes(160 * 2)), 22776u);
    EXPECT_EQ(gas(Revision::Prague, 0x0c, Bytes(160 * 128)), 797184u);
    EXPECT_EQ(gas(Revision::Prague, 0x0c, Bytes(160 * 200)), 1245600u);
    EXPECT_EQ(gas(Revision::Prague, 0x0d, {}), 600u);
    EXPECT_EQ(gas(Revision::Prague, 0x0e, Bytes(288 * 3)), 62302u);
    EXPECT_EQ(gas(Revision::Prague, 0x0f, Bytes(384 * 2)), 102900u);
    EXPECT_EQ(gas(Revision::Prague, 0x10, {}), 5500u);
    EXPECT_EQ(gas(Revision::Prague, 0x11, {}), 23800u);
}

// --- ecrecover and hashes ---------------------------------------------------------------------------

TEST(precompiles, ecrecover) {
    const std::string digest = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
    const std::string rs =
        "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    const std::string signer = "0000000000000000000000009d8a62f656a8d1615c1294fd71e9cfb3e4855a4f";
    EXPECT_EQ(run(Revision::Frontier, 1, bytes(digest + word(27) + rs)), signer);
    EXPECT_EQ(run(Revision::Frontier, 1, bytes(digest + word(27) + rs + "ffff")), signer);
    EXPECT_NE(run(Revision::Frontier, 1, bytes(digest + word(28) + rs)), signer);
    for (const std::uint64_t v : {0, 1, 26, 29, 27 + 256})
        EXPECT_EQ(run(Revision::Frontier, 1, bytes(digest + word(v) + rs)), "") << v;
    std::string high_v = word(27);
    high_v[0] = '1';
    EXPECT_EQ(run(Revision::Frontier, 1, bytes(digest + high_v + rs)), "");
    EXPECT_EQ(run(Revision::Frontier, 1, bytes(digest + word(27))), "");
    EXPECT_EQ(run(Revision::Frontier, 1, {}), "");
}

TEST(precompiles, hashes_and_identity) {
    EXPECT_EQ(run(Revision::Frontier, 2, as_bytes("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(run(Revision::Frontier, 3, as_bytes("abc")),
              "0000000000000000000000008eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    EXPECT_EQ(run(Revision::Frontier, 4, as_bytes("abc")), "616263");
    EXPECT_EQ(run(Revision::Frontier, 4, {}), "");
}

// --- MODEXP ----------------------------------------------------------------------------------------

std::string modexp_input(std::uint64_t base, std::uint64_t exponent, std::uint64_t modulus,
                         const std::string& data = "") {
    return word(base) + word(exponent) + word(modulus) + data;
}

// The first example of EIP-198: 3^(p-1) mod p for secp256k1's p.
const std::string kFermat = modexp_input(1, 32, 32,
                                         "03fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e"
                                         "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");

TEST(precompiles, modexp_examples) {
    EXPECT_EQ(run(Revision::Byzantium, 5, bytes(kFermat)), word(1));
    EXPECT_EQ(run(Revision::Osaka, 5, bytes(kFermat)), word(1));
    EXPECT_EQ(gas(Revision::Byzantium, 5, bytes(kFermat)), 13056u);
    EXPECT_EQ(gas(Revision::Berlin, 5, bytes(kFermat)), 1360u);
    EXPECT_EQ(gas(Revision::Osaka, 5, bytes(kFermat)), 4080u);
    // The input's end is padded with zeros: here the modulus is 0x80 and 31 zeros.
    const Bytes short_input = bytes(modexp_input(1, 2, 32, "03ffff80"));
    EXPECT_EQ(run(Revision::Byzantium, 5, short_input),
              "3b01b01ac41f2d6e917c6d6a221ce793802469026d9ab7578fa2e79e4da6aaab");
    EXPECT_EQ(run(Revision::Byzantium, 5, {}), "");
    EXPECT_EQ(run(Revision::Osaka, 5, {}), "");
    EXPECT_EQ(run(Revision::Byzantium, 5, bytes(modexp_input(0, 0, 3, "000005"))), "000001");
    EXPECT_EQ(run(Revision::Byzantium, 5, bytes(modexp_input(0, 0, 3))), "000000");
}

TEST(precompiles, modexp_minimum_prices) {
    EXPECT_EQ(gas(Revision::Byzantium, 5, {}), 0u);
    EXPECT_EQ(gas(Revision::Berlin, 5, {}), 200u);
    EXPECT_EQ(gas(Revision::Osaka, 5, {}), 500u);
}

// The three formulas at their joints, computed by hand from the EIPs.
TEST(precompiles, modexp_price_formulas) {
    const auto price = [](Revision revision, std::uint64_t base, std::uint64_t exponent,
                          std::uint64_t modulus, const std::string& head = "") {
        // With an empty base the exponent comes first.
        return gas(revision, 5, bytes(modexp_input(base, exponent, modulus, head)));
    };
    // EIP-198: 64^2 / 20, (65^2 / 4 + 96*65 - 3072) / 20, (1025^2 / 16 + 480*1025 - 199680) / 20
    EXPECT_EQ(price(Revision::Byzantium, 0, 0, 64), 204u);
    EXPECT_EQ(price(Revision::Byzantium, 0, 0, 65), 211u);
    EXPECT_EQ(price(Revision::Byzantium, 0, 0, 1024), 17868u);
    EXPECT_EQ(price(Revision::Byzantium, 0, 0, 1025), 17899u);
    // Exponents: bit length less one, plus eight for each byte behind the first 32.
    EXPECT_EQ(price(Revision::Byzantium, 0, 1, 64, "80"), 64u * 64 * 7 / 20);
    EXPECT_EQ(price(Revision::Byzantium, 0, 33, 64, "80"), 64u * 64 * (255 + 8) / 20);
    EXPECT_EQ(price(Revision::Byzantium, 0, 33, 64), 64u * 64 * 8 / 20);
    EXPECT_EQ(price(Revision::Berlin, 0, 33, 65, "80"), 81u * (255 + 8) / 3);
    EXPECT_EQ(price(Revision::Osaka, 0, 33, 65, "80"), 2u * 81 * (255 + 16));
    EXPECT_EQ(price(Revision::Osaka, 0, 33, 32, "80"), 16u * (255 + 16));
    EXPECT_EQ(price(Revision::Osaka, 0, 33, 33, "80"), 2u * 25 * (255 + 16));
}

TEST(precompiles, modexp_absurd_lengths_saturate) {
    const std::string huge(64, 'f');
    const auto of = [](const std::string& text) { return bytes(text); };
    for (const Revision revision : {Revision::Byzantium, Revision::Berlin, Revision::Osaka}) {
        EXPECT_EQ(gas(revision, 5, of(huge + word(1) + word(1))), kMaxGas);
        EXPECT_EQ(gas(revision, 5, of(word(1) + word(1) + huge)), kMaxGas);
        EXPECT_EQ(gas(revision, 5, of(word(1) + huge + word(1))), kMaxGas);
        EXPECT_EQ(gas(revision, 5, of(huge + huge + huge)), kMaxGas);
        EXPECT_EQ(gas(revision, 5, of(word(kMaxGas) + word(kMaxGas) + word(kMaxGas))), kMaxGas);
        EXPECT_EQ(run(revision, 5, of(word(1) + huge + word(1))), "invalid length");
        EXPECT_EQ(run(revision, 5, of(huge + word(1) + word(1))), "invalid length");
        EXPECT_EQ(run(revision, 5, of(word(1) + word(1) + huge)), "invalid length");
    }
    // An exponent of any length is nearly free where nothing is to be computed; not from EIP-7823 on.
    EXPECT_EQ(gas(Revision::Byzantium, 5, of(word(0) + huge + word(0))), 0u);
    EXPECT_EQ(gas(Revision::Berlin, 5, of(word(0) + huge + word(0))), 200u);
    EXPECT_EQ(run(Revision::Berlin, 5, of(word(0) + huge + word(0))), "");
    EXPECT_EQ(run(Revision::Osaka, 5, of(word(0) + huge + word(0))), "invalid length");
}

TEST(precompiles, modexp_eip7823_bounds) {
    EXPECT_EQ(run(Revision::Osaka, 5, bytes(modexp_input(1024, 1024, 1024))).size(), 2048u);
    EXPECT_EQ(run(Revision::Osaka, 5, bytes(modexp_input(1025, 0, 1))), "invalid length");
    EXPECT_EQ(run(Revision::Osaka, 5, bytes(modexp_input(0, 1025, 1))), "invalid length");
    EXPECT_EQ(run(Revision::Osaka, 5, bytes(modexp_input(0, 0, 1025))), "invalid length");
    EXPECT_EQ(run(Revision::Prague, 5, bytes(modexp_input(0, 0, 1025))).size(), 2050u);
}

// --- BN254, BLAKE2 ---------------------------------------------------------------------------------

TEST(precompiles, bn254) {
    const std::string generator = word(1) + word(2);
    EXPECT_EQ(run(Revision::Byzantium, 6, {}), word(0) + word(0));
    EXPECT_EQ(run(Revision::Byzantium, 6, bytes(generator)), generator);
    EXPECT_EQ(run(Revision::Byzantium, 6, bytes(generator + word(0) + word(0) + "ff")), generator);
    EXPECT_EQ(run(Revision::Byzantium, 6, bytes(word(1))), "invalid input");
    EXPECT_EQ(run(Revision::Byzantium, 7, bytes(generator + word(1))), generator);
    EXPECT_EQ(run(Revision::Byzantium, 7, bytes(generator)), word(0) + word(0));
    EXPECT_EQ(run(Revision::Byzantium, 7, bytes(generator + word(2))),
              run(Revision::Byzantium, 6, bytes(generator + generator)));
    EXPECT_EQ(run(Revision::Byzantium, 8, {}), word(1));
    EXPECT_EQ(run(Revision::Byzantium, 8, Bytes(192)), word(1));
    EXPECT_EQ(run(Revision::Byzantium, 8, Bytes(191)), "invalid length");
    EXPECT_EQ(run(Revision::Byzantium, 8, bytes(word(1) + word(1) + word(0) + word(0) + word(0) + word(0))),
              "invalid input");
}

// BLAKE2b of "abc": the state is the initial one with the parameters of an unkeyed 64-byte digest.
std::string blake2f_input(const std::string& rounds, const std::string& final) {
    return rounds +
           "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
           "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
           "616263" +
           std::string(250, '0') + "0300000000000000" + "0000000000000000" + final;
}

TEST(precompiles, blake2f) {
    EXPECT_EQ(run(Revision::Istanbul, 9, bytes(blake2f_input("0000000c", "01"))),
              "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
              "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    EXPECT_EQ(gas(Revision::Istanbul, 9, bytes(blake2f_input("0000000c", "01"))), 12u);
    EXPECT_EQ(gas(Revision::Istanbul, 9, bytes(blake2f_input("ffffffff", "01"))), 0xffffffffu);
    EXPECT_NE(run(Revision::Istanbul, 9, bytes(blake2f_input("0000000c", "00"))),
              run(Revision::Istanbul, 9, bytes(blake2f_input("0000000c", "01"))));
    EXPECT_EQ(run(Revision::Istanbul, 9, bytes(blake2f_input("0000000c", "02"))), "invalid input");
    EXPECT_EQ(run(Revision::Istanbul, 9, bytes(blake2f_input("0000000c", ""))), "invalid length");
    EXPECT_EQ(run(Revision::Istanbul, 9, bytes(blake2f_input("0000000c", "0100"))), "invalid length");
    EXPECT_EQ(run(Revision::Istanbul, 9, {}), "invalid length");
}

// --- BLS12-381, KZG, P-256 -------------------------------------------------------------------------

TEST(precompiles, point_evaluation) {
    // The zero polynomial: commitment and proof are the point at infinity.
    const std::string infinity = "c0" + std::string(94, '0');
    const std::string versioned = "010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014";
    const std::string input = versioned + word(5) + word(0) + infinity + infinity;
    EXPECT_EQ(run(Revision::Cancun, 0x0a, bytes(input)),
              "0000000000000000000000000000000000000000000000000000000000001000"
              "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
    EXPECT_EQ(run(Revision::Cancun, 0x0a, bytes(input.substr(2))), "invalid length");
    EXPECT_EQ(run(Revision::Cancun, 0x0a, bytes(input + "00")), "invalid length");
    EXPECT_EQ(run(Revision::Cancun, 0x0a, bytes("02" + input.substr(2))), "invalid input");
    EXPECT_EQ(run(Revision::Cancun, 0x0a, bytes(versioned + word(5) + word(1) + infinity + infinity)),
              "invalid input");
}

TEST(precompiles, bls12) {
    const std::string infinity1(256, '0');
    EXPECT_EQ(run(Revision::Prague, 0x0b, Bytes(256)), infinity1);
    EXPECT_EQ(run(Revision::Prague, 0x0c, Bytes(160)), infinity1);
    EXPECT_EQ(run(Revision::Prague, 0x0d, Bytes(512)), infinity1 + infinity1);
    EXPECT_EQ(run(Revision::Prague, 0x0e, Bytes(288)), infinity1 + infinity1);
    EXPECT_EQ(run(Revision::Prague, 0x0f, Bytes(384)), word(1));
    for (std::uint16_t number = 0x0b; number <= 0x11; ++number)
        EXPECT_EQ(run(Revision::Prague, number, {}), "invalid input") << number;
    EXPECT_EQ(run(Revision::Prague, 0x10, Bytes(64)).size(), 256u);
    EXPECT_EQ(run(Revision::Prague, 0x11, Bytes(128)).size(), 512u);
}

TEST(precompiles, p256_verify) {
    const std::string valid =
        "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
        "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
        "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76"
        "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838"
        "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e";
    EXPECT_EQ(run(Revision::Osaka, 0x100, bytes(valid)), word(1));
    EXPECT_EQ(run(Revision::Osaka, 0x100, bytes("00" + valid.substr(2))), "");
    EXPECT_EQ(run(Revision::Osaka, 0x100, bytes(valid + "00")), "");
    EXPECT_EQ(run(Revision::Osaka, 0x100, {}), "");
}

// --- MODEXP of absurd lengths -----------------------------------------------------------------------------

Bytes modexp_header(const u256& base, const u256& exponent, const u256& modulus) {
    Bytes out;
    for (const u256& length : {base, exponent, modulus})
        append(out, to_hash(length));
    return out;
}

std::uint64_t modexp_gas(Revision revision, const u256& base, const u256& exponent, const u256& modulus) {
    return find_precompile(revision, address_of(5))->gas(modexp_header(base, exponent, modulus));
}

TEST(precompiles, ModexpOfHugeLengthsCostsMoreThanThereIs) {
    const u256 huge[] = {u256{1} << 64, (u256{1} << 70) + 1, u256{1} << 100, u256{1} << 255, u256::max()};
    for (const Revision revision : {Revision::Byzantium, Revision::Berlin, Revision::Osaka})
        for (const u256& length : huge) {
            EXPECT_EQ(modexp_gas(revision, length, 0, 0), kMaxGas);
            EXPECT_EQ(modexp_gas(revision, 0, 0, length), kMaxGas);
            EXPECT_EQ(modexp_gas(revision, 1, length, 1), kMaxGas);
            EXPECT_EQ(modexp_gas(revision, length, length, length), kMaxGas);
        }
}

TEST(precompiles, ModexpOfAnAbsurdExponentOfNothing) {
    for (const u256& exponent : {u256{1} << 29, u256{1} << 100, u256::max()}) {
        // Without base and modulus the exponent is free, but for what Berlin asks at least.
        EXPECT_EQ(modexp_gas(Revision::Byzantium, 0, exponent, 0), 0u);
        EXPECT_EQ(modexp_gas(Revision::Berlin, 0, exponent, 0), 200u);
        EXPECT_GT(modexp_gas(Revision::Osaka, 0, exponent, 0), 1'000'000'000u);
        Bytes output(1);
        EXPECT_TRUE(find_precompile(Revision::Berlin, address_of(5))
                        ->run(modexp_header(0, exponent, 0), output)
                        .has_value());
        EXPECT_TRUE(output.empty());
    }
    // A modulus of no bytes makes the result empty, whatever was paid for the rest.
    EXPECT_EQ(modexp_gas(Revision::Byzantium, 1, u256{1} << 29, 0), ((std::uint64_t{1} << 29) - 32) * 8 / 20);
}

TEST(precompiles, ModexpBeyondAllMeansIsOutOfGas) {
    constexpr std::uint64_t kBound = std::uint64_t{1} << 28;
    for (const Revision revision : {Revision::Byzantium, Revision::Berlin}) {
        EXPECT_GT(modexp_gas(revision, 1, kBound, 1), 100'000'000u);
        EXPECT_LT(modexp_gas(revision, 1, kBound, 1), 1'000'000'000u);
        World world(revision);
        Message message = world.message(std::numeric_limits<std::int64_t>::max());
        message.recipient = message.code_address = address_of(5);
        for (const Bytes& input : {modexp_header(1, kBound + 1, 1), modexp_header(kBound + 1, 1, 1),
                                   modexp_header(1, 1, kBound + 1)}) {
            message.input = input;
            EXPECT_EQ(world.run(message).status, Status::OutOfGas);
        }
    }
    // EIP-7823 bounds the lengths themselves.
    World world(Revision::Osaka);
    Message message = world.message(std::numeric_limits<std::int64_t>::max());
    message.recipient = message.code_address = address_of(5);
    const Bytes input = modexp_header(1, 1025, 1);
    message.input = input;
    EXPECT_EQ(world.run(message).status, Status::PrecompileFailure);
}

// --- OP Stack ---------------------------------------------------------------------------------------------

// Whether the precompile takes an input of so many bytes, all zero: points at infinity.
bool takes(Revision revision, OpRevision op_revision, std::uint16_t number, std::size_t size) {
    Bytes output;
    const auto result = find_precompile(revision, address_of(number), op_revision)->run(Bytes(size), output);
    EXPECT_TRUE(result || result.error() == PrecompileError::InvalidLength);
    return result.has_value();
}

TEST(precompiles, OpStackBoundsInputs) {
    struct Bound {
        std::uint16_t number;
        OpRevision since;
        std::size_t item;
        std::size_t isthmus;  // Granite for the first
        std::size_t jovian;
    };
    const Bound bounds[] = {{0x08, OpRevision::Granite, 192, 112687, 81984},
                            {0x0c, OpRevision::Isthmus, 160, 513760, 288960},
                            {0x0e, OpRevision::Isthmus, 288, 488448, 278784},
                            {0x0f, OpRevision::Isthmus, 384, 235008, 156672}};
    for (const Bound& b : bounds) {
        const std::size_t most = b.isthmus / b.item * b.item;
        const auto before = static_cast<OpRevision>(static_cast<int>(b.since) - 1);
        EXPECT_TRUE(takes(Revision::Prague, before, b.number, most + b.item)) << b.number;
        EXPECT_TRUE(takes(Revision::Prague, b.since, b.number, most)) << b.number;
        EXPECT_FALSE(takes(Revision::Prague, b.since, b.number, most + b.item)) << b.number;
        EXPECT_TRUE(takes(Revision::Prague, OpRevision::Jovian, b.number, b.jovian)) << b.number;
        EXPECT_FALSE(takes(Revision::Osaka, OpRevision::Jovian, b.number, b.jovian + b.item)) << b.number;
    }
}

TEST(precompiles, OpStackVerifiesP256FromFjordOn) {
    const Address address = address_of(0x100);
    EXPECT_EQ(find_precompile(Revision::Cancun, address), nullptr);
    EXPECT_EQ(find_precompile(Revision::Cancun, address, OpRevision::Fjord)->gas({}), 3450u);
    EXPECT_EQ(find_precompile(Revision::Prague, address, OpRevision::Jovian)->gas({}), 3450u);
    // EIP-7951 takes its place.
    EXPECT_EQ(find_precompile(Revision::Osaka, address, OpRevision::Jovian)->gas({}), 6900u);
    EXPECT_EQ(precompile_addresses(Revision::Cancun, OpRevision::Fjord).back(), address);
    EXPECT_EQ(precompile_addresses(Revision::Cancun, OpRevision::Fjord).size(),
              precompile_addresses(Revision::Cancun).size() + 1);
    EXPECT_EQ(precompile_addresses(Revision::Osaka, OpRevision::Fjord).size(),
              precompile_addresses(Revision::Osaka).size());
}

}  // namespace
}  // namespace meridian::evm
