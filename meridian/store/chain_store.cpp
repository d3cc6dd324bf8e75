#include <meridian/store/chain_store.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/store/block_writes.hpp>
#include <meridian/store/record_codec.hpp>
#include <meridian/store/stored_state.hpp>

namespace meridian::store {
namespace {

constexpr std::string_view kSchema = "schema";
constexpr std::string_view kIdentity = "identity";
constexpr std::string_view kHead = "head";
constexpr std::string_view kOldestHeader = "oldest_header";
constexpr std::string_view kOldestState = "oldest_state";
constexpr std::string_view kOldestBody = "oldest_body";
constexpr std::string_view kNote = "note";
// A step of pruning ends when its batch has grown to this.
constexpr std::size_t kPruneBatchBytes = std::size_t{16} << 20;

StoreError invalid(std::string message) {
    return {StoreErrorKind::Invalid, std::move(message)};
}

Bytes encode_identity(const ChainIdentity& identity) {
    Bytes out = to_bytes(identity.genesis_hash);
    append(out, number_key(identity.chain_id));
    return out;
}

std::string describe(const ChainIdentity& identity) {
    return "chain " + std::to_string(identity.chain_id) + " with genesis " + to_hex0x(identity.genesis_hash);
}

Bytes encode_head(const Head& head) {
    Bytes out = to_bytes(number_key(head.number));
    append(out, head.hash);
    append(out, head.state_root);
    return out;
}

void put_head(const Head& head, BytesView note, WriteBatch& batch) {
    batch.put(Table::Meta, as_bytes(kHead), encode_head(head));
    batch.put(Table::Meta, as_bytes(kNote), note);
}

void put_number(std::string_view name, std::uint64_t number, WriteBatch& batch) {
    batch.put(Table::Meta, as_bytes(name), number_key(number));
}

// Zero if it was never set.
template <class Source>
StoreResult<std::uint64_t> read_number(Source& source, std::string_view name) {
    Bytes value;
    auto found = source.get(Table::Meta, as_bytes(name), value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        return 0;
    if (value.size() != NumberKey::kSize)
        return fail(corrupt_entry(Table::Meta, name));
    return number_at(value);
}

StoreResult<std::optional<Head>> read_head(const Snapshot& snapshot) {
    Bytes value;
    auto found = snapshot.get(Table::Meta, as_bytes(kHead), value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        return std::nullopt;
    if (value.size() != kHeadSize)
        return fail(corrupt_entry(Table::Meta, kHead));
    const BytesView bytes = value;
    return Head{number_at(bytes), first_bytes<32>(bytes.subspan(8)), first_bytes<32>(bytes.subspan(40))};
}

void put_identity(const ChainIdentity& identity, WriteBatch& batch) {
    put_number(kSchema, kSchemaVersion, batch);
    batch.put(Table::Meta, as_bytes(kIdentity), encode_identity(identity));
}

StoreResult<void> check_limits(const ChainStoreOptions& options) {
    if (options.mode == HistoryMode::Pruned &&
        (options.keep.state_blocks == 0 || options.keep.body_blocks < options.keep.state_blocks))
        return fail(invalid("store: keep.state_blocks is " + std::to_string(options.keep.state_blocks) +
                            " and keep.body_blocks " + std::to_string(options.keep.body_blocks) +
                            "; states need 1 block or more, and bodies at least as many as states"));
    return {};
}

}  // namespace

StoreResult<ChainIdentity> ChainStore::read_identity(Database& database) {
    auto schema = read_number(database, kSchema);
    if (!schema)
        return fail(std::move(schema.error()));
    if (*schema == 0)
        return store_fail(StoreErrorKind::NotFound, "store: it holds no chain yet");
    if (*schema != kSchemaVersion)
        return store_fail(StoreErrorKind::WrongFormat,
                          "store: its format is version " + std::to_string(*schema) +
                              ", this program reads " + std::to_string(kSchemaVersion) +
                              "; open it with the version that wrote it, or restore a snapshot");
    Bytes value;
    auto found = database.get(Table::Meta, as_bytes(kIdentity), value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found || value.size() != kIdentitySize)
        return fail(corrupt_entry(Table::Meta, kIdentity));
    return ChainIdentity{first_bytes<32>(value), number_at(BytesView(value).subspan(32))};
}

StoreResult<std::unique_ptr<ChainStore>> ChainStore::open(std::unique_ptr<Database> database,
                                                          const ChainIdentity& identity,
                                                          const ChainStoreOptions& options) {
    if (auto checked = check_limits(options); !checked)
        return fail(std::move(checked.error()));
    auto stored = read_identity(*database);
    if (!stored && stored.error().kind != StoreErrorKind::NotFound)
        return fail(std::move(stored.error()));
    if (!stored) {
        WriteBatch batch;
        put_identity(identity, batch);
        if (auto written = database->commit(batch, Durability::Sync); !written)
            return fail(std::move(written.error()));
    } else if (*stored != identity) {
        return store_fail(StoreErrorKind::WrongChain,
                          "store: it holds " + describe(*stored) + ", not " + describe(identity) +
                              "; name another folder, or the genesis it was made with");
    }
    return std::unique_ptr<ChainStore>(new ChainStore(std::move(database), identity, options));
}

ChainStore::ChainStore(std::unique_ptr<Database> database, const ChainIdentity& identity,
                       const ChainStoreOptions& options)
    : m_database(std::move(database)), m_identity(identity), m_options(options) {}

StoreResult<ChainView> ChainStore::view() const {
    ChainView out;
    out.m_snapshot = m_database->snapshot();
    out.m_proof_changes_max = m_options.proof_changes_max;
    auto head = read_head(*out.m_snapshot);
    if (!head)
        return fail(std::move(head.error()));
    out.m_head = *head;
    auto oldest_header = read_number(*out.m_snapshot, kOldestHeader);
    auto oldest_state = read_number(*out.m_snapshot, kOldestState);
    auto oldest_body = read_number(*out.m_snapshot, kOldestBody);
    auto note = out.m_snapshot->get(Table::Meta, as_bytes(kNote), out.m_note);
    if (!oldest_header)
        return fail(std::move(oldest_header.error()));
    if (!oldest_state)
        return fail(std::move(oldest_state.error()));
    if (!oldest_body)
        return fail(std::move(oldest_body.error()));
    if (!note)
        return fail(std::move(note.error()));
    out.m_oldest_header = *oldest_header;
    out.m_oldest_state = *oldest_state;
    out.m_oldest_body = *oldest_body;
    return out;
}

StoreResult<void> ChainStore::adopt(Database& database, const ChainIdentity& identity,
                                    const AdoptedChain& chain, WriteBatch batch) {
    put_identity(identity, batch);
    put_number(kOldestHeader, chain.oldest_header, batch);
    put_number(kOldestState, chain.head.number, batch);
    put_number(kOldestBody, chain.oldest_body, batch);
    put_head(chain.head, chain.note, batch);
    return database.commit(batch, Durability::Sync);
}

ChainView ChainStore::view_of(SnapshotPtr snapshot, const Head& head) {
    ChainView out;
    out.m_snapshot = std::move(snapshot);
    out.m_head = head;
    out.m_oldest_state = out.m_oldest_body = head.number;
    return out;
}

StoreResult<std::unique_ptr<StateTrie>> ChainStore::open_trie(const TrieLimits& limits) const {
    auto now = view();
    if (!now)
        return fail(std::move(now.error()));
    const Hash root = now->head() ? now->head()->state_root : trie::kEmptyRoot;
    return std::make_unique<StateTrie>(
        root,
        [database = m_database.get()](Table table, BytesView key, Bytes& out) {
            return database->get(table, key, out);
        },
        limits);
}

StoreResult<void> ChainStore::check_follows(const BlockCommit& commit, const ChainView& before) const {
    const chain::Header& header = commit.block.header;
    const std::string name = "block " + std::to_string(header.number);
    const std::size_t txns = commit.block.transactions.size();
    if (commit.receipts.size() != txns || commit.txn_hashes.size() != txns || commit.senders.size() != txns)
        return fail(invalid(name + ": it needs one receipt, hash and sender for each of its " +
                            std::to_string(txns) + " transactions"));
    if (commit.trie.root != header.state_root)
        return fail(invalid(name + ": its tries have the root " + to_hex0x(commit.trie.root) +
                            ", its header says " + to_hex0x(header.state_root)));
    const auto& head = before.head();
    if (!head && (header.number != 0 || commit.hash != m_identity.genesis_hash))
        return fail(invalid(name + ": the store is empty and begins with the genesis, " +
                            to_hex0x(m_identity.genesis_hash)));
    if (head && (header.number != head->number + 1 || header.parent_hash != head->hash))
        return fail(invalid(name + ": it does not follow the head, block " + std::to_string(head->number) +
                            " " + to_hex0x(head->hash)));
    const Hash& parent_root = head ? head->state_root : trie::kEmptyRoot;
    if (commit.trie.parent_root != parent_root)
        return fail(invalid(name + ": its tries move on from " + to_hex0x(commit.trie.parent_root) +
                            ", but the head's root is " + to_hex0x(parent_root)));
    return {};
}

StoreResult<void> ChainStore::commit_block(const BlockCommit& commit, Durability durability) {
    const std::lock_guard lock(m_writing);
    auto before = view();
    if (!before)
        return fail(std::move(before.error()));
    if (auto follows = check_follows(commit, *before); !follows)
        return follows;
    const chain::Header& header = commit.block.header;
    WriteBatch batch;
    // The genesis has no past.
    ChangeSet set;
    auto written = write_state(before->snapshot(), commit.changes, header.number,
                               header.number == 0 ? nullptr : &set, batch);
    if (!written)
        return written;
    if (header.number != 0)
        batch.put(Table::ChangeSets, number_key(header.number), encode_change_set(set));
    batch.append(commit.trie.batch);
    write_block(commit, batch);
    put_head({header.number, commit.hash, header.state_root}, commit.note, batch);
    if (auto done = m_database->commit(batch, durability); !done)
        return done;
    commit.trie.stored = true;
    return {};
}

StoreResult<void> ChainStore::alter_head(const state::StateChanges& changes, TrieUpdate& update,
                                         Durability durability) {
    const std::lock_guard lock(m_writing);
    auto before = view();
    if (!before)
        return fail(std::move(before.error()));
    if (!before->head())
        return fail(invalid("alteration of the state: the store is empty"));
    Head head = *before->head();
    if (update.parent_root != head.state_root)
        return fail(invalid("alteration of the state: it moves on from " + to_hex0x(update.parent_root) +
                            ", but the head's root is " + to_hex0x(head.state_root)));
    auto record = before->header(head.number);
    if (!record)
        return fail(std::move(record.error()));
    WriteBatch batch;
    ChangeSet set;
    if (head.number != 0) {
        auto earlier = read_change_set(before->snapshot(), head.number);
        if (!earlier)
            return fail(std::move(earlier.error()));
        set = *std::move(earlier);
    }
    auto written =
        write_state(before->snapshot(), changes, head.number, head.number == 0 ? nullptr : &set, batch);
    if (!written)
        return written;
    if (head.number != 0)
        batch.put(Table::ChangeSets, number_key(head.number), encode_change_set(set));
    batch.append(update.batch);
    record->state_root = head.state_root = update.root;
    batch.put(Table::Blocks, number_key(head.number), encode_block_record(*record));
    put_head(head, before->note(), batch);
    if (auto done = m_database->commit(batch, durability); !done)
        return done;
    update.stored = true;
    return {};
}

StoreResult<void> ChainStore::rewind_to(std::uint64_t number, BytesView note, Durability durability) {
    const std::lock_guard lock(m_writing);
    for (;;) {
        auto now = view();
        if (!now)
            return fail(std::move(now.error()));
        if (auto state = now->state_at(number); !state)
            return fail(std::move(state.error()));
        if (now->head()->number == number)
            return {};
        if (auto done = take_back_head(*now, note, durability); !done)
            return done;
    }
}

StoreResult<void> ChainStore::take_back_head(const ChainView& before, BytesView note, Durability durability) {
    const Head& head = *before.head();
    auto parent = before.header(head.number - 1);
    if (!parent)
        return fail(std::move(parent.error()));
    auto changes = before.changes_back_to(head.number - 1, std::numeric_limits<std::uint64_t>::max());
    if (!changes)
        return fail(std::move(changes.error()));
    StateTrie trie(head.state_root, [&before](Table table, BytesView key, Bytes& out) {
        return before.snapshot().get(table, key, out);
    });
    auto update = trie.apply(*changes);
    if (!update)
        return fail(std::move(update.error()));
    if ((*update)->root != parent->state_root)
        return fail(corrupt_entry(Table::ChangeSets, "taking back block " + std::to_string(head.number) +
                                                         " gives the root " + to_hex0x((*update)->root) +
                                                         ", its parent had " + to_hex0x(parent->state_root)));
    WriteBatch batch;
    overwrite_state(*changes, batch);
    batch.append((*update)->batch);
    auto set = read_change_set(before.snapshot(), head.number);
    if (!set)
        return fail(std::move(set.error()));
    erase_history(*set, head.number, batch);
    if (auto erased = erase_body(before, head.number, batch); !erased)
        return erased;
    batch.erase(Table::Blocks, number_key(head.number));
    batch.erase(Table::BlockNumbers, head.hash);
    put_head({head.number - 1, parent->hash, parent->state_root}, note, batch);
    return m_database->commit(batch, durability);
}

StoreResult<PruneProgress> ChainStore::prune_step(std::uint64_t blocks_max) {
    const std::lock_guard lock(m_writing);
    PruneProgress out;
    auto now = view();
    if (!now)
        return fail(std::move(now.error()));
    if (m_options.mode == HistoryMode::Archive || !now->head()) {
        out.done = true;
        return out;
    }
    const std::uint64_t head = now->head()->number;
    // The state after block N needs the changes of all blocks above it, so N goes with those of N + 1.
    const std::uint64_t first_state = head - std::min(head, m_options.keep.state_blocks);
    const std::uint64_t first_body = head + 1 - std::min(head + 1, m_options.keep.body_blocks);
    std::uint64_t state = now->oldest_state();
    std::uint64_t body = now->oldest_body();
    WriteBatch batch;
    const auto has_room = [&] {
        return out.states_removed + out.bodies_removed < blocks_max && batch.size_bytes() < kPruneBatchBytes;
    };
    for (; state < first_state && has_room(); ++state, ++out.states_removed) {
        auto set = read_change_set(now->snapshot(), state + 1);
        if (!set)
            return fail(std::move(set.error()));
        erase_history(*set, state + 1, batch);
    }
    for (; body < first_body && has_room(); ++body, ++out.bodies_removed)
        if (auto erased = erase_body(*now, body, batch); !erased)
            return fail(std::move(erased.error()));
    out.done = state >= first_state && body >= first_body;
    if (batch.empty() && out.states_removed + out.bodies_removed == 0)
        return out;
    put_number(kOldestState, state, batch);
    put_number(kOldestBody, body, batch);
    // Lost in a crash, it is done again.
    if (auto done = m_database->commit(batch, Durability::Buffered); !done)
        return fail(std::move(done.error()));
    return out;
}

}  // namespace meridian::store
