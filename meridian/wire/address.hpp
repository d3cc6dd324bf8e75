// Addresses of peers as people write them.
#pragma once

#include <meridian/base/result.hpp>

#include <string>
#include <string_view>

namespace meridian::wire {

struct PeerAddress {
    std::string host;
    std::string port;  // decimal, 1 to 65535
};

// host:port, or [IPv6]:port. The error is a sentence.
Result<PeerAddress, std::string> parse_address(std::string_view text);

}  // namespace meridian::wire
