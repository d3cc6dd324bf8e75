// What the connections of one server share. Internal to gateway/.
#pragma once

#include <meridian/gateway/access.hpp>
#include <meridian/gateway/admission.hpp>
#include <meridian/gateway/byte_budget.hpp>
#include <meridian/gateway/server.hpp>
#include <meridian/gateway/turns.hpp>
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
          request_bytes(o.requests_bytes_max),
          answer_bytes(o.answers_bytes_max),
          chain(asio::make_strand(chain_io)) {}

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
    // On the chain's strand, when it is the client's turn.
    void post_turn(ClientId client, Turns::Work work) {
        turns.add(client, std::move(work));
        asio::post(chain, [this] { turns.run_next(); });
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
    ByteBudget request_bytes;
    ByteBudget answer_bytes;
    std::atomic<bool> stopping = false;  // no further request is begun
    std::atomic<bool> aborting = false;  // what is begun is not finished
    std::atomic<std::size_t> websockets = 0;
    std::atomic<std::uint64_t> slow_subscribers = 0;
    std::mutex mutex;  // of the connections
    std::unordered_set<Connection*> connections;
    std::unordered_map<std::string, std::size_t> clients;  // connections of each address
    // After what connections refer to, as it is what ends them.
    asio::io_context io;
    // For a thread of its own: what touches the chain does not stand in line behind what everybody sends.
    asio::io_context chain_io{1};
    // What it holds may hold connections.
    Turns turns;
    // The one place from which the chain is touched.
    asio::strand<asio::io_context::executor_type> chain;
};

// Who is at the other end, as rates are counted; empty if it has left already.
inline std::string client_of(const Tcp::socket& socket) {
    boost::system::error_code ec;
    const auto endpoint = socket.remote_endpoint(ec);
    return ec ? std::string() : client_of(endpoint.address().to_string());
}

// The same, as turns are counted; kNobody if it has left.
inline ClientId client_id_of(const Tcp::socket& socket) {
    boost::system::error_code ec;
    const auto endpoint = socket.remote_endpoint(ec);
    if (ec)
        return kNobody;
    const auto address = endpoint.address();
    return address.is_v4() ? client_id(address.to_v4().to_bytes()) : client_id(address.to_v6().to_bytes());
}

// Has a connection counted, and told of the server's end, for as long as it lives.
class ConnectionTicket {
public:
    ConnectionTicket(Hub& hub, Connection& connection, const Tcp::socket& socket)
        : m_hub(hub), m_connection(connection), m_client(client_of(socket)), m_id(client_id_of(socket)) {
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
    ClientId id() const noexcept { return m_id; }

private:
    Hub& m_hub;
    Connection& m_connection;
    std::string m_client;
    ClientId m_id;
};

// Whether the other side has closed the connection. For sockets that nothing reads at the moment.
inline bool has_left(Tcp::socket& socket) {
    char byte = 0;
    const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace meridian::gateway
