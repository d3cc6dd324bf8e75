// debug_*: traces and raw encodings.
#include <meridian/base/hex.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/call_runner.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>
#include <meridian/rpc/tracing.hpp>

#include <limits>

namespace meridian::rpc {
namespace {

TraceConfig trace_config(const Call& call, std::size_t index) {
    TraceConfig out = call.args.get_or(index, read_trace_config, TraceConfig{});
    out.steps_max = call.service.limits().trace_steps_max;
    return out;
}

// Traces the chosen transactions of a block; the others execute unobserved.
class BlockTracer final : public node::ReplayObserver {
public:
    BlockTracer(const sequencer::ExecutedBlock& block, const chain::ChainConfig& config,
                const TraceConfig& trace, std::optional<std::size_t> only)
        : m_block(block),
          m_revision(config.revision(block.number(), block.header().timestamp)),
          m_trace(trace),
          m_only(only) {}

    evm::Tracer* before(const node::ReplayStep& step) override {
        m_tracer.reset();
        if (m_only && *m_only != step.index)
            return nullptr;
        m_tracer = make_tracer(m_trace);
        m_tracer->begin(subject(step));
        return m_tracer.get();
    }

    void after(const node::ReplayStep& step) override {
        if (m_tracer)
            m_results.push_back(m_tracer->result(subject(step)));
        m_log_index += step.outcome->receipt.logs.size();
    }

    std::vector<json::value>& results() noexcept { return m_results; }

private:
    TraceSubject subject(const node::ReplayStep& step) const {
        return {m_block.block.transactions[step.index],
                m_block.senders[step.index],
                m_block.header().coinbase,
                m_revision,
                step.before,
                step.after,
                step.outcome,
                m_log_index};
    }

