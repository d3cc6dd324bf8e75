// The state-transition tool: geth's `evm t8n`, so that other projects' harnesses can drive Meridian.
// https://github.com/ethereum/go-ethereum/tree/master/cmd/evm
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/chain/executor.hpp>
#include <meridian/spec/step_printer.hpp>

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace meridian::spec {

// Exit codes, geth's.
enum class T8nCode : std::uint8_t {
    Success = 0,
    Evm = 2,
    Config = 3,
    MissingBlockHash = 4,
    Syntax = 10,  // of JSON
    Io = 11,
    Rlp = 12,
};

struct T8nError {
    T8nCode code = T8nCode::Success;
    std::string message;
};

// A transaction before (without `after` and `outcome`) and after its execution.
struct T8nTraced {
    const chain::Transaction& txn;
    Address sender;
    Address coinbase;
    evm::Revision revision;
    state::StateReader& before;
    state::StateReader* after = nullptr;
    const chain::TxnOutcome* outcome = nullptr;
};

// Observes one transaction and says what it saw, as geth's named tracers do.
class T8nTracer : public evm::Tracer {
public:
    virtual void begin(const T8nTraced& subject) = 0;
    virtual boost::json::value result(const T8nTraced& subject) = 0;
};

// Inputs are paths or "stdin"; outputs are paths below the base folder, "stdout", "stderr", or empty for
// none.
struct T8nOptions {
    std::string input_alloc = "alloc.json";
    std::string input_env = "env.json";
    std::string input_txs = "txs.json";
    std::string output_basedir;
    std::string output_alloc = "alloc.json";
    std::string output_result = "result.json";
    std::string output_body;
    std::string fork = "GrayGlacier";
    std::uint64_t chain_id = 1;
    std::int64_t reward = 0;  // wei; negative: none is paid, not even zero
    // One file for each transaction: trace-<index>-<hash>.jsonl.
    std::optional<TraceOptions> trace;
    // Makes a tracer for each transaction, whose result goes to trace-<index>-<hash>.json. Not with `trace`.
    std::function<std::unique_ptr<T8nTracer>()> make_tracer;
    // A file below the base folder: how often each instruction was executed, by its name. Empty: none.
    std::string opcode_count;
    // Read in place of the process's own standard input.
    std::optional<std::string> standard_input;
};

// Reads, executes and writes.
Result<void, T8nError> transition(const T8nOptions& options);

// Reports errors to stderr.
T8nCode run_t8n(const T8nOptions& options);

}  // namespace meridian::spec
