// A chain in memory with one writer: builds blocks from a pool or imports them, remembers every state, and
// can be wound back, forward and altered as developers' tests need.
//
// Not thread-safe: whoever owns it calls it from one thread at a time. Block 0 is the genesis; blocks() is
// always a valid chain, each with its receipts, and the state after each can be opened.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/chain/next_header.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/node/genesis.hpp>
#include <meridian/node/overlay_state.hpp>
#include <meridian/node/pool.hpp>
#include <meridian/node/state_store.hpp>
#include <meridian/sequencer/admission.hpp>
#include <meridian/sequencer/txn_words.hpp>

#include <functional>
#include <set>

namespace meridian::node {

// A block with what execution made of it.
struct StoredBlock {
    chain::Block block;
    Hash hash;
    std::uint64_t size = 0;  // of the encoding, bytes
    std::vector<chain::Receipt> receipts;
    std::vector<Hash> txn_hashes;
    std::vector<Address> senders;
    u256 total_difficulty;

    const chain::Header& header() const noexcept { return block.header; }
    std::uint64_t number() const noexcept { return block.header.number; }
};
using BlockPtr = std::shared_ptr<const StoredBlock>;

struct TxnLocation {
    BlockPtr block;
    std::size_t index = 0;
};

using chain::BlockAttributes;

// A transaction that the block could not take.
struct RejectedTxn {
    Hash hash;
    chain::TxnError error;
};

// A block executed, with what it changes; not part of the chain.
struct AssembledBlock {
    std::shared_ptr<StoredBlock> block;
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
using sequencer::SubmitError;
using sequencer::SubmitFailure;

class ChainListener {
public:
    virtual ~ChainListener() = default;
    virtual void on_block(const BlockPtr& block) = 0;
    virtual void on_pending_transaction(const PoolTxn& txn) = 0;
    virtual void on_mining_mode() {}
    // Blocks above `head` were taken away.
    virtual void on_wound_back(std::uint64_t head) { static_cast<void>(head); }
};

struct ChainOptions {
    // Wall clock, seconds since the epoch.
    std::function<std::uint64_t()> clock;
    MiningMode mining;
    PoolLimits pool;
    // Keys that the chain signs with.
    std::vector<DevAccount> accounts;
};

class DevChain final : private evm::BlockHashSource {
public:
    // Never fails for a genesis from parse_genesis() or dev_genesis().
    DevChain(const Genesis& genesis, ChainOptions options);
    DevChain(const DevChain&) = delete;
    DevChain& operator=(const DevChain&) = delete;

    // --- the chain ----------------------------------------------------------------------------------
    const chain::ChainConfig& config() const noexcept { return m_config; }
    const Genesis& genesis() const noexcept { return m_genesis; }
    const BlockPtr& head() const noexcept { return m_blocks.back(); }
    // Null if there is no such block.
    BlockPtr block(std::uint64_t number) const;
    BlockPtr block(const Hash& hash) const;
    std::optional<TxnLocation> find_transaction(const Hash& hash) const;
    evm::BlockHashSource& block_hashes() noexcept { return *this; }
    evm::CodeCache& code_cache() noexcept { return m_code_cache; }
    StateStore& store() noexcept { return m_store; }

    // The state after a block, with what was altered by hand since. Precondition: the block exists.
    std::unique_ptr<state::TrieState> state_after(std::uint64_t number);
    const Hash& state_root_after(std::uint64_t number) const { return m_roots.at(number); }
    state::StateReader& head_state() noexcept { return *m_state; }

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
    static PoolTxn stand_in(chain::Transaction txn, const Address& sender);
    bool drop_transaction(const Hash& hash) { return m_pool.remove(hash); }
    void drop_all_transactions() { m_pool.clear(); }
    void drop_transactions_of(const Address& sender) { m_pool.remove_sender(sender); }

