// JSON-RPC over HTTP and WebSocket on one port.
//
// The threads of the server read, parse and write; everything that touches the chain runs on one more, by
// turns of the clients, but for what the service has readers for. Each connection has one request in work at
// a time (a batch counts as one), which has one turn after another on the strand; a stop or the client's
// leaving ends it between two turns. While a request waits, for a receipt say, a WebSocket's next ones are
// read, and answered as they come; its leaving, or an HTTP client's, ends the waiting. Every queue is
// bounded: a subscriber that does not keep up is told and cut off.
#pragma once

#include <meridian/rpc/dispatcher.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace meridian::gateway {

// What a GET of some path answers.
struct PageAnswer {
    unsigned status = 200;
    std::string type;
    std::string body;
};
// Empty: no such page. Called on any of the server's threads.
using PageHandler = std::function<std::optional<PageAnswer>(std::string_view path)>;

// Bounds are what one connection may have; beyond them it is answered and closed, or only closed.
struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8545;  // zero: any free one
    std::size_t threads = 2;
    std::vector<std::string> vhosts{"localhost"};  // AllowedHosts
    // AllowedOrigins: pages of this machine, whatever their port.
    std::vector<std::string> cors{"localhost", "127.0.0.1", "[::1]"};

    // What the operator sets, for messages.
    std::string host_option = "--host";
    std::string port_option = "--port";
    rpc::MethodFilter methods;
    rpc::RequestObserver* observer = nullptr;  // outlives the server
    PageHandler pages;
    // Of one client address (rate_limit.hpp); zero: no limit. Each request of a batch counts.
    std::uint64_t requests_per_s_max = 0;
    std::uint64_t requests_burst_max = 1'000;
    // Being answered, of all clients, and of one as many as there is room left; not those that wait.
    std::size_t concurrent_requests_max = 1'000;
    std::size_t connections_per_address_max = 0;  // zero: as many as are still free

    std::size_t connections_max = 1'000;
    std::size_t header_bytes_max = 64 << 10;  // of the request line and all fields
    std::size_t request_bytes_max = 8 << 20;  // parsed, JSON can take ten times that
    // Of all requests and of all answers of more than 16 KiB that are in memory; of one client, as much as
    // there is room left.
    std::size_t requests_bytes_max = 64 << 20;
    std::size_t answers_bytes_max = 512 << 20;
    std::uint64_t header_s_max = 10;  // from the connection, or the first byte, to the header's end
    std::uint64_t body_s_max = 30;
    std::uint64_t write_s_max = 60;  // of one answer or notification
    std::uint64_t idle_s_max = 120;  // between two HTTP requests
    // Of what a refused request goes on sending, so that its client comes to read the refusal.
    std::size_t drain_bytes_max = 32 << 20;
    std::uint64_t drain_s_max = 5;
    std::uint64_t websocket_idle_s_max = 300;       // without any sign of life; pinged at half of it
    std::size_t notification_bytes_max = 16 << 20;  // waiting for one subscriber
    // Of one WebSocket, beyond which nothing further is read until one of them is answered; and of at most
    // `request_bytes_max` bytes together.
    std::size_t waiting_requests_max = 256;
    // For requests under way to be answered after SIGTERM, before they are broken off.
    std::uint64_t drain_ms_max = 0;
    std::uint64_t stop_ms_max = 2'000;  // for connections to end after that
    // Called when the server begins to stop, before anything else. On one of its threads.
    std::function<void()> on_stop;
};

// Gauges as of now, counts since the start.
struct ServerStatus {
    std::size_t connections = 0;  // of both kinds
    std::size_t websockets = 0;
    std::size_t requests = 0;  // being answered
    std::uint64_t accepted = 0;
    std::uint64_t refused_connections = 0;
    std::uint64_t refused_for_rate = 0;  // requests
    std::uint64_t refused_for_load = 0;
    std::uint64_t slow_subscribers = 0;  // cut off
    std::size_t subscriptions = 0;
    std::size_t reads_waiting = 0;  // requests that wait for a reader, and that one works on
    std::size_t reads_running = 0;
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
    // From any thread.
    ServerStatus status() const;
    // Serves until SIGINT, SIGTERM or stop(). Also mines by the clock as the chain's mining mode says. A
    // second signal ends the process.
    void run();
    // From any thread.
    void stop();

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::gateway
