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

// The frames that the block came in; none on a chain without frames. What the frame contract held before the
// block says which was the first.
ChainResult<std::vector<chain::FrameBoundary>> frames_of(Chain& chain, const sequencer::ExecutedBlock& block,
                                                         state::StateReader& parent) {
    std::vector<chain::FrameBoundary> out;
    if (chain.last_frame() == 0)
        return out;
    std::size_t txns = 0;
    const u256 word = parent.storage(chain::kFrameContract, chain::kFrameSlot);
    for (std::uint64_t number = chain::unpack_frame(word).number + 1;; ++number) {
        const auto frame = chain.frame(number);
        if (!frame)
            return fail(frame.error());
        if (!*frame || (*frame)->content->block_number != block.number())
            return out;
        const sequencer::SealedFrame& content = *(*frame)->content;
        out.push_back({txns, {content.number, content.index, content.timestamp_us}});
        txns += content.txns.size();
    }
}

chain::BlockFailure missing_state(const ChainFailure& failure) {
    return {chain::BlockError::MissingState, {}, {}, failure.message};
}

}  // namespace

ChainResult<CallContext> context_after(Chain& chain, const sequencer::ExecutedBlock& block) {
    CallContext out;
    out.header = block.header();
    if (block.number() != chain.head()->number()) {
        auto past = chain.state_after(block.number());
        if (!past)
            return fail(past.error());
        out.past = *std::move(past);
    }
    state::StateReader& base = out.past ? *out.past : chain.head_state();
    out.state = std::make_unique<OverlayState>(base);
    return out;
}

ChainResult<CallContext> pending_context(Chain& chain) {
    auto pending = chain.pending();
    if (!pending)
        return fail(pending.error());
    CallContext out;
    out.header = pending->block->header();
    out.state = std::make_unique<OverlayState>(chain.head_state());
    out.state->apply(pending->changes);
    return out;
}

Result<chain::TxnOutcome, chain::TxnError> execute_call(Chain& chain, const CallContext& context,
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

Result<void, chain::BlockFailure> replay(Chain& chain, const sequencer::ExecutedBlock& block,
                                         std::size_t last, ReplayObserver& observer,
                                         const evm::Interrupt* interrupt) {
    const auto parent = chain.state_after(block.number() - 1);
    if (!parent)
        return fail(missing_state(parent.error()));
    state::StateReader* const base = parent->get();
    const auto frames = frames_of(chain, block, *base);
    if (!frames)
        return fail(missing_state(frames.error()));
    auto frame = frames->begin();
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
        for (; frame != frames->end() && frame->first_txn <= i; ++frame) {
            if (auto begun = executor.begin_frame(frame->frame); !begun)
                return begun;
            before.apply(state.changes());
        }
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
