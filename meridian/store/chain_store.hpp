// The chain in the store: blocks, receipts, indexes, the state and its past. One writer, many readers.
//
// A block is committed with everything that it brings in one batch, so the store always holds a whole chain
// up to its head: headers of all its blocks, the state after the head, its tries, and as much of the past as
// is kept (HistoryMode). Readers take a ChainView, which does not change while blocks are committed, pruned
// or taken back. keys.hpp describes the tables.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/state/state_reader.hpp>
#include <meridian/store/database.hpp>
#include <meridian/store/log_query.hpp>
#include <meridian/store/state_trie.hpp>

#include <limits>
#include <mutex>

namespace meridian::store {

enum class HistoryMode : std::uint8_t {
    Pruned,   // the last blocks only, as many as PruneLimits say
    Archive,  // everything
};

struct PruneLimits {
    // States that can be read and returned to: those after this many blocks before the head.
    std::uint64_t state_blocks = 1024;
    // Bodies, receipts, transaction and log indexes. Headers are always kept.
    std::uint64_t body_blocks = 100'000;
};

// What a store belongs to.
struct ChainIdentity {
    Hash genesis_hash;
    std::uint64_t chain_id = 0;

    friend bool operator==(const ChainIdentity&, const ChainIdentity&) = default;
};

struct ChainStoreOptions {
    HistoryMode mode = HistoryMode::Pruned;
    PruneLimits keep = {};
    // How many accounts and slots a proof of a past state may have to take back in memory.
    std::uint64_t proof_changes_max = 1'000'000;
};

// Everything that one block brings. References must be valid during commit_block().
struct BlockCommit {
    const chain::Block& block;
    Hash hash;
    u256 total_difficulty;
    std::uint64_t size_bytes = 0;              // of the block's encoding
    std::span<const chain::Receipt> receipts;  // each with its host's fields, such as gas_used
    std::span<const Hash> txn_hashes;
    std::span<const Address> senders;
    const state::StateChanges& changes;
    TrieUpdate& trie;  // from the parent state's root to the block's
    // Bytes of the caller's, kept with the head and read back by ChainView::note(): where the frame log is.
    BytesView note = {};
};

struct Head {
    std::uint64_t number = 0;
    Hash hash;
    Hash state_root;  // differs from the header's if the state was altered by hand

    friend bool operator==(const Head&, const Head&) = default;
};

struct StoredHeader {
    chain::Header header;
    Hash hash;
    Hash state_root;  // after alterations by hand
    u256 total_difficulty;
    std::uint64_t size_bytes = 0;
    std::uint64_t txn_count = 0;
};

struct StoredBody {
    std::vector<chain::Transaction> transactions;
    std::vector<Address> senders;
    std::vector<chain::Header> ommers;
    std::optional<std::vector<chain::Withdrawal>> withdrawals;
};

struct TxnPlace {
    std::uint64_t block = 0;
    std::uint64_t index = 0;

    friend bool operator==(const TxnPlace&, const TxnPlace&) = default;
};

struct StoredTxn {
    chain::Transaction txn;
    Address sender;
};

struct StoredReceipt {
    chain::Receipt receipt;
    std::uint64_t first_log_index = 0;  // in the block
};

// A state at one block: the newest of a view, or one before it. For one thread; several may be open.
// A failure to read (see error()) is described by failure().
class StoredState : public state::StateReader {
public:
    virtual const std::optional<StoreError>& failure() const noexcept = 0;
};

// The chain as it was when the view was taken. For any number of threads; cheap to copy. It must not outlive
// the store, whose folder stays locked until the last view is gone. A view held for long keeps what was
// pruned since on the disk.
class ChainView {
public:
    // Absent: an empty store.
    const std::optional<Head>& head() const noexcept { return m_head; }
    // The oldest block whose header can be read (zero, unless the store was restored from a snapshot), whose
    // state, and whose body.
    std::uint64_t oldest_header() const noexcept { return m_oldest_header; }
    std::uint64_t oldest_state() const noexcept { return m_oldest_state; }
    std::uint64_t oldest_body() const noexcept { return m_oldest_body; }
    const Bytes& note() const noexcept { return m_note; }

    // Absent: no block of that hash on the chain.
    StoreResult<std::optional<std::uint64_t>> number_of(const Hash& hash) const;
    // Errors: NotFound above the head; Pruned, naming the oldest block kept.
    StoreResult<StoredHeader> header(std::uint64_t number) const;
    StoreResult<Hash> hash_of(std::uint64_t number) const;
    StoreResult<StoredBody> body(std::uint64_t number) const;
    StoreResult<std::vector<StoredReceipt>> receipts(std::uint64_t number) const;

    // Absent: no such transaction, or its block is pruned.
    StoreResult<std::optional<TxnPlace>> find_transaction(const Hash& hash) const;
    // Of one transaction, without reading the whole block.
    StoreResult<StoredTxn> transaction(const TxnPlace& place) const;
    StoreResult<StoredReceipt> receipt(const TxnPlace& place) const;

    // Calls `visit` for each matching log, in order, until it returns false. The range is cut at the head;
    // one that begins before oldest_body() is Pruned.
    StoreResult<void> for_each_log(const LogQuery& query, const LogVisitor& visit) const;

