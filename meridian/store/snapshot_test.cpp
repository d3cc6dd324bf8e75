#include <meridian/store/snapshot.hpp>

#include <meridian/store/chain_test_model.hpp>
#include <meridian/store/keys.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/snapshot_format.hpp>
#include <meridian/store/test_folder.hpp>

#include <zstd.h>

#include <fstream>

namespace meridian::store {
namespace {

constexpr WalkLimits kSmallPasses{.entries_per_pass = 3, .entries_per_batch = 2};

struct Chain {
    explicit Chain(std::uint64_t seed, int blocks) : model(seed) {
        auto memory = std::make_unique<MemoryDatabase>();
        database = memory.get();
        store = ChainStore::open(std::move(memory), model.identity()).value();
        trie = store->open_trie().value();
        for (int i = 0; i <= blocks; ++i)
            commit(i == 0 ? model.head() : model.mine());
    }
    void commit(const TestBlock& block) {
        const TrieUpdatePtr update = trie->apply(block.changes).value();
        const auto done = store->commit_block(block.commit(*update), Durability::Buffered);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    // Many accounts and slots at once, for more than one chunk, pass and batch.
    void grow(std::uint64_t accounts) {
        state::StateChanges changes;
        for (std::uint64_t i = 0; i < accounts; ++i) {
            auto& change = changes.accounts[test_address(1000 + i)];
            change.account = state::Account{.nonce = i, .balance = i, .code_hash = crypto::kEmptyKeccak};
            if (i % 100 == 0)
                for (std::uint64_t slot = 0; slot < i / 10; ++slot)
                    change.storage[slot] = from_hash(crypto::keccak256(to_hash(slot * i + 1)));
        }
        const TrieUpdatePtr update = trie->apply(changes).value();
        ASSERT_TRUE(store->alter_head(changes, *update, Durability::Buffered).has_value());
        model.state(model.blocks().size() - 1).apply(changes);
        commit(model.mine());
    }

    ChainModel model;
    Database* database = nullptr;
    std::unique_ptr<ChainStore> store;
    std::unique_ptr<StateTrie> trie;
};

Bytes read_all(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(const std::filesystem::path& path, BytesView bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::pair<Bytes, Bytes>> entries_of(Database& database, Table table) {
    std::vector<std::pair<Bytes, Bytes>> out;
    const auto cursor = database.snapshot()->cursor(table);
    for (bool at = cursor->seek({}); at; at = cursor->next())
        out.emplace_back(to_bytes(cursor->key()), to_bytes(cursor->value()));
    return out;
}

TEST(Snapshot, RestoresWhatWasExported) {
    const TestFolder folder;
    Chain chain(1, 20);
    chain.grow(6000);
    std::uint64_t reports = 0;
    const auto exported = export_snapshot(
        chain.store->view().value(), chain.model.identity(), folder.path() / "s",
        [&](const SnapshotProgress& progress) {
            EXPECT_EQ(progress.chunks, ++reports);
            return true;
        },
        std::size_t{64} << 10);
    ASSERT_TRUE(exported.has_value()) << exported.error().message;
    EXPECT_EQ(exported->chunks.size(), reports);
    EXPECT_GT(reports, 1u);
    auto database = open_rocks({.path = folder.path() / "db"}).value();
    std::optional<SnapshotStage> last;
    const RestoreOptions options{.head_hash = chain.model.head().hash,
                                 .progress =
                                     [&](const SnapshotProgress& progress) {
                                         last = progress.stage;
                                         return true;
                                     },
                                 .walk = {.entries_per_pass = 1500, .entries_per_batch = 100}};
    const auto restored = restore_snapshot(folder.path() / "s", *database, chain.model.identity(), options);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(*restored, *exported);
    EXPECT_EQ(last, SnapshotStage::Done);
    // Flat state and tries are the same entry for entry, though the tries were computed anew.
    for (const Table table :
         {Table::Accounts, Table::Storage, Table::Code, Table::AccountTrie, Table::StorageTrie})
        EXPECT_EQ(entries_of(*database, table), entries_of(*chain.database, table)) << name_of(table);
}

TEST(Snapshot, GoesOnFromTheHead) {
    const TestFolder folder;
    Chain chain(2, 300);
    ASSERT_TRUE(
        export_snapshot(chain.store->view().value(), chain.model.identity(), folder.path() / "s", {}));
    auto database = std::make_unique<MemoryDatabase>();
    ASSERT_TRUE(restore_snapshot(folder.path() / "s", *database, chain.model.identity(),
                                 {.head_hash = {}, .progress = {}, .walk = kSmallPasses}));
    const auto store = ChainStore::open(std::move(database), chain.model.identity()).value();
    auto trie = store->open_trie().value();
    for (int i = 0; i < 3; ++i) {
        const TestBlock& block = chain.model.mine();
        const TrieUpdatePtr update = trie->apply(block.changes).value();
        const auto done = store->commit_block(block.commit(*update), Durability::Buffered);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    const ChainView view = store->view().value();
    EXPECT_EQ(view.oldest_header(), 44u);
    EXPECT_EQ(view.oldest_state(), 300u);
    EXPECT_EQ(view.oldest_body(), 300u);
    EXPECT_EQ(view.hash_of(44).value(), chain.model.blocks()[44].hash);
    EXPECT_EQ(view.header(43).error().kind, StoreErrorKind::Pruned);
    EXPECT_EQ(view.state_at(299).error().kind, StoreErrorKind::Pruned);
    for (std::uint64_t number = 300; number <= 303; ++number) {
        const TestBlock& block = chain.model.blocks()[number];
        EXPECT_EQ(view.body(number)->senders, block.senders);
        for (std::size_t i = 0; i < block.txn_hashes.size(); ++i)
            EXPECT_EQ(view.find_transaction(block.txn_hashes[i]).value(), (TxnPlace{number, i}));
        EXPECT_EQ(view.prove(number, test_address(3), {})->account,
                  chain.model.state(number).account(test_address(3)));
    }
    EXPECT_TRUE(check_state(view, {}, kSmallPasses).has_value());
    ASSERT_TRUE(store->rewind_to(300, {}, Durability::Buffered).has_value());
    EXPECT_EQ(store->rewind_to(299, {}, Durability::Buffered).error().kind, StoreErrorKind::Pruned);
}

class Damaged : public testing::Test {
protected:
    Damaged() : chain(3, 10), source(folder.path() / "s") {
        manifest = export_snapshot(chain.store->view().value(), chain.model.identity(), source, {}).value();
    }
    StoreError restore(const RestoreOptions& options = {}) {
        MemoryDatabase database;
        auto done = restore_snapshot(source, database, chain.model.identity(), options);
        EXPECT_FALSE(done.has_value());
        // Whatever stands in the database is no chain.
        EXPECT_EQ(ChainStore::read_identity(database).error().kind, StoreErrorKind::NotFound);
        return done ? StoreError{} : done.error();
    }
    void rewrite_manifest() { write_all(source / "manifest", encode_manifest(manifest)); }

    TestFolder folder;
    Chain chain;
    std::filesystem::path source;
    Manifest manifest;
};

TEST_F(Damaged, ChunkIsNamed) {
    Bytes chunk = read_all(source / "000000.chunk");
    chunk[chunk.size() / 2] ^= 1;
    write_all(source / "000000.chunk", chunk);
    const StoreError error = restore();
    EXPECT_EQ(error.kind, StoreErrorKind::Corrupt);
    EXPECT_NE(error.message.find("000000.chunk"), std::string::npos);
    EXPECT_EQ(check_snapshot_files(source, manifest).error().kind, StoreErrorKind::Corrupt);
    std::filesystem::remove(source / "000000.chunk");
    EXPECT_EQ(restore().kind, StoreErrorKind::NotFound);
}

TEST_F(Damaged, ManifestIsRefused) {
    Bytes bytes = read_all(source / "manifest");
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes changed = bytes;
        changed[i] ^= 0x10;
        EXPECT_FALSE(decode_manifest(changed).has_value()) << i;
        EXPECT_FALSE(decode_manifest(BytesView(bytes).first(i)).has_value()) << i;
    }
    bytes[bytes.size() / 2] ^= 1;
    write_all(source / "manifest", bytes);
    EXPECT_EQ(restore().kind, StoreErrorKind::Corrupt);
}

TEST_F(Damaged, OtherRootIsRefused) {
    // A consistent manifest over a state that is not the head's: one account's balance differs.
    Bytes raw;
    const auto cursor = chain.database->snapshot();
    for (const Table table :
         {Table::Blocks, Table::Bodies, Table::Receipts, Table::Code, Table::Accounts, Table::Storage}) {
        bool first = true;
        for (const auto& [key, value] : entries_of(*chain.database, table)) {
            const bool body = table == Table::Bodies || table == Table::Receipts;
            if (body && number_at(key) != manifest.head.number)
                continue;
            auto account = decode_account_value(value);
            if (table == Table::Accounts && std::exchange(first, false))
                account->balance = account->balance + 1;
            append_entry(raw, table, key,
                         table == Table::Accounts ? encode_account_value(*account) : BytesView(value));
        }
    }
    Bytes file(ZSTD_compressBound(raw.size()));
    file.resize(ZSTD_compress(file.data(), file.size(), raw.data(), raw.size(), 1));
    write_all(source / "000000.chunk", file);
    manifest.chunks = {{crypto::keccak256(file), file.size(), raw.size()}};
    rewrite_manifest();
    const StoreError error = restore();
    EXPECT_EQ(error.kind, StoreErrorKind::Corrupt);
    EXPECT_NE(error.message.find("its head says " + to_hex0x(manifest.head.state_root)), std::string::npos)
        << error.message;
}

TEST_F(Damaged, OtherChainOrHeadIsRefused) {
    EXPECT_NE(restore({.head_hash = to_hash(5), .progress = {}}).message.find("its head is"),
              std::string::npos);
    MemoryDatabase database;
    ChainIdentity other = chain.model.identity();
    other.chain_id = 1;
    EXPECT_EQ(restore_snapshot(source, database, other, {}).error().kind, StoreErrorKind::WrongChain);
    EXPECT_EQ(restore_snapshot(source, *chain.database, chain.model.identity(), {}).error().kind,
              StoreErrorKind::Invalid);
    EXPECT_EQ(export_snapshot(chain.store->view().value(), other, source, {}).error().kind,
              StoreErrorKind::Invalid);
}

TEST_F(Damaged, StopsWhenAsked) {
    const RestoreOptions stop{.head_hash = {}, .progress = [](const SnapshotProgress&) { return false; }};
    EXPECT_EQ(restore(stop).kind, StoreErrorKind::Invalid);
    // What a restore left behind does not disturb the next one.
    MemoryDatabase database;
    EXPECT_FALSE(restore_snapshot(source, database, chain.model.identity(), stop).has_value());
    EXPECT_TRUE(restore_snapshot(source, database, chain.model.identity(), {}).has_value());
}

TEST(Snapshot, ChunkEntriesAreChecked) {
    const auto refused = [](Table table, BytesView key, BytesView value) {
        Bytes raw;
        append_entry(raw, table, key, value);
        return !decode_chunk(raw).has_value();
    };
    const Address address = test_address(1);
    const Bytes account = encode_account_value({});
    EXPECT_FALSE(refused(Table::Accounts, address, account));
    EXPECT_TRUE(refused(Table::Accounts, BytesView(address).first(19), account));
    EXPECT_TRUE(refused(Table::Accounts, address, {}));
    EXPECT_TRUE(refused(Table::Storage, storage_key(address, 1), {}));
    EXPECT_TRUE(refused(Table::Code, to_hash(1), as_bytes("code")));
    EXPECT_FALSE(refused(Table::Code, crypto::keccak256(as_bytes("code")), as_bytes("code")));
    EXPECT_TRUE(refused(Table::Meta, as_bytes("head"), {}));
    EXPECT_TRUE(refused(Table::AccountTrie, {}, {}));
    Bytes cut;
    append_entry(cut, Table::Accounts, address, account);
    cut.pop_back();
    EXPECT_FALSE(decode_chunk(cut).has_value());
}

TEST(StateCheck, FindsWhatDoesNotAgree) {
    Chain chain(6, 12);
    chain.grow(300);
    const auto check = [&] { return check_state(chain.store->view().value(), {}, kSmallPasses); };
    ASSERT_TRUE(check().has_value()) << check().error().message;
    EXPECT_GT(check()->nodes, check()->accounts);
    for (const Table table :
         {Table::Accounts, Table::Storage, Table::Code, Table::AccountTrie, Table::StorageTrie}) {
        const auto entries = entries_of(*chain.database, table);
        const auto& [key, value] = entries[entries.size() / 2];
        for (const bool erase : {true, false}) {
            WriteBatch damage;
            Bytes changed = value;
            changed.back() ^= 1;
            if (erase)
                damage.erase(table, key);
            else
                damage.put(table, key, changed);
            ASSERT_TRUE(chain.database->commit(damage, Durability::Buffered).has_value());
            const auto found = check();
            // Code that no account has any more is nobody's loss.
            if (table != Table::Code) {
                ASSERT_FALSE(found.has_value()) << name_of(table) << erase;
                EXPECT_EQ(found.error().kind, StoreErrorKind::Corrupt);
            }
            WriteBatch repair;
            repair.put(table, key, value);
            ASSERT_TRUE(chain.database->commit(repair, Durability::Buffered).has_value());
        }
    }
    WriteBatch extra;
    extra.put(Table::StorageTrie, Bytes(40, 1), Bytes(40, 1));
    ASSERT_TRUE(chain.database->commit(extra, Durability::Buffered).has_value());
    EXPECT_NE(check().error().message.find("nodes are stored"), std::string::npos);
    ASSERT_TRUE(rebuild_tries(*chain.database, {}, kSmallPasses).has_value());
    EXPECT_TRUE(check().has_value());
}

}  // namespace
}  // namespace meridian::store
