#include "suite_command.hpp"

namespace meridian::app {

void add_spectest_command(CLI::App& app, int& exit_code) {
    using Kind = spec::CaseKind;
    add_suite_command(app, "spectest", "Run test suites of every known kind",
                      {Kind::State, Kind::Vm, Kind::Blockchain, Kind::Engine, Kind::Transaction, Kind::Rlp,
                       Kind::Trie, Kind::Difficulty, Kind::HexPrefix},
                      exit_code);
}

}  // namespace meridian::app
