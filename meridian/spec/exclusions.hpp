// The reviewed list of cases that are not run, each with its reason.
//
// One exclusion a line: a pattern (see pattern.hpp) for a case's id, then " # " and the reason. Lines that
// start with # and empty lines are comments. A line without a reason is an error.
#pragma once

#include <meridian/spec/json.hpp>

#include <string>
#include <vector>

namespace meridian::spec {

class Exclusions {
public:
    static Result<Exclusions, InputError> parse(std::string_view text, std::string name);
    static Result<Exclusions, InputError> load(const std::string& path);
    // Those of tests/spec/exclusions.txt, compiled in.
    static const Exclusions& built_in();

    // The reason, or null if the case is to be run.
    const std::string* find(std::string_view id) const noexcept;

private:
    struct Entry {
        std::string pattern;
        std::string reason;
    };
    std::vector<Entry> m_entries;
};

}  // namespace meridian::spec
