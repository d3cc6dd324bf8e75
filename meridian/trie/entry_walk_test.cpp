#include <meridian/trie/entry_walk.hpp>

#include <meridian/trie/naive_trie_test_model.hpp>

#include <gtest/gtest.h>

namespace meridian::trie {
namespace {

using test::NaiveTrie;
using test::Random;
using Entries = std::vector<std::pair<Bytes, Bytes>>;

// Keys of few symbols share prefixes and are prefixes of each other; short values make inlined nodes.
Bytes random_key(Random& random) {
    Bytes key(random.below(6));
    for (auto& byte : key)
        byte = static_cast<std::uint8_t>(random.below(3) * 0x11 + random.below(2));
    return key;
}

NaiveTrie random_trie(Random& random, std::size_t size) {
    NaiveTrie out;
    for (std::size_t i = 0; i < size; ++i)
        out.put(random_key(random), random.bytes(1 + random.below(40)));
    return out;
}

MemoryNodeStore store_of(NaiveTrie& model) {
    MemoryNodeStore out;
    for (const auto& [hash, rlp] : model.nodes())
        out.put(hash, rlp);
    return out;
}

Entries rest_of(EntryWalk& walk) {
    Entries out;
    for (;;) {
        const auto found = walk.next();
        EXPECT_TRUE(found.has_value());
        if (!found || !*found)
            return out;
        out.emplace_back(to_bytes(walk.key()), to_bytes(walk.value()));
    }
}

Entries expected_from(const NaiveTrie& model, const Bytes& bound, WalkOrder order) {
    const auto& all = model.entries();
    if (order == WalkOrder::Ascending)
        return Entries(all.lower_bound(bound), all.end());
    Entries out(all.begin(), all.upper_bound(bound));
    std::reverse(out.begin(), out.end());
    return out;
}

TEST(EntryWalk, EmptyTrie) {
    MemoryNodeStore none;
    EntryWalk walk(kEmptyRoot, none);
    EXPECT_EQ(walk.next(), false);
    EXPECT_TRUE(walk.seek(as_bytes("key")).has_value());
    EXPECT_EQ(walk.next(), false);
}

TEST(EntryWalk, GivesTheModelsEntriesInOrder) {
    Random random(1);
    for (std::size_t size = 1; size < 120; size += 7) {
        NaiveTrie model = random_trie(random, size);
        MemoryNodeStore store = store_of(model);
        const auto& all = model.entries();
        EntryWalk up(model.root(), store);
        EXPECT_EQ(rest_of(up), Entries(all.begin(), all.end()));
        EXPECT_EQ(up.next(), false);
        EntryWalk down(model.root(), store, WalkOrder::Descending);
        EXPECT_EQ(rest_of(down), Entries(all.rbegin(), all.rend()));
    }
}

TEST(EntryWalk, SeeksAsTheModelDoes) {
    Random random(2);
    for (std::size_t size = 1; size < 60; size += 6) {
        NaiveTrie model = random_trie(random, size);
        MemoryNodeStore store = store_of(model);
        for (const WalkOrder order : {WalkOrder::Ascending, WalkOrder::Descending}) {
            EntryWalk walk(model.root(), store, order);
            for (int i = 0; i < 40; ++i) {
                const Bytes bound = random_key(random);
                ASSERT_TRUE(walk.seek(bound).has_value());
                EXPECT_EQ(rest_of(walk), expected_from(model, bound, order));
            }
        }
    }
}

// With a node missing, next() fails until it is there, and then goes on where it stood.
TEST(EntryWalk, GoesOnWhenAMissingNodeHasCome) {
    Random random(3);
    NaiveTrie model = random_trie(random, 200);
    const auto nodes = model.nodes();
    ASSERT_GT(nodes.size(), 10u);
    MemoryNodeStore store;
    EntryWalk walk(model.root(), store);
    Entries found;
    std::size_t fetched = 0;
    for (;;) {
        const auto next = walk.next();
        if (!next) {
            ASSERT_EQ(next.error(), TrieError::MissingNode);
            store.put(walk.failed_node(), nodes.at(walk.failed_node()));
            ++fetched;
        } else if (*next) {
            found.emplace_back(to_bytes(walk.key()), to_bytes(walk.value()));
        } else {
            break;
        }
    }
    EXPECT_EQ(found, Entries(model.entries().begin(), model.entries().end()));
    EXPECT_EQ(fetched, nodes.size());
}

TEST(EntryWalk, ChecksWhatItReads) {
    Random random(4);
    NaiveTrie model = random_trie(random, 50);
    const auto nodes = model.nodes();
    for (const auto& [hash, rlp] : nodes) {
        MemoryNodeStore store = store_of(model);
        Bytes other = rlp;
        other.back() ^= 1;
        store.remove(hash);
        store.put(hash, other);
        EntryWalk walk(model.root(), store);
        auto next = walk.next();
        while (next && *next)
            next = walk.next();
        ASSERT_FALSE(next.has_value());
        EXPECT_EQ(next.error(), TrieError::WrongHash);
        EXPECT_EQ(walk.failed_node(), hash);
    }
}

TEST(EntryWalk, EndsAfterASeekThatFailed) {
    Random random(5);
    NaiveTrie model = random_trie(random, 50);
    MemoryNodeStore none;
    EntryWalk walk(model.root(), none);
    EXPECT_EQ(walk.seek(as_bytes("key")).error(), TrieError::MissingNode);
    EXPECT_EQ(walk.next(), false);
}

}  // namespace
}  // namespace meridian::trie
