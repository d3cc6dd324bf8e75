// Time that stands still unless it is moved.
#pragma once

#include <meridian/sequencer/clock.hpp>

namespace meridian::testkit {

class SimClock final : public sequencer::Clock {
public:
    explicit SimClock(std::uint64_t wall_us) : m_wall_us(static_cast<std::int64_t>(wall_us)) {}

    std::uint64_t wall_us() override { return static_cast<std::uint64_t>(m_wall_us); }
    std::uint64_t steady_us() override { return m_steady_us; }

    void advance(std::uint64_t us) {
        m_wall_us += static_cast<std::int64_t>(us);
        m_steady_us += us;
    }
    // Somebody sets the wall clock.
    void jump(std::int64_t us) { m_wall_us += us; }

private:
    std::int64_t m_wall_us;
    std::uint64_t m_steady_us = 1'000'000;
};

}  // namespace meridian::testkit
