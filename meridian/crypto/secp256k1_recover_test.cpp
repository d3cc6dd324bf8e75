// Recovery in batches against libsecp256k1, one by one: random signatures, and every value at which either
// could go wrong.
#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/crypto/secp256k1_inverse.hpp>
#include <meridian/crypto/secp256k1_recover_backend.hpp>
#include <meridian/crypto/secp256k1_scalar.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian::crypto::secp256k1 {
namespace {

using Key = FixedBytes<64>;
using Requests = std::vector<RecoverRequest>;
using Keys = std::vector<std::optional<Key>>;

// Instrumented lanes take a hundred times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRandomRounds = 2;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kRandomRounds = 2;
#else
constexpr int kRandomRounds = 51;
#endif
#else
constexpr int kRandomRounds = 51;
#endif

constexpr u256 kHalfOrder = (kGroupOrder - u256{1}) >> 1;

Hash random_hash(std::mt19937_64& random) {
    Hash out;
    for (auto& byte : out)
        byte = static_cast<std::uint8_t>(random());
    return out;
}

Keys one_by_one(const Requests& requests) {
    Keys keys;
    for (const auto& r : requests)
        keys.push_back(r.parity > 1 ? std::nullopt : recover(r.digest, r.r, r.s, r.parity));
    return keys;
}

struct Batched {
    Keys keys;
    std::size_t alone;  // signatures that went to libsecp256k1
};

Batched in_batch(RecoverBackend backend, const Requests& requests) {
    // What was there before must not shine through.
    Keys keys(requests.size(), Key{});
    const std::size_t alone = recover_batch(backend, requests, keys);
    return {keys, alone};
}

// In lanes where the processor has them, and with whatever recover_batch chooses.
void expect_equal_to_library(const Requests& requests) {
    const Keys expected = one_by_one(requests);
    Keys keys(requests.size(), Key{});
    recover_batch(requests, keys);
    for (std::size_t i = 0; i < requests.size(); ++i)
        ASSERT_EQ(keys[i], expected[i]) << "request " << i;
    if (!is_available(RecoverBackend::Ifma))
        return;
    const Batched lanes = in_batch(RecoverBackend::Ifma, requests);
    for (std::size_t i = 0; i < requests.size(); ++i)
        ASSERT_EQ(lanes.keys[i], expected[i]) << "request " << i;
}

RecoverRequest signed_request(const Hash& digest, const Hash& key) {
    const auto signature = *sign(digest, key);
    return {digest, signature.r, signature.s, signature.recovery_id};
}

Requests signed_requests(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Requests out;
    for (std::size_t i = 0; i < count; ++i) {
        const Hash digest = random_hash(random);
        out.push_back(signed_request(digest, random_hash(random)));
    }
    return out;
}

// The nonce point k * G as r and parity.
RecoverRequest with_nonce(const u256& k, const u256& digest, const u256& s) {
    const auto point = *public_key(to_hash(k));
    return {to_hash(digest), first_bytes<32>(point), to_hash(s), static_cast<std::uint8_t>(point[63] & 1)};
}

u256 minus(const u256& x) {
    return x ? kGroupOrder - x : x;
}

TEST(secp256k1_recover, backends) {
    EXPECT_TRUE(is_available(RecoverBackend::Libsecp256k1));
    EXPECT_TRUE(is_available(fastest_recover_backend()));
    const Requests requests = signed_requests(9, 1);
    EXPECT_EQ(in_batch(RecoverBackend::Libsecp256k1, requests).keys, one_by_one(requests));
    EXPECT_EQ(in_batch(RecoverBackend::Libsecp256k1, requests).alone, 9u);
}

TEST(secp256k1_recover, nothing) {
    recover_batch({}, std::span<std::optional<Key>>{});
    recover_batch({}, std::span<std::optional<Address>>{});
}

TEST(secp256k1_recover, signers_of_signed_digests) {
    std::mt19937_64 random(2);
    Requests requests;
    std::vector<std::optional<Address>> expected;
    for (int i = 0; i < 500; ++i) {
        const Hash key = random_hash(random);
        requests.push_back(signed_request(random_hash(random), key));
        expected.push_back(address_of(key));
        if (i % 5 == 0) {
            requests.back().s = Hash{};
            expected.back().reset();
        }
    }
    std::vector<std::optional<Address>> signers(requests.size(), Address{});
    recover_batch(requests, signers);
    EXPECT_EQ(signers, expected);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto& r = requests[i];
        EXPECT_EQ(accelerator().ecrecover(r.digest, r.r, r.s, r.parity), expected[i]);
    }
}

// Any digest and s make a signature with an r that belongs to a point; one r in 64 is random and often does
// not. None of them may need the fallback, as otherwise the comparison would be one of the library with
// itself.
TEST(secp256k1_recover, random_signatures) {
    std::mt19937_64 random(3);
    const Requests pool = signed_requests(1500, 4);
    std::size_t valid = 0;
    for (int round = 0; round < kRandomRounds; ++round) {
        Requests requests;
        for (int i = 0; i < 2000; ++i) {
            RecoverRequest request = pool[random() % pool.size()];
            if (random() % 64 == 0)
                request.r = random_hash(random);
            request.digest = random_hash(random);
            request.s = random_hash(random);
            request.parity = static_cast<std::uint8_t>(random() & 1);
            requests.push_back(request);
        }
        const Keys expected = one_by_one(requests);
        const Batched batched = in_batch(fastest_recover_backend(), requests);
        for (std::size_t i = 0; i < requests.size(); ++i)
            ASSERT_EQ(batched.keys[i], expected[i]) << "round " << round << " request " << i;
        if (fastest_recover_backend() != RecoverBackend::Libsecp256k1) {
            ASSERT_EQ(batched.alone, 0u);
        }
        valid += static_cast<std::size_t>(
            std::count_if(expected.begin(), expected.end(), [](const auto& key) { return key.has_value(); }));
    }
    EXPECT_GT(valid, kRandomRounds * 1960u);
}

