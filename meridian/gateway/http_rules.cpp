#include <meridian/gateway/http_rules.hpp>

#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace meridian::gateway {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using http::field;
using http::status;

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

// The authority that the request is for: of its target if that is a whole address, else of its Host.
std::string_view authority_of(const Upgrade& request) {
    constexpr std::string_view kScheme = "http://";
    std::string_view target = view(request.target());
    if (!target.starts_with(kScheme))
        return view(request[field::host]);
    target.remove_prefix(kScheme.size());
    return target.substr(0, target.find_first_of("/?"));
}

std::optional<HttpRefusal> check_host(const Upgrade& request, const AllowedHosts& hosts) {
    if (request.version() == 11 && request.count(field::host) != 1)
        return HttpRefusal{status::bad_request, "an HTTP/1.1 request has one Host header"};
    const std::string_view text = authority_of(request);
    if (text.empty())
        return std::nullopt;  // no browser leaves it out
    const auto host = parse_authority(text);
    if (!host)
        return HttpRefusal{status::bad_request, "malformed Host header"};
    if (!hosts.allow(*host))
        return HttpRefusal{status::forbidden, "invalid host specified: " + host->host +
                                                  " is not among rpc.vhosts (dev: --vhosts)"};
    return std::nullopt;
}

}  // namespace

bool expects_continue(const Upgrade& request) {
    return request.version() == 11 && beast::iequals(request[field::expect], "100-continue");
}

bool is_preflight(const Upgrade& request) {
    return request.method() == http::verb::options && request.count(field::origin) != 0 &&
           request.count(field::access_control_request_method) != 0;
}

std::optional<HttpRefusal> check_header(const Upgrade& request, const AllowedHosts& hosts,
                                        const AllowedOrigins& origins) {
    if (auto refusal = check_host(request, hosts))
        return refusal;
    const bool asks_origin = beast::websocket::is_upgrade(request) || is_preflight(request);
    const std::string_view origin = view(request[field::origin]);
    if (asks_origin && request.count(field::origin) != 0 && !origins.allow(origin))
        return HttpRefusal{status::forbidden, "origin not allowed: it is not among rpc.cors (dev: --cors)"};
    if (request.count(field::expect) != 0 && !expects_continue(request))
        return HttpRefusal{status::expectation_failed, "the only expectation known is 100-continue"};
    switch (request.method()) {
        case http::verb::post:
            if (is_json_rpc_type(view(request[field::content_type])))
                return std::nullopt;
            return HttpRefusal{status::unsupported_media_type,
                               "invalid content type, only application/json is supported"};
        case http::verb::get:
        case http::verb::head:
        case http::verb::options:
            return std::nullopt;
        default:
            return HttpRefusal{status::method_not_allowed,
                               "method not allowed; there are POST, GET and OPTIONS"};
    }
}

HttpRefusal describe_read_error(beast::error_code ec, std::size_t header_bytes_max,
                                std::size_t request_bytes_max) {
    if (ec == http::error::body_limit)
        return {status::payload_too_large, "request too large (at most " + std::to_string(request_bytes_max) +
                                               " bytes, rpc.request_kib_max)"};
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
        return {
            status::request_header_fields_too_large,
            "header too large (at most " + std::to_string(header_bytes_max) + " bytes, rpc.header_kib_max)"};
    if (ec == http::error::bad_version)
        return {status::http_version_not_supported, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    return {status::bad_request, "malformed HTTP request: " + ec.message()};
}

std::string close_reason(std::string reason) {
    constexpr std::size_t kBytesMax = 123;  // RFC 6455, section 5.5
    constexpr std::string_view kMore = "...";
    if (reason.size() <= kBytesMax)
        return reason;
    const std::size_t space = reason.rfind(' ', kBytesMax - kMore.size());
    reason.resize(space == std::string::npos ? 0 : space);
    return reason.append(kMore);
}

}  // namespace meridian::gateway
