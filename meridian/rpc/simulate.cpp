#include <meridian/base/hex.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/opcode.hpp>
#include <meridian/rpc/service.hpp>
#include <meridian/rpc/simulate.hpp>
#include <meridian/sequencer/txn_words.hpp>

#include <algorithm>
#include <limits>

namespace meridian::rpc {
namespace {

using chain::Transaction;
using chain::TxnError;
using evm::Revision;

constexpr std::uint64_t kBlockSeconds = 12;  // between imagined blocks
constexpr int kVmErrorCode = -32015;
// Ether has no contract; its transfers are shown as this one's.
constexpr Address kEtherAddress = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"_address;
constexpr Hash kTransferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"_hash;

ErrorCode code_of(TxnError error) {
    switch (error) {
        case TxnError::NonceMismatchTooLow:
            return ErrorCode::NonceTooLow;
        case TxnError::NonceMismatchTooHigh:
            return ErrorCode::NonceTooHigh;
        case TxnError::InsufficientMaxFeePerGas:
            return ErrorCode::FeeCapTooLow;
        case TxnError::IntrinsicGasTooLow:
        case TxnError::IntrinsicGasBelowFloorGasCost:
            return ErrorCode::IntrinsicGas;
        case TxnError::InsufficientAccountFunds:
        case TxnError::GaslimitPriceProductOverflow:
            return ErrorCode::InsufficientFunds;
        case TxnError::SenderNotEoa:
            return ErrorCode::SenderIsNotEoa;
        case TxnError::InitcodeSizeExceeded:
            return ErrorCode::MaxInitCodeSize;
        case TxnError::PriorityGreaterThanMaxFeePerGas:
            return ErrorCode::InvalidParams;
        default:
            return ErrorCode::Internal;
    }
}

// geth looks at the nonce before anything else.
std::optional<TxnError> check_nonce(const Transaction& txn, std::uint64_t account_nonce) {
    if (txn.nonce < account_nonce)
        return TxnError::NonceMismatchTooLow;
    if (txn.nonce > account_nonce)
        return TxnError::NonceMismatchTooHigh;
    if (txn.nonce == std::numeric_limits<std::uint64_t>::max())
        return TxnError::NonceIsMax;
    return std::nullopt;
}

// Hashes of the real chain, and above its base those of the imagined blocks.
class SimulatedHashes final : public evm::BlockHashSource {
public:
    SimulatedHashes(evm::BlockHashSource& real, std::uint64_t base) : m_real(real), m_base(base) {}
    Hash block_hash(std::uint64_t number) override {
        if (number <= m_base)
            return m_real.block_hash(number);
        const auto found = m_hashes.find(number);
        return found != m_hashes.end() ? found->second : Hash{};
    }
    void add(std::uint64_t number, const Hash& hash) { m_hashes[number] = hash; }

private:
    evm::BlockHashSource& m_real;
    std::uint64_t m_base;
    std::map<std::uint64_t, Hash> m_hashes;
};

// The logs of a call in order of emission, transfers of ether among them if asked for.
class LogCollector final : public evm::Tracer {
public:
    explicit LogCollector(bool transfers) : m_transfers(transfers) {}

    void on_enter(const evm::Message& message, BytesView) override {
        m_marks.push_back(m_logs.size());
        if (message.kind != evm::CallKind::DelegateCall && message.kind != evm::CallKind::StaticCall)
            add_transfer(message.sender, message.recipient, message.value);
    }
    void on_exit(const evm::Message&, const evm::CallResult& result) override {
        if (result.status != evm::Status::Success)
            m_logs.resize(m_marks.back());
        m_marks.pop_back();
    }
    void on_step(const evm::Step& step) override {
        if (step.depth == 1)
            m_last = LastInstruction{step.opcode, step.stack.size()};
    }
    void on_selfdestruct(const Address& contract, const Address& beneficiary, const u256& balance) override {
        add_transfer(contract, beneficiary, balance);
    }
    void on_log(const state::Log& log) override { m_logs.push_back(log); }

    std::vector<state::Log> take() { return std::exchange(m_logs, {}); }
    std::optional<LastInstruction> take_last() { return std::exchange(m_last, {}); }

private:
    void add_transfer(const Address& from, const Address& to, const u256& value) {
        if (m_transfers && value != u256{})
            m_logs.push_back({kEtherAddress,
                              {kTransferTopic, left_padded<32>(from), left_padded<32>(to)},
                              to_bytes(to_hash(value))});
    }

