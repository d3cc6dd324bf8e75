// meridian t8n: the transition tool, with the flags and file formats of geth's `evm t8n`.
#include "commands.hpp"
#include "t8n_tracer.hpp"

#include <meridian/base/u256.hpp>

#include <limits>
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

// A whole number from `least` on, decimal or 0x-hexadecimal. Out of its range a number is refused, not
// wrapped.
template <class T>
void add_number(CLI::App& command, const std::string& flag, T& target, T least, const std::string& help) {
    constexpr T kGreatest = std::numeric_limits<T>::max();
    const auto read = [&target, flag, least](const std::string& text) {
        const bool negative = text.starts_with('-');
        const auto magnitude = parse_u256(negative ? text.substr(1) : text);
        if (!magnitude && magnitude.error() != NumberError::Overflow)
            throw CLI::ValidationError(flag, "not a whole number: '" + text + "'");
        const std::uint64_t bound =
            negative ? ~static_cast<std::uint64_t>(least) + 1 : static_cast<std::uint64_t>(kGreatest);
        if (!magnitude || *magnitude > bound)
            throw CLI::ValidationError(
                flag, text + " is not from " + std::to_string(least) + " to " + std::to_string(kGreatest));
        const std::uint64_t value = (*magnitude)[0];
        target = static_cast<T>(negative ? ~value + 1 : value);
    };
    command.add_option_function<std::string>(flag, read, help)->default_str(std::to_string(target));
}

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
    add_number<std::uint64_t>(*command, "--state.chainid", options.chain_id, 0, "The chain's id");
    add_number<std::int64_t>(*command, "--state.reward", options.reward, -1,
                             "The block reward in wei; -1 for none");
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
