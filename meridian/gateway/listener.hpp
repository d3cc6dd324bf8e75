// Opening a TCP port, with the sentences for what goes wrong. Internal to gateway/.
#pragma once

#include <meridian/base/result.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>

namespace meridian::gateway {

// Binds and listens. `host_option` and `port_option` are what the operator sets: "--port", "metrics.port".
Result<void, std::string> open_port(boost::asio::ip::tcp::acceptor& acceptor, const std::string& host,
                                    std::uint16_t port, std::string_view host_option,
                                    std::string_view port_option);

}  // namespace meridian::gateway
