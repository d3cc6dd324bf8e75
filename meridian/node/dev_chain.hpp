// A chain with one writer: builds blocks from a pool or imports them, remembers every state, and can be wound
// back, forward and altered as developers' tests need.
//
// It lives in a store::ChainStore that keeps everything, in memory or on a disk. What a disk refuses is
// told, and the chain then stands where it stood before. Not thread-safe: whoever owns it calls it from one
// thread at a time.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/node/chain.hpp>
#include <meridian/node/overlay_state.hpp>
#include <meridian/node/pool.hpp>
#include <meridian/node/recently_read.hpp>
#include <meridian/sequencer/txn_words.hpp>
#include <meridian/store/chain_store.hpp>

#include <functional>
#include <set>

namespace meridian::node {

using chain::BlockAttributes;
using sequencer::ExecutedBlock;

// A transaction that the block could not take.
struct RejectedTxn {
    Hash hash;
    chain::TxnError error;
};

// A block executed, with what it changes; not part of the chain.
struct AssembledBlock {
    std::shared_ptr<ExecutedBlock> block;
    state::StateChanges changes;
    std::vector<chain::Request> requests;
    std::vector<RejectedTxn> rejected;
};

// What a development client may set. Times in seconds.
struct ChainSettings {
    std::int64_t time_offset = 0;  // added to the clock
    std::optional<std::uint64_t> next_timestamp;
    std::optional<std::uint64_t> timestamp_interval;  // between blocks, in place of the clock
    std::optional<u256> next_base_fee;
    std::optional<Hash> next_prev_randao;
    Address coinbase;
    std::uint64_t gas_limit = 0;
    u256 min_gas_price;
    std::set<Address> impersonated;
    bool impersonate_all = false;
};

struct MiningMode {
    bool automine = true;           // a block as soon as there is a transaction
    std::uint64_t interval_ms = 0;  // zero: none
};

using sequencer::checksum_address;
using sequencer::describe;

struct ChainOptions {
    // Wall clock, seconds since the epoch.
    std::function<std::uint64_t()> clock;
    MiningMode mining;
    PoolLimits pool;
    // Keys that the chain signs with.
    std::vector<DevAccount> accounts;
};

class DevChain final : public Chain, private evm::BlockHashSource {
public:
    // In memory. Never fails for a genesis from parse_genesis() or dev_genesis().
    DevChain(const Genesis& genesis, ChainOptions options);
    // Goes on with the chain that the database holds, or begins one there. Errors: as open_store().
    static store::StoreResult<std::unique_ptr<DevChain>> open(const Genesis& genesis, ChainOptions options,
                                                              std::unique_ptr<store::Database> database);

    // --- as every chain ------------------------------------------------------------------------------
    const chain::ChainConfig& config() const noexcept override { return m_config; }
    const Genesis& genesis() const noexcept override { return m_genesis; }
    evm::CodeCache& code_cache() noexcept override { return m_code_cache; }
    void refresh() override {}
    void set_listener(ChainListener* listener) override { m_listener = listener; }
    void set_wakeup(std::function<void()>) override {}  // it moves only when it is told to
    BlockPtr head() override { return m_head; }
    BlockPtr sealed_head() override { return m_head; }
    ChainResult<BlockPtr> block(std::uint64_t number) override;
    ChainResult<BlockPtr> block(const Hash& hash) override;
    ChainResult<std::optional<TxnLocation>> find_transaction(const Hash& hash) override;
    // With what was altered by hand since.
    ChainResult<std::unique_ptr<ChainState>> state_after(std::uint64_t number) override;
    // Valid until the next block or alteration.
    state::StateReader& head_state() override { return *m_state; }
    evm::BlockHashSource& block_hashes() noexcept override { return *this; }
    // What the pool would give a block now; with its state root and hash.
    ChainResult<PendingBlock> pending() override;
    BlockAttributes next_attributes() override;
    std::uint64_t provable_number() override { return m_head->number(); }
    ChainResult<void> for_each_log(const store::LogQuery& query, const store::LogVisitor& visit) override;
    sequencer::Pool::BySender pool_content() override { return m_pool.by_sender(); }
    PooledTxnPtr find_pooled(const Hash& hash) override { return m_pool.find(hash); }
    std::size_t pool_size() override { return m_pool.size(); }
    std::uint64_t next_nonce(const Address& sender) override;
    // Answers before it returns.
    void submit(Bytes envelope, std::function<void(SubmitOutcome)> done, ClientId client) override;

