// What an HTTP request has to be before its body is read. Internal to gateway/; no I/O.
#pragma once

#include <meridian/gateway/access.hpp>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <string>

namespace meridian::gateway {

using Upgrade = boost::beast::http::request<boost::beast::http::string_body>;

struct HttpRefusal {
    boost::beast::http::status status;
    std::string reason;  // one sentence without a full stop
};

// Why the request is not served; nothing if it is.
std::optional<HttpRefusal> check_header(const Upgrade& request, const AllowedHosts& hosts,
                                        const AllowedOrigins& origins);

// What to answer to a request that could not be read.
HttpRefusal describe_read_error(boost::beast::error_code ec, std::size_t header_bytes_max,
                                std::size_t request_bytes_max);

// Whether the client waits for a word before it sends the body.
bool expects_continue(const Upgrade& request);
// Whether a browser asks what it may do.
bool is_preflight(const Upgrade& request);
// What of a reason a WebSocket's close frame has room for: all of it, or whole words of it and "...".
std::string close_reason(std::string reason);

}  // namespace meridian::gateway
