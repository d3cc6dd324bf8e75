#include "commands.hpp"
#include "replay_chain.hpp"

#include <meridian/spec/replay.hpp>

#include <memory>

namespace meridian::app {

void add_replay_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("replay", "Re-execute recorded blocks of real chains");
    auto options = std::make_shared<spec::ReplayOptions>();
    command
        ->add_option(
            "paths", options->paths,
            "Recorded blocks, chains (.rlp, the genesis beside them) and .era1 files, or folders that "
            "are searched for them. A folder with block.json and pre_state.json needs codes.json and "
            "block_hashes.json in the folder above it")
        ->required();
    command->add_option("--run", options->filter, "Replay only blocks whose path contains or matches this");
    command->add_option("--repeat", options->repeat, "Execute each block so many times, for measurements")
        ->check(CLI::Range(1u, 1000000u));
    command->add_flag("--json", options->json, "Print a JSON array of all results in place of the failures");
    command->footer(kCaseExitCodes);
    options->chain = replay_chain;
    command->callback([options, &exit_code] { exit_code = spec::run_replay(*options); });
}

}  // namespace meridian::app
