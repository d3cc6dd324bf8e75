#include <meridian/store/state_trie.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/store/keys.hpp>
#include <meridian/store/node_placement.hpp>

namespace meridian::store {
namespace {

// What a storage trie takes beside its nodes: itself, and what its vectors keep.
constexpr std::uint64_t kTrieOverheadBytes = 4096;

constexpr std::size_t slot_of(Table table) noexcept {
    return table == Table::AccountTrie ? 0 : 1;
}

std::string_view text_of(BytesView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What is to stand at a key; an empty value erases.
struct Entry {
    Hash key;
    Bytes value;
};

// Written ones first, so that no branch collapses only to be made again.
Result<void, trie::TrieError> update_trie(trie::Trie& trie, std::vector<Entry>& entries) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.value.empty() != b.value.empty() ? b.value.empty() : a.key < b.key;
    });
    std::vector<trie::KeyValue> views;
    views.reserve(entries.size());
    for (const Entry& entry : entries)
        views.push_back({entry.key, entry.value});
    return trie.update(views);
}

}  // namespace

BytesView TrieUpdate::node(Table table, BytesView key) const {
    const auto& nodes = m_nodes[slot_of(table)];
    const auto found =
        std::ranges::lower_bound(nodes, text_of(key), {}, &std::pair<std::string_view, BytesView>::first);
    return found == nodes.end() || found->first != text_of(key) ? BytesView{} : found->second;
}

// Nodes by their place: from updates that are not stored yet, the newest first, else from the store.
struct StateTrie::Source final : trie::NodeReader {
    Source(const StateTrie& owner, Table in, BytesView account)
        : trie(owner), table(in), prefix(to_bytes(account)) {}

    bool node(const Hash&, Bytes&) override { return false; }
    bool node_at(std::span<const std::uint8_t> nibbles, const Hash&, Bytes& out) override {
        const Bytes key = trie_node_key(prefix, nibbles);
        for (auto update = trie.m_pending.rbegin(); update != trie.m_pending.rend(); ++update) {
            if (const BytesView found = (*update)->node(table, key); !found.empty()) {
                out.assign(found.begin(), found.end());
                return true;
            }
        }
        auto read = trie.m_get(table, key, out);
        if (!read)
            failure = std::move(read.error());
        return read.value_or(false);
    }

    const StateTrie& trie;
    Table table;
    Bytes prefix;
    std::optional<StoreError> failure;
};

struct StateTrie::Storage {
    Storage(const StateTrie& owner, const Hash& account_key, const Hash& at)
        : source(owner, Table::StorageTrie, account_key), root(at), trie(at, &source) {}

    Source source;
    Hash root;
    trie::Trie trie;
    std::uint64_t last_use = 0;
};

struct StateTrie::Changed {
    const state::AccountChange& change;
    Entry entry;
};

// The operations of one update: what is erased goes before what is written.
class StateTrie::Collector {
public:
    explicit Collector(WriteBatch erasures) : m_erasures(std::move(erasures)) {}

    // Takes the new nodes of a trie, and what the erased keys leave behind.
    Result<void, trie::TrieError> take(trie::Trie& trie, Table table, BytesView owner,
                                       std::span<const Hash> erased) {
        NodePlacement placement(table, owner);
        trie.commit(placement);
        placement.write(trie.empty() ? trie::kEmptyRoot : trie.root(), m_erasures, m_puts);
        for (const Hash& key : erased) {
            auto nodes = trie.path_nodes(key);
            if (!nodes)
                return fail(nodes.error());
            erase_beyond(table, owner, key, *nodes, m_erasures);
        }
        return {};
    }

    // Puts in the order of their keys: the store takes them fastest so, and they are found again.
    void finish(TrieUpdate& update) {
        std::vector<WriteBatch::Operation> puts;
        puts.reserve(m_puts.operation_count());
        m_puts.for_each([&puts](const WriteBatch::Operation& put) { puts.push_back(put); });
        std::ranges::sort(puts, [](const WriteBatch::Operation& a, const WriteBatch::Operation& b) {
            return a.table != b.table ? a.table < b.table : text_of(a.key) < text_of(b.key);
        });
        update.batch = std::move(m_erasures);
        for (const WriteBatch::Operation& put : puts)
            update.batch.put(put.table, put.key, put.value);
        update.batch.for_each([&update](const WriteBatch::Operation& operation) {
            if (operation.kind == WriteBatch::Kind::Put)
                update.m_nodes[slot_of(operation.table)].emplace_back(text_of(operation.key),
                                                                      operation.value);
        });
    }

private:
    WriteBatch m_erasures;
    WriteBatch m_puts;
};

