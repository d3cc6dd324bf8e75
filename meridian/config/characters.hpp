// Characters that a configuration may have where they stand. Reads untrusted text.
//
// TOML allows less outside of quotes than the library's parser (toml++ 3.3) is safe with: other letters than
// ASCII's there run into undefined behaviour, and control characters into an assertion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::config {

struct BadCharacter {
    std::uint32_t line = 1;
    std::uint32_t column = 1;  // in code points
    std::string message;
};

// The first one outside of quotes and comments that is neither printable ASCII nor a blank, or the first text
// in triple quotes, which no key needs.
std::optional<BadCharacter> find_bad_character(std::string_view text);

}  // namespace meridian::config
