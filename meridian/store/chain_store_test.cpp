#include <meridian/store/chain_store.hpp>

#include <meridian/store/chain_test_model.hpp>
#include <meridian/store/keys.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/node_placement.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/test_folder.hpp>
#include <meridian/trie/proof.hpp>

#include <set>
#include <thread>

namespace meridian::store {
namespace {

constexpr TrieLimits kNoMemory{.account_bytes_max = 0, .storage_bytes_max = 0};

using Keys = std::set<Bytes>;

Keys keys_of(const Snapshot& snapshot, Table table) {
    Keys out;
    const auto cursor = snapshot.cursor(table);
    for (bool at = cursor->seek({}); at; at = cursor->next())
        out.insert(to_bytes(cursor->key()));
    EXPECT_FALSE(cursor->error());
    return out;
}

void add_node_keys(trie::Trie trie, Table table, BytesView owner, Keys& out) {
    NodePlacement placement(table, owner);
    trie.commit(placement);
    WriteBatch erasures;
    WriteBatch puts;
    placement.write(trie.root(), erasures, puts);
    puts.for_each([&](const WriteBatch::Operation& put) { out.insert(to_bytes(put.key)); });
}

// The nodes stored are those of the state's tries: nothing is missing and nothing is left over.
void expect_tries(const Snapshot& snapshot, const state::MemoryState& state) {
    Keys accounts;
    Keys storage;
    add_node_keys(state.account_trie(), Table::AccountTrie, {}, accounts);
    for (const auto& [address, entry] : state.accounts())
        if (!entry.storage.empty())
            add_node_keys(state.storage_trie(address), Table::StorageTrie, state::account_trie_key(address),
                          storage);
    EXPECT_EQ(keys_of(snapshot, Table::AccountTrie), accounts);
    EXPECT_EQ(keys_of(snapshot, Table::StorageTrie), storage);
}

void expect_pages(state::StateReader& found, state::MemoryState& expected) {
    for (std::uint64_t i = 0; i < ChainModel::kModules * ChainModel::kPages; ++i) {
        const Address module = test_address(i / ChainModel::kPages);
        const std::uint32_t page = ChainModel::test_page(i % ChainModel::kPages);
        std::array<std::uint8_t, state::kArenaPageSize> here, there;
        ASSERT_TRUE(found.arena_page(module, page, here.data()));
        ASSERT_TRUE(expected.arena_page(module, page, there.data()));
        ASSERT_EQ(here, there) << i;
    }
}

void expect_state(state::StateReader& found, state::MemoryState& expected) {
    expect_pages(found, expected);
    for (std::uint64_t i = 0; i < ChainModel::kAddresses; ++i) {
        const Address address = test_address(i);
        const auto account = found.account(address);
        ASSERT_EQ(account, expected.account(address));
        ASSERT_EQ(found.has_storage(address), expected.has_storage(address));
        for (std::uint64_t slot = 0; slot < ChainModel::kSlots; ++slot)
            ASSERT_EQ(found.storage(address, slot), expected.storage(address, slot));
        if (account) {
            const BytesView code = found.code(account->code_hash);
            ASSERT_TRUE(equal(code, expected.code(account->code_hash)));
        }
    }
    ASSERT_EQ(found.error(), state::StateError::None);
}

void expect_proof(const ChainView& view, std::uint64_t number, state::MemoryState& expected,
                  const Address& address, const u256& slot) {
    const auto proof = view.prove(number, address, {&slot, 1});
    ASSERT_TRUE(proof.has_value()) << proof.error().message;
    EXPECT_EQ(proof->account, expected.account(address));
    EXPECT_EQ(proof->storage_root, expected.storage_root(address));
    const auto account = trie::verify_proof(expected.root(), state::account_trie_key(address), proof->nodes);
    ASSERT_TRUE(account.has_value()) << trie::to_string(account.error());
    EXPECT_EQ(account->has_value(), proof->account.has_value());
    const auto& storage = proof->slots.at(0);
    EXPECT_EQ(storage.value, expected.storage(address, slot));
    const auto value = trie::verify_proof(proof->storage_root, state::slot_trie_key(slot), storage.nodes);
    ASSERT_TRUE(value.has_value()) << trie::to_string(value.error());
    EXPECT_EQ(value->has_value(), storage.value != u256{});
}

void expect_receipt(const StoredReceipt& found, const chain::Receipt& expected) {
    EXPECT_EQ(chain::encode(found.receipt), chain::encode(expected));
    EXPECT_EQ(found.receipt.gas_used, expected.gas_used);
    EXPECT_EQ(found.receipt.contract_address, expected.contract_address);
    EXPECT_EQ(found.receipt.effective_gas_price, expected.effective_gas_price);
    EXPECT_EQ(found.receipt.deposit_nonce, expected.deposit_nonce);
}

// One chain in a store beside its model, driven at random.
class Driver {
public:
    using Open = std::function<std::unique_ptr<Database>()>;

