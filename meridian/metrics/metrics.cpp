#include <meridian/metrics/metrics.hpp>

#include <meridian/base/assert.hpp>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>
#include <unordered_map>
#include <utility>

namespace meridian::metrics {
namespace {

constexpr std::array<std::uint64_t, 20> kDurations_us{
    50,      100,     250,     500,     1'000,     2'500,     5'000,     10'000,     20'000,     50'000,
    100'000, 250'000, 500'000, 750'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};
constexpr std::array<std::uint64_t, 14> kSizes{
    1, 4, 16, 64, 256, 1'024, 4'096, 16'384, 65'536, 262'144, 1'048'576, 4'194'304, 16'777'216, 67'108'864};

prometheus::MetricType type_of(Kind kind) {
    switch (kind) {
        case Kind::Counter:
            return prometheus::MetricType::Counter;
        case Kind::Gauge:
            return prometheus::MetricType::Gauge;
        case Kind::Histogram:
            break;
    }
    return prometheus::MetricType::Histogram;
}

}  // namespace

std::span<const std::uint64_t> duration_bounds_us() {
    return kDurations_us;
}
std::span<const std::uint64_t> size_bounds() {
    return kSizes;
}

Histogram::Histogram(std::span<const std::uint64_t> bounds, double scale)
    : m_bounds(bounds.begin(), bounds.end()),
      m_scale(scale),
      m_counts(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {
    MERIDIAN_ASSERT(std::is_sorted(m_bounds.begin(), m_bounds.end()));
}

void Histogram::observe(std::uint64_t value) noexcept {
    const auto at = std::lower_bound(m_bounds.begin(), m_bounds.end(), value);
    m_counts[static_cast<std::size_t>(at - m_bounds.begin())].fetch_add(1, std::memory_order_relaxed);
    m_sum.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
    Reading out;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= m_bounds.size(); ++i) {
        count += m_counts[i].load(std::memory_order_relaxed);
        out.cumulative.push_back(count);
        if (i < m_bounds.size())
            // By division: the quotient is the number that people write, 0.0001 and
            // not 9.999999999999999e-05.
            out.bounds.push_back(static_cast<double>(m_bounds[i]) / std::round(1 / m_scale));
    }
    out.sum = static_cast<double>(m_sum.load(std::memory_order_relaxed)) * m_scale;
    return out;
}

struct Page::Impl {
    prometheus::ClientMetric& append(const Metric& metric, const Labels& labels) {
        const auto [at, added] = index.try_emplace(metric.name, families.size());
        if (added) {
            auto& family = families.emplace_back();
            family.name = metric.name;
            family.help = metric.help;
            family.type = type_of(metric.kind);
        }
        auto& family = families[at->second];
        MERIDIAN_ASSERT(family.type == type_of(metric.kind));
        auto& out = family.metric.emplace_back();
        for (const Label& label : labels)
            out.label.push_back({std::string(label.name), label.value});
        return out;
    }

    std::vector<prometheus::MetricFamily> families;
    std::unordered_map<std::string_view, std::size_t> index;
};

Page::Page() : m_impl(std::make_unique<Impl>()) {}
Page::~Page() = default;

void Page::add(const Metric& metric, double value, const Labels& labels) {
    MERIDIAN_ASSERT(metric.kind != Kind::Histogram);
    auto& out = m_impl->append(metric, labels);
    if (metric.kind == Kind::Counter)
        out.counter.value = value;
    else
        out.gauge.value = value;
}

void Page::add(const Metric& metric, const Histogram& histogram, const Labels& labels) {
    MERIDIAN_ASSERT(metric.kind == Kind::Histogram);
    const auto reading = histogram.read();
    auto& out = m_impl->append(metric, labels).histogram;
    out.sample_count = reading.cumulative.back();
    out.sample_sum = reading.sum;
    for (std::size_t i = 0; i < reading.bounds.size(); ++i)
        out.bucket.push_back({reading.cumulative[i], reading.bounds[i]});
    out.bucket.push_back({reading.cumulative.back(), std::numeric_limits<double>::infinity()});
}

std::string Page::text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, m_impl->families);
    return std::move(out).str();
}

std::vector<std::string> Page::names() const {
    std::vector<std::string> out;
    for (const auto& family : m_impl->families)
        out.push_back(family.name);
    return out;
}

Registry::Registration::Registration(Registration&& other) noexcept
    : m_registry(std::exchange(other.m_registry, nullptr)), m_id(other.m_id) {}

Registry::Registration& Registry::Registration::operator=(Registration&& other) noexcept {
    if (this != &other) {
        reset();
        m_registry = std::exchange(other.m_registry, nullptr);
        m_id = other.m_id;
    }
    return *this;
}

void Registry::Registration::reset() {
    Registry* const registry = std::exchange(m_registry, nullptr);
    if (registry == nullptr)
        return;
    const std::lock_guard lock(registry->m_mutex);
    std::erase_if(registry->m_collectors, [&](const Entry& entry) { return entry.id == m_id; });
}

Registry::Registration Registry::add(Collector collector) {
    const std::lock_guard lock(m_mutex);
    m_collectors.push_back({++m_ids, std::move(collector)});
    return {*this, m_ids};
}

void Registry::collect(Page& page) {
    const std::lock_guard lock(m_mutex);
    for (const Entry& entry : m_collectors)
        entry.collect(page);
}

std::string Registry::text() {
    Page page;
    collect(page);
    return page.text();
}

}  // namespace meridian::metrics
