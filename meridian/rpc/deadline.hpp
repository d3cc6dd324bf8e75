// What ends a running execution: its time is up, or the node stops.
#pragma once

#include <meridian/evm/interrupt.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace meridian::rpc {

// As Go prints a duration: "5s", "1m30s", "250ms".
std::string format_duration(std::uint64_t ms);

// Of one request. The flag outlives this; once it is set, every deadline has passed.
class Deadline final : public evm::Interrupt {
public:
    using Clock = std::chrono::steady_clock;

    // Counts from now. Zero milliseconds: no limit. The complaint is what a request is told that took longer.
    Deadline(const std::atomic<bool>& stopping, std::uint64_t limit_ms, std::string complaint);

    bool requested() const noexcept override { return m_stopping || Clock::now() >= m_at; }
    // Precondition: requested().
    [[noreturn]] void refuse_interrupted() const;
    void check() const {
        if (requested())
            refuse_interrupted();
    }

private:
    const std::atomic<bool>& m_stopping;
    Clock::time_point m_at;
    std::string m_complaint;
};

}  // namespace meridian::rpc
