#include <meridian/trie/trie.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/trie/naive_trie_test_model.hpp>
#include <meridian/trie/secure_trie.hpp>

#include <gtest/gtest.h>

#include <set>

namespace meridian::trie {
namespace {

using test::NaiveTrie;
using test::Random;

void put_ok(Trie& trie, BytesView key, BytesView value) {
    ASSERT_TRUE(trie.put(key, value).has_value());
}

std::optional<Bytes> value_of(Trie& trie, BytesView key) {
    const auto value = trie.get(key);
    EXPECT_TRUE(value.has_value());
    if (!value || !*value)
        return std::nullopt;
    return to_bytes(**value);
}

// A key shape and value shape that make many forks, prefixes and inlined nodes, or few.
struct Shape {
    std::size_t key_sizes;  // 0: always 32 bytes, hashed
    std::size_t alphabet;
    std::size_t value_size_max;
};

constexpr Shape kShapes[] = {{4, 2, 3}, {5, 4, 40}, {3, 256, 80}, {0, 0, 110}, {6, 3, 31}, {1, 256, 1}};

Bytes random_key(Random& random, const Shape& shape) {
    if (shape.key_sizes == 0)
        return to_bytes(crypto::keccak256(Bytes{static_cast<std::uint8_t>(random.below(200))}));
    Bytes key(random.below(shape.key_sizes + 1));
    for (auto& byte : key) {
        const std::size_t symbol = random.below(shape.alphabet);
        byte = static_cast<std::uint8_t>(shape.alphabet == 256 ? symbol : symbol * 0x11 + symbol / 2);
    }
    return key;
}

Bytes random_value(Random& random, const Shape& shape) {
    return random.bytes(1 + random.below(shape.value_size_max));
}

TEST(Trie, EmptyRoot) {
    Trie trie;
    EXPECT_EQ(trie.root(), kEmptyRoot);
    EXPECT_EQ(kEmptyRoot, crypto::keccak256(Bytes{0x80}));
    EXPECT_FALSE(value_of(trie, as_bytes("key")));
    EXPECT_TRUE(trie.erase(as_bytes("key")).has_value());
    EXPECT_TRUE(Trie(kEmptyRoot, nullptr).empty());
}

struct TextEntry {
    std::string_view key;
    std::string_view value;
};

Hash root_of(std::span<const TextEntry> entries) {
    Trie trie;
    for (const auto& [key, value] : entries)
        EXPECT_TRUE(trie.put(as_bytes(key), as_bytes(value)).has_value());
    return trie.root();
}

// From ethereum/tests, TrieTests.
TEST(Trie, SpecificationVectors) {
    const TextEntry dogs[] = {{"doe", "reindeer"}, {"dog", "puppy"}, {"dogglesworth", "cat"}};
    EXPECT_EQ(root_of(dogs), "0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3"_hash);
    const TextEntry prefixes[] = {{"do", "verb"}, {"horse", "stallion"}, {"doge", "coin"}, {"dog", "puppy"}};
    EXPECT_EQ(root_of(prefixes), "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84"_hash);
    const TextEntry small[] = {{"be", "e"}, {"dog", "puppy"}, {"bed", "d"}};
    EXPECT_EQ(root_of(small), "0x3f67c7a47520f79faa29255d2d3c084a7a6df0453116ed7232ff10277a8be68b"_hash);
    const TextEntry erased[] = {{"do", "verb"},      {"ether", "wookiedoo"}, {"horse", "stallion"},
                                {"shaman", "horse"}, {"doge", "coin"},       {"ether", ""},
                                {"dog", "puppy"},    {"shaman", ""}};
    EXPECT_EQ(root_of(erased), "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84"_hash);
}

TEST(SecureTrie, SpecificationVectors) {
    SecureTrie trie;
    ASSERT_TRUE(trie.put(as_bytes("doe"), as_bytes("reindeer")).has_value());
    ASSERT_TRUE(trie.put(as_bytes("dog"), as_bytes("puppy")).has_value());
    ASSERT_TRUE(trie.put(as_bytes("dogglesworth"), as_bytes("cat")).has_value());
    EXPECT_EQ(trie.root(), "0xd4cd937e4a4368d7931a9cf51686b7e10abb3dce38a39000fd7902a092b64585"_hash);
    EXPECT_TRUE(equal(trie.get(as_bytes("dog")).value().value(), as_bytes("puppy")));
    ASSERT_TRUE(trie.erase(as_bytes("dogglesworth")).has_value());
    EXPECT_FALSE(trie.get(as_bytes("dogglesworth")).value());
}

// Random operations on one trie, checked against the model all along.
void run_against_model(const Shape& shape, std::uint64_t seed, int operations) {
    Random random(seed);
    Trie trie;
    NaiveTrie model;
    for (int i = 0; i < operations; ++i) {
        const Bytes key = random_key(random, shape);
        const bool erase = random.below(5) < 2;
        const Bytes value = erase ? Bytes{} : random_value(random, shape);
        put_ok(trie, key, value);
        model.put(key, value);
        if (random.below(4) == 0) {
            ASSERT_EQ(trie.root(), model.root()) << "seed " << seed << " operation " << i;
        }
    }
    for (const auto& [key, value] : model.entries())
        ASSERT_EQ(value_of(trie, key), value);
    ASSERT_EQ(trie.root(), model.root());
    const auto entries = model.entries();
    for (const auto& [key, value] : entries) {
        ASSERT_TRUE(trie.erase(key).has_value());
        ASSERT_FALSE(value_of(trie, key));
    }
    EXPECT_EQ(trie.root(), kEmptyRoot);
    EXPECT_EQ(trie.used_bytes(), 0u);
}

TEST(Trie, AgreesWithModel) {
    std::uint64_t seed = 1;
    for (const Shape& shape : kShapes) {
        for (int round = 0; round < 6; ++round)
            run_against_model(shape, seed++, 150);
    }
}

// As above, but committed and opened again from its root now and then, so that most of it is not in memory.
void run_reopening(const Shape& shape, std::uint64_t seed) {
    Random random(seed);
    MemoryNodeStore store;
    Trie trie;
    NaiveTrie model;
    std::vector<std::pair<Hash, NaiveTrie>> history;
    for (int i = 0; i < 200; ++i) {
        const Bytes key = random_key(random, shape);
        const Bytes value = random.below(2) == 0 ? Bytes{} : random_value(random, shape);
        put_ok(trie, key, value);
        model.put(key, value);
        if (random.below(12) != 0)
            continue;
        trie.commit(store);
        ASSERT_EQ(trie.root(), model.root()) << "seed " << seed << " operation " << i;
        history.emplace_back(trie.root(), model);
        trie = Trie(trie.root(), &store);
    }
    for (auto& [root, then] : history) {
        Trie old(root, &store);
        for (const auto& [key, value] : then.entries())
            ASSERT_EQ(value_of(old, key), value);
        ASSERT_EQ(old.root(), then.root());
    }
}

TEST(Trie, ReopensEveryCommittedRoot) {
    std::uint64_t seed = 100;
    for (const Shape& shape : kShapes) {
        for (int round = 0; round < 4; ++round)
            run_reopening(shape, seed++);
    }
}

TEST(Trie, CommitsEachNodeOnceAndChildrenFirst) {
    for (const Shape& shape : kShapes) {
        Random random(7);
        Trie trie;
        NaiveTrie model;
        for (int i = 0; i < 120; ++i) {
            const Bytes key = random_key(random, shape);
            const Bytes value = random_value(random, shape);
            put_ok(trie, key, value);
            model.put(key, value);
        }
        std::map<Hash, Bytes> seen;
        Hash last{};
        trie.for_each_new_node([&](const Hash& hash, BytesView rlp) {
            EXPECT_EQ(hash, crypto::keccak256(rlp));
            seen[hash] = to_bytes(rlp);
            last = hash;
        });
        EXPECT_EQ(seen, model.nodes());
        EXPECT_EQ(last, trie.root());
        trie.for_each_new_node([](const Hash&, BytesView) { ADD_FAILURE() << "nothing is new"; });
    }
}

TEST(Trie, CommitAfterRootHasAllNewNodes) {
    Random random(8);
    Trie trie;
    MemoryNodeStore store;
    NaiveTrie model;
    for (int i = 0; i < 300; ++i) {
        const Bytes key = random_key(random, kShapes[2]);
        const Bytes value = random.below(3) == 0 ? Bytes{} : random_value(random, kShapes[2]);
        put_ok(trie, key, value);
        model.put(key, value);
        if (i % 3 == 0)
            trie.root();
        if (i % 50 == 49)
            trie.commit(store);
    }
    Bytes node;
    for (const auto& [hash, rlp] : model.nodes()) {
        ASSERT_TRUE(store.node(hash, node));
        ASSERT_EQ(node, rlp);
    }
}

TEST(Trie, UpdateIsManyPuts) {
    Random random(9);
    const Shape& shape = kShapes[1];
    Trie trie;
    NaiveTrie model;
    for (int round = 0; round < 20; ++round) {
        std::map<Bytes, Bytes> changes;
        for (int i = 0; i < 30; ++i) {
            const Bytes key = random_key(random, shape);
            changes[key] = random.below(3) == 0 ? Bytes{} : random_value(random, shape);
        }
        std::vector<KeyValue> sorted;
        for (const auto& [key, value] : changes) {
            sorted.push_back({key, value});
            model.put(key, value);
        }
        ASSERT_TRUE(trie.update(sorted).has_value());
        ASSERT_EQ(trie.root(), model.root());
    }
}

// Large enough to be hashed in parts as it goes; in order of keys, as it should be, and in none.
TEST(Trie, LargeUpdates) {
    for (const bool in_order : {true, false}) {
        for (const std::size_t key_size : {3u, 32u}) {
            Random random(in_order ? 12 : 13);
            Trie trie;
            NaiveTrie model;
            for (int round = 0; round < 3; ++round) {
                std::map<Bytes, Bytes> changes;
                for (int i = 0; i < 3000; ++i) {
                    Bytes key = random.bytes(key_size == 3 ? random.below(4) : key_size);
                    if (key_size == 32)
                        key[0] = key[1] = static_cast<std::uint8_t>(key[0] & 3);
                    changes[key] = random.below(4) == 0 ? Bytes{} : random.bytes(1 + random.below(90));
                }
                for (const auto& [key, value] : model.entries()) {
                    if (random.below(3) == 0)
                        changes[key] = {};
                }
                std::vector<KeyValue> entries;
                for (const auto& [key, value] : changes) {
                    entries.push_back({key, value});
                    model.put(key, value);
                }
                for (std::size_t i = entries.size(); !in_order && i > 1; --i)
                    std::swap(entries[i - 1], entries[random.below(i)]);
                ASSERT_TRUE(trie.update(entries).has_value());
                ASSERT_EQ(trie.root(), model.root());
            }
            std::map<Hash, Bytes> seen;
            trie.for_each_new_node([&](const Hash& hash, BytesView rlp) { seen[hash] = to_bytes(rlp); });
            EXPECT_EQ(seen, model.nodes());
        }
    }
}

TEST(Trie, PuttingWhatIsThereHashesNothing) {
    Trie trie;
    put_ok(trie, as_bytes("key"), as_bytes("value"));
    put_ok(trie, as_bytes("keys"), as_bytes("values"));
    trie.root();
    const auto before = trie.hashed_nodes();
    put_ok(trie, as_bytes("key"), as_bytes("value"));
    ASSERT_TRUE(trie.erase(as_bytes("nothing")).has_value());
    trie.root();
    EXPECT_EQ(trie.hashed_nodes(), before);
}

TEST(Trie, CopiesAreIndependent) {
    Random random(10);
    Trie trie;
    for (int i = 0; i < 200; ++i)
        put_ok(trie, random_key(random, kShapes[3]), random_value(random, kShapes[3]));
    const Hash root = trie.root();
    Trie copy = trie;
    for (int i = 0; i < 50; ++i)
        put_ok(copy, random_key(random, kShapes[3]), random_value(random, kShapes[3]));
    EXPECT_NE(copy.root(), root);
    put_ok(trie, as_bytes("a"), as_bytes("b"));
    ASSERT_TRUE(trie.erase(as_bytes("a")).has_value());
    EXPECT_EQ(trie.root(), root);
}

TEST(Trie, ValuesMayBeLarge) {
    Random random(11);
    Trie trie;
    NaiveTrie model;
    for (std::size_t size : {1u, 31u, 32u, 55u, 56u, 255u, 256u, 1000u, 5000u, 65535u, 65536u, 300000u}) {
        const Bytes key = random.bytes(2);
        const Bytes value = random.bytes(size);
        put_ok(trie, key, value);
        model.put(key, value);
        ASSERT_EQ(trie.root(), model.root());
        ASSERT_EQ(value_of(trie, key), value);
    }
}

TEST(Trie, RejectsLongKeys) {
    Trie trie;
    EXPECT_EQ(trie.put(Bytes(kKeySizeMax + 1), as_bytes("v")).error(), TrieError::KeyTooLong);
    EXPECT_EQ(trie.get(Bytes(kKeySizeMax + 1)).error(), TrieError::KeyTooLong);
    put_ok(trie, Bytes(kKeySizeMax), as_bytes("v"));
    put_ok(trie, Bytes(kKeySizeMax - 1), as_bytes("w"));
    NaiveTrie model;
    model.put(Bytes(kKeySizeMax), as_bytes("v"));
    model.put(Bytes(kKeySizeMax - 1), as_bytes("w"));
    EXPECT_EQ(trie.root(), model.root());
}

// Every operation on a trie with a hole either works or names the missing node and changes nothing.
TEST(Trie, MissingNodeChangesNothing) {
    for (std::uint64_t seed = 200; seed < 212; ++seed) {
        const Shape& shape = kShapes[seed % std::size(kShapes)];
        Random random(seed);
        MemoryNodeStore store;
        NaiveTrie model;
        Trie whole;
        for (int i = 0; i < 60; ++i) {
            const Bytes key = random_key(random, shape);
            const Bytes value = random_value(random, shape);
            put_ok(whole, key, value);
            model.put(key, value);
        }
        whole.commit(store);
        const auto nodes = model.nodes();
        for (int i = 0; i < 60; ++i) {
            const auto hole =
                std::next(nodes.begin(), static_cast<std::ptrdiff_t>(random.below(nodes.size())));
            store.remove(hole->first);
            Trie trie(whole.root(), &store);
            NaiveTrie changed = model;
            const Bytes key = random_key(random, shape);
            const Bytes value = random.below(2) == 0 ? Bytes{} : random_value(random, shape);
            changed.put(key, value);
            const auto first = trie.put(key, value);
            if (!first) {
                EXPECT_EQ(first.error(), TrieError::MissingNode);
                EXPECT_EQ(trie.failed_node(), hole->first);
                EXPECT_EQ(trie.root(), whole.root());
            }
            store.add(hole->second);
            put_ok(trie, key, value);
            ASSERT_EQ(trie.root(), changed.root());
        }
    }
}

// Answers every request with the same bytes.
class OneNode final : public NodeReader {
public:
    explicit OneNode(Bytes node) : m_node(std::move(node)) {}
    bool node(const Hash&, Bytes& out) override {
        out = m_node;
        return true;
    }

private:
    Bytes m_node;
};

TEST(Trie, ChecksWhatItReads) {
    const Bytes leaf = from_hex("c320827676").value();  // a leaf with one byte too many
    OneNode reader(leaf);
    Trie wrong(crypto::keccak256(Bytes{1}), &reader);
    EXPECT_EQ(wrong.get(as_bytes("k")).error(), TrieError::WrongHash);
    Trie invalid(crypto::keccak256(leaf), &reader);
    EXPECT_EQ(invalid.put(as_bytes("k"), as_bytes("v")).error(), TrieError::InvalidNode);
    EXPECT_EQ(invalid.failed_node(), crypto::keccak256(leaf));
    Trie none(crypto::keccak256(leaf), nullptr);
    EXPECT_EQ(none.erase(as_bytes("k")).error(), TrieError::MissingNode);
}

TEST(Trie, HashedChildMustNotBeShort) {
    // A branch that refers by hash to a leaf of less than 32 bytes, which belongs inline.
    const Bytes leaf = from_hex("c23176").value();
    const Hash leaf_hash = crypto::keccak256(leaf);
    Bytes branch = from_hex("f851").value();
    for (int i = 0; i < 2; ++i) {
        branch.push_back(0xa0);
        append(branch, leaf_hash);
    }
    branch.insert(branch.end(), 15, 0x80);
    MemoryNodeStore store;
    store.add(leaf);
    store.add(branch);
    Trie trie(crypto::keccak256(branch), &store);
    EXPECT_EQ(trie.get(Bytes{0x01}).error(), TrieError::InvalidNode);
    EXPECT_FALSE(value_of(trie, Bytes{0x21}));
}

// The hash of the node that stands at the end of a way, if it is not inlined.
std::optional<Hash> hash_at(MemoryNodeStore& store, const Hash& root, std::span<const std::uint8_t> way) {
    Hash at = root;
    std::size_t depth = 0;
    while (depth < way.size()) {
        Bytes rlp;
        if (!store.node(at, rlp))
            return std::nullopt;
        const auto node = decode_node(rlp, depth);
        if (!node || node->kind == NodeKind::Leaf)
            return std::nullopt;
        const unsigned child = node->kind == NodeKind::Branch ? way[depth] : 0;
        if ((node->inlined >> child & 1) != 0 || node->children[child].size() != 32)
            return std::nullopt;
        depth += node->kind == NodeKind::Branch ? 1 : Path(node->path).size();
        at = first_bytes<32>(node->children[child]);
    }
    return depth == way.size() ? std::optional(at) : std::nullopt;
}

TEST(Trie, TellsTheReaderWhereANodeStands) {
    struct Reader final : NodeReader {
        bool node(const Hash&, Bytes&) override { return false; }
        bool node_at(std::span<const std::uint8_t> way, const Hash& hash, Bytes& out) override {
            ++asked;
            EXPECT_EQ(hash_at(store, root, way), hash);
            return store.node(hash, out);
        }
        MemoryNodeStore store;
        Hash root;
        int asked = 0;
    };
    test::Random random(5);
    Reader reader;
    Trie built;
    std::vector<Bytes> keys;
    for (int i = 0; i < 300; ++i) {
        keys.push_back(random.bytes(3));
        ASSERT_TRUE(built.put(keys.back(), random.bytes(40)));
    }
    reader.root = built.root();
    built.commit(reader.store);
    // Each on the trie as it was, so that every node is read where it stood; erasing reads siblings too.
    for (const Bytes& key : keys) {
        Trie erased(reader.root, &reader);
        EXPECT_TRUE(erased.erase(key));
        Trie read(reader.root, &reader);
        EXPECT_TRUE(read.get(key));
    }
    EXPECT_GT(reader.asked, 900);
}

}  // namespace
}  // namespace meridian::trie
