#include <meridian/operation/pages.hpp>

namespace meridian::operation {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kNotFound = 404;
constexpr unsigned kMethodNotAllowed = 405;
constexpr unsigned kUnavailable = 503;

std::optional<gateway::PageAnswer> health_page(const Health& health, std::string_view path) {
    // That it is answered at all is what it says.
    if (path == "/healthz")
        return gateway::PageAnswer{kOk, "text/plain; charset=utf-8", "alive\n"};
    if (path != "/readyz")
        return std::nullopt;
    const auto reasons = health.reasons();
    return gateway::PageAnswer{reasons.empty() ? kOk : kUnavailable, "application/json",
                               readiness_json(reasons)};
}

}  // namespace

void collect_health(metrics::Page& page, const Health& health) {
    page.add(kReady, health.reasons().empty() ? 1 : 0);
}

gateway::PageHandler health_pages(const Health& health) {
    return [&health](std::string_view path) { return health_page(health, path); };
}

gateway::PlainHandler metrics_pages(metrics::Registry& registry, const Health& health) {
    return [&registry, &health](const gateway::PlainRequest& request) -> gateway::PlainAnswer {
        if (request.method != "GET" && request.method != "HEAD")
            return {.status = kMethodNotAllowed,
                    .type = "text/plain; charset=utf-8",
                    .body = "only GET\n",
                    .fields = {{"Allow", "GET, HEAD"}}};
        if (request.path == "/metrics")
            return {.type = std::string(metrics::kTextType), .body = registry.text()};
        if (auto page = health_page(health, request.path))
            return {.status = page->status, .type = std::move(page->type), .body = std::move(page->body)};
        return {.status = kNotFound,
                .type = "text/plain; charset=utf-8",
                .body = "There are /metrics, /healthz and /readyz.\n"};
    };
}

}  // namespace meridian::operation