    Driver(std::uint64_t seed, Open open, const ChainStoreOptions& options)
        : model(seed), m_open(std::move(open)), m_options(options) {
        model.arenas = true;
        reopen();
        commit_made(0);
    }

    void reopen() {
        trie.reset();
        store.reset();
        auto opened = ChainStore::open(m_open(), model.identity(), m_options);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        store = *std::move(opened);
        reopen_trie();
    }
    void reopen_trie() {
        auto opened = store->open_trie(kNoMemory);
        ASSERT_TRUE(opened.has_value());
        trie = *std::move(opened);
    }
    // Computes the roots of several blocks ahead of their commits, as a pipeline does.
    void mine(std::size_t count) {
        const std::size_t first = model.blocks().size();
        for (std::size_t i = 0; i < count; ++i)
            model.mine();
        commit_made(first);
    }
    void alter() {
        const state::StateChanges changes = model.alter();
        auto update = trie->apply(changes);
        ASSERT_TRUE(update.has_value()) << update.error().message;
        const auto done = store->alter_head(changes, **update, Durability::Buffered);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    void rewind(std::uint64_t number) {
        const auto done = store->rewind_to(number, as_bytes("rewound"), Durability::Sync);
        ASSERT_TRUE(done.has_value()) << done.error().message;
        model.truncate(number + 1);
        reopen_trie();
    }
    void step() {
        const std::uint64_t choice = model.below(20);
        const std::uint64_t head = model.head().block.header.number;
        // No view is held: a store that is closed lets go of its folder with the last one.
        const std::uint64_t oldest = store->view().value().oldest_state();
        if (choice < 12)
            mine(1 + model.below(3));
        else if (choice < 15)
            ASSERT_TRUE(store->prune_step(1 + model.below(3)).has_value());
        else if (choice < 17)
            rewind(oldest + model.below(head - oldest + 1));
        else if (choice < 19)
            alter();
        else
            reopen();
    }
    void expect_agreement();

    ChainModel model;
    std::unique_ptr<ChainStore> store;
    std::unique_ptr<StateTrie> trie;

private:
    void commit_made(std::size_t first) {
        std::vector<TrieUpdatePtr> updates;
        for (std::size_t i = first; i < model.blocks().size(); ++i) {
            updates.push_back(apply(model.blocks()[i].changes));
            ASSERT_TRUE(updates.back());
        }
        for (std::size_t i = first; i < model.blocks().size(); ++i) {
            const auto done =
                store->commit_block(model.blocks()[i].commit(*updates[i - first]), Durability::Buffered);
            ASSERT_TRUE(done.has_value()) << done.error().message;
        }
    }
    // Sometimes in parts, as a block that comes in frames: some accounts twice, first with another balance.
    TrieUpdatePtr apply(const state::StateChanges& changes) {
        state::StateChanges rest = changes;
        if (model.below(2) == 0) {
            state::StateChanges first;
            for (const auto& [address, change] : changes.accounts) {
                const std::uint64_t choice = model.below(3);
                if (choice == 0)
                    continue;
                first.accounts[address] = change;
                rest.accounts.erase(address);
                if (choice == 2 && change.account) {
                    first.accounts[address].account->balance += 1;
                    rest.accounts[address].account = change.account;
                }
            }
            const auto staged = trie->stage(first);
            EXPECT_TRUE(staged.has_value()) << staged.error().message;
        }
        auto update = trie->apply(rest);
        EXPECT_TRUE(update.has_value()) << update.error().message;
        return update.value_or(nullptr);
    }
    void expect_block(const ChainView& view, std::uint64_t number);
    void expect_pruned(const ChainView& view, std::uint64_t number);
    void expect_logs(const ChainView& view);

    Open m_open;
    ChainStoreOptions m_options;
};

void Driver::expect_block(const ChainView& view, std::uint64_t number) {
    const TestBlock& expected = model.blocks()[number];
    const auto header = view.header(number);
    ASSERT_TRUE(header.has_value()) << header.error().message;
    EXPECT_EQ(header->header, expected.block.header);
    EXPECT_EQ(header->hash, expected.hash);
    EXPECT_EQ(header->state_root, model.state(number).root());
    EXPECT_EQ(header->total_difficulty, u256{number + 1});
    EXPECT_EQ(header->size_bytes, 100 + number);
    EXPECT_EQ(view.number_of(expected.hash).value(), number);
    if (number < view.oldest_body())
        return expect_pruned(view, number);
    const auto body = view.body(number);
    ASSERT_TRUE(body.has_value()) << body.error().message;
    EXPECT_EQ(body->senders, expected.senders);
    EXPECT_EQ(body->ommers, expected.block.ommers);
    EXPECT_EQ(body->withdrawals, expected.block.withdrawals);
    ASSERT_EQ(body->transactions.size(), expected.txn_hashes.size());
    const auto receipts = view.receipts(number);
    ASSERT_TRUE(receipts.has_value()) << receipts.error().message;
    for (std::size_t i = 0; i < body->transactions.size(); ++i) {
        EXPECT_EQ(chain::transaction_hash(body->transactions[i]), expected.txn_hashes[i]);
        const auto place = view.find_transaction(expected.txn_hashes[i]);
        EXPECT_EQ(place.value(), (TxnPlace{number, i}));
        EXPECT_EQ(view.transaction(**place).value().sender, expected.senders[i]);
        expect_receipt(receipts->at(i), expected.receipts[i]);
        expect_receipt(view.receipt(**place).value(), expected.receipts[i]);
    }
    if (body->transactions.size() % kGroupSize != 0) {
        EXPECT_EQ(view.transaction({number, body->transactions.size()}).error().kind,
                  StoreErrorKind::NotFound);
    }
}

void Driver::expect_pruned(const ChainView& view, std::uint64_t number) {
    const auto body = view.body(number);
    ASSERT_FALSE(body.has_value());
    EXPECT_EQ(body.error().kind, StoreErrorKind::Pruned);
    EXPECT_NE(body.error().message.find(std::to_string(view.oldest_body())), std::string::npos);
    for (const Hash& hash : model.blocks()[number].txn_hashes)
        EXPECT_FALSE(view.find_transaction(hash).value().has_value());
}

void Driver::expect_logs(const ChainView& view) {
    const LogQuery query = model.random_query();
    std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, state::Log>> found;
    const auto done = view.for_each_log(query, [&](const LogMatch& match) {
        found.emplace_back(match.block, match.txn_index, match.log_index, match.log);
        return true;
    });
    if (query.from_block < view.oldest_body()) {
        ASSERT_FALSE(done.has_value());
        EXPECT_EQ(done.error().kind, StoreErrorKind::Pruned);
        return;
    }
    ASSERT_TRUE(done.has_value()) << done.error().message;
    const auto expected = model.find_logs(query);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_EQ(found[i], std::make_tuple(expected[i].block, expected[i].txn_index, expected[i].log_index,
                                            expected[i].log));
}

void Driver::expect_agreement() {
    const ChainView view = store->view().value();
    const std::uint64_t head = model.blocks().size() - 1;
    ASSERT_EQ(view.head(), (Head{head, model.head().hash, model.state(head).root()}));
    for (std::uint64_t number = 0; number <= head; ++number) {
        SCOPED_TRACE("block " + std::to_string(number) + " of " + std::to_string(head));
        expect_block(view, number);
        auto state = view.state_at(number);
        if (number < view.oldest_state()) {
            ASSERT_FALSE(state.has_value());
            EXPECT_EQ(state.error().kind, StoreErrorKind::Pruned);
            EXPECT_NE(state.error().message.find(std::to_string(view.oldest_state())), std::string::npos);
            continue;
        }
        ASSERT_TRUE(state.has_value()) << state.error().message;
        expect_state(**state, model.state(number));
        expect_proof(view, number, model.state(number), test_address(model.below(ChainModel::kAddresses)),
                     model.below(ChainModel::kSlots));
    }
    EXPECT_EQ(view.state_at(head + 1).error().kind, StoreErrorKind::NotFound);
    for (int i = 0; i < 5; ++i)
        expect_logs(view);
    expect_tries(view.snapshot(), model.state(head));
}

ChainStoreOptions small_limits() {
    return {.mode = HistoryMode::Pruned, .keep = {.state_blocks = 7, .body_blocks = 12}};
}

// The database under a store that is closed and opened again, while its bytes stay.
class Forwarding final : public Database {
public:
    explicit Forwarding(std::shared_ptr<Database> to) : m_to(std::move(to)) {}
    SnapshotPtr snapshot() override { return m_to->snapshot(); }
    StoreResult<bool> get(Table table, BytesView key, Bytes& value) override {
        return m_to->get(table, key, value);
    }
    StoreResult<void> commit(const WriteBatch& batch, Durability durability) override {
        return m_to->commit(batch, durability);
    }
    StoreResult<void> sync() override { return m_to->sync(); }
    DatabaseStats stats() override { return m_to->stats(); }
    StoreResult<void> compact() override { return m_to->compact(); }
    StoreResult<void> check(const std::function<void(Table, std::uint64_t)>& progress) override {
        return m_to->check(progress);
    }

private:
    std::shared_ptr<Database> m_to;
};

Driver::Open in(std::shared_ptr<Database> database) {
    return [database] { return std::make_unique<Forwarding>(database); };
}

void run_model(std::uint64_t seed, const Driver::Open& open, const ChainStoreOptions& options, int steps) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Driver driver(seed, open, options);
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
        driver.step();
        if (i % 4 == 0)
            driver.expect_agreement();
    }
    driver.expect_agreement();
}

TEST(ChainStore, AgreesWithNaiveMapsWhilePruned) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
        run_model(seed, in(std::make_shared<MemoryDatabase>()), small_limits(), 50);
}

