#include <meridian/load/connecting.hpp>

#include <meridian/load/failure.hpp>

#include <boost/asio/connect.hpp>

namespace meridian::load {
namespace {

constexpr std::size_t kMessageBytesMax = std::size_t{1} << 30;

}  // namespace

Tcp::socket connected_socket(asio::io_context& io, const Endpoint& endpoint) {
    try {
        Tcp::socket out(io);
        Tcp::resolver resolver(io);
        asio::connect(out, resolver.resolve(endpoint.host, std::to_string(endpoint.port)));
        out.set_option(Tcp::no_delay(true));
        return out;
    } catch (const boost::system::system_error& error) {
        throw LoadFailure(endpoint.text() + ": " + error.code().message());
    }
}

std::unique_ptr<WebSocket> connected_websocket(asio::io_context& io, const Endpoint& endpoint) {
    auto out = std::make_unique<WebSocket>(connected_socket(io, endpoint));
    boost::system::error_code ec;
    out->handshake(endpoint.host + ":" + std::to_string(endpoint.port), endpoint.path, ec);
    if (ec)
        throw LoadFailure(endpoint.text() + ": no WebSocket there: " + ec.message());
    out->read_message_max(kMessageBytesMax);
    out->auto_fragment(false);
    out->text(true);
    return out;
}

}  // namespace meridian::load
