// The commands of the binary. Each is registered by one function, in a file of its own, and leaves the
// process's exit code in `exit_code` when it has run.
#pragma once

#include <CLI/CLI.hpp>

namespace meridian::app {

void add_statetest_command(CLI::App& app, int& exit_code);
void add_blocktest_command(CLI::App& app, int& exit_code);
void add_spectest_command(CLI::App& app, int& exit_code);
void add_replay_command(CLI::App& app, int& exit_code);
void add_t8n_command(CLI::App& app, int& exit_code);
void add_dev_command(CLI::App& app, int& exit_code);
void add_node_command(CLI::App& app, int& exit_code);
void add_import_command(CLI::App& app, int& exit_code);
void add_evidence_command(CLI::App& app, int& exit_code);
void add_book_command(CLI::App& app, int& exit_code);
void add_bench_command(CLI::App& app, int& exit_code);
void add_config_command(CLI::App& app, int& exit_code);
void add_db_command(CLI::App& app, int& exit_code);
void add_snapshot_command(CLI::App& app, int& exit_code);
void add_version_command(CLI::App& app, int& exit_code);

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
// For the end of a command's help.
inline constexpr const char* kExitCodes =
    "Exit codes: 0 done, or ended by Ctrl-C; 1 failed; 2 wrong arguments or unusable input files.";

// The same for commands that run cases.
inline constexpr const char* kCaseExitCodes =
    "The last line, 'N passed, N failed, N skipped', is on stdout; with --json the array alone is there, and "
    "the line "
    "is the last of stderr, where progress and traces go.\n"
    "Exit codes: 0 no case failed; 1 a case failed; 2 wrong arguments, or they name no case.";

}  // namespace meridian::app