    // Everything up to the head, as it is now.
    const store::ChainView& view() const noexcept { return *m_view; }
    std::uint64_t oldest_block() override { return m_view->oldest_body(); }
    // Until then the last blocks survive the end of the process, but not that of the machine.
    store::StoreResult<void> sync() { return m_store->database().sync(); }

    // --- transactions -------------------------------------------------------------------------------
    const TxnPool& pool() const noexcept { return m_pool; }
    const std::vector<DevAccount>& accounts() const noexcept { return m_options.accounts; }
    // The key of an account that the chain can sign for; null if it cannot.
    const Hash* key_of(const Address& address) const;
    // Checks and pools; mines if automine is on. Gives the hash.
    Result<Hash, SubmitFailure> submit(const chain::Transaction& txn);
    // Without a signature, for impersonated senders.
    Result<Hash, SubmitFailure> submit_as(chain::Transaction txn, const Address& sender);
    // What submit_as() makes of an unsigned transaction.
    static PooledTxn stand_in(chain::Transaction txn, const Address& sender);
    bool drop_transaction(const Hash& hash) { return m_pool.remove(hash); }
    void drop_all_transactions() { m_pool.clear(); }
    void drop_transactions_of(const Address& sender) { m_pool.remove_sender(sender); }

    // --- blocks -------------------------------------------------------------------------------------
    chain::Header make_header(const chain::Header& parent, const BlockAttributes& attributes) const;
    // Executes transactions on the head's state without changing the chain; the header is complete but
    // for the state root.
    Result<AssembledBlock, chain::BlockFailure> assemble(const BlockAttributes& attributes,
                                                         std::span<const PooledTxnPtr> txns);
    // What the pool would give a block with these attributes, in order.
    std::vector<PooledTxnPtr> ready_transactions(const BlockAttributes& attributes);
    // The root of the head's state with these changes.
    ChainResult<Hash> preview_root(const state::StateChanges& changes) const;
    // Seals one block from the pool.
    Result<BlockPtr, chain::BlockFailure> mine();
    // Validates, executes and appends a block whose parent is the head.
    Result<BlockPtr, chain::BlockFailure> import(chain::Block block);
    // Fixes the root into the header and computes hash and size.
    static void seal(ExecutedBlock& block, const Hash& state_root);

