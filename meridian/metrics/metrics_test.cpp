#include <meridian/metrics/process_metrics.hpp>

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace meridian::metrics {
namespace {

constexpr Metric kDone{"test_done_total", Kind::Counter, "Done."};
constexpr Metric kWaiting{"test_waiting", Kind::Gauge, "Waiting."};
constexpr Metric kTime{"test_time_seconds", Kind::Histogram, "Time."};

TEST(Metrics, PageIsPrometheusText) {
    Page page;
    Counter done;
    done.add(41);
    done.add();
    page.add(kDone, done, {{"kind", "a\"b\\c\nd"}});
    page.add(kDone, 7, {{"kind", "other"}});
    page.add(kWaiting, 2.5);
    EXPECT_EQ(page.text(), R"(# HELP test_done_total Done.
# TYPE test_done_total counter
test_done_total{kind="a\"b\\c\nd"} 42
test_done_total{kind="other"} 7
# HELP test_waiting Waiting.
# TYPE test_waiting gauge
test_waiting 2.5
)");
    EXPECT_EQ(page.names(), (std::vector<std::string>{"test_done_total", "test_waiting"}));
}

TEST(Metrics, HistogramCountsUpToAndWithItsBounds) {
    constexpr std::array<std::uint64_t, 2> kBounds{10, 100};
    Histogram histogram(kBounds, 0.5);
    for (const std::uint64_t value : {0u, 10u, 11u, 100u, 101u, 1'000'000u})
        histogram.observe(value);
    const auto reading = histogram.read();
    EXPECT_EQ(reading.cumulative, (std::vector<std::uint64_t>{2, 4, 6}));
    EXPECT_EQ(reading.bounds, (std::vector<double>{5, 50}));
    EXPECT_EQ(reading.sum, 0.5 * (0 + 10 + 11 + 100 + 101 + 1'000'000));
    Page page;
    page.add(kTime, histogram);
    EXPECT_NE(page.text().find("test_time_seconds_bucket{le=\"50\"} 4\n"), std::string::npos) << page.text();
    EXPECT_NE(page.text().find("test_time_seconds_bucket{le=\"+Inf\"} 6\n"), std::string::npos);
    EXPECT_NE(page.text().find("test_time_seconds_count 6\n"), std::string::npos);
}

TEST(Metrics, BoundsAreTheNumbersThatPeopleWrite) {
    constexpr std::array<std::uint64_t, 3> kBounds{100, 200, 700'000};
    Histogram histogram(kBounds, 1e-6);
    Page page;
    page.add(kTime, histogram);
    for (const char* bound : {"0.0001", "0.0002", "0.7"})
        EXPECT_NE(page.text().find("le=\"" + std::string(bound) + "\""), std::string::npos) << page.text();
}

TEST(Metrics, NothingIsLostBetweenThreads) {
    Histogram histogram(duration_bounds_us(), 1e-6);
    Counter counter;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (std::uint64_t value = 0; value < 10'000; ++value) {
                histogram.observe(value);
                counter.add();
            }
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(histogram.read().cumulative.back(), 40'000u);
    EXPECT_EQ(counter.value(), 40'000u);
}

TEST(Metrics, ARegistrationEndsWithItsOwner) {
    Registry registry;
    {
        auto first = registry.add([](Page& page) { page.add(kWaiting, 1); });
        auto second = registry.add([](Page& page) { page.add(kDone, 1); });
        second = std::move(first);  // the second one ends here
        EXPECT_NE(registry.text().find("test_waiting"), std::string::npos);
        EXPECT_EQ(registry.text().find("test_done_total"), std::string::npos);
    }
    EXPECT_EQ(registry.text(), "");
}

TEST(Metrics, ProcessTellsOfItself) {
    Registry registry;
    const auto registration = registry.add(process_collector("1.2.3"));
    const std::string text = registry.text();
    EXPECT_NE(text.find("version=\"1.2.3\""), std::string::npos) << text;
    for (const Metric& metric : {kProcessResidentMemory, kProcessOpenFds, kProcessMaxFds, kProcessCpu,
                                 kProcessThreads, kProcessStart, kProcessVirtualMemory})
        EXPECT_NE(text.find("\n" + std::string(metric.name) + " "), std::string::npos) << metric.name;
    EXPECT_EQ(text.find("process_resident_memory_bytes 0\n"), std::string::npos);
}

}  // namespace
}  // namespace meridian::metrics
