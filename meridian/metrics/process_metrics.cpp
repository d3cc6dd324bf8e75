#include <meridian/metrics/process_metrics.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace meridian::metrics {
namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

void add_memory(Page& page) {
    std::ifstream in("/proc/self/statm");
    double pages_virtual = 0, pages_resident = 0;
    if (!(in >> pages_virtual >> pages_resident))
        return;
    const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
    page.add(kProcessVirtualMemory, pages_virtual * page_bytes);
    page.add(kProcessResidentMemory, pages_resident * page_bytes);
}

double count_entries(const char* folder) {
    std::error_code error;
    double out = 0;
    for (auto at = std::filesystem::directory_iterator(folder, error);
         !error && at != std::filesystem::directory_iterator(); at.increment(error))
        ++out;
    return out;
}

void add_limits(Page& page) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        page.add(kProcessMaxFds, static_cast<double>(limit.rlim_cur));
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        page.add(kProcessCpu, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
}

const char* compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}

}  // namespace

Registry::Collector process_collector(std::string version) {
    const std::chrono::duration<double> start = std::chrono::system_clock::now().time_since_epoch();
    return [version = std::move(version), start_s = start.count()](Page& page) {
        add_memory(page);
        add_limits(page);
        page.add(kProcessOpenFds, count_entries("/proc/self/fd"));
        page.add(kProcessThreads, count_entries("/proc/self/task"));
        page.add(kProcessStart, start_s);
        page.add(kBuildInfo, 1, {{"version", version}, {"compiler", compiler()}});
    };
}

}  // namespace meridian::metrics
