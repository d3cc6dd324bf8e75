#include <meridian/load/histogram.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace meridian::load {
namespace {

// Values below kExact have a bucket each; from there on every power of two is divided into kExact / 2.
constexpr unsigned kExactBits = 8;
constexpr std::uint64_t kExact = std::uint64_t{1} << kExactBits;
constexpr std::size_t kBuckets = kExact + (64 - kExactBits) * (kExact / 2);

std::size_t bucket_of(std::uint64_t value) {
    if (value < kExact)
        return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kExactBits;
    return kExact + (shift - 1) * (kExact / 2) + ((value >> shift) - kExact / 2);
}

std::uint64_t last_value_of(std::size_t bucket) {
    if (bucket < kExact)
        return bucket;
    const std::size_t above = bucket - kExact;
    const unsigned shift = static_cast<unsigned>(above / (kExact / 2)) + 1;
    const std::uint64_t mantissa = above % (kExact / 2) + kExact / 2;
    return ((mantissa + 1) << shift) - 1;  // the very last bucket wraps to the highest value
}

}  // namespace

Histogram::Histogram() : m_buckets(kBuckets) {}

void Histogram::add(std::uint64_t value) {
    ++m_buckets[bucket_of(value)];
    ++m_count;
    m_max = std::max(m_max, value);
    m_sum += static_cast<double>(value);
}

void Histogram::add(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i)
        m_buckets[i] += other.m_buckets[i];
    m_count += other.m_count;
    m_max = std::max(m_max, other.m_max);
    m_sum += other.m_sum;
}

double Histogram::mean() const noexcept {
    return m_count == 0 ? 0 : m_sum / static_cast<double>(m_count);
}

std::uint64_t Histogram::quantile(double q) const {
    const double wanted = std::ceil(q * static_cast<double>(m_count));
    const auto rank = static_cast<std::uint64_t>(std::max(1.0, wanted));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        seen += m_buckets[i];
        if (seen >= rank)
            return std::min(last_value_of(i), m_max);
    }
    return m_max;
}

}  // namespace meridian::load
