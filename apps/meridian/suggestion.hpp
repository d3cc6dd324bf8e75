// Names the argument that was meant.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace meridian::app {

// A sentence about the first command or option that does not exist, with the nearest one that does; empty if
// all exist.
std::string describe_unknown_argument(const CLI::App& app, int argc, const char* const* argv);

}  // namespace meridian::app
