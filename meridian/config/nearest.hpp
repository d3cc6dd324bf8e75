// The name that was meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace meridian::config {

// Insertions, deletions and replacements that lead from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The known name nearest to the word, if it is near enough to have been meant.
std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> known);

}  // namespace meridian::config
