#include "suite_command.hpp"

namespace meridian::app {

void add_statetest_command(CLI::App& app, int& exit_code) {
    using Kind = spec::CaseKind;
    add_suite_command(app, "statetest", "Run state tests (GeneralStateTests, EEST state_test, VMTests)",
                      {Kind::State, Kind::Vm}, exit_code);
}

}  // namespace meridian::app
