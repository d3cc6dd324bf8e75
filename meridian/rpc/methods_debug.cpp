// debug_*: traces and raw encodings.
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
    TraceConfig out = call.args.get_or(index, read_trace_config, default_trace_config());
    out.steps_max = call.service.limits().trace_steps_max;
    return out;
}

// Traces the chosen transactions of a block; the others execute unobserved.
class BlockTracer final : public node::ReplayObserver {
public:
    BlockTracer(const node::StoredBlock& block, const chain::ChainConfig& config, const TraceConfig& trace,
                std::optional<std::size_t> only)
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

    const node::StoredBlock& m_block;
    evm::Revision m_revision;
    TraceConfig m_trace;
    std::optional<std::size_t> m_only;
    std::unique_ptr<TransactionTracer> m_tracer;
    std::uint64_t m_log_index = 0;
    std::vector<json::value> m_results;
};

std::vector<json::value> trace(const Call& call, const node::StoredBlock& block, const TraceConfig& config,
                               std::optional<std::size_t> only) {
    if (block.number() == 0)
        refuse("genesis is not traceable");
    BlockTracer observer(block, call.service.chain().config(), config, only);
    const std::size_t last = only.value_or(std::numeric_limits<std::size_t>::max());
    if (const auto done = node::replay(call.service.chain(), block, last, observer); !done)
        refuse("tracing failed: " + done.error().message);
    return std::move(observer.results());
}

json::value trace_transaction(const Call& call) {
    const Hash hash = call.args.get(0, read_hash);
    const TraceConfig config = trace_config(call, 1);
    const auto place = call.service.chain().find_transaction(hash);
    if (!place)
        refuse("transaction not found");
    return trace(call, *place->block, config, place->index).front();
}

json::value trace_block(const Call& call, const node::BlockPtr& block) {
    auto results = trace(call, *block, trace_config(call, 1), std::nullopt);
    json::array out;
    for (std::size_t i = 0; i < results.size(); ++i)
        out.push_back(
            json::object{{"txHash", hex_data(block->txn_hashes[i])}, {"result", std::move(results[i])}});
    return out;
}

json::value trace_block_by_number(const Call& call) {
    const std::uint64_t number = resolve_number(call.service.chain(), call.args.get(0, read_block_number));
    const auto block = call.service.chain().block(number);
    if (!block)
        refuse("block #" + std::to_string(number) + " not found");
    return trace_block(call, block);
}

json::value trace_block_by_hash(const Call& call) {
    const Hash hash = call.args.get(0, read_hash);
    const auto block = call.service.chain().block(hash);
    if (!block)
        refuse("block " + std::string(text_of(hex_data(hash).get_string())) + " not found");
    return trace_block(call, block);
}

void apply_overrides(const Call& call, CallRunner& runner) {
    if (!call.args.has(2))
        return;
    const json::object& options = call.args.get(
        2, [](const json::value& v) -> const json::object& { return read_object(v, "TraceCallConfig"); });
    if (const auto* block = member(options, "blockOverrides"))
        runner.override_block(read_block_overrides(*block));
    if (const auto* state = member(options, "stateOverrides"))
        runner.override_state(read_state_overrides(*state));
}

json::value trace_call(const Call& call) {
    CallRunner runner(call.service, call.args.get(0, read_call_args),
                      call.args.get_or(1, read_block_reference, BlockReference{}));
    const TraceConfig config = trace_config(call, 2);
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
    auto block = find_block(call.service.chain(), reference);
    if (!block)
        refuse(reference.hash
                   ? "block not found"
                   : "block #" + std::to_string(resolve_number(call.service.chain(), reference.number)) +
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
    node::DevChain& chain = call.service.chain();
    if (const auto place = chain.find_transaction(hash))
        return hex_data(chain::encode(place->block->block.transactions[place->index]));
    if (const auto pooled = chain.pool().find(hash))
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
