// One line of progress on stderr: rewritten in place on a terminal, else a new one every ten seconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace meridian::spec {

// Not thread-safe.
class Progress {
public:
    explicit Progress(std::size_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance(const std::string& status);

private:
    using Clock = std::chrono::steady_clock;
    std::size_t m_total;
    std::size_t m_done = 0;
    bool m_terminal;
    bool m_shown = false;
    Clock::time_point m_last;
};

}  // namespace meridian::spec
