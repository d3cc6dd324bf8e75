#include "suggestion.hpp"

#include <meridian/config/nearest.hpp>

#include <vector>

namespace meridian::app {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> out;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames())
            out.push_back("--" + name);
    return out;
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> out;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        out.push_back(command->get_name());
    return out;
}

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
    const auto found =
        app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
    return found.empty() ? nullptr : found.front();
}

std::string sentence(std::string_view what, const std::string& word, const std::vector<std::string>& known) {
    std::string out = "unknown " + std::string(what) + " '" + word + "'";
    if (const auto meant = config::nearest_name(word, known))
        out += "; did you mean '" + *meant + "'?";
    return out;
}

}  // namespace

std::string describe_unknown_argument(const CLI::App& app, int argc, const char* const* argv) {
    const CLI::App* current = &app;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--")
            break;
        if (word.starts_with("--")) {
            const std::string name = word.substr(0, word.find('='));
            if (current->get_option_no_throw(name) == nullptr)
                return sentence("option", name, option_names(*current));
            continue;
        }
        if (const CLI::App* command = find_command(*current, word))
            current = command;
        else if (const auto known = command_names(*current); !known.empty() && !word.starts_with('-'))
            return sentence("command", word, known);
    }
    return {};
}

}  // namespace meridian::app
