// The log, on stderr: readable lines, or one JSON object a line.
#pragma once

#include <string>

namespace meridian::app {

struct LogOptions {
    std::string level = "warn";  // trace, debug, info, warn, error, off
    bool json = false;           // {"time","level","message"}
};

// Makes it the process's. The level is one of those above.
void start_log(const LogOptions& options);

}  // namespace meridian::app
