#include <meridian/spec/progress.hpp>

#include <cstdio>

#include <unistd.h>

namespace meridian::spec {
namespace {
constexpr std::chrono::milliseconds kTerminalInterval{200};
constexpr std::chrono::milliseconds kLogInterval{10000};
}  // namespace

Progress::Progress(std::size_t total)
    : m_total(total), m_terminal(isatty(STDERR_FILENO) == 1), m_last(Clock::now()) {}

Progress::~Progress() {
    if (m_shown && m_terminal)
        std::fprintf(stderr, "\r\033[K");
}

void Progress::advance(const std::string& status) {
    ++m_done;
    const auto now = Clock::now();
    if (now - m_last < (m_terminal ? kTerminalInterval : kLogInterval))
        return;
    m_last = now;
    m_shown = true;
    std::fprintf(stderr, m_terminal ? "\r\033[K%zu/%zu files: %s" : "%zu/%zu files: %s\n", m_done, m_total,
                 status.c_str());
}

}  // namespace meridian::spec
