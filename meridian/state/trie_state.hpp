// A state read from Merkle Patricia tries, whole or partial (a witness), and moved on by changes.
//
// Every node is checked against its hash and all code against the code hash, so that what is read is what
// the root commits to, wherever the bytes come from.
#pragma once

#include <meridian/state/account_rlp.hpp>
#include <meridian/state/state_reader.hpp>
#include <meridian/trie/trie.hpp>

#include <unordered_map>

namespace meridian::state {

// Contract code by its hash.
class CodeReader {
public:
    virtual ~CodeReader() = default;
    // Replaces `out`; false if the code is not there.
    virtual bool code(const Hash& code_hash, Bytes& out) = 0;
};

// Code kept in memory; it is stored under the hash that it has.
class MemoryCodeStore final : public CodeReader {
public:
    bool code(const Hash& code_hash, Bytes& out) override;
    void add(BytesView code);
    void add(const StateChanges& changes);
    std::size_t size() const noexcept { return m_code.size(); }

private:
    std::unordered_map<Hash, Bytes> m_code;
};

class TrieState final : public StateReader {
public:
    // The readers outlive this.
    TrieState(const Hash& root, trie::NodeReader& nodes, CodeReader& codes);

    std::optional<Account> account(const Address& address) override;
    u256 storage(const Address& address, const u256& key) override;
    bool has_storage(const Address& address) override;
    BytesView code(const Hash& code_hash) override;
    StateError error() const noexcept override { return m_error; }

    // Moves the state on and returns the new root; new nodes go to `sink` unless it is null. Entries are
    // written before others are erased, so that a partial state needs as few siblings as possible.
    // After an error the object is not to be used any more.
    Result<Hash, StateError> apply(const StateChanges& changes, trie::NodeSink* sink = nullptr);
    Hash root() { return m_accounts.root(); }
    // Of an account that does not exist: the empty root.
    Result<Hash, StateError> storage_root(const Address& address);

    // Merkle proofs as eth_getProof gives them: node encodings from the root on.
    Result<std::vector<Bytes>, StateError> account_proof(const Address& address);
    Result<std::vector<Bytes>, StateError> storage_proof(const Address& address, const u256& key);

private:
    struct AccountCache {
        bool exists = false;
        TrieAccount value;
        bool storage_open = false;
        trie::Trie storage;
    };

    AccountCache& load(const Address& address);
    trie::Trie& open_storage(AccountCache& entry);
    void remember(StateError error) noexcept;
    Result<void, StateError> apply(const Address& address, const AccountChange& change, trie::NodeSink* sink);
    Result<void, StateError> write_storage(AccountCache& entry, const AccountChange& change);

    trie::NodeReader& m_nodes;
    CodeReader& m_codes;
    trie::Trie m_accounts;
    std::unordered_map<Address, AccountCache> m_cache;
    std::unordered_map<Hash, Bytes> m_code;
    StateError m_error = StateError::None;
};

}  // namespace meridian::state