    bool m_transfers;
    std::vector<std::size_t> m_marks;
    std::vector<state::Log> m_logs;
    std::optional<LastInstruction> m_last;
};

// One call's outcome, kept until the block's hash is known.
struct CallOutcome {
    chain::TxnOutcome outcome;
    std::vector<state::Log> logs;
    std::optional<LastInstruction> last;  // of the outermost frame
};

json::object format_call_error(const CallOutcome& call) {
    const chain::TxnOutcome& outcome = call.outcome;
    if (outcome.status == evm::Status::Revert)
        return {{"message", revert_message(outcome.output)},
                {"code", static_cast<int>(ErrorCode::Reverted)},
                {"data", hex_data(outcome.output)}};
    return {{"message", describe_status(outcome.status, call.last)}, {"code", kVmErrorCode}};
}

class Simulator {
public:
    Simulator(Service& service, const Simulation& simulation, const sequencer::ExecutedBlock& base)
        : m_chain(service.chain()),
          m_deadline(service.call_deadline()),
          m_simulation(simulation),
          m_context(available(node::context_after(m_chain, base))),
          m_hashes(m_chain.block_hashes(), base.number()),
          m_parent(base.header()),
          m_parent_hash(base.hash),
          m_gas_left(service.limits().call_gas_max) {
        if (auto state = m_chain.state_after(base.number()))
            m_base = *std::move(state);
    }

    json::object run(const SimulatedBlock& block);

private:
    chain::Header make_header(const BlockOverrides& overrides) const;
    void execute_calls(const SimulatedBlock& block, chain::BlockExecutor& executor, state::State& state,
                       LogCollector& collector);
    [[noreturn]] void refuse_call(TxnError error, const Transaction& txn, const Address& sender,
                                  state::State& state) const;
    Transaction make_transaction(CallArgs args, state::State& state, std::uint64_t gas_used) const;
    void complete_header(chain::BlockOutcome& outcome);
    void seal();
    json::object format() const;
    json::object format_call(const CallOutcome& call, std::size_t index, std::size_t& log_index) const;
    Revision revision() const {
        const auto& header = m_block->block.header;
        return m_chain.config().revision(header.number, header.timestamp);
    }