TEST(ChainStore, AgreesWithNaiveMapsAsArchive) {
    for (std::uint64_t seed = 100; seed <= 102; ++seed)
        run_model(seed, in(std::make_shared<MemoryDatabase>()), {.mode = HistoryMode::Archive}, 40);
}

TEST(ChainStore, AgreesWithNaiveMapsOnDisk) {
    const TestFolder folder;
    const auto open = [&] { return open_rocks({.path = folder.path() / "db"}).value(); };
    run_model(7, open, small_limits(), 40);
}

TEST(ChainStore, RefusesWhatDoesNotFollow) {
    Driver driver(1, in(std::make_shared<MemoryDatabase>()), small_limits());
    const auto refused = [&](const BlockCommit& commit) {
        const auto done = driver.store->commit_block(commit, Durability::Buffered);
        return done ? std::string() : done.error().message;
    };
    const TestBlock next = driver.model.mine();
    const TrieUpdatePtr update = driver.trie->apply(next.changes).value();
    TrieUpdate other;
    other.parent_root = update->parent_root;
    EXPECT_NE(refused(next.commit(other)).find("its header says"), std::string::npos);
    other.root = update->root;
    other.parent_root = to_hash(1);
    EXPECT_NE(refused(next.commit(other)).find("move on from"), std::string::npos);
    TestBlock gap = next;
    gap.block.header.number = 5;
    EXPECT_NE(refused(gap.commit(*update)).find("does not follow the head, block 0"), std::string::npos);
    TestBlock stranger = next;
    stranger.block.header.parent_hash = to_hash(1);
    EXPECT_NE(refused(stranger.commit(*update)).find("does not follow"), std::string::npos);
    TestBlock uneven = next;
    uneven.senders.emplace_back();
    EXPECT_NE(refused(uneven.commit(*update)).find("one receipt, hash and sender"), std::string::npos);
    EXPECT_EQ(refused(next.commit(*update)), "");
    EXPECT_NE(refused(next.commit(*update)).find("does not follow"), std::string::npos);
}

