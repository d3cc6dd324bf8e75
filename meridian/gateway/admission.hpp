// Whether a request may be answered now: each client's rate, and how many are being answered at once.
#pragma once

#include <meridian/gateway/rate_limit.hpp>
#include <meridian/rpc/error.hpp>

#include <atomic>
#include <cstddef>
#include <expected>
#include <utility>

namespace meridian::gateway {

// A request that is being answered, for as long as this lives.
class RequestSlot {
public:
    explicit RequestSlot(std::atomic<std::size_t>& count) : m_count(&count) {}
    RequestSlot(RequestSlot&& other) noexcept : m_count(std::exchange(other.m_count, nullptr)) {}
    RequestSlot& operator=(RequestSlot&& other) noexcept {
        std::swap(m_count, other.m_count);
        return *this;
    }
    ~RequestSlot() {
        if (m_count != nullptr)
            --*m_count;
    }

private:
    std::atomic<std::size_t>* m_count;
};

struct RequestRefusal {
    rpc::RpcError error;
    std::uint64_t retry_ms = 0;
};

class Admission {
public:
    Admission(std::uint64_t per_s, std::uint64_t burst, std::size_t concurrent_max)
        : m_rate(per_s, burst), m_per_s(per_s), m_concurrent_max(concurrent_max) {}

    // A slot, or why not. Thread-safe.
    std::expected<RequestSlot, RequestRefusal> admit(const std::string& client, std::size_t items);

    std::size_t in_work() const noexcept { return m_in_work; }
    std::uint64_t refused_for_rate() const noexcept { return m_refused_for_rate; }
    std::uint64_t refused_for_load() const noexcept { return m_refused_for_load; }

private:
    RateLimit m_rate;
    std::uint64_t m_per_s;
    std::size_t m_concurrent_max;
    std::atomic<std::size_t> m_in_work = 0;
    std::atomic<std::uint64_t> m_refused_for_rate = 0;
    std::atomic<std::uint64_t> m_refused_for_load = 0;
};

}  // namespace meridian::gateway
