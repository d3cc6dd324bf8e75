#include <meridian/trie/proof.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/trie/naive_trie_test_model.hpp>

#include <gtest/gtest.h>

namespace meridian::trie {
namespace {

using test::NaiveTrie;
using test::Random;

// A trie with inlined nodes, values in branches and extensions.
struct Fixture {
    Trie trie;
    NaiveTrie model;
    Random random;

    explicit Fixture(std::uint64_t seed, std::size_t entries = 80) : random(seed) {
        for (std::size_t i = 0; i < entries; ++i) {
            const Bytes key = some_key();
            const Bytes value = random.bytes(1 + random.below(seed % 2 == 0 ? 4 : 70));
            EXPECT_TRUE(trie.put(key, value).has_value());
            model.put(key, value);
        }
    }
    Bytes some_key() {
        Bytes key(random.below(5));
        for (auto& byte : key)
            byte = static_cast<std::uint8_t>(random.below(3) * 0x51);
        return random.below(4) == 0 ? to_bytes(crypto::keccak256(key)) : key;
    }
    std::vector<Bytes> proof_of(BytesView key) { return prove(trie, key).value(); }
};

TEST(Proof, EveryKeyAndItsAbsence) {
    for (std::uint64_t seed = 1; seed < 9; ++seed) {
        Fixture f(seed);
        for (int i = 0; i < 300; ++i) {
            const Bytes key = f.some_key();
            const auto verified = verify_proof(f.model.root(), key, f.proof_of(key));
            ASSERT_TRUE(verified.has_value());
            const auto entry = f.model.entries().find(key);
            if (entry == f.model.entries().end())
                ASSERT_FALSE(*verified);
            else
                ASSERT_EQ(*verified, entry->second);
        }
    }
}

TEST(Proof, EmptyTrie) {
    Trie trie;
    EXPECT_TRUE(prove(trie, as_bytes("k")).value().empty());
    EXPECT_EQ(verify_proof(kEmptyRoot, as_bytes("k"), {}).value(), std::nullopt);
    const std::vector<Bytes> explicit_empty{{0x80}};
    EXPECT_EQ(verify_proof(kEmptyRoot, as_bytes("k"), explicit_empty).value(), std::nullopt);
    const std::vector<Bytes> other{{0x81}};
    EXPECT_EQ(verify_proof(kEmptyRoot, as_bytes("k"), other).error(), ProofError::WrongHash);
    EXPECT_EQ(verify_proof(crypto::keccak256(Bytes{1}), as_bytes("k"), {}).error(), ProofError::MissingNode);
}

// Whatever is changed in a proof, it must not verify.
TEST(Proof, EveryChangeIsNoticed) {
    Fixture f(3);
    const Hash root = f.model.root();
    for (int i = 0; i < 60; ++i) {
        const Bytes key = f.some_key();
        const auto proof = f.proof_of(key);
        auto changed = proof;
        Bytes& node = changed[f.random.below(changed.size())];
        node[f.random.below(node.size())] ^= static_cast<std::uint8_t>(1 + f.random.below(255));
        const auto verified = verify_proof(root, key, changed);
        ASSERT_FALSE(verified.has_value());
        EXPECT_EQ(verified.error() == ProofError::WrongHash || verified.error() == ProofError::InvalidNode,
                  true);

        changed = proof;
        changed.pop_back();
        EXPECT_EQ(verify_proof(root, key, changed).error(), ProofError::MissingNode);
        changed = proof;
        changed.push_back(proof.back());
        EXPECT_EQ(verify_proof(root, key, changed).error(), ProofError::ExtraNodes);
        changed = proof;
        changed.back().push_back(0);
        EXPECT_FALSE(verify_proof(root, key, changed).has_value());
        EXPECT_EQ(verify_proof(crypto::keccak256(root), key, proof).error(), ProofError::WrongHash);
    }
}

TEST(Proof, OfAnotherKeyProvesNothingWrong) {
    Fixture f(5);
    for (int i = 0; i < 200; ++i) {
        const Bytes key = f.some_key();
        const Bytes other = f.some_key();
        const auto verified = verify_proof(f.model.root(), other, f.proof_of(key));
        if (!verified)
            continue;
        const auto entry = f.model.entries().find(other);
        EXPECT_EQ(verified->has_value(), entry != f.model.entries().end());
    }
}

TEST(Proof, RejectsNodesOfRightHashAndWrongForm) {
    const auto verify_root = [](std::string_view encoded, BytesView key) {
        const std::vector<Bytes> proof{from_hex(encoded).value()};
        return verify_proof(crypto::keccak256(proof[0]), key, proof);
    };
    const Bytes key{0x12};
    EXPECT_EQ(verify_root("c482201276", key).value(), Bytes{0x76});
    EXPECT_EQ(verify_root("c482201376", key).value(), std::nullopt);
    EXPECT_EQ(verify_root("c23176", key).error(), ProofError::InvalidNode);      // odd number of nibbles
    EXPECT_EQ(verify_root("c482211276", key).error(), ProofError::InvalidNode);  // padding not zero
    EXPECT_EQ(verify_root("c482401276", key).error(), ProofError::InvalidNode);  // unknown flag
    EXPECT_EQ(verify_root("c482201280", key).error(), ProofError::InvalidNode);  // empty value
    EXPECT_EQ(verify_root("80", key).value(), std::nullopt);                     // the empty trie's node
    EXPECT_EQ(verify_root("", key).error(), ProofError::InvalidNode);
    EXPECT_EQ(verify_proof(kEmptyRoot, Bytes(kKeySizeMax + 1), {}).error(), ProofError::KeyTooLong);
}

// A trie opened from proofs alone answers and changes as the whole one, as far as the proofs reach.
TEST(Proof, OpensAPartialTrie) {
    for (std::uint64_t seed = 20; seed < 26; ++seed) {
        Fixture f(seed);
        for (int i = 0; i < 40; ++i) {
            MemoryNodeStore store;
            std::vector<Bytes> keys;
            for (int k = 0; k < 4; ++k) {
                keys.push_back(f.some_key());
                for (const Bytes& node : f.proof_of(keys.back()))
                    store.add(node);
            }
            Trie partial(f.trie.root(), &store);
            NaiveTrie changed = f.model;
            for (const Bytes& key : keys) {
                const auto entry = f.model.entries().find(key);
                const auto value = partial.get(key);
                ASSERT_TRUE(value.has_value());
                ASSERT_EQ(value->has_value(), entry != f.model.entries().end());
            }
            for (const Bytes& key : keys) {
                const Bytes value = f.random.bytes(1 + f.random.below(40));
                ASSERT_TRUE(partial.put(key, value).has_value());
                changed.put(key, value);
            }
            ASSERT_EQ(partial.root(), changed.root());
        }
    }
}

}  // namespace
}  // namespace meridian::trie
