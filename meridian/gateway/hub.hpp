// What the connections of one server share. Internal to gateway/.
#pragma once

#include <meridian/gateway/server.hpp>
#include <meridian/rpc/dispatcher.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <sys/socket.h>

#include <atomic>
#include <cerrno>

namespace meridian::gateway {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

struct Hub {
    Hub(rpc::Service& s, const ServerOptions& o)
        : service(s), dispatcher(s), options(o), chain(asio::make_strand(io)) {}

    rpc::Service& service;
    rpc::Dispatcher dispatcher;
    ServerOptions options;
    std::atomic<std::size_t> connections = 0;
    // After what connections refer to, as it is what ends them.
    asio::io_context io;
    // The one place from which the chain is touched.
    asio::strand<asio::io_context::executor_type> chain;
};

// Counts a connection for as long as it lives.
class ConnectionTicket {
public:
    explicit ConnectionTicket(Hub& hub) : m_hub(hub) { ++m_hub.connections; }
    ~ConnectionTicket() { --m_hub.connections; }
    ConnectionTicket(const ConnectionTicket&) = delete;
    ConnectionTicket& operator=(const ConnectionTicket&) = delete;

private:
    Hub& m_hub;
};

// Whether the other side has closed the connection. For sockets that nothing reads at the moment.
inline bool has_left(Tcp::socket& socket) {
    char byte = 0;
    const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace meridian::gateway
