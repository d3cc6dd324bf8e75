#include <meridian/spec/exclusions.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/spec/pattern.hpp>

namespace meridian::spec {

// Made by CMake from tests/spec/exclusions.txt.
extern const char* const kBuiltInExclusions;

Result<Exclusions, InputError> Exclusions::parse(std::string_view text, std::string name) {
    Exclusions out;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = text.find('\n');
        const std::string_view content = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (content.empty() || content.front() == '#')
            continue;
        const std::size_t mark = content.find(" # ");
        if (mark == std::string_view::npos || mark == 0 || mark + 3 >= content.size())
            return fail(InputError{InputError::Kind::Field, std::move(name), "line " + std::to_string(line),
                                   "expected: pattern # reason"});
        out.m_entries.push_back(
            {std::string(content.substr(0, mark)), std::string(content.substr(mark + 3))});
    }
    return out;
}

Result<Exclusions, InputError> Exclusions::load(const std::string& path) {
    const auto text = read_file(path);
    if (!text)
        return fail(text.error());
    return parse(*text, path);
}

const Exclusions& Exclusions::built_in() {
    static const Exclusions exclusions = [] {
        auto parsed = parse(kBuiltInExclusions, "tests/spec/exclusions.txt");
        MERIDIAN_ASSERT(parsed.has_value());
        return std::move(*parsed);
    }();
    return exclusions;
}

const std::string* Exclusions::find(std::string_view id) const noexcept {
    for (const Entry& entry : m_entries)
        if (matches(entry.pattern, id))
            return &entry.reason;
    return nullptr;
}

}  // namespace meridian::spec
