// The pages of a node for operators: /metrics, /healthz, /readyz.
#pragma once

#include <meridian/gateway/plain_server.hpp>
#include <meridian/gateway/server.hpp>
#include <meridian/metrics/metrics.hpp>
#include <meridian/operation/health.hpp>

namespace meridian::operation {

inline constexpr metrics::Metric kReady{"meridian_ready", metrics::Kind::Gauge,
                                        "1 if /readyz answers 200, else 0."};
void collect_health(metrics::Page& page, const Health& health);

// For the metrics port: all three. Both outlive the handler.
gateway::PlainHandler metrics_pages(metrics::Registry& registry, const Health& health);
// For the port of JSON-RPC: health only.
gateway::PageHandler health_pages(const Health& health);

}  // namespace meridian::operation
