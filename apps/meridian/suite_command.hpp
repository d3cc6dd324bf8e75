// What the commands that run test suites have in common.
#pragma once

#include "commands.hpp"

#include <meridian/spec/runner.hpp>

#include <string>
#include <vector>

namespace meridian::app {

// Adds a command that runs the cases of these kinds.
void add_suite_command(CLI::App& app, const std::string& name, const std::string& description,
                       std::vector<spec::CaseKind> kinds, int& exit_code);

}  // namespace meridian::app
