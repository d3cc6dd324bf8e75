// Where a node listens: http://, ws://, or tcp:// for its binary port for transactions.
#pragma once

#include <meridian/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace meridian::load {

struct Endpoint {
    enum class Kind : std::uint8_t { Http, WebSocket, Binary };
    Kind kind = Kind::Http;
    std::string host;
    std::uint16_t port = 0;
    std::string path = "/";

    // As parse_endpoint() takes it.
    std::string text() const;
    // The same host, port and path under another scheme.
    Endpoint as(Kind other) const;
};

// http://HOST[:PORT][/PATH], ws:// likewise, tcp://HOST:PORT; an IPv6 address stands in brackets. The error
// says what was expected.
Result<Endpoint, std::string> parse_endpoint(std::string_view text);

}  // namespace meridian::load
