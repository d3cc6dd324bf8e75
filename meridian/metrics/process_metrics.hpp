// What the operating system knows of this process: memory, descriptors, processor time, uptime.
#pragma once

#include <meridian/metrics/metrics.hpp>

namespace meridian::metrics {

inline constexpr Metric kProcessResidentMemory{"process_resident_memory_bytes", Kind::Gauge,
                                               "Memory of the process that is in RAM."};
inline constexpr Metric kProcessVirtualMemory{"process_virtual_memory_bytes", Kind::Gauge,
                                              "Address space of the process."};
inline constexpr Metric kProcessOpenFds{"process_open_fds", Kind::Gauge, "Open file descriptors."};
inline constexpr Metric kProcessMaxFds{"process_max_fds", Kind::Gauge,
                                       "File descriptors that the process may have open."};
inline constexpr Metric kProcessCpu{"process_cpu_seconds_total", Kind::Counter,
                                    "Processor time used, user and system."};
inline constexpr Metric kProcessThreads{"process_threads", Kind::Gauge, "Threads of the process."};
inline constexpr Metric kProcessStart{"process_start_time_seconds", Kind::Gauge,
                                      "When the process was started, in seconds since 1970."};
inline constexpr Metric kBuildInfo{"meridian_build_info", Kind::Gauge,
                                   "Always 1; the labels name version and compiler."};

// A collector of the above. What this system does not tell is left out.
Registry::Collector process_collector(std::string version);

}  // namespace meridian::metrics
