// Runs test suites: finds the files, tells by content what each case is, shares the files out among
// threads, reports.
#pragma once

#include <meridian/spec/case_context.hpp>

#include <string>
#include <vector>

namespace meridian::spec {

// Exit codes of all commands that run cases.
inline constexpr int kExitPassed = 0;
inline constexpr int kExitFailed = 1;    // at least one case
inline constexpr int kExitBadInput = 2;  // the arguments name no case

enum class CaseKind : std::uint8_t {
    State,
    Vm,
    Blockchain,
    Transaction,
    Rlp,
    Trie,
    TrieOrder,
    Difficulty,
    HexPrefix,
    Engine,   // blocks as Engine API payloads
    Unknown,  // not a format of this project's concern
};

// Runs the tests of a document, whose name is the file's. Sets `any` if there is one of the kinds.
std::vector<CaseReport> run_document(const Document& document, const std::vector<CaseKind>& kinds,
                                     const RunSettings& settings, evm::CodeCache& code_cache, bool& any);

struct RunOptions {
    std::vector<std::string> paths;  // files and folders
    std::vector<CaseKind> kinds;     // cases of other kinds are passed over
    unsigned jobs = 0;               // zero: one a core
    std::string filter;
    bool json = false;
    std::optional<TraceOptions> trace;
    bool run_excluded = false;
};

// Prints failures, with `json` all results, and the last line "N passed, N failed, N skipped" to stdout (to
// stderr with `json`, where stdout is one JSON array in the form of geth's `evm statetest`). Progress and
// diagnostics go to stderr. A file that cannot be read, or a test that cannot be understood, is a failed
// case. Returns an exit code.
int run_suites(const RunOptions& options);

// Counts of a run, as the last line shows them.
struct Summary {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t skipped = 0;
    std::string text() const;
};

// Prints the last line, before it what is wrong if there was no case at all; returns the exit code.
int conclude(const Summary& summary, const std::string& filter, bool json);

}  // namespace meridian::spec
