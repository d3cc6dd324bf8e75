#include <meridian/spec/t8n.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/spec/execution.hpp>
#include <meridian/spec/t8n_input.hpp>
#include <meridian/spec/t8n_output.hpp>

#include <boost/json/serialize.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace meridian::spec {
namespace {

using chain::Transaction;
using chain::TxnType;
using evm::Revision;

// Counts instructions, and passes on to whichever tracer the present transaction has.
class SwitchedTracer final : public evm::Tracer {
public:
    evm::Tracer* target = nullptr;
    std::array<std::uint64_t, 256> counts{};  // of instructions executed

    void on_enter(const evm::Message& message, BytesView code) override {
        if (target != nullptr)
            target->on_enter(message, code);
    }
    void on_exit(const evm::Message& message, const evm::CallResult& result) override {
        if (target != nullptr)
            target->on_exit(message, result);
    }
    void on_step(const evm::Step& step) override {
        ++counts[step.opcode];
        if (target != nullptr)
            target->on_step(step);
    }
    void on_selfdestruct(const Address& contract, const Address& beneficiary, const u256& balance) override {
        if (target != nullptr)
            target->on_selfdestruct(contract, beneficiary, balance);
    }
    void on_log(const state::Log& log) override {
        if (target != nullptr)
            target->on_log(log);
    }
};

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class Transition {
public:
    Transition(const T8nOptions& options, T8nInput& input)
        : m_options(options),
          m_input(input),
          m_state(input.pre),
          m_root(input.pre),
          m_executor(input.config, input.header, m_state, environment()) {
        if (input.block_hashes)
            m_hashes.hashes = *input.block_hashes;
    }

    Result<T8nOutput, T8nError> run();

private:
    chain::ExecutionEnvironment environment() {
        return {.code_cache = m_cache,
                .block_hashes = m_hashes,
                .tracer = m_options.trace || m_options.make_tracer || !m_options.opcode_count.empty()
                              ? &m_tracer
                              : nullptr,
                .intermediate_root = &m_root};
    }
    Result<void, T8nError> apply(std::size_t index);
    Result<File, T8nError> open_trace(const Transaction& txn, const char* extension);
    Result<chain::TxnOutcome, chain::TxnError> execute(const Transaction& txn, const Address& sender,
                                                       std::FILE* trace);
    Result<chain::TxnOutcome, chain::TxnError> execute_traced(const Transaction& txn, const Address& sender,
                                                              std::FILE* trace);
    state::MemoryState state_now() const {
        state::MemoryState out = m_input.pre;
        out.apply(m_state.changes());
        return out;
    }
    void reject(std::size_t index, std::string reason) {
        m_out.rejected.push_back({index, std::move(reason)});
    }
    void pay_rewards();
    Result<void, T8nError> finish();

    const T8nOptions& m_options;
    T8nInput& m_input;
    evm::CodeCache m_cache;
    MapBlockHashes m_hashes;
    SwitchedTracer m_tracer;
    state::State m_state;
    MemoryIntermediateRoot m_root;
    chain::BlockExecutor m_executor;
    T8nOutput m_out;
};

Result<File, T8nError> Transition::open_trace(const Transaction& txn, const char* extension) {
    const std::filesystem::path folder = m_options.output_basedir.empty() ? "." : m_options.output_basedir;
    const std::string name = "trace-" + std::to_string(m_out.transactions.size()) + "-" +
                             to_hex0x(chain::transaction_hash(txn)) + extension;
    File file(std::fopen((folder / name).c_str(), "wb"));
    if (!file)
        return fail(T8nError{T8nCode::Io, "failed creating trace-file " + (folder / name).string()});
    return file;
}

Result<chain::TxnOutcome, chain::TxnError> Transition::execute(const Transaction& txn, const Address& sender,
                                                               std::FILE* trace) {
    if (m_options.make_tracer)
        return execute_traced(txn, sender, trace);
    std::optional<StepPrinter> printer;
    if (m_options.trace)
        m_tracer.target = &printer.emplace(*m_options.trace, m_executor.revision(), trace);
    auto outcome = m_executor.execute(txn, sender);
    m_tracer.target = nullptr;
    return outcome;
}

Result<chain::TxnOutcome, chain::TxnError> Transition::execute_traced(const Transaction& txn,
                                                                      const Address& sender,
                                                                      std::FILE* trace) {
    const std::unique_ptr<T8nTracer> tracer = m_options.make_tracer();
    state::MemoryState before = state_now();
    T8nTraced subject{txn, sender, m_input.header.coinbase, m_executor.revision(), before};
    tracer->begin(subject);
    m_tracer.target = tracer.get();
    auto outcome = m_executor.execute(txn, sender);
    m_tracer.target = nullptr;
    if (!outcome)
        return outcome;
    state::MemoryState after = state_now();
    subject.after = &after;
    subject.outcome = &*outcome;
    const std::string text = boost::json::serialize(tracer->result(subject)) + "\n";
    std::fwrite(text.data(), 1, text.size(), trace);
    return outcome;
}

// Transaction errors reject the transaction and go on; anything else ends the transition.
Result<void, T8nError> Transition::apply(std::size_t index) {
    const T8nTransaction& item = m_input.transactions[index];
    if (!item.txn) {
        reject(index, item.error);
        return {};
    }
    const Transaction& txn = *item.txn;
    if (txn.type == TxnType::Blob && m_input.lacks_excess_blob_gas) {
        reject(index, "blob tx used but field env.ExcessBlobGas missing");
        return {};
    }
    const auto sender = chain::recover_sender(txn, m_executor.revision() >= Revision::Homestead);
    if (!sender) {
        reject(index, describe_rejection(sender.error(), txn, {}, m_state, m_input));
        return {};
    }
    File file;
    if (m_options.trace || m_options.make_tracer) {
        auto opened = open_trace(txn, m_options.make_tracer ? ".json" : ".jsonl");
        if (!opened)
            return fail(opened.error());
        file = std::move(*opened);
    }
    auto outcome = execute(txn, *sender, file.get());
    if (!outcome) {
        reject(index, describe_rejection(outcome.error(), txn, *sender, m_state, m_input));
        return {};
    }
    if (m_hashes.missing())
        return fail(T8nError{T8nCode::MissingBlockHash,
                             "getHash(" + std::to_string(*m_hashes.missing()) +
                                 (m_input.block_hashes ? ") invoked, blockhash for that block not provided"
                                                       : ") invoked, no blockhashes provided")});
    chain::Receipt& receipt = outcome->receipt;
    if (!txn.to)
        receipt.contract_address = evm::create_address(*sender, txn.nonce);
    m_out.receipts.push_back(std::move(receipt));
    m_out.transactions.push_back(txn);
    return {};
}

// A reward of zero still touches the accounts.
void Transition::pay_rewards() {
    if (m_options.reward < 0)
        return;
    const u256 reward = static_cast<std::uint64_t>(m_options.reward);
    u256 total = reward;
    m_state.begin_transaction();
    for (const T8nOmmer& ommer : m_input.ommers) {
        total += reward / 32;
        m_state.add_balance(ommer.address, (u256{8} - ommer.delta) * reward / 8);
    }
    m_state.touch(m_state.load(m_input.header.coinbase));
    m_state.add_balance(m_input.header.coinbase, total);
    m_state.finish_transaction({.delete_touched_empty = m_executor.revision() >= Revision::SpuriousDragon});
}

Result<void, T8nError> Transition::finish() {
    pay_rewards();
    m_out.gas_used = m_executor.gas_used();
    m_out.blob_gas_used = m_executor.blob_gas_used();
    if (m_executor.revision() < Revision::Paris) {
        // The rules of the chain would pay their own reward.
        m_out.post.apply(m_state.changes());
        return {};
    }
    auto outcome = m_executor.finish({}, m_input.withdrawals);
    if (!outcome)
        return fail(T8nError{T8nCode::Evm, outcome.error().message.empty()
                                               ? std::string(chain::name(outcome.error().error))
                                               : outcome.error().message});
    m_out.requests = std::move(outcome->requests);
    m_out.requests_hash = outcome->requests_hash;
    m_out.post.apply(outcome->changes);
    return {};
}

Result<T8nOutput, T8nError> Transition::run() {
    m_out.post = m_input.pre;
    if (const auto started = m_executor.start(); !started)
        return fail(T8nError{T8nCode::Evm, started.error().message});
    for (std::size_t i = 0; i < m_input.transactions.size(); ++i)
        if (auto applied = apply(i); !applied)
            return fail(applied.error());
    if (auto finished = finish(); !finished)
        return fail(finished.error());
    m_out.opcode_counts = m_tracer.counts;
    m_out.blob_base_fee = m_executor.block_context().blob_base_fee;
    return std::move(m_out);
}

}  // namespace

Result<void, T8nError> transition(const T8nOptions& options) {
    if (!options.output_basedir.empty()) {
        std::error_code code;
        std::filesystem::create_directories(options.output_basedir, code);
        if (code)
            return fail(T8nError{T8nCode::Io, "failed creating output basedir: " + code.message()});
    }
    auto input = read_t8n_input(options);
    if (!input)
        return fail(input.error());
    auto output = Transition(options, *input).run();
    if (!output)
        return fail(output.error());
    return write_t8n_output(options, *input, *output);
}

T8nCode run_t8n(const T8nOptions& options) {
    const auto done = transition(options);
    if (done)
        return T8nCode::Success;
    std::fprintf(stderr, "ERROR(%d): %s\n", static_cast<int>(done.error().code),
                 done.error().message.c_str());
    return done.error().code;
}

}  // namespace meridian::spec
