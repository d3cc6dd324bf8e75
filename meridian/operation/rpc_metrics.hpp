// JSON-RPC in numbers: requests by method and outcome with their time, connections, refusals.
#pragma once

#include <meridian/gateway/server.hpp>
#include <meridian/metrics/metrics.hpp>

#include <array>
#include <unordered_map>

namespace meridian::operation {

inline constexpr metrics::Metric kRpcRequests{"meridian_rpc_requests_total", metrics::Kind::Counter,
                                              "Requests by method and outcome: ok, refused, failed."};
inline constexpr metrics::Metric kRpcTime{"meridian_rpc_request_seconds", metrics::Kind::Histogram,
                                          "Time of the execution of a request, by method."};
inline constexpr metrics::Metric kConnections{"meridian_connections", metrics::Kind::Gauge,
                                              "Open connections, by kind."};
inline constexpr metrics::Metric kConnectionsMax{"meridian_connections_max", metrics::Kind::Gauge,
                                                 "Connections that may be open."};
inline constexpr metrics::Metric kConnectionsAccepted{"meridian_connections_accepted_total",
                                                      metrics::Kind::Counter, "Connections accepted."};
inline constexpr metrics::Metric kConnectionsRefused{"meridian_connections_refused_total",
                                                     metrics::Kind::Counter,
                                                     "Connections refused, as there were too many."};
inline constexpr metrics::Metric kRequestsInWork{"meridian_rpc_requests_in_work", metrics::Kind::Gauge,
                                                 "Requests and batches being answered."};
inline constexpr metrics::Metric kRequestsLimited{
    "meridian_rpc_requests_limited_total", metrics::Kind::Counter,
    "Requests and batches refused by a limit: rate, concurrency."};
inline constexpr metrics::Metric kSubscriptions{"meridian_subscriptions", metrics::Kind::Gauge,
                                                "Subscriptions of all connections."};
inline constexpr metrics::Metric kReads{"meridian_rpc_reads", metrics::Kind::Gauge,
                                        "Requests that wait for a reading thread, and that run on one."};
inline constexpr metrics::Metric kSlowSubscribers{"meridian_slow_subscribers_total", metrics::Kind::Counter,
                                                  "Subscribers cut off, as they read too slowly."};

// Counts by the names of the method table; others go under "unknown", so callers cannot add labels.
class RpcMetrics final : public rpc::RequestObserver {
public:
    explicit RpcMetrics(const rpc::MethodTable& methods);
    // The names outlive this.
    explicit RpcMetrics(const std::vector<std::string_view>& methods);

    void on_request(std::string_view method, std::optional<rpc::ErrorCode> error,
                    std::uint64_t duration_us) override;

    // Methods that were called at least once, and unknown ones.
    void collect(metrics::Page& page) const;

private:
    static constexpr std::array<std::string_view, 3> kOutcomes{"ok", "refused", "failed"};
    struct Entry {
        Entry();
        std::array<metrics::Counter, kOutcomes.size()> outcomes;
        metrics::Histogram time_us;
    };
    Entry m_unknown;
    std::unordered_map<std::string_view, Entry> m_methods;  // unchanged after construction
};

void collect_server(metrics::Page& page, const gateway::ServerStatus& status,
                    const gateway::ServerOptions& options);

}  // namespace meridian::operation
