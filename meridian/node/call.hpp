// Executions beside the chain: calls on a past or imagined block, and transactions once more under a tracer.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/node/chain.hpp>
#include <meridian/node/overlay_state.hpp>

namespace meridian::node {

// Where a call runs.
struct CallContext {
    chain::Header header;                 // of the block that the call is imagined to be in
    std::unique_ptr<ChainState> past;     // null at the head, whose own state is read then
    std::unique_ptr<OverlayState> state;  // with overrides
};

struct CallOptions {
    chain::SkippedChecks skipped = {
        .nonce = true, .sender_code = true, .gas_maximum = true, .block_gas = true};
    evm::Tracer* tracer = nullptr;
    std::optional<u256> blob_base_fee;
    evm::BlockHashSource* block_hashes = nullptr;  // the chain's if null
    const evm::PrecompileMoves* precompile_moves = nullptr;
    const evm::Interrupt* interrupt = nullptr;  // ends it with TxnError::Interrupted
};

// The context after a block of the chain, as if the call were its last transaction.
ChainResult<CallContext> context_after(Chain& chain, const sequencer::ExecutedBlock& block);

// The context after what is pending.
ChainResult<CallContext> pending_context(Chain& chain);

// Executes and forgets; `context.state` is left as it is. `changes` takes what it would change.
Result<chain::TxnOutcome, chain::TxnError> execute_call(Chain& chain, const CallContext& context,
                                                        const chain::Transaction& txn, const Address& sender,
                                                        const CallOptions& options = {},
                                                        state::StateChanges* changes = nullptr);

// What an observer of a replay is given for each transaction.
struct ReplayStep {
    std::size_t index = 0;
    state::StateReader* before = nullptr;  // the state before the transaction
    state::StateReader* after = nullptr;   // null in before()
    const chain::TxnOutcome* outcome = nullptr;
};

class ReplayObserver {
public:
    virtual ~ReplayObserver() = default;
    // Gives the tracer for the transaction, or null.
    virtual evm::Tracer* before(const ReplayStep& step) = 0;
    virtual void after(const ReplayStep& step) = 0;
};

// Executes the transactions of `block` up to and including `last` again. The parent must be on the chain. An
// interrupt, which may be null, ends it with BlockError::Interrupted.
Result<void, chain::BlockFailure> replay(Chain& chain, const sequencer::ExecutedBlock& block,
                                         std::size_t last, ReplayObserver& observer,
                                         const evm::Interrupt* interrupt = nullptr);

}  // namespace meridian::node
