// A bound that clients share: each may have as much of it as is still free, so that nobody can take it all
// from the others. One client alone has half, one beside it half of the rest. Not thread-safe.
#pragma once

#include <meridian/base/fair_queue.hpp>

namespace meridian {

class ClientShares {
public:
    explicit ClientShares(std::size_t total_max) : m_total_max(total_max) {}

    // False: there is no room for that much more of this client; nothing is taken.
    bool take(ClientId client, std::size_t count = 1) {
        const std::size_t own = of(client);
        // One that has nothing yet gets what it asks for if it is there at all, however little the bound is.
        const std::size_t needed = own == 0 ? m_total + count : m_total + own + count;
        if (needed > m_total_max)
            return false;
        m_total += count;
        m_counts[client] += count;
        return true;
    }
    // Precondition: it has taken that much.
    void give_back(ClientId client, std::size_t count = 1) {
        const auto found = m_counts.find(client);
        m_total -= count;
        if ((found->second -= count) == 0)
            m_counts.erase(found);
    }
    std::size_t total() const noexcept { return m_total; }
    std::size_t total_max() const noexcept { return m_total_max; }
    std::size_t of(ClientId client) const {
        const auto found = m_counts.find(client);
        return found != m_counts.end() ? found->second : 0;
    }

private:
    std::size_t m_total_max;
    std::size_t m_total = 0;
    std::unordered_map<ClientId, std::size_t> m_counts;  // of clients that have something
};

}  // namespace meridian
