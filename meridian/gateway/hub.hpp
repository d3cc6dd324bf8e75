// What the connections of one server share. Internal to gateway/.
#pragma once

#include <meridian/gateway/access.hpp>
#include <meridian/gateway/server.hpp>
#include <meridian/rpc/dispatcher.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <unordered_set>

namespace meridian::gateway {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// A connection that can be asked to end.
class Connection {
public:
    virtual ~Connection() = default;
    // From any thread. Ends an idle connection at once, another one after what it is answering.
    virtual void shut_down() = 0;
};

struct Hub {
    Hub(rpc::Service& s, const ServerOptions& o)
        : service(s),
          dispatcher(s),
          options(o),
          hosts(o.vhosts),
          origins(o.cors),
          chain(asio::make_strand(io)) {}

    ~Hub() { stopping = false; }  // the connections that end with `io` need not stop it
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    std::size_t connection_count() {
        const std::lock_guard lock(mutex);
        return connections.size();
    }
    // Asks every connection to end and forbids new ones; the server's threads return when none is left.
    void shut_down() {
        service.interrupt();
        const std::lock_guard lock(mutex);
        stopping = true;
        for (Connection* connection : connections)
            connection->shut_down();
        if (connections.empty())
            io.stop();
    }

    rpc::Service& service;
    rpc::Dispatcher dispatcher;
    ServerOptions options;
    AllowedHosts hosts;
    AllowedOrigins origins;
    std::atomic<bool> stopping = false;
    std::mutex mutex;  // of the connections
    std::unordered_set<Connection*> connections;
    // After what connections refer to, as it is what ends them.
    asio::io_context io;
    // The one place from which the chain is touched.
    asio::strand<asio::io_context::executor_type> chain;
};

// Has a connection counted, and told of the server's end, for as long as it lives.
class ConnectionTicket {
public:
    ConnectionTicket(Hub& hub, Connection& connection) : m_hub(hub), m_connection(connection) {
        const std::lock_guard lock(m_hub.mutex);
        m_hub.connections.insert(&m_connection);
    }
    ~ConnectionTicket() {
        const std::lock_guard lock(m_hub.mutex);
        m_hub.connections.erase(&m_connection);
        if (m_hub.stopping && m_hub.connections.empty())
            m_hub.io.stop();
    }
    ConnectionTicket(const ConnectionTicket&) = delete;
    ConnectionTicket& operator=(const ConnectionTicket&) = delete;

private:
    Hub& m_hub;
    Connection& m_connection;
};

// Whether the other side has closed the connection. For sockets that nothing reads at the moment.
inline bool has_left(Tcp::socket& socket) {
    char byte = 0;
    const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace meridian::gateway