TEST(ChainStore, KnowsItsChainAndFormat) {
    const auto database = std::make_shared<MemoryDatabase>();
    const Driver driver(1, in(database), small_limits());
    EXPECT_EQ(ChainStore::read_identity(*database).value(), driver.model.identity());
    ChainIdentity other = driver.model.identity();
    other.chain_id = 5;
    const auto wrong = ChainStore::open(in(database)(), other);
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error().kind, StoreErrorKind::WrongChain);
    EXPECT_NE(wrong.error().message.find("chain 1234321"), std::string::npos);
    WriteBatch batch;
    batch.put(Table::Meta, as_bytes("schema"), number_key(kSchemaVersion + 1));
    ASSERT_TRUE(database->commit(batch, Durability::Sync).has_value());
    const auto newer = ChainStore::open(in(database)(), driver.model.identity());
    ASSERT_FALSE(newer.has_value());
    EXPECT_EQ(newer.error().kind, StoreErrorKind::WrongFormat);
    EXPECT_EQ(
        ChainStore::open(in(database)(), other, {.keep = {.state_blocks = 9, .body_blocks = 8}}).error().kind,
        StoreErrorKind::Invalid);
}

TEST(ChainStore, FailedCommitsLeaveTheHead) {
    const auto database = std::make_shared<MemoryDatabase>();
    Driver driver(3, in(database), small_limits());
    driver.mine(4);
    const TestBlock next = driver.model.mine();
    const TrieUpdatePtr update = driver.trie->apply(next.changes).value();
    database->fail_next_commit({StoreErrorKind::DiskFull, "no space"});
    const auto done = driver.store->commit_block(next.commit(*update), Durability::Sync);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, StoreErrorKind::DiskFull);
    EXPECT_FALSE(update->stored);
    EXPECT_EQ(driver.store->view()->head()->number, 4u);
    ASSERT_TRUE(driver.store->commit_block(next.commit(*update), Durability::Sync).has_value());
    driver.expect_agreement();
}