    // --- blocks -------------------------------------------------------------------------------------
    BlockAttributes next_attributes();
    chain::Header make_header(const chain::Header& parent, const BlockAttributes& attributes) const;
    // Executes transactions on the head's state without changing the chain; the header is complete but
    // for the state root.
    Result<AssembledBlock, chain::BlockFailure> assemble(const BlockAttributes& attributes,
                                                         std::span<const PoolTxnPtr> txns);
    // What the pool would give a block with these attributes, in order.
    std::vector<PoolTxnPtr> ready_transactions(const BlockAttributes& attributes);
    // As assemble() with what the pool would give now, and its state root.
    Result<AssembledBlock, chain::BlockFailure> assemble_pending();
    // Seals one block from the pool.
    Result<BlockPtr, chain::BlockFailure> mine();
    // Validates, executes and appends a block whose parent is the head.
    Result<BlockPtr, chain::BlockFailure> import(chain::Block block);
    // Fixes the root into the header and computes hash and size.
    static void seal(StoredBlock& block, const Hash& state_root);

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
    Result<void, state::StateError> alter(const state::StateChanges& changes);
    // Of the transactions and blocks to come; those that are there keep theirs.
    void set_chain_id(std::uint64_t chain_id) noexcept { m_config.chain_id = chain_id; }
    // Numbers count from 1.
    std::uint64_t snapshot();
    // Goes back to what was at the snapshot and forgets it and all later ones; false if it is unknown. What
    // belongs to the chain comes back: blocks, state, pool, time, gas limit, the next block's timestamp and
    // prevRandao. What belongs to the node stays as it is now, as with Anvil, and but for the fees' receiver
    // and the next base fee with Hardhat: impersonations, mining mode, chain id, timestamp interval, minimum
    // gas price.
    bool revert(std::uint64_t snapshot_id);
    // Takes the last blocks away, and the snapshots that were taken after them. Their transactions are gone.
    // Precondition: fewer blocks than the head's number plus one.
    void rollback(std::uint64_t depth);
    // The same, and makes as many other blocks at the same times, the i-th with the transactions `txns[i]`;
    // those that a block cannot take are left out. Precondition: as rollback(); as many lists as blocks.
    Result<void, chain::BlockFailure> reorganise(const std::vector<std::vector<PoolTxnPtr>>& txns);
    // Back to the genesis.
    void reset();
    void set_listener(ChainListener* listener) noexcept { m_listener = listener; }

private:
    struct Snapshot {
        std::uint64_t id;
        std::size_t block_count;
        Hash root;
        ChainSettings settings;
        TxnPool pool;
        std::uint64_t clock;
    };

    Hash block_hash(std::uint64_t number) override;
    Hash write_genesis_state();
    void append(BlockPtr block, const Hash& root);
    Result<BlockPtr, chain::BlockFailure> seal_next(const BlockAttributes& attributes,
                                                    std::span<const PoolTxnPtr> txns);
    void truncate(std::size_t block_count, const Hash& root);
    void activate_merge(const chain::Header& header);
    Result<Hash, SubmitFailure> enqueue(PoolTxn txn);
    void automine();
    void follow_time(std::uint64_t timestamp);
    void clean_pool(const StoredBlock& block, const std::vector<RejectedTxn>& rejected);
    std::optional<SubmitFailure> check(const chain::Transaction& txn, const Address& sender);

    Genesis m_genesis;
    chain::ChainConfig m_config;
    ChainOptions m_options;
    StateStore m_store;
    evm::CodeCache m_code_cache;
    std::unique_ptr<state::TrieState> m_state;  // of the head
    std::vector<BlockPtr> m_blocks;
    std::vector<Hash> m_roots;
    std::unordered_map<Hash, std::uint64_t> m_number_of;
    std::unordered_map<Hash, std::pair<std::uint64_t, std::size_t>> m_txn_places;
    TxnPool m_pool;
    ChainSettings m_settings;
    MiningMode m_mining;
    std::vector<Snapshot> m_snapshots;
    std::uint64_t m_last_snapshot = 0;
    ChainListener* m_listener = nullptr;
};

}  // namespace meridian::node
