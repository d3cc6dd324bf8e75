// Chains in files of RLP blocks, replayed from the genesis that lies beside them.
#pragma once

#include <meridian/spec/replay.hpp>

namespace meridian::app {

spec::ReplayCheck replay_chain(const std::string& path);

}  // namespace meridian::app
