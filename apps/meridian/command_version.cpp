// meridian version: what this binary is, and what built it.
#include "commands.hpp"
#include "version.hpp"

#include <cstdio>
#include <memory>

#ifndef MERIDIAN_VERSION
#error "MERIDIAN_VERSION is set by CMake"
#endif

namespace meridian::app {
namespace {

const char* compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}

}  // namespace

std::string version_text() {
    return "meridian " MERIDIAN_VERSION;
}

void add_version_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("version", "Print the version and how the binary was built");
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "Print one JSON object");
    command->callback([json, &exit_code] {
        if (*json)
            std::printf("{\"version\":\"%s\",\"compiler\":\"%s\"}\n", MERIDIAN_VERSION, compiler());
        else
            std::printf("%s (%s)\n", version_text().c_str(), compiler());
        exit_code = 0;
    });
}

}  // namespace meridian::app
