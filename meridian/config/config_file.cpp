#include <meridian/config/config_file.hpp>

#include <meridian/config/characters.hpp>
#include <meridian/config/nearest.hpp>

namespace meridian::config {
namespace {

// The library's parser has assertions that a wrong text can break.
struct BrokenAssertion {};
[[noreturn]] void break_off() {
    throw BrokenAssertion{};
}

}  // namespace
}  // namespace meridian::config

#define TOML_ASSERT(expr) (static_cast<bool>(expr) ? static_cast<void>(0) : ::meridian::config::break_off())
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace meridian::config {
namespace {

// Words of a file in a message: no line of a terminal's own making, and not endless.
std::string excerpt(std::string_view text, std::size_t length_max = 60) {
    std::string out;
    for (const char c : text.substr(0, length_max))
        out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
    return text.size() > length_max ? out + "..." : out;
}

class Reader {
public:
    Reader(std::string file, const std::vector<Section>& sections)
        : m_file(std::move(file)), m_sections(sections) {}

    void read(const toml::table& root) {
        for (const auto& [name, node] : root)
            read_section(name, node);
    }
    void report(const toml::source_position& at, std::string key, std::string message) {
        m_problems.push_back({m_file, at.line, at.column, std::move(key), std::move(message)});
    }
    Problems take() {
        std::stable_sort(m_problems.begin(), m_problems.end(), [](const Problem& a, const Problem& b) {
            return std::pair(a.line, a.column) < std::pair(b.line, b.column);
        });
        return std::move(m_problems);
    }

private:
    void read_section(const toml::key& name, const toml::node& node) {
        const auto section = std::find_if(m_sections.begin(), m_sections.end(),
                                          [&](const Section& each) { return each.name == name.str(); });
        const toml::table* table = node.as_table();
        if (section == m_sections.end())
            return report(name.source().begin, excerpt(name.str()),
                          describe_unknown_section(name.str(), table));
        if (table == nullptr)
            return report(node.source().begin, std::string(section->name),
                          "is a section: write [" + std::string(section->name) + "] and its keys below");
        for (const auto& [key_name, value] : *table) {
            if (section->tables != nullptr)
                read_table(*section, key_name, value);
            else
                read_key(*section, key_name, value);
        }
    }

    void read_table(const Section& section, const toml::key& name, const toml::node& node) {
        const std::string full = std::string(section.name) + "." + excerpt(name.str());
        const toml::table* table = node.as_table();
        if (table == nullptr)
            return report(node.source().begin, full, "is a section: write [" + full + "] and its keys below");
        auto& values = (*section.tables)[std::string(name.str())];
        for (const auto& [key, value] : *table) {
            if (const auto number = whole_number(value))
                values[std::string(key.str())] = *number;
            else
                report(
                    value.source().begin, full + "." + excerpt(key.str()),
                    "wants a whole number, beyond 63 bits as a text of 0x and up to 64 hexadecimal digits, "
                    "not " +
                        show(value));
        }
    }
    // TOML has numbers of 64 bits only: longer ones are texts.
    static std::optional<u256> whole_number(const toml::node& value) {
        if (const auto number = value.value_exact<std::int64_t>(); number && *number >= 0)
            return static_cast<std::uint64_t>(*number);
        const auto text = value.value_exact<std::string>();
        const auto parsed = text && text->starts_with("0x") ? parse_u256(*text) : fail(NumberError::Empty);
        return parsed ? std::optional(*parsed) : std::nullopt;
    }

    void read_key(const Section& section, const toml::key& name, const toml::node& value) {
        const auto key = std::find_if(section.keys.begin(), section.keys.end(),
                                      [&](const Key& each) { return each.name == name.str(); });
        const std::string full = std::string(section.name) + "." + excerpt(name.str());
        if (key == section.keys.end())
            return report(name.source().begin, full, describe_unknown_key(section, name.str()));
        const std::string wrong =
            std::visit([&](auto* slot) { return assign(*key, *slot, value); }, key->slot);
        if (!wrong.empty())
            report(value.source().begin, full, wrong);
    }

    // Each gives what is wrong, or sets the slot.
    static std::string assign(const Key&, bool& slot, const toml::node& value) {
        const auto given = value.value_exact<bool>();
        if (!given)
            return "wants true or false, not " + show(value);
        slot = *given;
        return {};
    }
    static std::string assign(const Key& key, std::uint64_t& slot, const toml::node& value) {
        const auto given = value.value_exact<std::int64_t>();
        if (!given)
            return "wants a whole number, " + describe_type(key) + ", not " + show(value);
        if (*given < 0 || static_cast<std::uint64_t>(*given) < key.min ||
            static_cast<std::uint64_t>(*given) > key.max)
            return "is " + std::to_string(*given) + ", out of range: " + describe_type(key);
        slot = static_cast<std::uint64_t>(*given);
        return {};
    }
    static std::string assign(const Key& key, std::string& slot, const toml::node& value) {
        const auto given = value.value_exact<std::string>();
        if (!given)
            return "wants a text in quotes" + (key.choices.empty() ? "" : ", one of " + describe_type(key)) +
                   ", not " + show(value);
        if (auto wrong = check_text(key, *given); !wrong.empty())
            return wrong;
        slot = *given;
        return {};
    }
    static std::string assign(const Key& key, std::vector<std::string>& slot, const toml::node& value) {
        const toml::array* items = value.as_array();
        if (items == nullptr)
            return "wants a list, as [\"...\"], not " + show(value);
        std::vector<std::string> out;
        for (const toml::node& item : *items) {
            const auto text = item.value_exact<std::string>();
            if (!text)
                return "wants a list of texts in quotes; item " + std::to_string(out.size() + 1) + " is " +
                       show(item);
            if (auto wrong = check_text(key, *text); !wrong.empty())
                return "item " + std::to_string(out.size() + 1) + " " + wrong;
            out.push_back(*text);
        }
        slot = std::move(out);
        return {};
    }

    static std::string check_text(const Key& key, const std::string& text) {
        if (text.find('\0') != std::string::npos)
            return "holds a zero byte";
        if (!key.choices.empty() &&
            std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
            const std::vector<std::string> known(key.choices.begin(), key.choices.end());
            const auto meant = nearest_name(text, known);
            return "is \"" + excerpt(text) + "\", but has to be one of " + describe_type(key) +
                   (meant ? "; did you mean \"" + *meant + "\"?" : "");
        }
        if (key.check == nullptr)
            return {};
        const std::string wrong = key.check(text);
        return wrong.empty() ? wrong : "\"" + excerpt(text) + "\" " + wrong;
    }

    // The value as a person would name it.
    static std::string show(const toml::node& value) {
        switch (value.type()) {
            case toml::node_type::string:
                return "the text \"" + excerpt(**value.as_string()) + "\"";
            case toml::node_type::integer:
                return "the number " + std::to_string(**value.as_integer());
            case toml::node_type::floating_point:
                return "a number with a fraction";
            case toml::node_type::boolean:
                return **value.as_boolean() ? "true" : "false";
            case toml::node_type::array:
                return "a list";
            case toml::node_type::table:
                return "a table";
            default:
                return "a date or time";
        }
    }

    std::string describe_unknown_section(std::string_view name, const toml::table* table) const {
        std::vector<std::string> known;
        for (const Section& section : m_sections)
            known.emplace_back(section.name);
        if (table == nullptr)
            if (const auto home = section_with(name))
                return "unknown key outside of a section; it belongs into [" + *home + "]";
        const std::string what = table != nullptr ? "unknown section" : "unknown key outside of a section";
        const auto meant = nearest_name(name, known);
        return meant ? what + "; did you mean [" + *meant + "]?" : what;
    }
    std::string describe_unknown_key(const Section& section, std::string_view name) const {
        if (const auto home = section_with(name))
            return "unknown key; did you mean it for [" + *home + "]?";
        std::vector<std::string> known;
        for (const Key& key : section.keys)
            known.emplace_back(key.name);
        const auto meant = nearest_name(name, known);
        return meant ? "unknown key; did you mean " + *meant + "?" : "unknown key";
    }
    // The only section that has such a key.
    std::optional<std::string> section_with(std::string_view key_name) const {
        std::optional<std::string> out;
        for (const Section& section : m_sections)
            for (const Key& key : section.keys)
                if (key.name == key_name) {
                    if (out)
                        return std::nullopt;
                    out = std::string(section.name);
                }
        return out;
    }

    std::string m_file;
    const std::vector<Section>& m_sections;
    Problems m_problems;
};

// Where a key stands in the text; the section's or nothing if it is not there.
toml::source_position position_of(const toml::table& root, std::string_view section, std::string_view key) {
    const toml::table* table = root[section].as_table();
    if (table == nullptr)
        return {};
    const toml::node* value = table->get(key);
    return value != nullptr ? value->source().begin : table->source().begin;
}

constexpr std::size_t kReasonLengthMax = 300;  // of the library's words

Problem whole_file(const std::string& file, std::string message) {
    return {.file = file, .line = 0, .column = 0, .key = {}, .message = std::move(message)};
}

// The root, or what is wrong with the text.
std::optional<toml::table> parse_toml(std::string_view text, const std::string& file, Problems& problems) {
    if (text.size() > kFileBytesMax) {
        problems.push_back(
            whole_file(file, "is larger than " + std::to_string(kFileBytesMax >> 10) + " KiB"));
        return std::nullopt;
    }
    if (const auto bad = find_bad_character(text)) {
        problems.push_back({file, bad->line, bad->column, {}, bad->message});
        return std::nullopt;
    }
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& error) {
        const auto& at = error.source().begin;
        problems.push_back({file, at.line, at.column, {}, excerpt(error.description(), kReasonLengthMax)});
    } catch (const BrokenAssertion&) {
        problems.push_back(
            whole_file(file, "is no TOML: a key or a table's name has characters that it cannot have"));
    }
    return std::nullopt;
}

void resolve_paths(const std::vector<Section>& sections, const std::filesystem::path& folder) {
    for (const Section& section : sections)
        for (const Key& key : section.keys)
            if (auto* const* slot = std::get_if<std::string*>(&key.slot);
                key.path && slot && !(*slot)->empty())
                **slot = (folder / **slot).lexically_normal().string();
}

}  // namespace

