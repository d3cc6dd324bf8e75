// A whole state in ordered maps: for tests, fixtures and small development chains.
//
// Copyable. Every slot held is not zero.
#pragma once

#include <meridian/state/state_reader.hpp>
#include <meridian/trie/trie.hpp>

namespace meridian::state {

class MemoryState final : public StateReader {
public:
    struct Entry {
        Account account;
        std::map<u256, u256> storage;
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    std::optional<Account> account(const Address& address) override;
    u256 storage(const Address& address, const u256& key) override;
    bool has_storage(const Address& address) override;
    BytesView code(const Hash& code_hash) override;
    bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) override;
    StateError error() const noexcept override { return m_error; }

    // Writers create the account where it does not exist.
    void set_account(const Address& address, const Account& account);
    void set_balance(const Address& address, const u256& balance);
    void set_nonce(const Address& address, std::uint64_t nonce);
    void set_code(const Address& address, BytesView code);
    void set_storage(const Address& address, const u256& key, const u256& value);
    void add_code(BytesView code);

    void apply(const StateChanges& changes);
    // Computed from scratch at each call.
    Hash root() const { return account_trie().root(); }
    Hash storage_root(const Address& address) const { return storage_trie(address).root(); }
    // For proofs.
    trie::Trie account_trie() const;
    trie::Trie storage_trie(const Address& address) const;

    const std::map<Address, Entry>& accounts() const noexcept { return m_accounts; }
    const std::map<Hash, Bytes>& codes() const noexcept { return m_code; }

private:
    void apply(const Address& address, const AccountChange& change);

    std::map<Address, Entry> m_accounts;
    std::map<Hash, Bytes> m_code;
    std::map<std::pair<Address, std::uint32_t>, Bytes> m_pages;
    StateError m_error = StateError::None;
};

}  // namespace meridian::state
