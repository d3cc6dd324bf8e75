#include <meridian/gateway/rate_limit.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace meridian::gateway {

namespace ip = boost::asio::ip;

namespace {

constexpr std::uint64_t kMillion = 1'000'000;

}  // namespace

std::string client_of(std::string_view text) {
    boost::system::error_code ec;
    const auto address = ip::make_address(std::string(text), ec);
    if (ec || address.is_v4())
        return std::string(text);
    const auto v6 = address.to_v6();
    if (v6.is_v4_mapped())
        return ip::make_address_v4(ip::v4_mapped, v6).to_string();
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return ip::address_v6(bytes).to_string() + "/64";
}

std::uint64_t RateLimit::take(const std::string& client, std::uint64_t cost, std::uint64_t now_us) {
    if (unlimited())
        return 0;
    const std::lock_guard lock(m_mutex);
    Bucket& bucket = bucket_of(client, now_us);
    refill(bucket, now_us);
    // What is larger than any bucket is asked of a full one, as it could never pass otherwise.
    const std::uint64_t wanted = std::min(cost, m_burst) * kMillion;
    if (bucket.millionths >= wanted) {
        bucket.millionths -= wanted;
        return 0;
    }
    const std::uint64_t millionths_per_ms = std::max<std::uint64_t>(1, m_per_s * 1'000);
    return (wanted - bucket.millionths + millionths_per_ms - 1) / millionths_per_ms;
}

RateLimit::Bucket& RateLimit::bucket_of(const std::string& client, std::uint64_t now_us) {
    if (const auto found = m_buckets.find(client); found != m_buckets.end())
        return found->second;
    if (m_buckets.size() >= kAddressesMax)
        forget_full(now_us);
    if (m_buckets.size() >= kAddressesMax)
        return m_shared;
    return m_buckets.emplace(client, Bucket{m_burst * kMillion, now_us}).first->second;
}

void RateLimit::refill(Bucket& bucket, std::uint64_t now_us) const {
    // In a microsecond a bucket gains as many millionths as it gains tokens in a second.
    const std::uint64_t filled_us = m_burst * kMillion / m_per_s + 1;
    const std::uint64_t passed_us = now_us > bucket.at_us ? std::min(now_us - bucket.at_us, filled_us) : 0;
    bucket.millionths = std::min(m_burst * kMillion, bucket.millionths + passed_us * m_per_s);
    bucket.at_us = now_us;
}

// Goes through all of them, so not at every call of a flood from many addresses.
void RateLimit::forget_full(std::uint64_t now_us) {
    constexpr std::uint64_t kPause_us = 1'000'000;
    if (now_us < m_next_forget_us)
        return;
    m_next_forget_us = now_us + kPause_us;
    std::erase_if(m_buckets, [&](const auto& entry) {
        Bucket now = entry.second;
        refill(now, now_us);
        return now.millionths >= m_burst * kMillion;
    });
}

std::size_t RateLimit::addresses() const {
    const std::lock_guard lock(m_mutex);
    return m_buckets.size();
}

}  // namespace meridian::gateway
