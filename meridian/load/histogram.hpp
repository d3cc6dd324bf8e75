// Counts of values in buckets whose width grows with the value, so that quantiles of any number of values
// take a fixed 60 KB and are less than 1/128 too high.
#pragma once

#include <cstdint>
#include <vector>

namespace meridian::load {

class Histogram {
public:
    Histogram();

    void add(std::uint64_t value);
    void add(const Histogram& other);

    std::uint64_t count() const noexcept { return m_count; }
    // Exact; zero if there are no values.
    std::uint64_t max() const noexcept { return m_max; }
    double mean() const noexcept;
    // The least value such that at least a share q (0 to 1) of all is not above it, rounded up to the end of
    // its bucket, but never above max(). Zero if there are no values.
    std::uint64_t quantile(double q) const;

private:
    std::vector<std::uint64_t> m_buckets;
    std::uint64_t m_count = 0;
    std::uint64_t m_max = 0;
    double m_sum = 0;
};

}  // namespace meridian::load
