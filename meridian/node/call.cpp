#include <meridian/node/call.hpp>

namespace meridian::node {
namespace {

// Passes everything on to a tracer that changes from transaction to transaction.
class SwitchedTracer final : public evm::Tracer {
public:
    void set(evm::Tracer* target) noexcept { m_target = target; }

    void on_enter(const evm::Message& message, BytesView code) override {
        if (m_target != nullptr)
            m_target->on_enter(message, code);
    }
    void on_exit(const evm::Message& message, const evm::CallResult& result) override {
        if (m_target != nullptr)
            m_target->on_exit(message, result);
    }
    void on_step(const evm::Step& step) override {
        if (m_target != nullptr)
            m_target->on_step(step);
    }
    void on_selfdestruct(const Address& contract, const Address& beneficiary, const u256& balance) override {
        if (m_target != nullptr)
            m_target->on_selfdestruct(contract, beneficiary, balance);
    }
    void on_log(const state::Log& log) override {
        if (m_target != nullptr)
            m_target->on_log(log);
    }

private:
    evm::Tracer* m_target = nullptr;
};

}  // namespace

CallContext context_after(DevChain& chain, std::uint64_t number) {
    CallContext out;
    out.header = chain.block(number)->header();
    if (number != chain.head()->number())
        out.past = chain.state_after(number);
    out.state = std::make_unique<OverlayState>(out.past ? *out.past : chain.head_state());
    return out;
}

Result<CallContext, chain::BlockFailure> pending_context(DevChain& chain) {
    auto pending = chain.assemble_pending();
    if (!pending)
        return fail(pending.error());
    CallContext out;
    out.header = pending->block->header();
    out.state = std::make_unique<OverlayState>(chain.head_state());
    out.state->apply(pending->changes);
    return out;
}

Result<chain::TxnOutcome, chain::TxnError> execute_call(DevChain& chain, const CallContext& context,
                                                        const chain::Transaction& txn, const Address& sender,
                                                        const CallOptions& options,
                                                        state::StateChanges* changes) {
    state::State state(*context.state);
    chain::ExecutionEnvironment environment{
        chain.code_cache(), options.block_hashes != nullptr ? *options.block_hashes : chain.block_hashes()};
    environment.tracer = options.tracer;
    environment.skipped_checks = options.skipped;
    environment.blob_base_fee = options.blob_base_fee;
    environment.precompile_moves = options.precompile_moves;
    environment.interrupt = options.interrupt;
    chain::BlockExecutor executor(chain.config(), context.header, state, environment);
    auto outcome = executor.execute(txn, sender);
    if (outcome && changes != nullptr)
        *changes = state.changes();
    return outcome;
}

Result<void, chain::BlockFailure> replay(DevChain& chain, const StoredBlock& block, std::size_t last,
                                         ReplayObserver& observer, const evm::Interrupt* interrupt) {
    const auto base = chain.state_after(block.number() - 1);
    OverlayState before(*base);
    OverlayState after(*base);
    state::State state(*base);
    SwitchedTracer tracer;
    chain::ExecutionEnvironment environment{chain.code_cache(), chain.block_hashes(), &tracer};
    environment.skipped_checks.sender_code = true;  // as the block was built
    environment.interrupt = interrupt;
    chain::BlockExecutor executor(chain.config(), block.header(), state, environment);
    if (auto started = executor.start(); !started)
        return started;
    before.apply(state.changes());
    for (std::size_t i = 0; i <= last && i < block.block.transactions.size(); ++i) {
        ReplayStep step{i, &before, nullptr, nullptr};
        tracer.set(observer.before(step));
        const auto outcome = executor.execute(block.block.transactions[i], block.senders[i]);
        tracer.set(nullptr);
        if (!outcome && outcome.error() == chain::TxnError::Interrupted)
            return fail(chain::BlockFailure{chain::BlockError::Interrupted, outcome.error(), i, {}});
        if (!outcome)
            return fail(chain::BlockFailure{chain::BlockError::InvalidTransaction, outcome.error(), i,
                                            std::string(chain::name(outcome.error()))});
        const state::StateChanges changes = state.changes();
        after.apply(changes);
        step.after = &after;
        step.outcome = &*outcome;
        observer.after(step);
        before.apply(changes);
    }
    return {};
}

}  // namespace meridian::node