// Whatever a crash leaves is a chain up to some block, and goes on from there.
TEST(ChainStore, GoesOnAfterCrashes) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        SCOPED_TRACE(seed);
        const auto database = std::make_shared<MemoryDatabase>(MemoryDatabase::Crashes::Possible);
        Driver driver(seed, in(database), small_limits());
        for (int i = 0; i < 12; ++i)
            driver.mine(1);
        ASSERT_TRUE(database->sync().has_value());
        for (std::uint64_t i = driver.model.below(6); i > 0; --i)
            driver.mine(1);
        driver.trie.reset();
        driver.store.reset();
        const std::size_t unsynced = database->unsynced_commits();
        const std::size_t kept = driver.model.below(unsynced + 1);
        database->crash(kept);
        driver.model.truncate(13 + kept);
        driver.reopen();
        driver.expect_agreement();
        driver.mine(2);
        driver.expect_agreement();
    }
}

TEST(ChainStore, PrunesInSteps) {
    Driver driver(5, in(std::make_shared<MemoryDatabase>()), small_limits());
    for (int i = 0; i < 30; ++i)
        driver.mine(1);
    auto step = driver.store->prune_step(5).value();
    EXPECT_EQ(step.states_removed, 5u);
    EXPECT_FALSE(step.done);
    while (!step.done)
        step = driver.store->prune_step(5).value();
    const ChainView view = driver.store->view().value();
    EXPECT_EQ(view.oldest_state(), 23u);
    EXPECT_EQ(view.oldest_body(), 19u);
    driver.expect_agreement();
    // Nothing of the older blocks is left but their headers.
    for (const Table table : {Table::ChangeSets, Table::Bodies, Table::Receipts}) {
        const Keys keys = keys_of(view.snapshot(), table);
        EXPECT_GE(number_at(*keys.begin()), table == Table::ChangeSets ? 24u : 19u) << name_of(table);
    }
    for (const Table table : {Table::AccountHistory, Table::StorageHistory, Table::LogIndex})
        for (const Bytes& key : keys_of(view.snapshot(), table))
            EXPECT_GE(number_at(BytesView(key).last(8)), table == Table::LogIndex ? 19u : 24u);
    EXPECT_TRUE(driver.store->prune_step(5)->done);
}

