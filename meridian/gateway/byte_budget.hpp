// What all connections together may hold in memory of one thing, in bytes; of one client, as much as there is
// room left.
#pragma once

#include <meridian/base/client_shares.hpp>

#include <mutex>
#include <utility>

namespace meridian::gateway {

// Thread-safe.
class ByteBudget {
public:
    // What is smaller is not counted: there are no more of these than connections.
    static constexpr std::size_t kSmall = 16 << 10;

    explicit ByteBudget(std::size_t bytes_max) : m_shares(bytes_max) {}

    bool take(ClientId client, std::size_t bytes) {
        const std::lock_guard lock(m_mutex);
        return m_shares.take(client, bytes);
    }
    void give_back(ClientId client, std::size_t bytes) {
        const std::lock_guard lock(m_mutex);
        m_shares.give_back(client, bytes);
    }
    std::size_t total() const {
        const std::lock_guard lock(m_mutex);
        return m_shares.total();
    }

private:
    mutable std::mutex m_mutex;
    ClientShares m_shares;
};

// What one connection holds of a budget, which outlives this.
class HeldBytes {
public:
    HeldBytes(ByteBudget& budget, ClientId client) : m_budget(&budget), m_client(client) {}
    HeldBytes(HeldBytes&& other) noexcept
        : m_budget(other.m_budget), m_client(other.m_client), m_bytes(std::exchange(other.m_bytes, 0)) {}
    HeldBytes& operator=(HeldBytes&& other) noexcept {
        std::swap(m_bytes, other.m_bytes);
        std::swap(m_budget, other.m_budget);
        std::swap(m_client, other.m_client);
        return *this;
    }
    ~HeldBytes() { release(); }

    // From now on that much in all, if it is not small. False: there is no room; it holds what it held.
    bool hold(std::size_t bytes) {
        if (bytes <= ByteBudget::kSmall || bytes <= m_bytes)
            return true;
        if (!m_budget->take(m_client, bytes - m_bytes))
            return false;
        m_bytes = bytes;
        return true;
    }
    void release() {
        if (const std::size_t bytes = std::exchange(m_bytes, 0); bytes > 0)
            m_budget->give_back(m_client, bytes);
    }

private:
    ByteBudget* m_budget;
    ClientId m_client;
    std::size_t m_bytes = 0;
};

}  // namespace meridian::gateway