    // The state after that block. Errors: NotFound above the head, Pruned, naming the oldest state kept.
    StoreResult<std::unique_ptr<StoredState>> state_at(std::uint64_t number) const;
    // Precondition: there is a head.
    std::unique_ptr<StoredState> latest_state() const;
    StoreResult<std::optional<state::Account>> account(const Address& address) const;
    StoreResult<u256> storage(const Address& address, const u256& key) const;
    StoreResult<std::optional<Bytes>> code(const Hash& code_hash) const;

    // eth_getProof at the head, or at a block before it, for which what changed since is taken back in
    // memory; LimitExceeded if that is more than ChainStoreOptions::proof_changes_max.
    StoreResult<AccountProof> prove(std::uint64_t number, const Address& address,
                                    std::span<const u256> slots) const;
    // The root that the state after that block would have with these changes. Errors: as prove().
    StoreResult<Hash> root_after(std::uint64_t number, const state::StateChanges& changes) const;
    // What takes these changes back once they were made to the state after the head.
    StoreResult<state::StateChanges> undo_of(const state::StateChanges& changes) const;
    // Of the state after the head, ascending, until `visit` returns false.
    StoreResult<void> for_each_account(
        const std::function<bool(const Address&, const state::Account&)>& visit) const;
    StoreResult<void> for_each_slot(const Address& address,
                                    const std::function<bool(const u256&, const u256&)>& visit) const;
    // What turns the state after the head into the state after block `number`.
    StoreResult<state::StateChanges> changes_back_to(std::uint64_t number, std::uint64_t changes_max) const;

    const Snapshot& snapshot() const noexcept { return *m_snapshot; }

private:
    friend class ChainStore;
    ChainView() = default;

    StoreResult<void> check_body_kept(std::uint64_t number) const;
    StoreResult<void> check_state_kept(std::uint64_t number) const;
    StoreResult<void> check_on_chain(std::uint64_t number) const;
    StoreResult<void> move_trie(StateTrie& trie, std::uint64_t number) const;
    GetFunction reader() const;

    SnapshotPtr m_snapshot;
    std::optional<Head> m_head;
    std::uint64_t m_oldest_header = 0;
    std::uint64_t m_oldest_state = 0;
    std::uint64_t m_oldest_body = 0;
    std::uint64_t m_proof_changes_max = 0;
    Bytes m_note;
};

// A chain whose past is not there: what a restored snapshot gives.
struct AdoptedChain {
    Head head;
    std::uint64_t oldest_header = 0;
    std::uint64_t oldest_body = 0;
    Bytes note;
};

// What one step of pruning did.
struct PruneProgress {
    std::uint64_t states_removed = 0;  // blocks whose history went
    std::uint64_t bodies_removed = 0;
    bool done = false;  // nothing is left to prune at this head
};

class ChainStore {
public:
    // Takes the database. An empty one becomes the identity's; else WrongChain or WrongFormat if it differs.
    static StoreResult<std::unique_ptr<ChainStore>> open(std::unique_ptr<Database> database,
                                                         const ChainIdentity& identity,
                                                         const ChainStoreOptions& options = {});
    // For tools that take a store as it is; NotFound if it has no identity yet.
    static StoreResult<ChainIdentity> read_identity(Database& database);

    // Makes a database that holds state, tries and headers the store of that chain, with the batch; synced.
    static StoreResult<void> adopt(Database& database, const ChainIdentity& identity,
                                   const AdoptedChain& chain, WriteBatch batch);
    // A view of a database that is not adopted yet; its past begins with the head.
    static ChainView view_of(SnapshotPtr snapshot, const Head& head);

    const ChainIdentity& identity() const noexcept { return m_identity; }
    const ChainStoreOptions& options() const noexcept { return m_options; }
    Database& database() noexcept { return *m_database; }

    // Thread-safe.
    StoreResult<ChainView> view() const;
    // A trie that stands at the head and moves on with what will be committed. It must not outlive the store.
    StoreResult<std::unique_ptr<StateTrie>> open_trie(const TrieLimits& limits = {}) const;

    // The writers below exclude each other. Each is atomic, prune_step() in every step.
    //
    // Appends a block: the genesis (number 0, parent root empty) to an empty store, else the head's child.
    // Errors: Invalid, and those of the database.
    StoreResult<void> commit_block(const BlockCommit& commit, Durability durability);
    // Changes the state after the head by hand, as development clients ask for; it becomes part of what
    // the head's block did. The update goes from the head's state root.
    StoreResult<void> alter_head(const state::StateChanges& changes, TrieUpdate& update,
                                 Durability durability);
    // Takes back blocks until `number` is the head, one atomic step a block. The state after it is what
    // view().state_at(number) gave. Errors: NotFound above the head, Pruned below oldest_state().
    // A StateTrie that was open must be reset() afterwards. `note` takes the place of the head's note.
    StoreResult<void> rewind_to(std::uint64_t number, BytesView note, Durability durability);
    // Removes what is older than the mode keeps, of at most `blocks_max` blocks.
    StoreResult<PruneProgress> prune_step(std::uint64_t blocks_max);

private:
    ChainStore(std::unique_ptr<Database> database, const ChainIdentity& identity,
               const ChainStoreOptions& options);

    StoreResult<void> check_follows(const BlockCommit& commit, const ChainView& before) const;
    StoreResult<void> take_back_head(const ChainView& before, BytesView note, Durability durability);

    std::unique_ptr<Database> m_database;
    ChainIdentity m_identity;
    ChainStoreOptions m_options;
    std::mutex m_writing;
};

}  // namespace meridian::store
