// How long something took.
#pragma once

#include <chrono>
#include <cstdint>

namespace meridian::operation {

class Stopwatch {
public:
    std::uint64_t us() const {
        const auto passed = std::chrono::steady_clock::now() - m_start;
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
    }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

}  // namespace meridian::operation
