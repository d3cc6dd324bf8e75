#include <meridian/rpc/deadline.hpp>

#include <meridian/rpc/error.hpp>

namespace meridian::rpc {

std::string format_duration(std::uint64_t ms) {
    if (ms < 1000)
        return ms == 0 ? "0s" : std::to_string(ms) + "ms";
    const std::uint64_t minutes = ms / 60'000;
    std::string out;
    if (minutes >= 60)
        out = std::to_string(minutes / 60) + "h";
    if (minutes > 0)
        out += std::to_string(minutes % 60) + "m";
    out += std::to_string(ms % 60'000 / 1000);
    if (std::uint64_t rest = ms % 1000; rest != 0) {
        std::string digits = std::to_string(1000 + rest).substr(1);
        digits.erase(digits.find_last_not_of('0') + 1);
        out += "." + digits;
    }
    return out + "s";
}

Deadline::Deadline(const std::atomic<bool>& stopping, std::uint64_t limit_ms, std::string complaint)
    : m_stopping(stopping),
      m_at(limit_ms == 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(limit_ms)),
      m_complaint(std::move(complaint)) {}

void Deadline::refuse_interrupted() const {
    refuse(m_stopping ? "execution aborted (the node is stopping)" : m_complaint);
}

}  // namespace meridian::rpc
