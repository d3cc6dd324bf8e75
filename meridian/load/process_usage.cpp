#include <meridian/load/process_usage.hpp>

#include <unistd.h>
#include <fstream>
#include <sstream>
#include <string>

namespace meridian::load {
namespace {

// Fields of /proc/PID/stat behind the name, which may itself hold blanks and parentheses (proc(5)).
std::optional<double> read_cpu_s(const std::string& folder) {
    std::ifstream file(folder + "/stat");
    std::string line;
    if (!std::getline(file, line))
        return std::nullopt;
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field)
        fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::optional<ProcessUsage> read_process_usage(int pid) {
    const std::string folder = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid));
    const auto cpu_s = read_cpu_s(folder);
    std::ifstream file(folder + "/status");
    if (!cpu_s || !file)
        return std::nullopt;
    ProcessUsage out{.cpu_s = *cpu_s};
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string name;
        std::uint64_t kib = 0;
        fields >> name >> kib;
        if (name == "VmRSS:")
            out.resident_bytes = kib << 10;
        else if (name == "VmHWM:")
            out.resident_bytes_max = kib << 10;
    }
    return out;
}

}  // namespace meridian::load