StateTrie::StateTrie(const Hash& root, GetFunction get, const TrieLimits& limits)
    : m_root(root),
      m_get(std::move(get)),
      m_limits(limits),
      m_account_source(std::make_unique<Source>(*this, Table::AccountTrie, BytesView{})),
      m_accounts(root, m_account_source.get()) {}

StateTrie::~StateTrie() = default;

// --- moving on ------------------------------------------------------------------------------------------

StoreResult<void> StateTrie::stage(const state::StateChanges& changes) {
    auto done = try_stage(changes);
    if (!done)
        give_up();
    return done;
}

StoreResult<Hash> StateTrie::advance(const state::StateChanges& changes) {
    if (auto done = stage(changes); !done)
        return fail(std::move(done.error()));
    return m_accounts.root();
}

StoreResult<TrieUpdatePtr> StateTrie::take_update() {
    while (!m_pending.empty() && m_pending.front()->stored)
        m_pending.pop_front();
    Collector nodes(std::exchange(m_staged.erasures, {}));
    if (auto done = collect(nodes); !done) {
        give_up();
        return fail(std::move(done.error()));
    }
    m_staged = {};
    const auto update = std::make_shared<TrieUpdate>();
    update->parent_root = m_root;
    update->root = m_root = m_accounts.root();
    nodes.finish(*update);
    m_pending.push_back(update);
    trim();
    return update;
}

StoreResult<TrieUpdatePtr> StateTrie::apply(const state::StateChanges& changes) {
    if (auto advanced = advance(changes); !advanced)
        return fail(std::move(advanced.error()));
    return take_update();
}

void StateTrie::give_up() {
    m_staged = {};
    drop_memory();
}

StoreResult<void> StateTrie::collect(Collector& nodes) {
    for (const auto& [account_key, erased] : m_staged.storage) {
        Storage& storage = *m_storage.at(account_key);
        if (auto done = nodes.take(storage.trie, Table::StorageTrie, account_key, erased); !done)
            return fail(error_of(done.error(), storage.source, storage.trie));
    }
    if (auto done = nodes.take(m_accounts, Table::AccountTrie, {}, m_staged.erased_accounts); !done)
        return fail(error_of(done.error(), *m_account_source, m_accounts));
    return {};
}

StoreResult<void> StateTrie::try_stage(const state::StateChanges& changes) {
    std::vector<BytesView> addresses;
    for (const auto& [address, change] : changes.accounts)
        addresses.emplace_back(address);
    std::vector<Hash> keys(addresses.size());
    crypto::keccak256_batch(addresses, keys);
    std::vector<Entry> entries;
    entries.reserve(keys.size());
    auto key = keys.begin();
    for (const auto& [address, change] : changes.accounts) {
        Changed changed{change, {*key++, {}}};
        if (auto done = apply_account(changed); !done)
            return done;
        if (changed.entry.value.empty())
            m_staged.erased_accounts.push_back(changed.entry.key);
        entries.push_back(std::move(changed.entry));
    }
    if (auto done = update_trie(m_accounts, entries); !done)
        return fail(error_of(done.error(), *m_account_source, m_accounts));
    m_accounts.root();
    return {};
}

StoreResult<state::TrieAccount> StateTrie::read_account(const Hash& account_key, bool& exists) {
    state::TrieAccount out;
    out.storage_root = trie::kEmptyRoot;
    const auto found = m_accounts.get(account_key);
    if (!found)
        return fail(error_of(found.error(), *m_account_source, m_accounts));
    exists = found->has_value();
    if (!exists)
        return out;
    const auto decoded = state::decode_account(**found);
    if (!decoded)
        return fail(error_of(trie::TrieError::InvalidNode, *m_account_source, m_accounts));
    return *decoded;
}

// Brings the account's storage up to date and encodes its leaf.
StoreResult<void> StateTrie::apply_account(Changed& changed) {
    const Hash& key = changed.entry.key;
    const state::AccountChange& change = changed.change;
    bool exists = false;
    auto before = read_account(key, exists);
    if (!before)
        return fail(std::move(before.error()));
    Hash storage_root = before->storage_root;
    if ((!change.account || change.storage_cleared) && storage_root != trie::kEmptyRoot) {
        m_staged.erasures.erase_prefix(Table::StorageTrie, key);
        m_staged.storage.erase(key);
        m_storage.erase(key);
        storage_root = trie::kEmptyRoot;
    }
    if (!change.account)
        return {};
    if (!change.storage.empty()) {
        auto root = apply_storage(key, storage_root, change.storage);
        if (!root)
            return fail(std::move(root.error()));
        storage_root = *root;
    }
    changed.entry.value = state::encode_account(*change.account, storage_root);
    return {};
}

