#include <meridian/load/histogram.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace meridian::load {
namespace {

TEST(Histogram, IsEmptyAtFirst) {
    const Histogram times;
    EXPECT_EQ(times.count(), 0u);
    EXPECT_EQ(times.quantile(0.5), 0u);
    EXPECT_EQ(times.max(), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
    Histogram times;
    for (std::uint64_t value = 1; value <= 200; ++value)
        times.add(value);
    EXPECT_EQ(times.quantile(0), 1u);
    EXPECT_EQ(times.quantile(0.5), 100u);
    EXPECT_EQ(times.quantile(0.99), 198u);
    EXPECT_EQ(times.quantile(1), 200u);
    EXPECT_DOUBLE_EQ(times.mean(), 100.5);
}

TEST(Histogram, QuantilesAreNeverTooLowAndLessThanAHundredTwentyEighthTooHigh) {
    std::mt19937_64 random(1);
    std::vector<std::uint64_t> values;
    Histogram times;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(random() >> (random() % 64));
        times.add(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double q : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const std::uint64_t exact = values[static_cast<std::size_t>(q * 20'000) - 1];
        EXPECT_GE(times.quantile(q), exact) << q;
        EXPECT_LE(times.quantile(q) - exact, exact / 128) << q;
    }
    EXPECT_EQ(times.quantile(1), values.back());
}

TEST(Histogram, TakesTheHighestValue) {
    Histogram times;
    times.add(~std::uint64_t{0});
    times.add(0);
    EXPECT_EQ(times.quantile(0.5), 0u);
    EXPECT_EQ(times.quantile(1), ~std::uint64_t{0});
}

TEST(Histogram, AddsUp) {
    Histogram a;
    Histogram b;
    a.add(10);
    b.add(1'000'000);
    a.add(b);
    EXPECT_EQ(a.count(), 2u);
    EXPECT_EQ(a.max(), 1'000'000u);
    EXPECT_EQ(a.quantile(0.5), 10u);
}

}  // namespace
}  // namespace meridian::load
