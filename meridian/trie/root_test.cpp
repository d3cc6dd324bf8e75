#include <meridian/trie/root.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/trie/naive_trie_test_model.hpp>

#include <gtest/gtest.h>

namespace meridian::trie {
namespace {

using test::NaiveTrie;
using test::Random;

TEST(OrderedRoot, AgreesWithModel) {
    Random random(1);
    for (std::size_t count : {0u, 1u, 2u, 3u, 16u, 17u, 127u, 128u, 129u, 130u, 256u, 257u, 700u}) {
        std::vector<Bytes> values;
        NaiveTrie model;
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(random.bytes(1 + random.below(150)));
            Bytes key;
            rlp::encode_uint(key, i);
            model.put(key, values.back());
        }
        EXPECT_EQ(ordered_root(std::span<const Bytes>(values)), model.root()) << count;
    }
}

TEST(OrderedRoot, IsTheSameOfValuesThatComeOneByOne) {
    Random random(2);
    std::vector<Bytes> values;
    OrderedRoot growing;
    EXPECT_EQ(growing.root(), kEmptyRoot);
    for (std::size_t i = 0; i < 700; ++i) {
        values.push_back(random.bytes(1 + random.below(150)));
        growing.add(values.back());
        if (random.below(50) == 0 || i + 1 == 700) {
            EXPECT_EQ(growing.root(), ordered_root(std::span<const Bytes>(values))) << i;
        }
    }
    EXPECT_EQ(growing.size(), values.size());
}

TEST(OrderedRoot, OfNothingIsEmptyRoot) {
    EXPECT_EQ(ordered_root(std::span<const Bytes>{}), kEmptyRoot);
    EXPECT_EQ(root_of_sorted({}), kEmptyRoot);
}

// Keys that share long prefixes now and then, and values short enough to be inlined.
Hash random_key(Random& random) {
    Hash key;
    for (auto& byte : key.bytes)
        byte = random.below(8) == 0 ? static_cast<std::uint8_t>(random.next()) : 0x11;
    return key;
}

TEST(RootOfSorted, AgreesWithModel) {
    Random random(2);
    for (int round = 0; round < 60; ++round) {
        std::map<Hash, Bytes> entries;
        const std::size_t count = 1 + random.below(60);
        for (std::size_t i = 0; i < count; ++i) {
            const Hash key = round % 2 == 0 ? random_key(random) : first_bytes<32>(random.bytes(32));
            entries[key] = random.bytes(1 + random.below(round % 3 == 0 ? 2 : 90));
        }
        NaiveTrie model;
        std::vector<std::pair<Hash, BytesView>> sorted;
        for (const auto& [key, value] : entries) {
            model.put(key, value);
            sorted.emplace_back(key, value);
        }
        ASSERT_EQ(root_of_sorted(sorted), model.root()) << "round " << round;
    }
}

TEST(RootOfSorted, KeysThatDifferInTheLastNibble) {
    NaiveTrie model;
    std::vector<std::pair<Hash, BytesView>> sorted;
    const Bytes value{1};
    for (unsigned i = 0; i < 16; ++i) {
        Hash key;
        key[31] = static_cast<std::uint8_t>(i);
        sorted.emplace_back(key, value);
        model.put(key, value);
    }
    EXPECT_EQ(root_of_sorted(sorted), model.root());
}

}  // namespace
}  // namespace meridian::trie
