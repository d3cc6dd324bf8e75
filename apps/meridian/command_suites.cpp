// The commands that run test suites: they differ in the kinds of cases that they take.

#include "commands.hpp"

#include <meridian/spec/runner.hpp>

#include <memory>
#include <string>
#include <vector>

namespace meridian::app {
namespace {

using Kind = spec::CaseKind;

struct SuiteArguments {
    spec::RunOptions options;
    spec::TraceOptions trace_options;
    bool trace = false;
    bool no_stack = false;
};

void add_suite_command(CLI::App& app, const std::string& name, const std::string& description,
                       std::vector<Kind> kinds, int& exit_code) {
    CLI::App* command = app.add_subcommand(name, description);
    auto arguments = std::make_shared<SuiteArguments>();
    spec::RunOptions& options = arguments->options;
    options.kinds = std::move(kinds);
    command->add_option("paths", options.paths, "Test files, or folders that are searched for *.json")
        ->required();
    command->add_option("--jobs", options.jobs, "Threads (default: one a core)")
        ->check(CLI::Range(1u, 1024u));
    command->add_option("--run", options.filter,
                        "Run only cases whose \"file name fork\" contains this or, with * or ?, matches it");
    command->add_flag("--json", options.json,
                      "Print a JSON array of all results, as geth's 'evm', in place of the failures");
    command->footer(kCaseExitCodes);
    command->add_flag("--all", options.run_excluded, "Run the cases of tests/spec/exclusions.txt too");
    command->add_flag("--trace", arguments->trace, "Print an EIP-3155 trace of all steps to stderr");
    command->add_flag("--trace.memory", arguments->trace_options.memory, "Trace memory");
    command->add_flag("--trace.nostack", arguments->no_stack, "Do not trace the stack");
    command->add_flag("--trace.returndata", arguments->trace_options.return_data, "Trace return data");
    command->callback([arguments, &exit_code] {
        arguments->trace_options.stack = !arguments->no_stack;
        if (arguments->trace)
            arguments->options.trace = arguments->trace_options;
        exit_code = spec::run_suites(arguments->options);
    });
}

}  // namespace

void add_statetest_command(CLI::App& app, int& exit_code) {
    add_suite_command(app, "statetest", "Run state tests (GeneralStateTests, EEST state_test, VMTests)",
                      {Kind::State, Kind::Vm}, exit_code);
}

void add_blocktest_command(CLI::App& app, int& exit_code) {
    add_suite_command(app, "blocktest", "Run blockchain tests", {Kind::Blockchain, Kind::Engine}, exit_code);
}

void add_spectest_command(CLI::App& app, int& exit_code) {
    add_suite_command(app, "spectest", "Run test suites of every known kind",
                      {Kind::State, Kind::Vm, Kind::Blockchain, Kind::Engine, Kind::Transaction, Kind::Rlp,
                       Kind::Trie, Kind::TrieOrder, Kind::Difficulty, Kind::HexPrefix},
                      exit_code);
}

}  // namespace meridian::app
