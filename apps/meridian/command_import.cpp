// meridian import: verifies the blocks of a file from a genesis on and shows the head.
#include "commands.hpp"
#include "node_options.hpp"

#include <meridian/base/hex.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

namespace meridian::app {
namespace {

struct ImportOptions {
    std::string genesis;
    std::string chain;
    bool json = false;
};

int refuse(const std::string& message, int code) {
    std::fprintf(stderr, "meridian import: %s\n", message.c_str());
    return code;
}

void print(const ImportOptions& options, node::DevChain& chain, const node::ImportProgress& done,
           double seconds) {
    const node::BlockPtr newest = chain.head();
    const sequencer::ExecutedBlock& head = *newest;
    const double mgas_per_s = seconds > 0 ? static_cast<double>(done.gas) / 1e6 / seconds : 0;
    const char* format = options.json ? "{\"blocks\":%llu,\"transactions\":%llu,\"gas\":%llu,\"head\":%llu,"
                                        "\"hash\":\"%s\",\"stateRoot\":\"%s\","
                                        "\"seconds\":%.3f,\"mgasPerSecond\":%.1f}\n"
                                      : "%llu blocks, %llu transactions and %llu gas imported; head is block "
                                        "%llu, hash %s, state root %s; "
                                        "%.3f s, %.1f Mgas/s\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    std::printf(format, static_cast<unsigned long long>(done.blocks),
                static_cast<unsigned long long>(done.transactions), static_cast<unsigned long long>(done.gas),
                static_cast<unsigned long long>(head.number()), to_hex0x(head.hash).c_str(),
                to_hex0x(head.header().state_root).c_str(), seconds, mgas_per_s);
#pragma GCC diagnostic pop
}

int run_import(const ImportOptions& options) {
    const auto genesis = load_genesis(options.genesis);
    if (!genesis)
        return refuse(genesis.error(), kExitUsage);
    node::ChainOptions chain_options;
    chain_options.clock = seconds_since_epoch;
    node::DevChain chain(*genesis, chain_options);
    const auto start = std::chrono::steady_clock::now();
    const auto imported = import_file(chain, options.chain);
    if (!imported)
        return refuse(imported.error().message, imported.error().exit_code);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    print(options, chain, *imported, elapsed.count());
    return 0;
}

}  // namespace

void add_import_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("import", "Verify a chain: execute every block of a file from its genesis");
    auto options = std::make_shared<ImportOptions>();
    command->footer(
        "Exit codes: 0 done: every block is valid; 1 failed: a block is not, or the file ends within one or "
        "holds "
        "none; 2 wrong arguments, an unusable genesis, or a file that cannot be read.");
    command->add_option("--genesis", options->genesis, "Genesis file, as geth's")->required();
    command->add_option("chain", options->chain, "File of RLP blocks, one after another")->required();
    command->add_flag("--json", options->json, "Print one JSON object");
    command->callback([options, &exit_code] { exit_code = run_import(*options); });
}

}  // namespace meridian::app
