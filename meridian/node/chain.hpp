// A chain as its users' interfaces need it: blocks, states, the pool, and a way in for transactions. What
// makes the chain move (a developer's calls, a sequencer's pipeline, another node's feed) is behind it.
//
// For one thread at a time. Between two calls of refresh() everything is as of one moment.
#pragma once

#include <meridian/base/fair_queue.hpp>
#include <meridian/chain/next_header.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/context.hpp>
#include <meridian/frames/frame.hpp>
#include <meridian/node/genesis.hpp>
#include <meridian/sequencer/admission.hpp>
#include <meridian/sequencer/executed_block.hpp>
#include <meridian/sequencer/sealed_frame.hpp>
#include <meridian/sequencer/submitted.hpp>
#include <meridian/store/log_query.hpp>
#include <meridian/store/state_trie.hpp>

#include <functional>

namespace meridian::node {

using BlockPtr = sequencer::ExecutedBlockPtr;
using sequencer::PooledTxnPtr;
using sequencer::SubmitError;
using sequencer::SubmitFailure;

// A durable frame, and where it stands in its block.
struct ChainFrame {
    frames::SignedHeader head;
    sequencer::SealedFramePtr content;  // with receipts as the block has them
    std::size_t first_txn = 0;          // index in the block; meaningless if the frame has no transactions
    std::size_t first_log = 0;          // the same
};
using FramePtr = std::shared_ptr<const ChainFrame>;

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

// What a store gave, as a chain gives it.
template <class T>
ChainResult<T> or_failure(store::StoreResult<T> result) {
    if (!result)
        return fail(ChainFailure{std::move(result.error().message)});
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
    else
        return {};
}

// The state after a block.
class ChainState : public state::StateReader {
public:
    // As eth_getProof gives it. A state that is too old, or that has no root yet, has no proofs.
    virtual ChainResult<store::AccountProof> prove(const Address& address, std::span<const u256> slots) = 0;
    // The root that the state would have after these changes.
    virtual ChainResult<Hash> root_after(const state::StateChanges& changes) = 0;
};

// The block that `pending` names, and what it changes in the state after the head.
struct PendingBlock {
    BlockPtr block;
    state::StateChanges changes;
};

// When a change of the chain becomes known. Called on the thread that owns the chain, in refresh() or in
// what changed the chain.
class ChainListener {
public:
    virtual ~ChainListener() = default;
    // A block has got its hash.
    virtual void on_block(const BlockPtr& block) = 0;
    virtual void on_pending_transaction(const sequencer::PooledTxn& txn) = 0;
    // The state of the head is another one. These transactions are in the chain since then, and their
    // receipts can be read.
    virtual void on_head(std::span<const Hash> txns) = 0;
    // Of development chains.
    virtual void on_mining_mode() {}
    // Blocks above `head` were taken away.
    virtual void on_wound_back(std::uint64_t head) { static_cast<void>(head); }
    // These were, the newest first, and others may come in their places.
    virtual void on_removed(std::span<const BlockPtr> blocks) { static_cast<void>(blocks); }
};

using sequencer::Submitted;
using SubmitOutcome = sequencer::SubmitResult;

class Chain {
public:
    Chain() = default;
    virtual ~Chain() = default;
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    // --- what does not change -----------------------------------------------------------------------
    virtual const chain::ChainConfig& config() const noexcept = 0;
    virtual const Genesis& genesis() const noexcept = 0;
    Hash genesis_hash() { return block_hashes().block_hash(0); }
    virtual evm::CodeCache& code_cache() noexcept = 0;

    // --- one moment ---------------------------------------------------------------------------------
    // Goes on to the newest moment and tells the listener what is new.
    virtual void refresh() = 0;
    // Null: none.
    virtual void set_listener(ChainListener* listener) = 0;
    // To be called, on any thread, once refresh() would find something new; it does not wait. Null: nothing.
    virtual void set_wakeup(std::function<void()> wakeup) = 0;
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
    // Without a notion of its own: the head.
    virtual ChainResult<PendingBlock> pending() { return PendingBlock{head(), {}}; }
    // What is known of the block after the head. Without a notion of its own: as the head, a second later.
    virtual chain::BlockAttributes next_attributes();
    // The newest block whose state has proofs.
    virtual std::uint64_t provable_number() = 0;
    virtual ChainResult<void> for_each_log(const store::LogQuery& query, const store::LogVisitor& visit) = 0;

    // The oldest block that can be read with its transactions and receipts.
    virtual std::uint64_t oldest_block() { return 0; }

    // --- frames -------------------------------------------------------------------------------------
    // Zero and zero: a chain without frames. Else the oldest that can be read, and the last one.
    virtual std::uint64_t first_frame() { return 0; }
    virtual std::uint64_t last_frame() { return 0; }
    // The oldest whose block can be read as well; one more than the last if there is none.
    virtual std::uint64_t oldest_whole_frame() { return first_frame(); }
    // Null above the last; a failure below the first.
    virtual ChainResult<FramePtr> frame(std::uint64_t number) {
        static_cast<void>(number);
        return FramePtr{};
    }

    // --- transactions -------------------------------------------------------------------------------
    virtual sequencer::Pool::BySender pool_content() = 0;
    virtual PooledTxnPtr find_pooled(const Hash& hash) = 0;
    virtual std::size_t pool_size() = 0;
    // The nonce after the sender's executable transactions.
    virtual std::uint64_t next_nonce(const Address& sender) = 0;
    // `done` is called exactly once, on any thread, perhaps before this returns. Clients have turns.
    virtual void submit(Bytes envelope, std::function<void(SubmitOutcome)> done, ClientId client) = 0;

    // How often the calling thread could not read what this node has stored: what was made meanwhile is not
    // to be trusted, as states give what they cannot read as absent.
    virtual std::uint64_t failed_reads() const { return 0; }

    // The same chain for another thread, with a moment of its own, which is none until its first refresh().
    // Null: this chain is for one thread alone. It must not outlive what this one is made of.
    virtual std::unique_ptr<Chain> reader() { return nullptr; }
    // Of a reader: lets go of its moment until the next refresh(), so that nothing is kept for it.
    virtual void release() {}
};

}  // namespace meridian::node