// Whatever the place in a group, and whoever the neighbours are.
TEST(secp256k1_recover, batches_of_every_size) {
    const Requests pool = signed_requests(150, 5);
    std::mt19937_64 random(6);
    for (std::size_t size = 1; size <= 140; size += size < 20 || size > 120 ? 1 : 9) {
        Requests requests(pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(size));
        for (auto& request : requests) {
            switch (random() % 8) {
                case 0:
                    request.r = Hash{};
                    break;
                case 1:
                    request.r = random_hash(random);
                    break;
                case 2:
                    request.parity = 2;
                    break;
                case 3:
                    request.digest = Hash{};
                    break;
                default:
                    break;
            }
        }
        SCOPED_TRACE(size);
        expect_equal_to_library(requests);
    }
}

TEST(secp256k1_recover, values_at_the_bounds) {
    const RecoverRequest good = signed_requests(1, 7)[0];
    const std::vector<u256> values = {0,
                                      1,
                                      2,
                                      3,
                                      kHalfOrder,
                                      kHalfOrder + u256{1},
                                      kGroupOrder - u256{2},
                                      kGroupOrder - u256{1},
                                      kGroupOrder,
                                      kGroupOrder + u256{1},
                                      kFieldPrime - u256{1},
                                      kFieldPrime,
                                      kFieldPrime + u256{1},
                                      u256::max(),
                                      kFieldPrime - kGroupOrder,
                                      kFieldPrime - kGroupOrder - u256{1},
                                      (u256{1} << 52) - u256{1},
                                      u256{1} << 208,
                                      u256{0, 0, 0, ~0ull},
                                      u256{~0ull, ~0ull, ~0ull, 0},
                                      u256{1} << 255};
    Requests requests;
    for (const u256& value : values) {
        for (std::uint8_t parity = 0; parity < 5; ++parity) {
            requests.push_back({to_hash(value), good.r, good.s, parity});
            requests.push_back({good.digest, to_hash(value), good.s, parity});
            requests.push_back({good.digest, good.r, to_hash(value), parity});
            for (const u256& other : values)
                requests.push_back({to_hash(other), to_hash(value), to_hash(other), parity});
        }
    }
    expect_equal_to_library(requests);
}

// r from 1 on: about half of them are no point's x.
TEST(secp256k1_recover, small_r) {
    std::mt19937_64 random(8);
    Requests requests;
    for (std::uint64_t x = 1; x <= 600; ++x)
        requests.push_back(
            {random_hash(random), to_hash(x), random_hash(random), static_cast<std::uint8_t>(x & 1)});
    const Keys expected = one_by_one(requests);
    const auto none = std::count(expected.begin(), expected.end(), std::nullopt);
    EXPECT_GT(none, 200);
    EXPECT_LT(none, 400);
    expect_equal_to_library(requests);
}

// With the nonce point k * G the key is (s * k - digest) / r times G, so that small numbers make the formulas
// meet equal and opposite points.
TEST(secp256k1_recover, small_multiples_of_the_generator) {
    Requests requests;
    std::vector<u256> values;
    for (const std::uint64_t i : {0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33}) {
        values.push_back(i);
        values.push_back(minus(i));
    }
    for (const u256& k : values) {
        if (!k)
            continue;
        for (const u256& digest : values)
            for (const u256& s : {u256{1}, minus(1), u256{2}, u256{31}, digest, minus(digest)})
                requests.push_back(with_nonce(k, digest, s));
    }
    expect_equal_to_library(requests);
}

// s * k = digest: the key would be the point at infinity, of which there is no address.
TEST(secp256k1_recover, key_at_infinity) {
    const Modulus& order = group_order();
    std::mt19937_64 random(9);
    Requests requests = {with_nonce(1, 1, 1), with_nonce(minus(1), 5, minus(5))};
    for (int i = 0; i < 40; ++i) {
        const u256 k = from_hash(random_hash(random)) % kGroupOrder;
        const u256 s = from_hash(random_hash(random)) % kGroupOrder;
        requests.push_back(with_nonce(k, order.multiply(s, k), s));
    }
    for (const auto& key : one_by_one(requests))
        EXPECT_FALSE(key.has_value());
    expect_equal_to_library(requests);
}

// s * k = -digest: both halves of the key are the same point, which the formula for a sum cannot add.
// digest = 0: one half is the point at infinity. Only these may need the fallback.
TEST(secp256k1_recover, exceptional_cases_go_to_the_fallback) {
    const Modulus& order = group_order();
    std::mt19937_64 random(10);
    Requests requests = signed_requests(64, 11);
    std::size_t exceptional = 0;
    for (std::size_t i = 0; i < requests.size(); i += 3) {
        const u256 k = from_hash(random_hash(random)) % kGroupOrder;
        const u256 s = from_hash(random_hash(random)) % kGroupOrder;
        requests[i] = i % 2 == 0 ? with_nonce(k, minus(order.multiply(s, k)), s)
                                 : with_nonce(k, i % 4 == 1 ? u256{} : kGroupOrder, s);
        ++exceptional;
    }
    const Keys expected = one_by_one(requests);
    EXPECT_EQ(std::count(expected.begin(), expected.end(), std::nullopt), 0);
    expect_equal_to_library(requests);
    if (is_available(RecoverBackend::Ifma)) {
        EXPECT_EQ(in_batch(RecoverBackend::Ifma, requests).alone, exceptional);
    }
}

}  // namespace
}  // namespace meridian::crypto::secp256k1
