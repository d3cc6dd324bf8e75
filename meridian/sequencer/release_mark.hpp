// How far a replica that acknowledges frames may show them: what its sequencer has said. Goes into the log as
// LogOptions::released.
#pragma once

#include <atomic>
#include <cstdint>

namespace meridian::sequencer {

// Thread-safe.
class ReleaseMark {
public:
    std::uint64_t number() const noexcept { return m_number.load(std::memory_order_acquire); }
    // False if it is there already.
    bool raise(std::uint64_t number) noexcept {
        std::uint64_t before = m_number.load(std::memory_order_relaxed);
        while (before < number)
            if (m_number.compare_exchange_weak(before, number, std::memory_order_acq_rel))
                return true;
        return false;
    }

private:
    std::atomic<std::uint64_t> m_number = 0;
};

}  // namespace meridian::sequencer
