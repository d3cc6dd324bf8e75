// How often one client may ask: a token bucket for each address. No clock of its own, no I/O.
//
// An address is what one user has: an IPv4 address, or the first 64 bits of an IPv6 address. At most
// kAddressesMax are remembered; those whose buckets are full need not be. When all of them are short of
// tokens, further addresses share one bucket.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace meridian::gateway {

// "127.0.0.1" as it is, an IPv6 address as its network "2001:db8:0:1::/64", an IPv4 address within IPv6 as
// itself.
std::string client_of(std::string_view address);

class RateLimit {
public:
    static constexpr std::size_t kAddressesMax = 65'536;

    // `per_s` zero: no limit. Precondition: 0 < burst <= 10^12, per_s <= 10^12.
    RateLimit(std::uint64_t per_s, std::uint64_t burst) : m_per_s(per_s), m_burst(burst) {}

    bool unlimited() const noexcept { return m_per_s == 0; }
    // Takes `cost` tokens, at most a full bucket. Zero: granted; else nothing is taken, and it is worth
    // asking again after that many milliseconds. `now_us` runs evenly. Thread-safe.
    std::uint64_t take(const std::string& client, std::uint64_t cost, std::uint64_t now_us);
    std::size_t addresses() const;

private:
    struct Bucket {
        std::uint64_t millionths = 0;  // of a token
        std::uint64_t at_us = 0;
    };

    Bucket& bucket_of(const std::string& client, std::uint64_t now_us);
    void refill(Bucket& bucket, std::uint64_t now_us) const;
    void forget_full(std::uint64_t now_us);

    std::uint64_t m_per_s;
    std::uint64_t m_burst;
    mutable std::mutex m_mutex;
    std::unordered_map<std::string, Bucket> m_buckets;
    Bucket m_shared;
    std::uint64_t m_next_forget_us = 0;
};

}  // namespace meridian::gateway
