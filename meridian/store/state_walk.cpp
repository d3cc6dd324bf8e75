#include <meridian/store/state_walk.hpp>

#include <meridian/store/keys.hpp>
#include <meridian/store/node_placement.hpp>
#include <meridian/store/stored_state.hpp>

namespace meridian::store {
namespace {

struct HashedEntry {
    Hash key;
    Bytes plain;  // address or slot
    Bytes value;  // as stored
};

// Takes the finished nodes of tries, by their place.
class NodeTaker {
public:
    virtual ~NodeTaker() = default;
    virtual StoreResult<void> take(const WriteBatch& nodes) = 0;
};

bool is_prefix_of(BytesView path, const Hash& key) noexcept {
    for (std::size_t i = 0; i < path.size(); ++i)
        if (path[i] != (i % 2 == 0 ? key[i / 2] >> 4 : key[i / 2] & 15))
            return false;
    return true;
}

// A trie filled in the order of its keys: in memory stands one batch and the way to the last key.
class SortedTrie {
public:
    SortedTrie(Table table, BytesView owner, NodeTaker& taker, std::size_t batch_max)
        : m_table(table), m_owner(to_bytes(owner)), m_taker(taker), m_batch_max(batch_max) {}

    StoreResult<void> add(const Hash& key, Bytes value) {
        m_entries.emplace_back(key, std::move(value));
        if (m_entries.size() <= m_batch_max)
            return {};
        // The last entry stays for the next batch, so that finish() always has one.
        auto last = std::move(m_entries.back());
        m_entries.pop_back();
        auto done = flush(false);
        m_entries.push_back(std::move(last));
        return done;
    }
    StoreResult<Hash> finish() {
        if (!m_entries.empty())
            if (auto done = flush(true); !done)
                return fail(std::move(done.error()));
        return m_root;
    }

private:
    StoreResult<void> flush(bool final);

    Table m_table;
    Bytes m_owner;
    NodeTaker& m_taker;
    std::size_t m_batch_max;
    std::vector<std::pair<Hash, Bytes>> m_entries;
    trie::MemoryNodeStore m_edge;
    // Nodes on the way to the last key, which may change again, by their keys in the table.
    std::map<Bytes, Bytes> m_held;
    Hash m_root = trie::kEmptyRoot;
};

StoreResult<void> SortedTrie::flush(bool final) {
    trie::Trie trie(m_root, &m_edge);
    std::vector<trie::KeyValue> entries;
    for (const auto& [key, value] : m_entries)
        entries.push_back({key, value});
    const auto updated = trie.update(entries);
    const Hash last = m_entries.back().first;
    auto edge = updated ? trie.path_nodes(last) : std::vector<Bytes>{};
    if (!updated || !edge)
        return fail(corrupt_entry(m_table, "the trie of sorted entries lacks a node"));
    m_root = trie.root();
    NodePlacement placement(m_table, m_owner);
    trie.commit(placement);
    WriteBatch erasures;
    WriteBatch placed;
    placement.write(m_root, erasures, placed);
    placed.for_each(
        [&](const WriteBatch::Operation& put) { m_held[to_bytes(put.key)] = to_bytes(put.value); });
    WriteBatch finished;
    std::erase_if(m_held, [&](const auto& node) {
        const bool done = final || !is_prefix_of(BytesView(node.first).subspan(m_owner.size()), last);
        if (done)
            finished.put(m_table, node.first, node.second);
        return done;
    });
    m_edge = {};
    for (const Bytes& node : *edge)
        m_edge.add(node);
    m_entries.clear();
    return m_taker.take(finished);
}

// --- the flat state by hash -----------------------------------------------------------------------------

using ScanCallback = std::function<StoreResult<void>(BytesView key, BytesView value)>;

// Calls back for every entry whose key begins with the prefix.
StoreResult<void> scan(const Snapshot& snapshot, Table table, BytesView prefix,
                       const ScanCallback& callback) {
    const auto cursor = snapshot.cursor(table);
    for (bool at = cursor->seek(prefix); at; at = cursor->next()) {
        const BytesView key = cursor->key();
        if (key.size() < prefix.size() || !equal(key.first(prefix.size()), prefix))
            break;
        if (auto done = callback(key.subspan(prefix.size()), cursor->value()); !done)
            return done;
    }
    if (cursor->error())
        return fail(*cursor->error());
    return {};
}

std::uint32_t head_of(const Hash& hash) noexcept {
    return std::uint32_t{hash[0]} << 24 | std::uint32_t{hash[1]} << 16 | std::uint32_t{hash[2]} << 8 |
           hash[3];
}

// Visits the entries behind the prefix by the hash of the rest of their keys, pass by pass.
StoreResult<void> visit_hashed(const Snapshot& snapshot, Table table, BytesView prefix,
                               const WalkLimits& limits,
                               const std::function<StoreResult<void>(const HashedEntry&)>& visit) {
    std::uint64_t count = 0;
    auto counted = scan(snapshot, table, prefix, [&](BytesView, BytesView) -> StoreResult<void> {
        ++count;
        return {};
    });
    if (!counted)
        return counted;
    const std::uint64_t passes = count / limits.entries_per_pass + 1;
    std::vector<HashedEntry> entries;
    for (std::uint64_t pass = 0; pass < passes; ++pass) {
        entries.clear();
        auto collected =
            scan(snapshot, table, prefix, [&](BytesView key, BytesView value) -> StoreResult<void> {
                const Hash hash = crypto::keccak256(key);
                if ((std::uint64_t{head_of(hash)} * passes) >> 32 == pass)
                    entries.push_back({hash, to_bytes(key), to_bytes(value)});
                return {};
            });
        if (!collected)
            return collected;
        std::sort(entries.begin(), entries.end(),
                  [](const HashedEntry& a, const HashedEntry& b) { return a.key < b.key; });
        for (const HashedEntry& entry : entries)
            if (auto done = visit(entry); !done)
                return done;
    }
    return {};
}

// One walk over the whole state.
class Walk {
public:
    Walk(const Snapshot& snapshot, NodeTaker& taker, const WalkProgress& progress, const WalkLimits& limits)
        : m_snapshot(snapshot), m_taker(taker), m_progress(progress), m_limits(limits) {}

