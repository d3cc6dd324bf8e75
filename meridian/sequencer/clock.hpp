// Time as the pipeline sees it: given from outside, so that a simulation can make it what it likes.
#pragma once

#include <algorithm>
#include <cstdint>

namespace meridian::sequencer {

// No deadline.
inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

class Clock {
public:
    virtual ~Clock() = default;
    // The wall clock, microseconds since the epoch; may be set back or forward at any time.
    virtual std::uint64_t wall_us() = 0;
    // Runs evenly and never back; from an unknown origin.
    virtual std::uint64_t steady_us() = 0;
};

class SystemClock final : public Clock {
public:
    std::uint64_t wall_us() override;
    std::uint64_t steady_us() override;
};

// The wall clock as long as it goes forward. Set back, it is followed no more until it has caught up: time
// goes on at the steady clock's pace. For one thread.
class FrameTime {
public:
    // Never before `start_us`.
    FrameTime(Clock& clock, std::uint64_t start_us)
        : m_clock(clock), m_last_us(start_us), m_steady_us(clock.steady_us()) {}

    // From now on never before this.
    void not_before(std::uint64_t us) { m_last_us = std::max(m_last_us, us); }
    std::uint64_t now_us() {
        const std::uint64_t steady = m_clock.steady_us();
        m_last_us = std::max(m_clock.wall_us(), m_last_us + (steady - m_steady_us));
        m_steady_us = steady;
        return m_last_us;
    }

private:
    Clock& m_clock;
    std::uint64_t m_last_us;
    std::uint64_t m_steady_us;
};

}  // namespace meridian::sequencer