    node::Chain& m_chain;
    Deadline m_deadline;
    const Simulation& m_simulation;
    node::CallContext m_context;
    SimulatedHashes m_hashes;
    std::unique_ptr<node::ChainState> m_base;  // for roots
    chain::Header m_parent;
    Hash m_parent_hash;
    std::uint64_t m_gas_left;  // of what the whole simulation may use
    std::shared_ptr<sequencer::ExecutedBlock> m_block;
    std::vector<CallOutcome> m_outcomes;
};

chain::Header Simulator::make_header(const BlockOverrides& overrides) const {
    const chain::ChainConfig& config = m_chain.config();
    chain::Header header;
    header.parent_hash = m_parent_hash;
    header.coinbase = m_parent.coinbase;
    header.gas_limit = m_parent.gas_limit;
    header.difficulty = m_parent.difficulty;
    apply(overrides, header);
    const Revision at = config.revision(header.number, header.timestamp);
    if (at >= Revision::Paris)
        header.difficulty = overrides.difficulty.value_or(u256{});
    if (at >= Revision::London && !header.base_fee)
        header.base_fee =
            m_simulation.validation ? chain::next_base_fee(config, m_parent, header.timestamp) : u256{};
    if (at >= Revision::Shanghai)
        header.withdrawals_root =
            chain::withdrawals_root(overrides.withdrawals.value_or(std::vector<chain::Withdrawal>{}));
    if (at >= Revision::Cancun) {
        header.parent_beacon_block_root = overrides.beacon_root.value_or(Hash{});
        header.excess_blob_gas =
            m_parent.excess_blob_gas ? chain::next_excess_blob_gas(config, m_parent, header.timestamp) : 0;
        header.blob_gas_used = 0;
    }
    return header;
}

Transaction Simulator::make_transaction(CallArgs args, state::State& state, std::uint64_t gas_used) const {
    const chain::Header& header = m_block->block.header;
    if (!args.nonce)
        args.nonce = state.nonce(args.sender());
    if (!args.gas)
        args.gas = header.gas_limit - std::min(header.gas_limit, gas_used);
    if (*args.gas > header.gas_limit - std::min(header.gas_limit, gas_used))
        throw RpcError(ErrorCode::BlockGasLimit, "block gas limit reached: " + std::to_string(gas_used) +
                                                     " >= " + std::to_string(header.gas_limit));
    args.gas = std::min(*args.gas, m_gas_left);
    Transaction txn = make_call(args, m_chain.config(), revision(), 0);
    if (txn.type == chain::TxnType::Legacy)
        txn.chain_id.reset();
    return txn;
}

void Simulator::refuse_call(TxnError error, const Transaction& txn, const Address& sender,
                            state::State& state) const {
    throw RpcError(code_of(error),
                   "err: " +
                       sequencer::describe(error, txn, sender, m_chain.config(), m_block->block.header,
                                           state.load(sender).account) +
                       " (supplied gas " + std::to_string(txn.gas_limit) + ")");
}

void Simulator::execute_calls(const SimulatedBlock& block, chain::BlockExecutor& executor,
                              state::State& state, LogCollector& collector) {
    for (const CallArgs& args : block.calls) {
        const Transaction txn = make_transaction(args, state, executor.gas_used());
        if (m_simulation.validation)
            if (const auto error = check_nonce(txn, state.nonce(args.sender())))
                refuse_call(*error, txn, args.sender(), state);
        auto outcome = executor.execute(txn, args.sender());
        if (!outcome && outcome.error() == TxnError::Interrupted)
            m_deadline.refuse_interrupted();
        if (!outcome)
            refuse_call(outcome.error(), txn, args.sender(), state);
        m_gas_left -= std::min(m_gas_left, outcome->receipt.gas_used);
        m_block->block.transactions.push_back(txn);
        m_block->senders.push_back(args.sender());
        m_block->txn_hashes.push_back(chain::transaction_hash(txn));
        m_outcomes.push_back({*std::move(outcome), collector.take(), collector.take_last()});
    }
}

void Simulator::complete_header(chain::BlockOutcome& outcome) {
    chain::Header& header = m_block->block.header;
    header.gas_used = outcome.gas_used;
    header.bloom = outcome.bloom;
    header.transactions_root = chain::transactions_root(m_block->block.transactions);
    header.receipts_root = chain::receipts_root(outcome.receipts);
    header.requests_hash = outcome.requests_hash;
    if (header.blob_gas_used)
        header.blob_gas_used = outcome.blob_gas_used;
    m_block->receipts = std::move(outcome.receipts);
}

void Simulator::seal() {
    // Zero where the chain cannot tell.
    if (m_base)
        m_block->block.header.state_root = m_base->root_after(m_context.state->changes()).value_or(Hash{});
    m_block->hash = chain::header_hash(m_block->header());
    m_block->size_bytes = chain::encode(m_block->block).size();
    m_parent = m_block->header();
    m_parent_hash = m_block->hash;
    m_hashes.add(m_block->number(), m_block->hash);
}

json::object Simulator::run(const SimulatedBlock& block) {
    m_block = std::make_shared<sequencer::ExecutedBlock>();
    m_outcomes.clear();
    m_block->block.header = make_header(block.block_overrides);
    if (m_block->header().withdrawals_root)
        m_block->block.withdrawals =
            block.block_overrides.withdrawals.value_or(std::vector<chain::Withdrawal>{});
    evm::PrecompileMoves moves;
    node::OverlayState overlay(*m_context.state);
    apply(block.state_overrides, overlay, revision(), &moves);
    overlay.drop_empty();
    LogCollector collector(m_simulation.trace_transfers);
    chain::ExecutionEnvironment environment{m_chain.code_cache(), m_hashes, &collector};
    const bool lenient = !m_simulation.validation;
    environment.skipped_checks = {
        .nonce = lenient, .sender_code = true, .gas_maximum = true, .block_gas = true, .base_fee = lenient};
    environment.blob_base_fee = block.block_overrides.blob_base_fee;
    environment.precompile_moves = moves.empty() ? nullptr : &moves;
    environment.interrupt = &m_deadline;
    state::State state(overlay);
    chain::BlockExecutor executor(m_chain.config(), m_block->block.header, state, environment);
    if (const auto started = executor.start(); !started)
        throw RpcError(ErrorCode::Internal, started.error().message);
    execute_calls(block, executor, state, collector);
    auto outcome = executor.finish({}, m_block->block.withdrawals);
    if (!outcome)
        throw RpcError(ErrorCode::Internal, outcome.error().message);
    complete_header(*outcome);
    overlay.apply(outcome->changes);
    m_context.state->apply(overlay.changes());
    seal();
    return format();
}

json::object Simulator::format_call(const CallOutcome& call, std::size_t index,
                                    std::size_t& log_index) const {
    const chain::Receipt& receipt = call.outcome.receipt;
    const bool success = call.outcome.status == evm::Status::Success;
    json::array logs;
    for (const auto& log : call.logs)
        logs.push_back(format_log(log, *m_block, index, log_index++));
    json::object out{{"returnData", hex_data(call.outcome.output)},
                     {"logs", std::move(logs)},
                     {"gasUsed", quantity(receipt.gas_used)},
                     {"maxUsedGas", quantity(receipt.gas_used + call.outcome.gas_refunded)},
                     {"status", quantity(std::uint64_t{success})}};
    if (!success)
        out["error"] = format_call_error(call);
    return out;
}

json::object Simulator::format() const {
    json::object out = format_block(*m_block, m_simulation.full_transactions);
    json::array calls;
    std::size_t log_index = 0;
    for (std::size_t i = 0; i < m_outcomes.size(); ++i)
        calls.push_back(format_call(m_outcomes[i], i, log_index));
    out["calls"] = std::move(calls);
    return out;
}

// Numbers and times every block, and fills gaps with empty ones.
std::vector<SimulatedBlock> complete_blocks(const Simulation& simulation, const chain::Header& base,
                                            std::size_t blocks_max) {
    std::vector<SimulatedBlock> out;
    std::uint64_t number = base.number;
    std::uint64_t time = base.timestamp;
    for (SimulatedBlock block : simulation.blocks) {
        BlockOverrides& overrides = block.block_overrides;
        const std::uint64_t wanted = overrides.number.value_or(number + 1);
        if (wanted <= number)
            throw RpcError(ErrorCode::BlockNumberOrder,
                           "block numbers must be in order: " + std::to_string(wanted) +
                               " <= " + std::to_string(number));
        if (wanted - base.number > blocks_max)
            throw RpcError(ErrorCode::TooManyBlocks, "too many blocks");
        for (++number; number < wanted; ++number) {
            SimulatedBlock& filler = out.emplace_back();
            filler.block_overrides.number = number;
            filler.block_overrides.time = time += kBlockSeconds;
        }
        overrides.number = wanted;
        overrides.time = overrides.time.value_or(time + kBlockSeconds);
        if (*overrides.time <= time)
            throw RpcError(ErrorCode::BlockTimestampOrder,
                           "block timestamps must be in order: " + std::to_string(*overrides.time) +
                               " <= " + std::to_string(time));
        time = *overrides.time;
        out.push_back(std::move(block));
    }
    return out;
}

bool flag(const json::object& object, const char* name) {
    return optional_member(object, name, read_bool).value_or(false);
}

SimulatedBlock read_simulated_block(const json::value& value) {
    const json::object& object = read_object(value, "ethapi.simBlock");
    SimulatedBlock out;
    out.block_overrides =
        optional_member(object, "blockOverrides", read_block_overrides).value_or(BlockOverrides{});
    out.state_overrides =
        optional_member(object, "stateOverrides", read_state_overrides).value_or(StateOverrides{});
    const auto calls = [](const json::value& v) {
        return read_list(v, "[]ethapi.TransactionArgs", read_call_args);
    };
    out.calls = optional_member(object, "calls", calls).value_or(std::vector<CallArgs>{});
    return out;
}

}  // namespace

Simulation read_simulation(const json::value& value) {
    const json::object& object = read_object(value, "ethapi.simOpts");
    Simulation out;
    out.trace_transfers = flag(object, "traceTransfers");
    out.validation = flag(object, "validation");
    out.full_transactions = flag(object, "returnFullTransactions");
    const auto blocks = [](const json::value& v) {
        return read_list(v, "[]ethapi.simBlock", read_simulated_block);
    };
    out.blocks = optional_member(object, "blockStateCalls", blocks).value_or(std::vector<SimulatedBlock>{});
    return out;
}

json::value simulate_v1(Service& service, Simulation simulation, const BlockReference& base) {
    const Limits& limits = service.limits();
    if (simulation.blocks.empty())
        invalid_params("empty input");
    if (simulation.blocks.size() > limits.simulate_blocks_max)
        throw RpcError(ErrorCode::TooManyBlocks, "too many blocks");
    std::size_t calls = 0;
    for (const auto& block : simulation.blocks)
        calls += block.calls.size();
    if (calls > limits.simulate_calls_max)
        throw RpcError(ErrorCode::LimitExceeded, "too many calls");
    const auto block = find_block(service.chain(), base);
    if (!block)
        refuse("header not found");
    Simulator simulator(service, simulation, *block);
    json::array out;
    for (const auto& one : complete_blocks(simulation, block->header(), limits.simulate_blocks_max))
        out.push_back(simulator.run(one));
    return out;
}

}  // namespace meridian::rpc
