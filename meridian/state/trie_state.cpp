#include <meridian/state/trie_state.hpp>

#include <algorithm>

namespace meridian::state {

namespace {

StateError to_state_error(trie::TrieError error) noexcept {
    return error == trie::TrieError::MissingNode ? StateError::MissingNode : StateError::CorruptNode;
}

// A key and what is to stand there; an empty value erases.
struct Update {
    Hash key;
    Bytes value;
};

// Written ones first, each part sorted by key.
Result<void, StateError> update(trie::Trie& trie, std::vector<Update>& updates) {
    std::sort(updates.begin(), updates.end(), [](const Update& a, const Update& b) {
        return a.value.empty() != b.value.empty() ? b.value.empty() : a.key < b.key;
    });
    std::vector<trie::KeyValue> entries;
    entries.reserve(updates.size());
    for (const Update& u : updates)
        entries.push_back({u.key, u.value});
    if (const auto done = trie.update(entries); !done)
        return fail(to_state_error(done.error()));
    return {};
}

}  // namespace

bool MemoryCodeStore::code(const Hash& code_hash, Bytes& out) {
    const auto it = m_code.find(code_hash);
    if (it == m_code.end())
        return false;
    out = it->second;
    return true;
}

void MemoryCodeStore::add(BytesView code) {
    m_code.try_emplace(crypto::keccak256(code), to_bytes(code));
}

void MemoryCodeStore::add(const StateChanges& changes) {
    for (const auto& [hash, code] : changes.code)
        m_code.try_emplace(hash, code);
}

TrieState::TrieState(const Hash& root, trie::NodeReader& nodes, CodeReader& codes)
    : m_nodes(nodes), m_codes(codes), m_accounts(root, &nodes) {}

void TrieState::remember(StateError error) noexcept {
    if (m_error == StateError::None)
        m_error = error;
}

TrieState::AccountCache& TrieState::load(const Address& address) {
    const auto [it, inserted] = m_cache.try_emplace(address);
    AccountCache& entry = it->second;
    if (!inserted)
        return entry;
    entry.value.storage_root = trie::kEmptyRoot;
    const auto found = m_accounts.get(account_trie_key(address));
    if (!found) {
        remember(to_state_error(found.error()));
    } else if (found->has_value()) {
        const auto decoded = decode_account(**found);
        if (decoded) {
            entry.exists = true;
            entry.value = *decoded;
        } else {
            remember(StateError::CorruptNode);
        }
    }
    return entry;
}

trie::Trie& TrieState::open_storage(AccountCache& entry) {
    if (!entry.storage_open) {
        entry.storage = trie::Trie(entry.value.storage_root, &m_nodes);
        entry.storage_open = true;
    }
    return entry.storage;
}

std::optional<Account> TrieState::account(const Address& address) {
    const AccountCache& entry = load(address);
    return entry.exists ? std::optional(entry.value.account) : std::nullopt;
}

u256 TrieState::storage(const Address& address, const u256& key) {
    AccountCache& entry = load(address);
    if (entry.value.storage_root == trie::kEmptyRoot)
        return {};
    const auto found = open_storage(entry).get(slot_trie_key(key));
    if (!found) {
        remember(to_state_error(found.error()));
        return {};
    }
    if (!found->has_value())
        return {};
    const auto value = decode_slot(**found);
    if (!value)
        remember(StateError::CorruptNode);
    return value.value_or(u256{});
}

bool TrieState::has_storage(const Address& address) {
    return load(address).value.storage_root != trie::kEmptyRoot;
}

BytesView TrieState::code(const Hash& code_hash) {
    if (code_hash == crypto::kEmptyKeccak)
        return {};
    if (const auto it = m_code.find(code_hash); it != m_code.end())
        return it->second;
    Bytes code;
    if (!m_codes.code(code_hash, code) || crypto::keccak256(code) != code_hash) {
        remember(StateError::MissingCode);
        return {};
    }
    return m_code.emplace(code_hash, std::move(code)).first->second;
}

Result<Hash, StateError> TrieState::apply(const StateChanges& changes, trie::NodeSink* sink) {
    std::vector<Update> updates;
    updates.reserve(changes.accounts.size());
    for (const auto& [address, change] : changes.accounts) {
        if (const auto done = apply(address, change, sink); !done)
            return fail(done.error());
        const AccountCache& entry = m_cache.at(address);
        updates.push_back(
            {account_trie_key(address),
             entry.exists ? encode_account(entry.value.account, entry.value.storage_root) : Bytes{}});
    }
    if (const auto done = update(m_accounts, updates); !done)
        return fail(done.error());
    const Hash root = m_accounts.root();
    if (sink != nullptr)
        m_accounts.commit(*sink);
    for (const auto& [hash, code] : changes.code)
        m_code.try_emplace(hash, code);
    return root;
}

Result<void, StateError> TrieState::apply(const Address& address, const AccountChange& change,
                                          trie::NodeSink* sink) {
    AccountCache& entry = load(address);
    if (m_error != StateError::None)
        return fail(m_error);
    if (!change.account.has_value() || change.storage_cleared) {
        entry.value.storage_root = trie::kEmptyRoot;
        entry.storage = trie::Trie();
        entry.storage_open = true;
    }
    entry.exists = change.account.has_value();
    entry.value.account = change.account.value_or(Account{});
    if (!entry.exists || change.storage.empty())
        return {};
    if (const auto done = write_storage(entry, change); !done)
        return fail(done.error());
    entry.value.storage_root = entry.storage.root();
    if (sink != nullptr)
        entry.storage.commit(*sink);
    return {};
}

Result<void, StateError> TrieState::write_storage(AccountCache& entry, const AccountChange& change) {
    std::vector<Update> updates;
    updates.reserve(change.storage.size());
    for (const auto& [key, value] : change.storage)
        updates.push_back({slot_trie_key(key), value ? encode_slot(value) : Bytes{}});
    return update(open_storage(entry), updates);
}

Result<Hash, StateError> TrieState::storage_root(const Address& address) {
    const AccountCache& entry = load(address);
    if (m_error != StateError::None)
        return fail(m_error);
    return entry.value.storage_root;
}

Result<std::vector<Bytes>, StateError> TrieState::account_proof(const Address& address) {
    auto nodes = m_accounts.path_nodes(account_trie_key(address));
    if (!nodes)
        return fail(to_state_error(nodes.error()));
    return *std::move(nodes);
}

Result<std::vector<Bytes>, StateError> TrieState::storage_proof(const Address& address, const u256& key) {
    AccountCache& entry = load(address);
    if (m_error != StateError::None)
        return fail(m_error);
    auto nodes = open_storage(entry).path_nodes(slot_trie_key(key));
    if (!nodes)
        return fail(to_state_error(nodes.error()));
    return *std::move(nodes);
}

}  // namespace meridian::state