    StoreResult<Hash> run();
    std::uint64_t accounts() const noexcept { return m_accounts; }
    std::uint64_t slots() const noexcept { return m_slots; }

private:
    StoreResult<Hash> storage_root(const HashedEntry& account);
    StoreResult<void> check_code(const Hash& code_hash);
    StoreResult<void> report();

    const Snapshot& m_snapshot;
    NodeTaker& m_taker;
    const WalkProgress& m_progress;
    const WalkLimits& m_limits;
    std::unordered_map<Hash, bool> m_codes;
    std::uint64_t m_accounts = 0;
    std::uint64_t m_slots = 0;
    std::uint64_t m_reported = 0;
};

StoreResult<void> Walk::report() {
    constexpr std::uint64_t kEvery = 10'000;
    if (m_accounts + m_slots < m_reported + kEvery || !m_progress)
        return {};
    m_reported = m_accounts + m_slots;
    if (!m_progress(m_accounts, m_slots))
        return store_fail(StoreErrorKind::Invalid, "walk over the state: stopped by the caller");
    return {};
}

StoreResult<void> Walk::check_code(const Hash& code_hash) {
    if (code_hash == crypto::kEmptyKeccak || !m_codes.try_emplace(code_hash).second)
        return {};
    Bytes code;
    auto found = m_snapshot.get(Table::Code, code_hash, code);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found || crypto::keccak256(code) != code_hash)
        return fail(
            corrupt_entry(Table::Code, to_hex0x(code_hash) + (*found ? " has another hash" : " is missing")));
    return {};
}

StoreResult<Hash> Walk::storage_root(const HashedEntry& account) {
    SortedTrie trie(Table::StorageTrie, account.key, m_taker, m_limits.entries_per_batch);
    auto done = visit_hashed(m_snapshot, Table::Storage, account.plain, m_limits,
                             [&](const HashedEntry& slot) -> StoreResult<void> {
                                 const auto value = decode_slot_value(slot.value);
                                 if (!value || !*value || slot.plain.size() != 32)
                                     return fail(corrupt_entry(Table::Storage, to_hex0x(account.plain)));
                                 ++m_slots;
                                 if (auto added = trie.add(slot.key, state::encode_slot(*value)); !added)
                                     return added;
                                 return report();
                             });
    if (!done)
        return fail(std::move(done.error()));
    return trie.finish();
}

StoreResult<Hash> Walk::run() {
    SortedTrie trie(Table::AccountTrie, {}, m_taker, m_limits.entries_per_batch);
    auto done = visit_hashed(m_snapshot, Table::Accounts, {}, m_limits,
                             [&](const HashedEntry& entry) -> StoreResult<void> {
                                 const auto account = decode_account_value(entry.value);
                                 if (!account || entry.plain.size() != Address::kSize)
                                     return fail(corrupt_entry(Table::Accounts, to_hex0x(entry.plain)));
                                 if (auto code = check_code(account->code_hash); !code)
                                     return code;
                                 auto storage = storage_root(entry);
                                 if (!storage)
                                     return fail(std::move(storage.error()));
                                 ++m_accounts;
                                 auto added = trie.add(entry.key, state::encode_account(*account, *storage));
                                 return added ? report() : std::move(added);
                             });
    if (!done)
        return fail(std::move(done.error()));
    return trie.finish();
}

// Gathers nodes of many small tries into commits of some size.
class NodeWriter final : public NodeTaker {
public:
    explicit NodeWriter(Database& database) : m_database(database) {}

