// TrieState against MemoryState, and on partial states.
#include <meridian/state/memory_state.hpp>
#include <meridian/state/trie_state.hpp>

#include <gtest/gtest.h>

namespace meridian::state {
namespace {

// Passes reads on and keeps what was read, as a witness does.
class RecordingReader final : public trie::NodeReader {
public:
    explicit RecordingReader(trie::MemoryNodeStore& store) : m_store(store) {}
    bool node(const Hash& hash, Bytes& out) override {
        if (!m_store.node(hash, out))
            return false;
        witness.add(out);
        return true;
    }
    trie::MemoryNodeStore witness;

private:
    trie::MemoryNodeStore& m_store;
};

class Random {
public:
    explicit Random(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t operator()(std::uint64_t bound) {
        m_state ^= m_state << 13;
        m_state ^= m_state >> 7;
        m_state ^= m_state << 17;
        return m_state % bound;
    }

private:
    std::uint64_t m_state;
};

Address address(std::uint64_t i) {
    return to_address(u256{0x1000 + i});
}

StateChanges random_changes(Random& random, const MemoryState& state) {
    StateChanges out;
    for (int i = 0; i < 12; ++i) {
        const Address a = address(random(40));
        AccountChange change;
        if (random(5) != 0) {
            change.account = Account{.nonce = random(9), .balance = random(1000)};
            change.storage_cleared = random(6) == 0;
            const auto it = state.accounts().find(a);
            for (int slot = 0; slot < 6; ++slot) {
                const u256 key{random(12)};
                const bool held = it != state.accounts().end() && it->second.storage.contains(key);
                const u256 value{random(3)};
                if (value || (held && !change.storage_cleared))
                    change.storage[key] = value;
            }
        } else {
            change.storage_cleared = true;
        }
        out.accounts[a] = change;
    }
    const Bytes code{0x60, static_cast<std::uint8_t>(random(256))};
    const Hash hash = crypto::keccak256(code);
    out.accounts[address(100)] = {.account = Account{.nonce = 1, .balance = 0, .code_hash = hash},
                                  .storage_cleared = false,
                                  .storage = {}};
    out.code[hash] = code;
    return out;
}

void expect_same_reads(TrieState& trie_state, MemoryState& memory) {
    for (std::uint64_t i = 0; i < 101; ++i) {
        const Address a = address(i);
        EXPECT_EQ(trie_state.account(a), memory.account(a));
        EXPECT_EQ(trie_state.has_storage(a), memory.has_storage(a));
        for (std::uint64_t key = 0; key < 12; ++key)
            EXPECT_EQ(trie_state.storage(a, key), memory.storage(a, key));
        if (const auto account = memory.account(a)) {
            EXPECT_TRUE(equal(trie_state.code(account->code_hash), memory.code(account->code_hash)));
        }
    }
    EXPECT_EQ(trie_state.error(), StateError::None);
}

TEST(TrieState, AgreesWithMemoryStateAndItsWitnessSuffices) {
    Random random(0x2545f4914f6cdd1d);
    trie::MemoryNodeStore nodes;
    MemoryCodeStore codes;
    MemoryState memory;
    Hash root = trie::kEmptyRoot;
    for (int round = 0; round < 40; ++round) {
        const StateChanges changes = random_changes(random, memory);
        RecordingReader recording(nodes);
        TrieState whole(root, recording, codes);
        expect_same_reads(whole, memory);

        RecordingReader applying(nodes);
        TrieState applied(root, applying, codes);
        const auto next = applied.apply(changes, &nodes);
        ASSERT_TRUE(next.has_value());
        memory.apply(changes);
        codes.add(changes);
        EXPECT_EQ(*next, memory.root());
        expect_same_reads(applied, memory);

        // The nodes that were read are enough to compute the same root again.
        TrieState partial(root, applying.witness, codes);
        const auto again = partial.apply(changes);
        ASSERT_TRUE(again.has_value());
        EXPECT_EQ(*again, *next);
        root = *next;
    }
}

TEST(TrieState, MissingNodesAndCodeAreReported) {
    trie::MemoryNodeStore nodes;
    MemoryCodeStore codes;
    TrieState empty(trie::kEmptyRoot, nodes, codes);
    StateChanges changes;
    const Hash unknown_code = crypto::keccak256(Bytes{1});
    changes.accounts[address(1)] = {.account = Account{.nonce = 1, .balance = 2, .code_hash = unknown_code},
                                    .storage_cleared = false,
                                    .storage = {{1, 2}}};
    const auto root = empty.apply(changes, &nodes);
    ASSERT_TRUE(root.has_value());

    TrieState whole(*root, nodes, codes);
    EXPECT_EQ(whole.storage(address(1), 1), u256{2});
    EXPECT_TRUE(whole.code(unknown_code).empty());
    EXPECT_EQ(whole.error(), StateError::MissingCode);

    trie::MemoryNodeStore none;
    TrieState without_nodes(*root, none, codes);
    EXPECT_FALSE(without_nodes.account(address(1)).has_value());
    EXPECT_EQ(without_nodes.error(), StateError::MissingNode);
    EXPECT_FALSE(without_nodes.apply(changes).has_value());
}

TEST(TrieState, RejectsAnAccountThatDoesNotDecode) {
    trie::MemoryNodeStore nodes;
    MemoryCodeStore codes;
    trie::Trie trie;
    ASSERT_TRUE(trie.put(account_trie_key(address(1)), Bytes(40, 0x01)).has_value());
    trie.commit(nodes);
    TrieState state(trie.root(), nodes, codes);
    EXPECT_FALSE(state.account(address(1)).has_value());
    EXPECT_EQ(state.error(), StateError::CorruptNode);
}

TEST(AccountRlp, RoundTripAndStrictness) {
    const Account account{.nonce = 7, .balance = u256::max(), .code_hash = crypto::keccak256(Bytes{9})};
    const Bytes encoded = encode_account(account, trie::kEmptyRoot);
    const auto decoded = decode_account(encoded);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->account, account);
    EXPECT_EQ(decoded->storage_root, trie::kEmptyRoot);
    Bytes longer = encoded;
    longer.push_back(0);
    EXPECT_FALSE(decode_account(longer).has_value());
    EXPECT_FALSE(decode_account(BytesView(encoded).first(encoded.size() - 1)).has_value());
    EXPECT_FALSE(decode_account(Bytes{0x80}).has_value());
    EXPECT_FALSE(decode_slot(Bytes{0x81, 0x05}).has_value());
    EXPECT_FALSE(decode_slot(Bytes{0x05, 0x06}).has_value());
}

}  // namespace
}  // namespace meridian::state