StoreResult<Hash> StateTrie::apply_storage(const Hash& account_key, const Hash& storage_root,
                                           const std::map<u256, u256>& slots) {
    Storage& storage = open_storage(account_key, storage_root);
    std::vector<Hash>& erased = m_staged.storage[account_key];
    std::vector<Entry> entries;
    entries.reserve(slots.size());
    for (const auto& [slot, value] : slots) {
        entries.push_back({state::slot_trie_key(slot), value ? state::encode_slot(value) : Bytes{}});
        if (!value)
            erased.push_back(entries.back().key);
    }
    if (auto done = update_trie(storage.trie, entries); !done)
        return fail(error_of(done.error(), storage.source, storage.trie));
    return storage.root = storage.trie.root();
}

StateTrie::Storage& StateTrie::open_storage(const Hash& account_key, const Hash& storage_root) {
    std::unique_ptr<Storage>& storage = m_storage[account_key];
    if (!storage || storage->root != storage_root)
        storage = std::make_unique<Storage>(*this, account_key, storage_root);
    storage->last_use = ++m_use_count;
    return *storage;
}

// --- proofs ---------------------------------------------------------------------------------------------

StoreResult<AccountProof> StateTrie::prove(const Address& address, std::span<const u256> slots) {
    const Hash key = state::account_trie_key(address);
    AccountProof out;
    bool exists = false;
    auto account = read_account(key, exists);
    if (!account)
        return fail(std::move(account.error()));
    if (exists)
        out.account = account->account;
    out.storage_root = account->storage_root;
    auto nodes = m_accounts.path_nodes(key);
    if (!nodes)
        return fail(error_of(nodes.error(), *m_account_source, m_accounts));
    out.nodes = *std::move(nodes);
    for (const u256& slot : slots) {
        Storage& storage = open_storage(key, out.storage_root);
        const Hash slot_key = state::slot_trie_key(slot);
        const auto value = storage.trie.get(slot_key);
        if (!value)
            return fail(error_of(value.error(), storage.source, storage.trie));
        u256 number;
        if (value->has_value())
            number = state::decode_slot(**value).value_or(u256{});
        auto path = storage.trie.path_nodes(slot_key);
        if (!path)
            return fail(error_of(path.error(), storage.source, storage.trie));
        out.slots.push_back({slot, number, *std::move(path)});
    }
    return out;
}

StoreResult<Hash> StateTrie::storage_root(const Address& address) {
    bool exists = false;
    auto account = read_account(state::account_trie_key(address), exists);
    if (!account)
        return fail(std::move(account.error()));
    return account->storage_root;
}

StoreError StateTrie::error_of(trie::TrieError error, const Source& source, const trie::Trie& trie) const {
    if (source.failure)
        return *source.failure;
    return {StoreErrorKind::Corrupt, std::string(name_of(source.table)) + ": " + trie::to_string(error) +
                                         ", node " + to_hex0x(trie.failed_node()) + " below root " +
                                         to_hex0x(m_root) +
                                         "; rebuild the tries from the flat state, or restore a snapshot"};
}

void StateTrie::reset(const Hash& root) {
    m_root = root;
    m_pending.clear();
    m_staged = {};
    drop_memory();
}

void StateTrie::drop_memory() {
    m_account_source = std::make_unique<Source>(*this, Table::AccountTrie, BytesView{});
    m_accounts = trie::Trie(m_root, m_account_source.get());
    m_storage.clear();
}

// Storage tries go by when they were last used, until half of what is allowed is left.
void StateTrie::trim() {
    if (m_accounts.used_bytes() > m_limits.account_bytes_max)
        m_accounts = trie::Trie(m_root, m_account_source.get());
    std::uint64_t bytes = 0;
    std::vector<std::pair<std::uint64_t, Hash>> by_use;
    for (const auto& [key, storage] : m_storage) {
        bytes += storage->trie.used_bytes() + kTrieOverheadBytes;
        by_use.emplace_back(storage->last_use, key);
    }
    if (bytes <= m_limits.storage_bytes_max)
        return;
    std::sort(by_use.begin(), by_use.end());
    for (const auto& [use, key] : by_use) {
        if (bytes <= m_limits.storage_bytes_max / 2)
            break;
        const auto found = m_storage.find(key);
        bytes -= found->second->trie.used_bytes() + kTrieOverheadBytes;
        m_storage.erase(found);
    }
}

std::uint64_t StateTrie::used_bytes() const noexcept {
    std::uint64_t bytes = m_accounts.used_bytes();
    for (const auto& [key, storage] : m_storage)
        bytes += storage->trie.used_bytes() + kTrieOverheadBytes;
    return bytes;
}

}  // namespace meridian::store