std::string Problem::text() const {
    std::string out = file;
    if (line != 0)
        out += ":" + std::to_string(line) + ":" + std::to_string(column);
    return out + ": " + (key.empty() ? "" : key + ": ") + message;
}

Problems parse(std::string_view text, const std::string& file, const std::vector<Section>& sections) {
    Problems problems;
    const auto root = parse_toml(text, file, problems);
    if (!root)
        return problems;
    Reader reader(file, sections);
    reader.read(*root);
    return reader.take();
}

Result<NodeConfig, Problems> parse_node_config(std::string_view text, const std::string& file) {
    NodeConfig config;
    const auto sections = sections_of(config);
    Problems problems;
    const auto root = parse_toml(text, file, problems);
    if (!root)
        return fail(problems);
    Reader reader(file, sections);
    reader.read(*root);
    for (const Conflict& conflict : find_conflicts(config))
        reader.report(position_of(*root, conflict.section, conflict.key),
                      std::string(conflict.section) + "." + std::string(conflict.key), conflict.message);
    problems = reader.take();
    if (!problems.empty())
        return fail(problems);
    return config;
}

Result<NodeConfig, Problems> load_node_config(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return fail(Problems{whole_file(path, "is a folder; name the file in it")});
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return fail(Problems{whole_file(path, std::string("cannot be read: ") + std::strerror(errno))});
    // One byte more than allowed, so that parse_toml() sees that it is too much.
    std::string text(kFileBytesMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    auto config = parse_node_config(text, path);
    if (config)
        resolve_paths(sections_of(*config), std::filesystem::path(path).parent_path());
    return config;
}

namespace {

// A list's items are separated by commas.
std::string quoted(std::string_view text) {
    std::string copy(text);
    return value_text(Slot(&copy));
}

std::string as_toml(const Slot& slot, std::string_view value) {
    if (std::holds_alternative<std::string*>(slot) && !value.starts_with('"'))
        return quoted(value);
    if (!std::holds_alternative<std::vector<std::string>*>(slot) || value.starts_with('['))
        return std::string(value);
    std::string out = "[";
    while (!value.empty()) {
        const std::size_t comma = std::min(value.find(','), value.size());
        out += quoted(value.substr(0, comma)) + ",";
        value.remove_prefix(std::min(comma + 1, value.size()));
    }
    return out + "]";
}

// The setting as a chain.toml of one key. Empty: it has no such form.
std::string as_file(std::string_view setting, const std::vector<Section>& sections) {
    const std::size_t equals = setting.find('=');
    const std::size_t dot = setting.substr(0, equals).find('.');
    if (equals == std::string_view::npos || dot == std::string_view::npos)
        return {};
    const std::string_view section = setting.substr(0, dot);
    const std::string_view key = setting.substr(dot + 1, equals - dot - 1);
    std::string value(setting.substr(equals + 1));
    for (const Section& known : sections)
        for (const Key& candidate : known.keys)
            if (known.name == section && candidate.name == key)
                value = as_toml(candidate.slot, value);
    return "[" + std::string(section) + "]\n" + std::string(key) + " = " + value + "\n";
}

}  // namespace

Result<NodeConfig, Problems> load_with_settings(const std::string& path,
                                                const std::vector<std::string>& settings) {
    auto config = path.empty() ? Result<NodeConfig, Problems>(NodeConfig{}) : load_node_config(path);
    if (!config)
        return config;
    const auto sections = sections_of(*config);
    Problems problems;
    for (const std::string& setting : settings) {
        const std::string text = as_file(setting, sections);
        if (text.empty()) {
            problems.push_back(
                whole_file(excerpt(setting), "want SECTION.KEY=VALUE, as frames.interval_ms=5"));
            continue;
        }
        for (Problem& problem : parse(text, excerpt(setting), sections)) {
            problem.line = problem.column = 0;
            problems.push_back(std::move(problem));
        }
    }
    for (const Conflict& conflict : find_conflicts(*config))
        problems.push_back(
            whole_file(std::string(conflict.section) + "." + std::string(conflict.key), conflict.message));
    if (!problems.empty())
        return fail(problems);
    return config;
}

std::string default_text(const std::vector<Section>& sections) {
    std::string out =
        "# A node of a Meridian chain. Every key is at its default here; leave out what you do not change.\n"
        "# Paths are relative to this file's folder.\n";
    for (const Section& section : sections) {
        out.append("\n# ").append(section.description).append("\n");
        if (section.tables == nullptr)
            out.append("[").append(section.name).append("]\n");
        for (const Key& key : section.keys) {
            out.append("# ").append(key.description).append(" (").append(describe_type(key)).append(")\n");
            out.append(key.name).append(" = ").append(value_text(key.slot)).append("\n");
        }
    }
    return out;
}

std::string markdown_table(const std::vector<Section>& sections) {
    std::string out;
    for (const Section& section : sections) {
        out.append(out.empty() ? "" : "\n").append("### [").append(section.name).append("]\n\n");
        out.append(section.description);
        if (section.tables != nullptr) {
            out.append("\n");
            continue;
        }
        out.append("\n\n| key | default | values | meaning |\n|---|---|---|---|\n");
        for (const Key& key : section.keys) {
            out.append("| `").append(key.name).append("` | `").append(value_text(key.slot)).append("` | ");
            out.append(describe_type(key)).append(" | ").append(key.description).append(" |\n");
        }
    }
    return out;
}

}  // namespace meridian::config
