// meridian t8n: the transition tool, with the flags and file formats of geth's `evm t8n`.
#include "commands.hpp"
#include "number_option.hpp"
#include "t8n_tracer.hpp"

#include <memory>

namespace meridian::app {
namespace {

struct T8nArguments {
    spec::T8nOptions options;
    spec::TraceOptions trace_options;
    bool trace = false;
    bool no_stack = false;
    bool no_memory = false;
    bool no_return_data = false;
    std::string tracer;
    std::string tracer_config;
    bool json = false;
    int verbosity = 3;
};

// For the end of the help.
constexpr const char* kT8nExitCodes =
    "Exit codes, geth's: 0 done; 2 wrong arguments, or the transition failed; 3 unknown fork, or input that "
    "does not fit it; 4 a block hash is missing; 10 malformed JSON; 11 a file cannot be read or written; 12 "
    "malformed RLP.";

void add_trace_flags(CLI::App& command, T8nArguments& arguments) {
    command.add_flag("--trace", arguments.trace,
                     "Write a trace of each transaction to a file below the basedir");
    command.add_flag("--trace.memory", arguments.trace_options.memory, "Trace memory");
    CLI::Option* no_memory =
        command.add_flag("--trace.nomemory", arguments.no_memory, "Do not trace memory (the default)");
    no_memory->excludes("--trace.memory");
    command.add_flag("--trace.nostack", arguments.no_stack, "Do not trace the stack");
    command.add_flag("--trace.returndata", arguments.trace_options.return_data, "Trace return data");
    CLI::Option* no_return_data = command.add_flag("--trace.noreturndata", arguments.no_return_data,
                                                   "Do not trace return data (the default)");
    no_return_data->excludes("--trace.returndata");
    command.add_option("--trace.tracer", arguments.tracer,
                       "Write what this tracer of debug_traceTransaction says of each transaction to a file");
    command.add_option("--trace.jsonconfig", arguments.tracer_config, "The tracer's options, a JSON object")
        ->needs("--trace.tracer");
    command.add_flag("--trace.callframes", arguments.trace_options.call_frames,
                     "Trace where calls begin and end");
}

}  // namespace

void add_t8n_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("t8n", "Execute a state transition, as geth's 'evm t8n' does");
    command->alias("transition");
    command->footer(kT8nExitCodes);
    auto arguments = std::make_shared<T8nArguments>();
    spec::T8nOptions& options = arguments->options;
    command->add_option("--input.alloc", options.input_alloc, "'stdin' or the file of the pre-state")
        ->capture_default_str();
    command->add_option("--input.env", options.input_env, "'stdin' or the file of the block's environment")
        ->capture_default_str();
    command
        ->add_option(
            "--input.txs", options.input_txs,
            "'stdin' or the file of the transactions: JSON or, with the ending .rlp, RLP in hexadecimal")
        ->capture_default_str();
    command->add_option("--output.basedir", options.output_basedir,
                        "The folder of output files (default: the current one)");
    command
        ->add_option("--output.alloc", options.output_alloc,
                     "'stdout', 'stderr', or the post-state's file in the basedir, where it replaces a file "
                     "of that name, be it an input")
        ->capture_default_str();
    command
        ->add_option("--output.result", options.output_result,
                     "'stdout', 'stderr', or the result's file in the basedir")
        ->capture_default_str();
    command->add_option("--output.body", options.output_body,
                        "'stdout', 'stderr', or the file of the applied transactions in RLP");
    command->add_option("--state.fork", options.fork, "The rules to follow")->capture_default_str();
    command->add_option("--state.chainid", options.chain_id, "The chain's id")
        ->capture_default_str()
        ->transform(whole_number(0));
    command->add_option("--state.reward", options.reward, "The block reward in wei; -1 for none")
        ->capture_default_str()
        ->transform(whole_number_from(-1));
    command->add_option("--opcode.count", options.opcode_count,
                        "The file in the basedir for how often each instruction was executed");
    command->add_option("--verbosity", arguments->verbosity, "Taken for compatibility; has no effect");
    command->add_flag("--json", arguments->json, "Taken for uniformity: all output is JSON");
    add_trace_flags(*command, *arguments);
    command->callback([arguments, &exit_code] {
        arguments->trace_options.stack = !arguments->no_stack;
        if (arguments->trace)
            arguments->options.trace = arguments->trace_options;
        else if (!arguments->tracer.empty())
            arguments->options.make_tracer = named_tracer(arguments->tracer, arguments->tracer_config);
        exit_code = static_cast<int>(spec::run_t8n(arguments->options));
    });
}

}  // namespace meridian::app
