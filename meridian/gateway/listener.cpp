#include <meridian/gateway/listener.hpp>

namespace meridian::gateway {

namespace asio = boost::asio;

Result<void, std::string> open_port(asio::ip::tcp::acceptor& acceptor, const std::string& host,
                                    std::uint16_t port, std::string_view host_option,
                                    std::string_view port_option) {
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (ec)
        return fail("\"" + host + "\" is not an IP address; set " + std::string(host_option) +
                    " to 127.0.0.1 or 0.0.0.0");
    const asio::ip::tcp::endpoint endpoint(address, port);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec)
        acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec)
        acceptor.bind(endpoint, ec);
    if (!ec)
        acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec == asio::error::address_in_use)
        return fail("port " + std::to_string(port) +
                    " is in use; end the program that has it, or choose another with " +
                    std::string(port_option));
    if (ec)
        return fail("cannot listen on " + host + ":" + std::to_string(port) + ": " + ec.message());
    return {};
}

}  // namespace meridian::gateway