TEST(ChainStore, RewindingToTheGenesisLeavesOnlyIt) {
    const auto used = std::make_shared<MemoryDatabase>();
    Driver driver(9, in(used), {.mode = HistoryMode::Archive});
    for (int i = 0; i < 15; ++i)
        driver.mine(1);
    driver.rewind(0);
    const auto fresh = std::make_shared<MemoryDatabase>();
    const Driver other(9, in(fresh), {.mode = HistoryMode::Archive});
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto table = static_cast<Table>(i);
        // Code is kept: another account may have the same.
        if (table == Table::Code)
            continue;
        EXPECT_EQ(keys_of(*used->snapshot(), table), keys_of(*fresh->snapshot(), table)) << name_of(table);
    }
    EXPECT_EQ(driver.store->view()->note(), to_bytes(as_bytes("rewound")));
}

TEST(ChainStore, ReadersSeeOneStateWhileBlocksAreCommitted) {
    const TestFolder folder;
    const auto open = [&] { return open_rocks({.path = folder.path() / "db"}).value(); };
    Driver driver(11, open, small_limits());
    driver.mine(2);
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> checked = 0;
    const auto read = [&] {
        while (!stop) {
            const ChainView view = driver.store->view().value();
            const Hash& root = view.head()->state_root;
            // The proof ties what was read to the root of the same view.
            for (std::uint64_t i = 0; i < ChainModel::kAddresses; ++i) {
                const auto proof = view.prove(view.head()->number, test_address(i), {}).value();
                EXPECT_EQ(proof.account, view.account(test_address(i)).value());
                EXPECT_TRUE(trie::verify_proof(root, state::account_trie_key(test_address(i)), proof.nodes)
                                .has_value());
            }
            EXPECT_EQ(view.header(view.head()->number)->state_root, root);
            ++checked;
        }
    };
    std::thread first(read);
    std::thread second(read);
    for (int i = 0; i < 60 || checked < 4; ++i) {
        driver.mine(1);
        ASSERT_TRUE(driver.store->prune_step(2).has_value());
    }
    stop = true;
    first.join();
    second.join();
    driver.expect_agreement();
}

TEST(ChainStore, BoundsProofsOfThePast) {
    Driver driver(2, in(std::make_shared<MemoryDatabase>()),
                  {.mode = HistoryMode::Archive, .proof_changes_max = 3});
    for (int i = 0; i < 20; ++i)
        driver.mine(1);
    const ChainView view = driver.store->view().value();
    EXPECT_EQ(view.prove(0, test_address(1), {}).error().kind, StoreErrorKind::LimitExceeded);
    EXPECT_TRUE(view.prove(20, test_address(1), {}).has_value());
}

TEST(ChainStore, BoundsLogQueries) {
    const Driver driver(2, in(std::make_shared<MemoryDatabase>()), small_limits());
    LogQuery query{.from_block = 0, .to_block = 5, .addresses = {}, .topics = {}};
    query.addresses.resize(kLogTermsMax + 1);
    const auto done = driver.store->view()->for_each_log(query, [](const LogMatch&) { return true; });
    EXPECT_EQ(done.error().kind, StoreErrorKind::LimitExceeded);
}

// A trie whose nodes were changed on the disk says so instead of giving a root.
TEST(StateTrie, RefusesChangedNodes) {
    const auto database = std::make_shared<MemoryDatabase>();
    Driver driver(4, in(database), small_limits());
    driver.mine(3);
    Bytes root_node;
    ASSERT_TRUE(database->get(Table::AccountTrie, {}, root_node).value());
    root_node.back() ^= 1;
    WriteBatch batch;
    batch.put(Table::AccountTrie, {}, root_node);
    ASSERT_TRUE(database->commit(batch, Durability::Buffered).has_value());
    driver.reopen_trie();
    state::StateChanges changes;
    changes.accounts[test_address(1)].account = state::Account{};
    const auto update = driver.trie->apply(changes);
    ASSERT_FALSE(update.has_value());
    EXPECT_EQ(update.error().kind, StoreErrorKind::Corrupt);
}

}  // namespace
}  // namespace meridian::store
