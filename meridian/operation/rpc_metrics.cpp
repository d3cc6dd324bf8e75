#include <meridian/operation/rpc_metrics.hpp>

namespace meridian::operation {
namespace {

// Coarser than those of the pipeline, as there is one set for each method.
constexpr std::array<std::uint64_t, 9> kTimes_us{100,     500,     1'000,     5'000,     20'000,
                                                 100'000, 500'000, 2'000'000, 10'000'000};

// Whose fault it was: the caller's, or ours.
std::size_t outcome_of(const std::optional<rpc::ErrorCode>& error) {
    if (!error)
        return 0;
    return *error == rpc::ErrorCode::Internal || *error == rpc::ErrorCode::TimedOut ? 2 : 1;
}

}  // namespace

RpcMetrics::Entry::Entry() : time_us(kTimes_us, 1e-6) {}

RpcMetrics::RpcMetrics(const rpc::MethodTable& methods) {
    for (const rpc::Method* method : methods.sorted())
        m_methods.try_emplace(method->name);
}

RpcMetrics::RpcMetrics(const std::vector<std::string_view>& methods) {
    for (const std::string_view method : methods)
        m_methods.try_emplace(method);
}

void RpcMetrics::on_request(std::string_view method, std::optional<rpc::ErrorCode> error,
                            std::uint64_t duration_us) {
    const auto found = m_methods.find(method);
    Entry& entry = found == m_methods.end() ? m_unknown : found->second;
    entry.outcomes[outcome_of(error)].add();
    entry.time_us.observe(duration_us);
}

void RpcMetrics::collect(metrics::Page& page) const {
    const auto add = [&](std::string_view name, const Entry& entry) {
        for (std::size_t i = 0; i < kOutcomes.size(); ++i)
            page.add(kRpcRequests, entry.outcomes[i],
                     {{"method", std::string(name)}, {"outcome", std::string(kOutcomes[i])}});
        page.add(kRpcTime, entry.time_us, {{"method", std::string(name)}});
    };
    add("unknown", m_unknown);
    for (const auto& [name, entry] : m_methods)
        if (entry.outcomes[0].value() + entry.outcomes[1].value() + entry.outcomes[2].value() != 0)
            add(name, entry);
}

void collect_server(metrics::Page& page, const gateway::ServerStatus& status,
                    const gateway::ServerOptions& options) {
    const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
    page.add(kConnections, number(status.connections - std::min(status.websockets, status.connections)),
             {{"kind", "http"}});
    page.add(kConnections, number(status.websockets), {{"kind", "websocket"}});
    page.add(kConnectionsMax, number(options.connections_max));
    page.add(kConnectionsAccepted, number(status.accepted));
    page.add(kConnectionsRefused, number(status.refused_connections));
    page.add(kRequestsInWork, number(status.requests));
    page.add(kRequestsLimited, number(status.refused_for_rate), {{"limit", "rate"}});
    page.add(kRequestsLimited, number(status.refused_for_load), {{"limit", "concurrency"}});
    page.add(kSubscriptions, number(status.subscriptions));
    page.add(kReads, number(status.reads_waiting), {{"state", "waiting"}});
    page.add(kReads, number(status.reads_running), {{"state", "running"}});
    page.add(kSlowSubscribers, number(status.slow_subscribers));
}

}  // namespace meridian::operation
