// What processes use of the machine (Linux: /proc).
#pragma once

#include <cstdint>
#include <optional>

namespace meridian::load {

struct ProcessUsage {
    std::uint64_t resident_bytes = 0;
    std::uint64_t resident_bytes_max = 0;  // since the process began
    double cpu_s = 0;                      // user and system, all threads
};

// Empty if there is no such process, or it may not be looked at. Zero is the caller's own.
std::optional<ProcessUsage> read_process_usage(int pid);

}  // namespace meridian::load
