// Wycheproof's ECDSA vectors. On P-256 a signature is verified; on secp256k1 the public key is recovered
// from it, which must give the signer's key for one of the recovery ids exactly for valid signatures;
// recovery in batches must agree on all of them.
#include "vector_files.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/crypto/secp256k1_recover.hpp>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <optional>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;

struct Signature {
    Hash r;
    Hash s;
};

// A positive number of at most 32 bytes in the one right DER form.
std::optional<Hash> der_integer(BytesView& der) {
    if (der.size() < 2 || der[0] != 0x02 || der[1] == 0 || der[1] > 33 || der.size() - 2 < der[1])
        return std::nullopt;
    BytesView value = der.subspan(2, der[1]);
    der = der.subspan(2 + value.size());
    if ((value[0] & 0x80) != 0)
        return std::nullopt;
    if (value[0] == 0 && value.size() > 1) {
        if ((value[1] & 0x80) == 0)
            return std::nullopt;
        value = value.subspan(1);
    }
    if (value.size() > 32)
        return std::nullopt;
    return left_padded<32>(value);
}

std::optional<Signature> parse_der(BytesView der) {
    if (der.size() < 2 || der[0] != 0x30 || der[1] >= 0x80 || der.size() - 2 != der[1])
        return std::nullopt;
    der = der.subspan(2);
    const auto r = der_integer(der);
    if (!r)
        return std::nullopt;
    const auto s = der_integer(der);
    if (!s || !der.empty())
        return std::nullopt;
    return Signature{*r, *s};
}

std::optional<Signature> parse_p1363(BytesView bytes) {
    if (bytes.size() != 64)
        return std::nullopt;
    return Signature{first_bytes<32>(bytes), first_bytes<32>(bytes.subspan(32))};
}

// The digest's leftmost 32 bytes, as ECDSA takes them.
std::optional<Hash> digest_of(const std::string& name, BytesView message) {
    std::string openssl_name = name;
    if (const auto dash = name.find('-'); dash != std::string::npos && name.starts_with("SHA-"))
        openssl_name = "SHA" + name.substr(4);
    const EVP_MD* md = EVP_get_digestbyname(openssl_name.c_str());
    if (md == nullptr)
        return std::nullopt;
    std::uint8_t out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, md, nullptr);
    EVP_DigestUpdate(context, message.data(), message.size());
    bool done = false;
    if ((EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) != 0) {
        // Wycheproof's use of SHAKE: 32 bytes of SHAKE128, 64 of SHAKE256.
        size = name == "SHAKE128" ? 32 : 64;
        done = EVP_DigestFinalXOF(context, out, size) == 1;
    } else {
        done = EVP_DigestFinal_ex(context, out, &size) == 1;
    }
    EVP_MD_CTX_free(context);
    if (!done || size < 32)
        return std::nullopt;
    return first_bytes<32>(BytesView{out, size});
}

// wx and wy come with a leading zero byte or without leading zeros.
Hash coordinate(std::string_view text) {
    Bytes bytes = hex(text.size() % 2 == 0 ? std::string(text) : "0" + std::string(text));
    BytesView view = bytes;
    while (view.size() > 32)
        view = view.subspan(1);
    return left_padded<32>(view);
}

bool verify_p256(const Hash& digest, const Signature& signature, const Hash& x, const Hash& y) {
    Bytes input;
    for (const Hash* part : {&digest, &signature.r, &signature.s, &x, &y})
        append(input, *part);
    return crypto::accelerator().p256_verify(input);
}

bool verify_secp256k1(const Hash& digest, const Signature& signature, const Hash& x, const Hash& y) {
    for (std::uint8_t id = 0; id < 4; ++id) {
        const auto key = crypto::secp256k1::recover(digest, signature.r, signature.s, id);
        if (key && equal(BytesView(*key).first(32), x) && equal(BytesView(*key).last(32), y))
            return true;
    }
    return false;
}

struct Counts {
    std::size_t run = 0;
    std::size_t files = 0;
};

struct Suite {
    bool p1363 = false;    // signatures are r and s, not DER
    bool on_p256 = false;  // else secp256k1
    bool low_s = false;    // with Bitcoin's rule that s is at most half the order
};

bool is_low(const Hash& s) {
    return s <= "0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"_hash;
}

void expect_batch_agrees(const std::vector<crypto::secp256k1::RecoverRequest>& requests) {
    std::vector<std::optional<FixedBytes<64>>> keys(requests.size());
    crypto::secp256k1::recover_batch(requests, keys);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto& r = requests[i];
        EXPECT_EQ(keys[i], crypto::secp256k1::recover(r.digest, r.r, r.s, r.parity)) << "request " << i;
    }
}

void run_group(const boost::json::object& group, const Suite& suite, Counts& counts) {
    std::vector<crypto::secp256k1::RecoverRequest> requests;
    const auto& key = group.at("publicKey").as_object();
    const Hash x = coordinate(key.at("wx").as_string());
    const Hash y = coordinate(key.at("wy").as_string());
    for (const auto& entry : group.at("tests").as_array()) {
        const auto& test = entry.as_object();
        SCOPED_TRACE("tcId " + std::to_string(test.at("tcId").to_number<int>()) + " " +
                     std::string(test.at("comment").as_string()));
        const auto digest =
            digest_of(std::string(group.at("sha").as_string()), hex(test.at("msg").as_string()));
        ASSERT_TRUE(digest.has_value()) << group.at("sha").as_string();
        const Bytes bytes = hex(test.at("sig").as_string());
        const auto signature = suite.p1363 ? parse_p1363(bytes) : parse_der(bytes);
        const auto verify = suite.on_p256 ? verify_p256 : verify_secp256k1;
        for (std::uint8_t parity = 0; parity < 2 && signature && !suite.on_p256; ++parity)
            requests.push_back({*digest, signature->r, signature->s, parity});
        const bool valid =
            signature && (!suite.low_s || is_low(signature->s)) && verify(*digest, *signature, x, y);
        // "acceptable" concerns encodings that a parser may take or not.
        if (test.at("result").as_string() != "acceptable") {
            EXPECT_EQ(valid, test.at("result").as_string() == "valid");
        }
        ++counts.run;
    }
    expect_batch_agrees(requests);
}

void run_curve(const std::string& curve) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    Counts counts;
    for (const auto& file : files_below(pack / "wycheproof", ".json")) {
        const std::string name = file.filename().string();
        if (!name.starts_with("ecdsa_" + curve))
            continue;
        SCOPED_TRACE(name);
        const auto json = read_json(file);
        const Suite suite{name.find("p1363") != std::string::npos, curve == "secp256r1",
                          name.find("bitcoin") != std::string::npos};
        for (const auto& group : json.at("testGroups").as_array())
            run_group(group.as_object(), suite, counts);
        ++counts.files;
    }
    EXPECT_GT(counts.files, 0u);
    EXPECT_GT(counts.run, 1000u);
}

TEST(Wycheproof, ecdsa_secp256k1) {
    run_curve("secp256k1");
}

TEST(Wycheproof, ecdsa_p256) {
    run_curve("secp256r1");
}

}  // namespace
}  // namespace meridian::spec