    const sequencer::ExecutedBlock& m_block;
    evm::Revision m_revision;
    TraceConfig m_trace;
    std::optional<std::size_t> m_only;
    std::unique_ptr<TransactionTracer> m_tracer;
    std::uint64_t m_log_index = 0;
    std::vector<json::value> m_results;
};

std::vector<json::value> trace(const Call& call, const sequencer::ExecutedBlock& block,
                               const TraceConfig& config, std::optional<std::size_t> only) {
    if (block.number() == 0)
        refuse("genesis is not traceable");
    const Deadline deadline = call.service.trace_deadline(config.timeout_ms);
    BlockTracer observer(block, call.service.chain().config(), config, only);
    const std::size_t last = only.value_or(std::numeric_limits<std::size_t>::max());
    const auto done = node::replay(call.service.chain(), block, last, observer, &deadline);
    if (!done && done.error().error == chain::BlockError::Interrupted)
        deadline.refuse_interrupted();
    if (!done)
        refuse("tracing failed: " + done.error().message);
    return std::move(observer.results());
}

json::value trace_transaction(const Call& call) {
    const Hash hash = call.args.get(0, read_hash);
    const TraceConfig config = trace_config(call, 1);
    const auto place = available(call.service.chain().find_transaction(hash));
    if (!place)
        refuse("transaction not found");
    return trace(call, *place->block, config, place->index).front();
}

json::value trace_stored(const Call& call, const sequencer::ExecutedBlock& block) {
    auto results = trace(call, block, trace_config(call, 1), std::nullopt);
    json::array out;
    for (std::size_t i = 0; i < results.size(); ++i)
        out.push_back(
            json::object{{"txHash", hex_data(block.txn_hashes[i])}, {"result", std::move(results[i])}});
    return out;
}

json::value trace_block_by_number(const Call& call) {
    node::Chain& chain = call.service.chain();
    const BlockNumber number = call.args.get(0, read_block_number);
    const auto block = find_block(chain, {number, {}});
    if (!block)
        refuse("block #" + std::to_string(resolve_number(chain, number)) + " not found");
    return trace_stored(call, *block);
}

json::value trace_block_by_hash(const Call& call) {
    const Hash hash = call.args.get(0, read_hash);
    const auto block = available(call.service.chain().block(hash));
    if (!block)
        refuse("block " + std::string(text_of(hex_data(hash).get_string())) + " not found");
    return trace_stored(call, *block);
}

// From the encoding of a block whose parent is on the chain; the block itself need not be.
json::value trace_block(const Call& call) {
    auto block = chain::decode_block(call.args.get(0, read_data));
    if (!block)
        refuse("could not decode block: " + block.error().field + ": " + block.error().reason);
    node::Chain& chain = call.service.chain();
    const chain::Header& header = block->header;
    if (header.number == 0)
        refuse("genesis is not traceable");
    const auto parent = available(chain.block(header.number - 1));
    if (!parent || parent->hash != header.parent_hash)
        refuse("block " + to_hex0x(header.parent_hash) + " not found");
    sequencer::ExecutedBlock stored;
    for (const chain::Transaction& txn : block->transactions) {
        const auto sender = chain::recover_sender(txn);
        if (!sender)
            refuse("tracing failed: transaction " + std::to_string(stored.senders.size()) +
                   ": invalid sender");
        stored.senders.push_back(*sender);
        stored.txn_hashes.push_back(chain::transaction_hash(txn));
    }
    stored.block = *std::move(block);
    return trace_stored(call, stored);
}

struct TraceOverrides {
    std::optional<BlockOverrides> block;
    std::optional<StateOverrides> state;
};

TraceOverrides read_trace_overrides(const json::value& value) {
    const json::object& object = read_object(value, "TraceCallConfig");
    return {optional_member(object, "blockOverrides", read_block_overrides),
            optional_member(object, "stateOverrides", read_state_overrides)};
}

void apply_overrides(const Call& call, CallRunner& runner) {
    const TraceOverrides overrides = call.args.get_or(2, read_trace_overrides, TraceOverrides{});
    if (overrides.block)
        runner.override_block(*overrides.block);
    if (overrides.state)
        runner.override_state(*overrides.state);
}

json::value trace_call(const Call& call) {
    const TraceConfig config = trace_config(call, 2);
    CallRunner runner(call.service, call.args.get(0, read_call_args),
                      call.args.get_or(1, read_block_reference, BlockReference{}),
                      call.service.trace_deadline(config.timeout_ms));
    apply_overrides(call, runner);
    const auto tracer = make_tracer(config);
    const chain::Transaction txn = runner.transaction();
    node::OverlayState after(*runner.context().state);
    TraceSubject subject{txn, runner.args().sender(), runner.context().header.coinbase, runner.revision(),
                         runner.context().state.get()};
    tracer->begin(subject);
    state::StateChanges changes;
    const chain::TxnOutcome outcome = runner.execute(tracer.get(), &changes);
    after.apply(changes);
    subject.after = &after;
    subject.outcome = &outcome;
    return tracer->result(subject);
}

// --- raw encodings --------------------------------------------------------------------------------------

node::BlockPtr raw_block_argument(const Call& call) {
    const BlockReference reference = call.args.get(0, read_block_reference);
    node::Chain& chain = call.service.chain();
    auto block = find_block(chain, reference, Latest::Sealed);
    if (!block)
        refuse(reference.hash
                   ? "block not found"
                   : "block #" + std::to_string(resolve_number(chain, reference.number, Latest::Sealed)) +
                         " not found");
    return block;
}

json::value raw_block(const Call& call) {
    return hex_data(chain::encode(raw_block_argument(call)->block));
}
json::value raw_header(const Call& call) {
    return hex_data(chain::encode(raw_block_argument(call)->header()));
}
json::value raw_receipts(const Call& call) {
    json::array out;
    for (const auto& receipt : raw_block_argument(call)->receipts)
        out.push_back(hex_data(chain::encode(receipt)));
    return out;
}
json::value raw_transaction(const Call& call) {
    const Hash hash = call.args.get(0, read_hash);
    node::Chain& chain = call.service.chain();
    if (const auto place = available(chain.find_transaction(hash)))
        return hex_data(chain::encode(place->block->block.transactions[place->index]));
    if (const auto pooled = chain.find_pooled(hash))
        return hex_data(chain::encode(pooled->txn));
    return nullptr;
}
json::value bad_blocks(const Call&) {
    return json::array{};
}

}  // namespace

std::span<const Method> debug_methods() {
    static const Param kBlock{"block", "BlockNumberOrTagOrHash"};
    static const Param kHash{"transactionHash", "Hash"};
    static const Param kConfig{"options", "TraceConfig", false};
    static const Method kMethods[] = {
        {"debug_traceTransaction",
         "Executes a transaction again under a tracer",
         {kHash, kConfig},
         "Trace",
         trace_transaction},
        {"debug_traceCall",
         "Executes a call under a tracer",
         {{"transaction", "Call"}, {"block", "BlockNumberOrTagOrHash", false}, kConfig},
         "Trace",
         trace_call},
        {"debug_traceBlock",
         "Executes a block under a tracer that need not be on the chain, its parent excepted",
         {{"block", "Data"}, kConfig},
         "{txHash, result}[]",
         trace_block},
        {"debug_traceBlockByNumber",
         "Executes a block again under a tracer",
         {{"block", "BlockNumberOrTag"}, kConfig},
         "{txHash, result}[]",
         trace_block_by_number},
        {"debug_traceBlockByHash",
         "Executes a block again under a tracer",
         {{"blockHash", "Hash"}, kConfig},
         "{txHash, result}[]",
         trace_block_by_hash},
        {"debug_getRawBlock", "A block's RLP", {kBlock}, "Data", raw_block},
        {"debug_getRawHeader", "A header's RLP", {kBlock}, "Data", raw_header},
        {"debug_getRawReceipts", "A block's receipts, encoded", {kBlock}, "Data[]", raw_receipts},
        {"debug_getRawTransaction", "A transaction's encoding", {kHash}, "Data|null", raw_transaction},
        {"eth_getRawTransactionByHash", "A transaction's encoding", {kHash}, "Data|null", raw_transaction},
        {"debug_getBadBlocks", "Invalid blocks seen: none are kept", {}, "Block[]", bad_blocks},
    };
    return kMethods;
}

}  // namespace meridian::rpc
