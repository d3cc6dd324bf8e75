#include <meridian/operation/damage.hpp>

#include <spdlog/spdlog.h>

namespace meridian::operation {
namespace {

constexpr std::uint64_t kLogIntervalUs = 60'000'000;

thread_local std::uint64_t t_failed_reads = 0;

}  // namespace

DamageWatch::DamageWatch(sequencer::Clock& clock, std::string data_dir)
    : m_clock(clock), m_data_dir(std::move(data_dir)) {}

std::uint64_t DamageWatch::failed_reads() noexcept {
    return t_failed_reads;
}

// What the process has run out of, it may have again.
void DamageWatch::on_store(const store::StoreError& error) {
    add(m_store, error.message, error.kind != store::StoreErrorKind::Exhausted);
}

void DamageWatch::on_log(const frames::LogFailure& failure) {
    add(m_log, failure.message, failure.io != frames::IoCode::Exhausted);
}

void DamageWatch::add(Part& part, const std::string& message, bool damaged) {
    ++t_failed_reads;
    const std::uint64_t now_us = m_clock.steady_us();
    std::uint64_t unlogged = 0;
    {
        const std::lock_guard lock(m_mutex);
        const bool first = damaged && !part.damaged;
        ++part.failures;
        part.damaged = part.damaged || damaged;
        if (part.first.empty() || first)
            part.first = message;
        if (!first && part.logged_us != 0 && now_us < part.logged_us + kLogIntervalUs) {
            ++part.unlogged;
            return;
        }
        part.logged_us = now_us;
        unlogged = std::exchange(part.unlogged, 0);
    }
    const std::string before =
        unlogged == 0 ? "" : " (" + std::to_string(unlogged) + " more reads failed since the last such line)";
    if (damaged)
        spdlog::error(
            "{}: a read failed, and the node is not ready until it is started again: {}{}. Stop the node and "
            "run `meridian db check {}`",
            part.name, message, before, m_data_dir);
    else
        spdlog::error("{}: a read failed: {}{}", part.name, message, before);
}

std::vector<Reason> DamageWatch::reasons() const {
    const std::lock_guard lock(m_mutex);
    std::vector<Reason> out;
    for (const Part* part : {&m_store, &m_log})
        if (part->damaged)
            out.push_back({"damaged", "the " + std::string(part->name) +
                                          " cannot be read everywhere: its log and admin_status say where; "
                                          "stop the node and run `meridian db check`"});
    return out;
}

boost::json::object DamageWatch::status_of(const Part& part) const {
    return {{"damaged", part.damaged}, {"failedReads", part.failures}, {"first", part.first}};
}

boost::json::object DamageWatch::status() const {
    const std::lock_guard lock(m_mutex);
    return {{"store", status_of(m_store)}, {"frameLog", status_of(m_log)}};
}

}  // namespace meridian::operation
