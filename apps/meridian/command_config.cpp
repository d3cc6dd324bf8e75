// meridian config: says what is wrong with a chain.toml, and prints one with every key at its default.
#include "commands.hpp"
#include "node_settings.hpp"

#include <meridian/config/config_file.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace meridian::app {
namespace {

namespace json = boost::json;

struct ConfigOptions {
    std::string file;
    bool json = false;
    bool print_default = false;
    bool print_table = false;
};

int print_json(const config::Problems& problems) {
    json::array list;
    for (const config::Problem& problem : problems)
        list.push_back({{"file", problem.file},
                        {"line", problem.line},
                        {"column", problem.column},
                        {"key", problem.key},
                        {"message", problem.message}});
    const json::object out{{"valid", problems.empty()}, {"problems", std::move(list)}};
    std::printf("%s\n", json::serialize(out).c_str());
    return problems.empty() ? 0 : kExitFailed;
}

int check(const ConfigOptions& options) {
    const auto config = config::load_node_config(options.file);
    config::Problems problems = config ? config::Problems{} : config.error();
    if (config)
        problems = find_problems(*config, options.file);
    // What the file names has to be there.
    if (std::error_code ignored; config && !config->chain.genesis.empty() &&
                                 !std::filesystem::is_regular_file(config->chain.genesis, ignored))
        problems.push_back(
            {options.file, 0, 0, "chain.genesis", config->chain.genesis + " is not there, or is no file"});
    if (options.json)
        return print_json(problems);
    if (problems.empty()) {
        std::printf("%s: valid\n", options.file.c_str());
        return 0;
    }
    for (const config::Problem& problem : problems)
        std::printf("%s\n", problem.text().c_str());
    return kExitFailed;
}

int print(const ConfigOptions& options) {
    config::NodeConfig defaults;
    const auto sections = config::sections_of(defaults);
    if (!options.print_default && !options.print_table) {
        std::fprintf(stderr, "meridian config: want check FILE, --print-default or --print-table\n");
        return kExitUsage;
    }
    const std::string text =
        options.print_default ? config::default_text(sections) : config::markdown_table(sections);
    std::printf("%s", text.c_str());
    return 0;
}

}  // namespace

void add_config_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("config", "Check a chain.toml, or print one with all defaults");
    command->require_subcommand(0, 1);
    auto options = std::make_shared<ConfigOptions>();
    auto* as_toml = command->add_flag("--print-default", options->print_default,
                                      "Print a chain.toml with every key at its default and what it means");
    command->add_flag("--print-table", options->print_table, "Print the same as Markdown")->excludes(as_toml);
    CLI::App* checking = command->add_subcommand(
        "check",
        "Print every mistake in a chain.toml with its place. Exit code 0: there is none; 1: there are");
    checking->add_option("FILE", options->file, "chain.toml")->required();
    checking->add_flag("--json", options->json, "Print one JSON object");
    checking->callback([options, &exit_code] { exit_code = check(*options); });
    command->callback([command, options, &exit_code] {
        if (command->get_subcommands().empty())
            exit_code = print(*options);
    });
}

}  // namespace meridian::app
