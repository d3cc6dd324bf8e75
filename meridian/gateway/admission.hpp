// Whether a request may be answered now: each client's rate, and how many are being answered at once, of
// which a client may have as many as there is room left.
#pragma once

#include <meridian/base/client_shares.hpp>
#include <meridian/gateway/rate_limit.hpp>
#include <meridian/rpc/error.hpp>

#include <atomic>
#include <cstddef>
#include <expected>
#include <mutex>
#include <utility>

namespace meridian::gateway {

class Admission;

// A request that is being answered, for as long as this lives, which must not be longer than the admission.
class RequestSlot {
public:
    RequestSlot(Admission& admission, ClientId client) : m_admission(&admission), m_client(client) {}
    RequestSlot(RequestSlot&& other) noexcept
        : m_admission(std::exchange(other.m_admission, nullptr)), m_client(other.m_client) {}
    RequestSlot& operator=(RequestSlot&& other) noexcept {
        std::swap(m_admission, other.m_admission);
        std::swap(m_client, other.m_client);
        return *this;
    }
    ~RequestSlot();

private:
    Admission* m_admission;
    ClientId m_client;
};

struct RequestRefusal {
    rpc::RpcError error;
    std::uint64_t retry_ms = 0;
};

class Admission {
public:
    Admission(std::uint64_t per_s, std::uint64_t burst, std::size_t concurrent_max)
        : m_rate(per_s, burst), m_per_s(per_s), m_in_work(concurrent_max) {}

    // A slot, or why not. Thread-safe.
    std::expected<RequestSlot, RequestRefusal> admit(const std::string& client, ClientId id,
                                                     std::size_t items);

    std::size_t in_work() const {
        const std::lock_guard lock(m_mutex);
        return m_in_work.total();
    }
    std::uint64_t refused_for_rate() const noexcept { return m_refused_for_rate; }
    std::uint64_t refused_for_load() const noexcept { return m_refused_for_load; }

private:
    friend class RequestSlot;
    RateLimit m_rate;
    std::uint64_t m_per_s;
    mutable std::mutex m_mutex;
    ClientShares m_in_work;
    std::atomic<std::uint64_t> m_refused_for_rate = 0;
    std::atomic<std::uint64_t> m_refused_for_load = 0;
};

}  // namespace meridian::gateway
