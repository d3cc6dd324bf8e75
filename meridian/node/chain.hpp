// A chain as its users' interfaces need it: blocks, states, the pool, and a way in for transactions. What
// makes the chain move (a developer's calls, a sequencer's pipeline, another node's feed) is behind it.
//
// For one thread at a time. Between two calls of refresh() everything is as of one moment.
#pragma once

#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/context.hpp>
#include <meridian/node/genesis.hpp>
#include <meridian/sequencer/admission.hpp>
#include <meridian/sequencer/executed_block.hpp>
#include <meridian/sequencer/pool.hpp>
#include <meridian/store/log_query.hpp>
#include <meridian/store/state_trie.hpp>

#include <functional>

namespace meridian::node {

using BlockPtr = sequencer::ExecutedBlockPtr;
using sequencer::PooledTxnPtr;
using sequencer::SubmitError;
using sequencer::SubmitFailure;

struct TxnLocation {
    BlockPtr block;
    std::size_t index = 0;
};

// Why something of the chain's past cannot be given: a sentence for the user.
struct ChainFailure {
    std::string message;
};
template <class T>
using ChainResult = Result<T, ChainFailure>;

// The state after a block.
class ChainState : public state::StateReader {
public:
    // As eth_getProof gives it. A state that is too old, or that has no root yet, has no proofs.
    virtual ChainResult<store::AccountProof> prove(const Address& address, std::span<const u256> slots) = 0;
    // The root that the state would have after these changes.
    virtual ChainResult<Hash> root_after(const state::StateChanges& changes) = 0;
};

// When a change of the chain becomes known. Called on the thread that owns the chain.
class ChainListener {
public:
    virtual ~ChainListener() = default;
    virtual void on_block(const BlockPtr& block) = 0;
    virtual void on_pending_transaction(const sequencer::PooledTxn& txn) = 0;
    virtual void on_mining_mode() {}
};

struct Submitted {
    Hash hash;
    // The nonce that must come before this one can be executed.
    std::optional<std::uint64_t> missing_nonce;
};
using SubmitOutcome = Result<Submitted, SubmitFailure>;

class Chain {
public:
    virtual ~Chain() = default;

    // --- what does not change -----------------------------------------------------------------------
    virtual const chain::ChainConfig& config() const noexcept = 0;
    virtual const Genesis& genesis() const noexcept = 0;
    virtual evm::CodeCache& code_cache() noexcept = 0;

    // --- one moment ---------------------------------------------------------------------------------
    virtual void refresh() = 0;
    // The block of the last frame; it has no hash while it is open.
    virtual BlockPtr head() = 0;
    // The newest block that has a hash.
    virtual BlockPtr sealed_head() = 0;
    // Null if there is no such block.
    virtual ChainResult<BlockPtr> block(std::uint64_t number) = 0;
    virtual ChainResult<BlockPtr> block(const Hash& hash) = 0;
    virtual ChainResult<std::optional<TxnLocation>> find_transaction(const Hash& hash) = 0;
    virtual ChainResult<std::unique_ptr<ChainState>> state_after(std::uint64_t number) = 0;
    // After the last frame. Valid until the next refresh().
    virtual state::StateReader& head_state() = 0;
    virtual evm::BlockHashSource& block_hashes() noexcept = 0;
    virtual ChainResult<void> for_each_log(const store::LogQuery& query, const store::LogVisitor& visit) = 0;

    // --- transactions -------------------------------------------------------------------------------
    virtual sequencer::Pool::BySender pool_content() = 0;
    virtual PooledTxnPtr find_pooled(const Hash& hash) = 0;
    virtual std::size_t pool_size() = 0;
    // The nonce after the sender's executable transactions.
    virtual std::uint64_t next_nonce(const Address& sender) = 0;
    // `done` is called exactly once, on any thread, perhaps before this returns.
    virtual void submit(Bytes envelope, std::function<void(SubmitOutcome)> done) = 0;
};

}  // namespace meridian::node