    // --- development --------------------------------------------------------------------------------
    ChainSettings& settings() noexcept { return m_settings; }
    const ChainSettings& settings() const noexcept { return m_settings; }
    const MiningMode& mining() const noexcept { return m_mining; }
    void set_mining(const MiningMode& mode);
    // The wall clock, seconds.
    std::uint64_t clock() const { return m_options.clock ? m_options.clock() : 0; }
    // The time that the next block would get from the clock.
    std::uint64_t now() const;
    bool is_impersonated(const Address& address) const {
        return m_settings.impersonate_all || m_settings.impersonated.contains(address);
    }
    // Alters the head's state outside any block.
    ChainResult<void> alter(const state::StateChanges& changes);
    // Of the transactions and blocks to come; those that are there keep theirs.
    void set_chain_id(std::uint64_t chain_id) noexcept { m_config.chain_id = chain_id; }
    // Numbers count from 1.
    std::uint64_t snapshot();
    // Goes back to what was at the snapshot and forgets it and all later ones; false if it is unknown. What
    // belongs to the chain comes back: blocks, state, pool, time, gas limit, the next block's timestamp and
    // prevRandao. What belongs to the node stays as it is now, as with Anvil, and but for the fees' receiver
    // and the next base fee with Hardhat: impersonations, mining mode, chain id, timestamp interval, minimum
    // gas price.
    ChainResult<bool> revert(std::uint64_t snapshot_id);
    // Takes the last blocks away, and the snapshots that were taken after them. Their transactions are gone.
    // Precondition: fewer blocks than the head's number plus one.
    ChainResult<void> rollback(std::uint64_t depth);
    // The same, and makes as many other blocks at the same times, the i-th with the transactions `txns[i]`;
    // those that a block cannot take are left out. Precondition: as rollback(); as many lists as blocks.
    ChainResult<void> reorganise(const std::vector<std::vector<PooledTxnPtr>>& txns);
    // Back to the genesis.
    ChainResult<void> reset();

private:
    struct Snapshot {
        std::uint64_t id;
        std::uint64_t head;
        std::uint64_t alterations;  // made before
        ChainSettings settings;
        TxnPool pool;
        std::uint64_t clock;
    };
    // What was altered by hand after a block, and what takes it back.
    struct Alteration {
        std::uint64_t sequence;
        std::uint64_t block;
        state::StateChanges undo;
    };

    DevChain(const Genesis& genesis, ChainOptions options, std::unique_ptr<store::ChainStore> store);

    Hash block_hash(std::uint64_t number) override;
    std::uint64_t account_nonce(const Address& address);
    store::StoreResult<void> go_on();
    store::StoreResult<void> find_merge();
    // Takes the store's newest as the head. `block`: what that is, if it is at hand.
    store::StoreResult<void> read_head(BlockPtr block = nullptr);
    void tell_sealed();
    void tell_head(std::span<const Hash> txns);
    Result<store::TrieUpdatePtr, chain::BlockFailure> advance(const state::StateChanges& changes);
    Result<void, chain::BlockFailure> commit(const std::shared_ptr<ExecutedBlock>& block,
                                             const state::StateChanges& changes, store::TrieUpdate& update);
    Result<BlockPtr, chain::BlockFailure> seal_next(const BlockAttributes& attributes,
                                                    std::span<const PooledTxnPtr> txns);
    // The block is the head then, with the first `alterations` of all that were made.
    store::StoreResult<void> wind_back(std::uint64_t block, std::uint64_t alterations);
    store::StoreResult<void> write_alteration(const state::StateChanges& changes);
    store::StoreResult<void> restore_genesis_state();
    void activate_merge(const chain::Header& header);
    std::vector<chain::Block> ancestors();
    Result<Hash, SubmitFailure> enqueue(PooledTxn txn);
    void automine();
    void follow_time(std::uint64_t timestamp);
    void clean_pool(const ExecutedBlock& block, const std::vector<RejectedTxn>& rejected);
    std::optional<SubmitFailure> check(const chain::Transaction& txn, const Address& sender);

    Genesis m_genesis;
    chain::ChainConfig m_config;
    ChainOptions m_options;
    std::unique_ptr<store::ChainStore> m_store;
    std::unique_ptr<store::StateTrie> m_trie;  // of the head
    std::optional<store::ChainView> m_view;
    std::unique_ptr<store::StoredState> m_state;  // of the head
    BlockPtr m_head;
    RecentlyRead<Hash, BlockPtr> m_read;
    evm::CodeCache m_code_cache;
    TxnPool m_pool;
    ChainSettings m_settings;
    MiningMode m_mining;
    std::vector<Snapshot> m_snapshots;
    std::uint64_t m_last_snapshot = 0;
    std::vector<Alteration> m_alterations;  // those that a snapshot may go back behind
    std::uint64_t m_alteration_count = 0;
    ChainListener* m_listener = nullptr;
};

}  // namespace meridian::node