    StoreResult<void> take(const WriteBatch& nodes) override {
        constexpr std::size_t kBatchBytes = std::size_t{8} << 20;
        m_batch.append(nodes);
        return m_batch.size_bytes() < kBatchBytes ? StoreResult<void>{} : flush();
    }
    StoreResult<void> flush() {
        auto done = m_database.commit(m_batch, Durability::Buffered);
        m_batch.clear();
        return done;
    }

private:
    Database& m_database;
    WriteBatch m_batch;
};

class NodeComparer final : public NodeTaker {
public:
    explicit NodeComparer(const Snapshot& snapshot) : m_snapshot(snapshot) {}

    StoreResult<void> take(const WriteBatch& nodes) override {
        StoreResult<void> out;
        nodes.for_each([&](const WriteBatch::Operation& put) {
            if (!out)
                return;
            auto found = m_snapshot.get(put.table, put.key, m_stored);
            if (!found)
                out = fail(std::move(found.error()));
            else if (!*found || !equal(m_stored, put.value))
                out = fail(corrupt_entry(
                    put.table, "node " + to_hex0x(put.key) + " is not the one that the flat state gives"));
            ++m_count;
        });
        return out;
    }
    std::uint64_t count() const noexcept { return m_count; }

private:
    const Snapshot& m_snapshot;
    Bytes m_stored;
    std::uint64_t m_count = 0;
};

StoreResult<std::uint64_t> count_entries(const Snapshot& snapshot, Table table) {
    std::uint64_t count = 0;
    auto done = scan(snapshot, table, {}, [&](BytesView, BytesView) -> StoreResult<void> {
        ++count;
        return {};
    });
    if (!done)
        return fail(std::move(done.error()));
    return count;
}

}  // namespace

StoreResult<Hash> rebuild_tries(Database& database, const WalkProgress& progress, const WalkLimits& limits) {
    WriteBatch erase;
    erase.erase_prefix(Table::AccountTrie, {});
    erase.erase_prefix(Table::StorageTrie, {});
    if (auto done = database.commit(erase, Durability::Buffered); !done)
        return fail(std::move(done.error()));
    const SnapshotPtr snapshot = database.snapshot();
    NodeWriter writer(database);
    Walk walk(*snapshot, writer, progress, limits);
    auto root = walk.run();
    if (!root)
        return root;
    if (auto done = writer.flush(); !done)
        return fail(std::move(done.error()));
    return root;
}

StoreResult<StateCheck> check_state(const ChainView& view, const WalkProgress& progress,
                                    const WalkLimits& limits) {
    if (!view.head())
        return StateCheck{};
    NodeComparer comparer(view.snapshot());
    Walk walk(view.snapshot(), comparer, progress, limits);
    auto root = walk.run();
    if (!root)
        return fail(std::move(root.error()));
    if (*root != view.head()->state_root)
        return fail(corrupt_entry(Table::Accounts, "the flat state has the root " + to_hex0x(*root) +
                                                       ", the head's is " +
                                                       to_hex0x(view.head()->state_root)));
    std::uint64_t stored = 0;
    for (const Table table : {Table::AccountTrie, Table::StorageTrie}) {
        auto count = count_entries(view.snapshot(), table);
        if (!count)
            return fail(std::move(count.error()));
        stored += *count;
    }
    if (stored != comparer.count())
        return fail(corrupt_entry(
            Table::AccountTrie,
            std::to_string(stored) + " nodes are stored, the state has " + std::to_string(comparer.count())));
    return StateCheck{walk.accounts(), walk.slots(), comparer.count()};
}

}  // namespace meridian::store
