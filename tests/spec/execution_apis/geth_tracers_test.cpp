// geth's own cases for callTracer and prestateTracer: a state, a transaction, and the trace of it.

#include "../vector_files.hpp"
#include "io_case.hpp"

#include <meridian/evm/code_cache.hpp>
#include <meridian/node/genesis.hpp>
#include <meridian/node/overlay_state.hpp>
#include <meridian/rpc/tracing.hpp>
#include <meridian/spec/exclusions.hpp>
#include <meridian/state/memory_state.hpp>

#include <gtest/gtest.h>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class NoHashes final : public evm::BlockHashSource {
public:
    Hash block_hash(std::uint64_t) override { return {}; }
};

fs::path cases_folder() {
    const fs::path pack = testdata("rpc");
    return pack.empty() ? pack : pack / "geth/eth/tracers/internal/tracetest/testdata";
}

node::Genesis genesis_of(json::object file) {
    // The files' genesis is the state before some block of a chain.
    file["number"] = 0;
    auto genesis = node::parse_genesis(json::serialize(file));
    if (!genesis)
        throw std::runtime_error(genesis.error().message());
    return *std::move(genesis);
}

void fill(state::MemoryState& state, const node::Genesis& genesis) {
    for (const auto& [address, account] : genesis.alloc) {
        state.set_balance(address, account.balance);
        state.set_nonce(address, account.nonce);
        if (!account.code.empty())
            state.set_code(address, account.code);
        for (const auto& [key, value] : account.storage)
            state.set_storage(address, key, value);
    }
}

chain::Header header_of(const json::object& context) {
    chain::Header header;
    const auto number = [&](const char* name) {
        const json::value* value = context.if_contains(name);
        return value == nullptr ? u256{} : rpc::read_lenient_quantity(*value);
    };
    header.number = number("number")[0];
    header.difficulty = number("difficulty");
    header.timestamp = number("timestamp")[0];
    header.gas_limit = number("gasLimit")[0];
    header.coinbase = rpc::read_address(context.at("miner"));
    if (context.contains("baseFeePerGas"))
        header.base_fee = number("baseFeePerGas");
    return header;
}

json::value trace(const json::object& file, rpc::TraceConfig config) {
    if (const auto* options = file.if_contains("tracerConfig")) {
        const std::string tracer = config.tracer;
        config = rpc::read_trace_config(json::object{{"tracer", tracer}, {"tracerConfig", *options}});
    }
    node::Genesis genesis = genesis_of(file.at("genesis").as_object());
    state::MemoryState before;
    fill(before, genesis);
    chain::Header header = header_of(file.at("context").as_object());
    const auto revision = genesis.config.revision(header.number, header.timestamp);
    if (revision >= evm::Revision::Cancun)
        header.excess_blob_gas = 0;
    const auto txn = chain::decode_transaction(hex(file.at("input").as_string()));
    if (!txn)
        throw std::runtime_error("transaction does not decode: " + txn.error().reason);
    const auto sender = chain::recover_sender(*txn);
    if (!sender)
        throw std::runtime_error("no sender");
    const auto tracer = rpc::make_tracer(config);
    rpc::TraceSubject subject{*txn, *sender, header.coinbase, revision, &before};
    tracer->begin(subject);
    state::State state(before);
    evm::CodeCache cache;
    NoHashes hashes;
    chain::BlockExecutor executor(genesis.config, header, state, {cache, hashes, tracer.get()});
    const auto outcome = executor.execute(*txn, *sender);
    if (!outcome)
        throw std::runtime_error("transaction refused: " + std::string(chain::name(outcome.error())));
    node::OverlayState after(before);
    after.apply(state.changes());
    subject.after = &after;
    subject.outcome = &*outcome;
    return tracer->result(subject);
}

// geth compares after reading both sides, where a missing log index is zero.
void add_log_indexes(json::value& frame) {
    auto& object = frame.as_object();
    if (auto* logs = object.if_contains("logs"))
        for (auto& log : logs->as_array())
            log.as_object().emplace("index", "0x0");
    if (auto* calls = object.if_contains("calls"))
        for (auto& call : calls->as_array())
            add_log_indexes(call);
}

void run_folder(const char* folder, const char* tracer) {
    const fs::path cases = cases_folder();
    MERIDIAN_REQUIRE_TESTDATA(cases);
    std::size_t count = 0;
    for (const fs::path& path : files_below(cases / folder, ".json")) {
        const std::string name = fs::relative(path, cases).string();
        if (Exclusions::built_in().find("geth-tracers/" + name) != nullptr)
            continue;
        SCOPED_TRACE(name);
        json::object file = read_json(path).as_object();
        if (std::string_view(tracer) == "callTracer")
            add_log_indexes(file.at("result"));
        rpc::TraceConfig config;
        config.tracer = tracer;
        try {
            for (const std::string& line : differences(trace(file, config), file.at("result")))
                ADD_FAILURE() << line;
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
        ++count;
    }
    EXPECT_GT(count, 0u);
}

TEST(GethTracers, CallTracer) {
    run_folder("call_tracer", "callTracer");
}
TEST(GethTracers, CallTracerWithLogs) {
    run_folder("call_tracer_withLog", "callTracer");
}
TEST(GethTracers, PrestateTracer) {
    run_folder("prestate_tracer", "prestateTracer");
}
TEST(GethTracers, PrestateTracerInDiffMode) {
    run_folder("prestate_tracer_with_diff_mode", "prestateTracer");
}

}  // namespace
}  // namespace meridian::spec
