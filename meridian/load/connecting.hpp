// Connected sockets for the channels and watchers.
#pragma once

#include <meridian/load/endpoint.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>

#include <memory>

namespace meridian::load {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using WebSocket = boost::beast::websocket::stream<Tcp::socket>;

// Waits for the connection; without delay of small writes. Throws LoadFailure with the address.
Tcp::socket connected_socket(asio::io_context& io, const Endpoint& endpoint);
// The same with the WebSocket's handshake done, for messages of text of any size up to 1 GiB.
std::unique_ptr<WebSocket> connected_websocket(asio::io_context& io, const Endpoint& endpoint);

}  // namespace meridian::load
