#include <meridian/state/memory_state.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/state/account_rlp.hpp>

namespace meridian::state {

std::optional<Account> MemoryState::account(const Address& address) {
    const auto it = m_accounts.find(address);
    return it == m_accounts.end() ? std::nullopt : std::optional(it->second.account);
}

u256 MemoryState::storage(const Address& address, const u256& key) {
    const auto it = m_accounts.find(address);
    if (it == m_accounts.end())
        return {};
    const auto slot = it->second.storage.find(key);
    return slot == it->second.storage.end() ? u256{} : slot->second;
}

bool MemoryState::has_storage(const Address& address) {
    const auto it = m_accounts.find(address);
    return it != m_accounts.end() && !it->second.storage.empty();
}

BytesView MemoryState::code(const Hash& code_hash) {
    if (code_hash == crypto::kEmptyKeccak)
        return {};
    const auto it = m_code.find(code_hash);
    if (it != m_code.end())
        return it->second;
    m_error = StateError::MissingCode;
    return {};
}

bool MemoryState::arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) {
    const auto it = m_pages.find({module, page});
    if (it == m_pages.end())
        std::memset(out, 0, kArenaPageSize);
    else
        std::memcpy(out, it->second.data(), kArenaPageSize);
    return true;
}

void MemoryState::set_account(const Address& address, const Account& account) {
    m_accounts[address].account = account;
}

void MemoryState::set_balance(const Address& address, const u256& balance) {
    m_accounts[address].account.balance = balance;
}

void MemoryState::set_nonce(const Address& address, std::uint64_t nonce) {
    m_accounts[address].account.nonce = nonce;
}

void MemoryState::set_code(const Address& address, BytesView code) {
    m_accounts[address].account.code_hash = crypto::keccak256(code);
    add_code(code);
}

void MemoryState::set_storage(const Address& address, const u256& key, const u256& value) {
    auto& storage = m_accounts[address].storage;
    if (value)
        storage[key] = value;
    else
        storage.erase(key);
}

void MemoryState::add_code(BytesView code) {
    if (!code.empty())
        m_code.try_emplace(crypto::keccak256(code), to_bytes(code));
}

void MemoryState::apply(const StateChanges& changes) {
    for (const auto& [address, change] : changes.accounts)
        apply(address, change);
    for (const auto& [hash, code] : changes.code)
        m_code.try_emplace(hash, code);
    for (const auto& [module, pages] : changes.arenas)
        for (const auto& [page, patch] : pages)
            patch.write_to(m_pages.try_emplace({module, page}, Bytes(kArenaPageSize)).first->second.data());
}

void MemoryState::apply(const Address& address, const AccountChange& change) {
    if (!change.account.has_value()) {
        m_accounts.erase(address);
        return;
    }
    Entry& entry = m_accounts[address];
    entry.account = *change.account;
    if (change.storage_cleared)
        entry.storage.clear();
    for (const auto& [key, value] : change.storage)
        set_storage(address, key, value);
}

namespace {
// Nothing is read from elsewhere, so that building cannot fail.
trie::Trie build(const std::map<Hash, Bytes>& entries) {
    std::vector<trie::KeyValue> updates;
    updates.reserve(entries.size());
    for (const auto& [key, value] : entries)
        updates.push_back({key, value});
    trie::Trie out;
    const auto done = out.update(updates);
    MERIDIAN_ASSERT(done.has_value());
    return out;
}
}  // namespace

trie::Trie MemoryState::account_trie() const {
    std::map<Hash, Bytes> entries;
    for (const auto& [address, entry] : m_accounts)
        entries.emplace(account_trie_key(address), encode_account(entry.account, storage_root(address)));
    return build(entries);
}

trie::Trie MemoryState::storage_trie(const Address& address) const {
    std::map<Hash, Bytes> entries;
    if (const auto it = m_accounts.find(address); it != m_accounts.end())
        for (const auto& [key, value] : it->second.storage)
            entries.emplace(slot_trie_key(key), encode_slot(value));
    return build(entries);
}

}  // namespace meridian::state
