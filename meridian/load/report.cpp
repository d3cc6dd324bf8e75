// What a load run found, as a table for people and as JSON.
#include <meridian/load/load.hpp>

#include <boost/json.hpp>

#include <cstdarg>
#include <cstdio>

namespace meridian::load {
namespace {

[[gnu::format(printf, 2, 3)]] void add_line(std::string& out, const char* format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    out += line;
    out += '\n';
}

// "1.234 ms": microseconds, as people read them.
std::string time_text(std::uint64_t us) {
    char out[32];
    if (us < 1'000)
        std::snprintf(out, sizeof out, "%llu us", static_cast<unsigned long long>(us));
    else if (us < 1'000'000)
        std::snprintf(out, sizeof out, "%.2f ms", static_cast<double>(us) / 1e3);
    else
        std::snprintf(out, sizeof out, "%.2f s", static_cast<double>(us) / 1e6);
    return out;
}

void add_quantiles(std::string& out, const char* name, const Histogram& times) {
    if (times.count() == 0)
        return;
    add_line(out, "%-24s p50 %s, p99 %s, p99.9 %s, max %s", name, time_text(times.quantile(0.5)).c_str(),
             time_text(times.quantile(0.99)).c_str(), time_text(times.quantile(0.999)).c_str(),
             time_text(times.max()).c_str());
}

json::object quantiles_json(const Histogram& times) {
    return {{"count", times.count()},      {"mean", times.mean()},          {"p50", times.quantile(0.5)},
            {"p99", times.quantile(0.99)}, {"p999", times.quantile(0.999)}, {"max", times.max()}};
}

double divided(double a, double b) {
    return b == 0 ? 0 : a / b;
}

json::object errors_json(const LoadReport& report) {
    json::object out;
    for (const auto& [kind, count] : report.errors)
        out[kind] = count;
    return out;
}

json::array checks_json(const LoadReport& report) {
    json::array out;
    for (const Check& check : report.checks)
        out.push_back(json::object{{"name", check.name}, {"passed", check.passed}, {"detail", check.detail}});
    return out;
}

json::object run_json(const LoadReport& report, const RecoveryRate& recovery) {
    json::object out{{"url", report.url},
                     {"client", report.client},
                     {"workload", report.workload},
                     {"receipts", report.receipts},
                     {"rate_wanted_per_s", report.rate_wanted},
                     {"prepared", report.prepared},
                     {"sent", report.sent},
                     {"accepted", report.accepted},
                     {"included", report.included},
                     {"reverted", report.reverted},
                     {"elapsed_s", report.elapsed_s},
                     {"accepted_per_s", report.accepted_per_s},
                     {"included_per_s", report.included_per_s},
                     {"gas_per_s", report.gas_per_s},
                     {"of_libsecp256k1_recovery", divided(report.included_per_s, recovery.single)},
                     {"of_batched_recovery", divided(report.included_per_s, recovery.batched)},
                     {"submit_to_answer_us", quantiles_json(report.submit_to_answer_us)},
                     {"submit_to_receipt_us", quantiles_json(report.submit_to_receipt_us)},
                     {"frame_interval_us", quantiles_json(report.frame_interval_us)},
                     {"block_interval_us", quantiles_json(report.block_interval_us)},
                     {"client_cores", report.client_cores},
                     {"errors", errors_json(report)},
                     {"checks", checks_json(report)},
                     {"passed", report.passed()}};
    if (report.node)
        out["node"] = json::object{{"cores", report.node_cores.value_or(0)},
                                   {"resident_bytes", report.node->resident_bytes},
                                   {"resident_bytes_max", report.node->resident_bytes_max}};
    return out;
}

void add_usage(std::string& out, const LoadReport& report) {
    add_line(out, "%-24s %.2f cores", "this client used", report.client_cores);
    if (report.node)
        add_line(out, "%-24s %.2f cores, %.0f MiB resident, at most %.0f MiB", "the node used",
                 report.node_cores.value_or(0), static_cast<double>(report.node->resident_bytes) / 1048576,
                 static_cast<double>(report.node->resident_bytes_max) / 1048576);
}

}  // namespace

std::string report_text(const LoadReport& report, const RecoveryRate& recovery) {
    std::string out;
    add_line(out, "%s  %s", report.url.c_str(), report.client.c_str());
    const std::string rate = report.rate_wanted == 0
                                 ? "flat out"
                                 : std::to_string(static_cast<long long>(report.rate_wanted)) + " /s";
    add_line(out, "%-24s %s, %zu sent, %s; receipts by %s", "workload", report.workload.c_str(), report.sent,
             rate.c_str(), report.receipts.c_str());
    add_line(out, "%-24s %zu, %.0f /s", "accepted", report.accepted, report.accepted_per_s);
    add_line(out, "%-24s %zu, %.0f /s, %.1f Mgas/s; %zu reverted", "with receipt", report.included,
             report.included_per_s, report.gas_per_s / 1e6, report.reverted);
    add_line(out, "%-24s %.2f of libsecp256k1's (%.0f /s), %.2f of the batched (%.0f /s), all cores",
             "against recovery alone", divided(report.included_per_s, recovery.single), recovery.single,
             divided(report.included_per_s, recovery.batched), recovery.batched);
    add_quantiles(out, "submission to answer", report.submit_to_answer_us);
    add_quantiles(out, "submission to receipt", report.submit_to_receipt_us);
    add_quantiles(out, "between frames", report.frame_interval_us);
    add_quantiles(out, "between blocks", report.block_interval_us);
    add_usage(out, report);
    for (const auto& [kind, count] : report.errors)
        add_line(out, "%-24s %zu: %s", "errors", count, kind.c_str());
    for (const Check& check : report.checks)
        add_line(out, "%-6s %s (%s)", check.passed ? "right" : "WRONG", check.name.c_str(),
                 check.detail.c_str());
    return out;
}

std::string report_json(const std::vector<LoadReport>& reports, const RecoveryRate& recovery) {
    json::array runs;
    for (const LoadReport& report : reports)
        runs.push_back(run_json(report, recovery));
    json::object out{
        {"recovery_per_s", json::object{{"libsecp256k1", recovery.single}, {"batched", recovery.batched}}},
        {"runs", std::move(runs)}};
    if (reports.size() == 2)
        out["ratio"] =
            json::object{{"accepted_per_s", divided(reports[0].accepted_per_s, reports[1].accepted_per_s)},
                         {"included_per_s", divided(reports[0].included_per_s, reports[1].included_per_s)},
                         {"gas_per_s", divided(reports[0].gas_per_s, reports[1].gas_per_s)}};
    return json::serialize(out);
}

std::string comparison_text(const LoadReport& ours, const LoadReport& theirs) {
    std::string out;
    add_line(out, "%s against %s", ours.url.c_str(), theirs.url.c_str());
    add_line(out, "%-24s %.2f times", "accepted /s", divided(ours.accepted_per_s, theirs.accepted_per_s));
    add_line(out, "%-24s %.2f times", "with receipt /s", divided(ours.included_per_s, theirs.included_per_s));
    add_line(out, "%-24s %.3f times", "p50 to receipt",
             divided(static_cast<double>(ours.submit_to_receipt_us.quantile(0.5)),
                     static_cast<double>(theirs.submit_to_receipt_us.quantile(0.5))));
    return out;
}

}  // namespace meridian::load
