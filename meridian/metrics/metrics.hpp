// What a node measures of itself, and the page on which Prometheus reads it.
//
// Values are pulled: a collector reads the state of its part when the page is asked for. What has to be
// counted where it happens is counted in relaxed atomics (Counter, Histogram); nothing here locks on the way
// of a transaction. Names follow Prometheus: base units (seconds, bytes) at the end, counters end in _total.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::metrics {

enum class Kind : std::uint8_t { Counter, Gauge, Histogram };

// What a metric is. Constants, so that a page can be compared with dashboards.
struct Metric {
    std::string_view name;
    Kind kind;
    std::string_view help;  // one sentence
};

struct Label {
    std::string_view name;
    std::string value;
};
using Labels = std::vector<Label>;

// Thread-safe.
class Counter {
public:
    void add(std::uint64_t count = 1) noexcept { m_value.fetch_add(count, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return m_value.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> m_value = 0;
};

// Whole numbers by size. Thread-safe; a reading taken meanwhile may miss the last observations.
class Histogram {
public:
    // Upper bounds, ascending; one bucket more takes what is above. `scale` turns a whole number into the
    // unit that is shown, as 1e-6 microseconds into seconds.
    Histogram(std::span<const std::uint64_t> bounds, double scale);

    void observe(std::uint64_t value) noexcept;

    struct Reading {
        std::vector<double> bounds;             // in the unit shown
        std::vector<std::uint64_t> cumulative;  // one more than bounds: the last is the count of all
        double sum = 0;
    };
    Reading read() const;

private:
    std::vector<std::uint64_t> m_bounds;
    double m_scale;
    std::unique_ptr<std::atomic<std::uint64_t>[]> m_counts;
    std::atomic<std::uint64_t> m_sum = 0;
};

// Bounds for Histogram: 1, 2.5 and 5 times powers of ten from 50 us to 60 s; and powers of four from 1 on.
std::span<const std::uint64_t> duration_bounds_us();
std::span<const std::uint64_t> size_bounds();

// What collectors write to. A metric may be added several times, with different labels.
class Page {
public:
    Page();
    ~Page();
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;

    // Precondition of the three: the metric's kind fits, and each name always comes with the same kind.
    void add(const Metric& metric, double value, const Labels& labels = {});
    void add(const Metric& metric, const Counter& counter, const Labels& labels = {}) {
        add(metric, static_cast<double>(counter.value()), labels);
    }
    void add(const Metric& metric, const Histogram& histogram, const Labels& labels = {});

    // Prometheus's text format, version 0.0.4.
    std::string text() const;
    // Of all that was added, each once, in that order.
    std::vector<std::string> names() const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

inline constexpr std::string_view kTextType = "text/plain; version=0.0.4; charset=utf-8";

// Thread-safe. Outlives its registrations.
class Registry {
public:
    using Collector = std::function<void(Page&)>;

    // Removes its collector; waits for a collection that is under way.
    class Registration {
    public:
        Registration() = default;
        Registration(Registration&& other) noexcept;
        Registration& operator=(Registration&& other) noexcept;
        ~Registration() { reset(); }
        void reset();

    private:
        friend class Registry;
        Registration(Registry& registry, std::uint64_t id) : m_registry(&registry), m_id(id) {}
        Registry* m_registry = nullptr;
        std::uint64_t m_id = 0;
    };

    [[nodiscard]] Registration add(Collector collector);
    // Asks every collector, one page at a time.
    void collect(Page& page);
    std::string text();

private:
    struct Entry {
        std::uint64_t id;
        Collector collect;
    };
    std::mutex m_mutex;
    std::vector<Entry> m_collectors;
    std::uint64_t m_ids = 0;
};

}  // namespace meridian::metrics
