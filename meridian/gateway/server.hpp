// JSON-RPC over HTTP and WebSocket on one port.
//
// The threads of the server read, parse and write; everything that touches the chain runs on one strand, in
// order of arrival. Each connection has one request in work at a time (a batch counts as one), of which one
// item after another has its turn on the strand; a stop or the client's leaving ends a batch between two
// items. Every queue is bounded: a subscriber that does not keep up is told and cut off.
#pragma once

#include <meridian/rpc/service.hpp>

#include <functional>
#include <memory>
#include <string>

namespace meridian::gateway {

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8545;  // zero: any free one
    std::size_t threads = 2;
    std::size_t request_bytes_max = 8 << 20;  // parsed, JSON can take ten times that
    std::size_t connections_max = 1'000;
    std::uint64_t idle_s_max = 120;                 // HTTP; WebSockets are kept alive by pings
    std::size_t notification_bytes_max = 16 << 20;  // waiting for one subscriber
};

class Server {
public:
    Server(rpc::Service& service, ServerOptions options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Opens the port. The error is a sentence that says what to do.
    Result<void, std::string> listen();
    std::uint16_t port() const noexcept;
    // Serves until SIGINT, SIGTERM or stop(). Also mines by the clock as the chain's mining mode says.
    void run();
    // From any thread.
    void stop();

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::gateway
