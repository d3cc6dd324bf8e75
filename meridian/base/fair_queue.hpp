// What clients want done, in turns: each client's own in the order of its arrival, and one of each client
// before the second of any. So whoever asks much waits for himself, and whoever asks little hardly waits at
// all.
//
// Bounds are the owner's: size() and size_of() are what they are made of. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

namespace meridian {

// Who counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address.
using ClientId = std::uint64_t;
inline constexpr ClientId kNobody = 0;  // the node itself, and whoever is not told apart

// Of an address of 4 or 16 bytes; an IPv4 address within IPv6 counts as itself. kNobody for any other length.
constexpr ClientId client_id(std::span<const std::uint8_t> address) noexcept {
    constexpr std::size_t kMappedPrefix = 12;  // ::ffff:0:0/96
    if (address.size() != 4 && address.size() != 16)
        return kNobody;
    bool mapped = address.size() == 16;
    for (std::size_t i = 0; mapped && i < kMappedPrefix; ++i)
        mapped = address[i] == (i < 10 ? 0x00 : 0xff);
    const auto bytes = address.size() == 4 ? address
                       : mapped            ? address.subspan(kMappedPrefix)
                                           : address.first(8);
    // No /64 that is used begins with a byte of zero, but for ::1.
    ClientId out = bytes.size() == 4 ? 1 : 0;
    for (const std::uint8_t byte : bytes)
        out = out << 8 | byte;
    return out;
}

template <class T>
class FairQueue {
public:
    void push(ClientId client, T item) {
        std::deque<T>& queue = m_queues[client];
        if (queue.empty())
            m_turns.push_back(client);
        queue.push_back(std::move(item));
        ++m_size;
    }
    // Nothing: it is empty.
    std::optional<T> pop() {
        return pop_if([](ClientId) { return true; });
    }
    // The next one whose client may have a turn. Looks at each client once at most.
    template <class MayTake>
    std::optional<T> pop_if(MayTake may_take) {
        for (std::size_t looked_at = 0, clients = m_turns.size(); looked_at < clients; ++looked_at) {
            const ClientId client = m_turns.front();
            m_turns.pop_front();
            if (!may_take(client)) {
                m_turns.push_back(client);
                continue;
            }
            const auto found = m_queues.find(client);
            std::optional<T> out(std::move(found->second.front()));
            found->second.pop_front();
            --m_size;
            if (found->second.empty())
                m_queues.erase(found);
            else
                m_turns.push_back(client);
            return out;
        }
        return std::nullopt;
    }

    std::size_t size() const noexcept { return m_size; }
    bool empty() const noexcept { return m_size == 0; }
    std::size_t size_of(ClientId client) const {
        const auto found = m_queues.find(client);
        return found != m_queues.end() ? found->second.size() : 0;
    }

private:
    std::unordered_map<ClientId, std::deque<T>> m_queues;  // of clients that have something
    std::deque<ClientId> m_turns;                          // the same clients
    std::size_t m_size = 0;
};

}  // namespace meridian
