#include "suggestion.hpp"

#include <algorithm>
#include <vector>

namespace meridian::app {
namespace {

// Insertions, deletions and replacements that lead from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

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
    const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        return edit_distance(word, a) < edit_distance(word, b);
    });
    if (nearest != known.end() && edit_distance(word, *nearest) <= std::max<std::size_t>(2, word.size() / 2))
        out += "; did you mean '" + *nearest + "'?";
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
        else if (current == &app && !word.starts_with('-'))
            return sentence("command", word, command_names(app));
    }
    return {};
}

}  // namespace meridian::app
