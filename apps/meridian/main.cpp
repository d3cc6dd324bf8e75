// The command line: registers the commands and says what is wrong with arguments that do not parse.

#include "commands.hpp"
#include "suggestion.hpp"
#include "version.hpp"

#include <cstdio>
#include <exception>
#include <string>

namespace {

// CLI::App's own messages name what was wrong; this adds the nearest name that would be right.
int report_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
    const std::string unknown = meridian::app::describe_unknown_argument(app, argc, argv);
    std::fprintf(stderr, "meridian: %s\n", unknown.empty() ? error.what() : unknown.c_str());
    std::fprintf(stderr, "Run with --help for more information.\n");
    return meridian::app::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Meridian: a stack for specific-purpose Ethereum rollups", "meridian"};
    app.set_version_flag("--version", meridian::app::version_text());
    app.require_subcommand(1);
    app.footer("Exit codes: 0 done; 1 failed; 2 wrong arguments. A command's --help says more.");
    int exit_code = 0;
    meridian::app::add_dev_command(app, exit_code);
    meridian::app::add_node_command(app, exit_code);
    meridian::app::add_import_command(app, exit_code);
    meridian::app::add_statetest_command(app, exit_code);
    meridian::app::add_blocktest_command(app, exit_code);
    meridian::app::add_spectest_command(app, exit_code);
    meridian::app::add_replay_command(app, exit_code);
    meridian::app::add_t8n_command(app, exit_code);
    meridian::app::add_evidence_command(app, exit_code);
    meridian::app::add_book_command(app, exit_code);
    meridian::app::add_bench_command(app, exit_code);
    meridian::app::add_config_command(app, exit_code);
    meridian::app::add_db_command(app, exit_code);
    meridian::app::add_snapshot_command(app, exit_code);
    meridian::app::add_version_command(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0)
            return app.exit(error);  // --help and --version
        return report_usage(app, error, argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "meridian: %s\n", error.what());
        return meridian::app::kExitFailed;
    }
    return exit_code;
}
