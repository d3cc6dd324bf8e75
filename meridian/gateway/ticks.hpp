// When something that is done at even intervals is due.
#pragma once

#include <chrono>

namespace meridian::gateway {

using Ticks = std::chrono::steady_clock;

// The tick after the one that was due at `last`. Counted from when that was due, not from when it was dealt
// with: the time that this takes does not add up. Ticks that have been missed are left out.
// Precondition: interval > 0.
constexpr Ticks::time_point next_tick(Ticks::time_point last, Ticks::duration interval,
                                      Ticks::time_point now) noexcept {
    if (now < last + interval)
        return last + interval;
    return last + ((now - last) / interval + 1) * interval;
}

}  // namespace meridian::gateway
