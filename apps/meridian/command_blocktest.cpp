#include "suite_command.hpp"

namespace meridian::app {

void add_blocktest_command(CLI::App& app, int& exit_code) {
    using Kind = spec::CaseKind;
    add_suite_command(app, "blocktest", "Run blockchain tests", {Kind::Blockchain, Kind::Engine}, exit_code);
}

}  // namespace meridian::app
