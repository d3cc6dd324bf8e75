// Whole numbers on the command line: what is no number, or out of range, is refused with the range.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <limits>

namespace meridian::app {

// Decimal, or hexadecimal with 0x. For CLI::Option::transform(): the parser's own conversion saturates.
CLI::Validator whole_number(std::uint64_t min, std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
// The same for a signed number, up to the greatest of 64 bits.
CLI::Validator whole_number_from(std::int64_t min);

}  // namespace meridian::app
