// Creation code of the contracts that the load uses.
#pragma once

#include <meridian/base/bytes.hpp>

#include <string>

namespace meridian::load {

// Ours, compiled by the build from contracts/load.
Bytes token_code();
Bytes distributor_code();
// From a compiler's JSON file: `bytecode`, or `evm.bytecode.object`. Throws LoadFailure that names the file.
Bytes artifact_code(const std::string& path);

}  // namespace meridian::load
