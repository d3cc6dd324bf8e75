// What the connections of one server share. Internal to gateway/.
#pragma once

#include <meridian/gateway/access.hpp>
#include <meridian/gateway/admission.hpp>
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
#include <unordered_map>
#include <unordered_set>

namespace meridian::gateway {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// A connection that can be asked to end.
class Connection {
public:
    virtual ~Connection() = default;
    // From any thread. Ends an idle connection at once, another one after what it is answering; once the hub
    // is `aborting`, after the item of a batch that is under way.
    virtual void shut_down() = 0;
};

struct Hub {
    Hub(rpc::Service& s, const ServerOptions& o)
        : service(s),
          dispatcher(s, o.methods, o.observer),
          options(o),
          hosts(o.vhosts),
          origins(o.cors),
          admission(o.requests_per_s_max, o.requests_burst_max, o.concurrent_requests_max),
          chain(asio::make_strand(io)) {}

    ~Hub() { stopping = false; }  // the connections that end with `io` need not stop it
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    std::size_t connection_count() {
        const std::lock_guard lock(mutex);
        return connections.size();
    }
    std::size_t connection_count(const std::string& client) {
        const std::lock_guard lock(mutex);
        const auto found = clients.find(client);
        return found == clients.end() ? 0 : found->second;
    }
    // Asks every connection to end and forbids new ones; the server's threads return when none is left.
    void shut_down() {
        const std::lock_guard lock(mutex);
        stopping = true;
        for (Connection* connection : connections)
            connection->shut_down();
        if (connections.empty())
            io.stop();
    }
    // The same for those that are still answering: what they do is broken off.
    void abort() {
        aborting = true;
        service.interrupt();
        shut_down();
    }

    rpc::Service& service;
    rpc::Dispatcher dispatcher;
    ServerOptions options;
    AllowedHosts hosts;
    AllowedOrigins origins;
    Admission admission;
    std::atomic<bool> stopping = false;  // no further request is begun
    std::atomic<bool> aborting = false;  // what is begun is not finished
    std::atomic<std::size_t> websockets = 0;
    std::atomic<std::uint64_t> slow_subscribers = 0;
    std::mutex mutex;  // of the connections
    std::unordered_set<Connection*> connections;
    std::unordered_map<std::string, std::size_t> clients;  // connections of each address
    // After what connections refer to, as it is what ends them.
    asio::io_context io;
    // The one place from which the chain is touched.
    asio::strand<asio::io_context::executor_type> chain;
};

// Has a connection counted, and told of the server's end, for as long as it lives.
class ConnectionTicket {
public:
    ConnectionTicket(Hub& hub, Connection& connection, std::string client)
        : m_hub(hub), m_connection(connection), m_client(std::move(client)) {
        const std::lock_guard lock(m_hub.mutex);
        m_hub.connections.insert(&m_connection);
        ++m_hub.clients[m_client];
    }
    ~ConnectionTicket() {
        const std::lock_guard lock(m_hub.mutex);
        m_hub.connections.erase(&m_connection);
        if (const auto at = m_hub.clients.find(m_client); --at->second == 0)
            m_hub.clients.erase(at);
        if (m_hub.stopping && m_hub.connections.empty())
            m_hub.io.stop();
    }
    ConnectionTicket(const ConnectionTicket&) = delete;
    ConnectionTicket& operator=(const ConnectionTicket&) = delete;

    const std::string& client() const noexcept { return m_client; }

private:
    Hub& m_hub;
    Connection& m_connection;
    std::string m_client;
};

// Who is at the other end, as rates are counted; empty if it has left already.
inline std::string client_of(const Tcp::socket& socket) {
    boost::system::error_code ec;
    const auto endpoint = socket.remote_endpoint(ec);
    return ec ? std::string() : client_of(endpoint.address().to_string());
}

// Whether the other side has closed the connection. For sockets that nothing reads at the moment.
inline bool has_left(Tcp::socket& socket) {
    char byte = 0;
    const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace meridian::gateway
