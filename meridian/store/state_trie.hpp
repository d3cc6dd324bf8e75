// The state's tries on top of the store: gives each block's state root, and the nodes to be stored for it.
//
// Nodes are stored by their path (the account trie's by the path alone, a storage trie's behind the hash of
// its account's address), newest version only: a new node overwrites the one that stood there, so nothing is
// left to be collected but what an erasure cuts off, which apply() erases too.
//
// Not thread-safe: it belongs to whoever computes roots. It may run ahead of the store: updates that are not
// committed yet are kept until their commit.
#pragma once

#include <meridian/state/account_rlp.hpp>
#include <meridian/store/database.hpp>
#include <meridian/trie/trie.hpp>

#include <atomic>
#include <deque>
#include <map>
#include <unordered_map>

namespace meridian::store {

// What moves the stored tries from one root to another. ChainStore::commit_block() takes it.
struct TrieUpdate {
    Hash parent_root;
    Hash root;
    WriteBatch batch;
    // Set by the store when the nodes can be read from it.
    std::atomic<bool> stored = false;

    // A node of the batch, for reads before it is stored; empty if there is none at this place.
    BytesView node(Table table, BytesView key) const;

private:
    friend class StateTrie;
    // Views of the finished batch, by key.
    std::array<std::vector<std::pair<std::string_view, BytesView>>, 2> m_nodes;
};
using TrieUpdatePtr = std::shared_ptr<TrieUpdate>;

struct AccountProof {
    // Absent: the account does not exist, which the proof shows.
    std::optional<state::Account> account;
    Hash storage_root;
    std::vector<Bytes> nodes;  // from the root of the account trie on
    struct Slot {
        u256 key;
        u256 value;
        std::vector<Bytes> nodes;  // from the storage root on
    };
    std::vector<Slot> slots;
};

struct TrieLimits {
    // Nodes kept in memory between blocks; above it, what is kept is dropped and read again as needed.
    std::uint64_t account_bytes_max = std::uint64_t{2} << 30;
    std::uint64_t storage_bytes_max = std::uint64_t{1} << 30;
};

class StateTrie {
public:
    // `get` reads the store's tries of that root; it is called during the calls of this only.
    StateTrie(const Hash& root, GetFunction get, const TrieLimits& limits = {});
    StateTrie(const StateTrie&) = delete;
    StateTrie& operator=(const StateTrie&) = delete;
    ~StateTrie();

    const Hash& root() const noexcept { return m_root; }
    // Takes a part of one block's changes ahead of the rest, so that apply() has less to do.
    StoreResult<void> stage(const state::StateChanges& changes);
    // The root after one block's changes: those staged, and these. Nothing else may be called then before
    // take_update().
    StoreResult<Hash> advance(const state::StateChanges& changes);
    // Moves on by what was staged and advanced: gives what is to be stored for it, which takes longer than
    // the root. After an error (Corrupt, Io), here or in the two above, the object stands where it stood
    // before the block, its nodes in memory dropped.
    StoreResult<TrieUpdatePtr> take_update();
    // Both at once.
    StoreResult<TrieUpdatePtr> apply(const state::StateChanges& changes);
    // Goes back to the tries that the store holds, of that root; updates that were not stored are forgotten.
    void reset(const Hash& root);

    // Merkle proofs as eth_getProof gives them, at root().
    StoreResult<AccountProof> prove(const Address& address, std::span<const u256> slots);
    // The empty root for an account that does not exist.
    StoreResult<Hash> storage_root(const Address& address);

    std::uint64_t used_bytes() const noexcept;

private:
    struct Source;
    struct Storage;
    struct Changed;
    // Of the block that is under way.
    struct Staged {
        WriteBatch erasures;
        std::vector<Hash> erased_accounts;
        // Storage tries that have new nodes, each with the slots that were erased.
        std::map<Hash, std::vector<Hash>> storage;
    };
    class Collector;

    StoreResult<void> try_stage(const state::StateChanges& changes);
    StoreResult<void> apply_account(Changed& changed);
    StoreResult<Hash> apply_storage(const Hash& account_key, const Hash& storage_root,
                                    const std::map<u256, u256>& slots);
    StoreResult<void> collect(Collector& nodes);
    StoreResult<state::TrieAccount> read_account(const Hash& account_key, bool& exists);
    Storage& open_storage(const Hash& account_key, const Hash& storage_root);
    StoreError error_of(trie::TrieError error, const Source& source, const trie::Trie& trie) const;
    void give_up();
    void drop_memory();
    void trim();

    Hash m_root;
    GetFunction m_get;
    TrieLimits m_limits;
    std::deque<TrieUpdatePtr> m_pending;
    Staged m_staged;
    std::unique_ptr<Source> m_account_source;
    trie::Trie m_accounts;
    std::unordered_map<Hash, std::unique_ptr<Storage>> m_storage;
    std::uint64_t m_use_count = 0;
};

}  // namespace meridian::store
