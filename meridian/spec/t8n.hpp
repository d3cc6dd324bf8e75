// The state-transition tool: geth's `evm t8n`, so that other projects' harnesses can drive Meridian.
// https://github.com/ethereum/go-ethereum/tree/master/cmd/evm
#pragma once

#include <meridian/spec/step_printer.hpp>

#include <cstdint>
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
};

// Reports errors to stderr.
T8nCode run_t8n(const T8nOptions& options);

}  // namespace meridian::spec
