// The version as `version` and `--version` show it.
#pragma once

#include <string>

namespace meridian::app {

// "meridian 0.1.0".
std::string version_text();

}  // namespace meridian::app
