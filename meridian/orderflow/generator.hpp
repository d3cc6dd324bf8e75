// Order flow that looks like a venue's, for benchmarks: the same for the same seed.
#pragma once

#include <meridian/orderflow/replay.hpp>

namespace meridian::orderflow {

// A command to one of several books.
struct Generated {
    std::uint32_t book;
    Command command;
};

// What a NASDAQ feed consists of: 46 % orders, 41 % deletions, 6 % replacements (each a Take and an Add), 5 %
// executions and 2 % partial cancellations of resting orders, over `books` books at random. Orders do not
// cross; most are near the touch. `count` messages: replacements make some more commands.
std::vector<Generated> generate_itch_mix(std::uint64_t seed, std::uint32_t books, std::size_t count);

}  // namespace meridian::orderflow
