// A small HTTP server for operators: metrics, health, administration. It has a thread of its own, so that it
// answers whatever the node is busy with; requests are served one at a time.
//
// Everything that a client can make it keep is bounded; what exceeds a bound is refused or closed.
#pragma once

#include <meridian/base/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace meridian::gateway {

struct PlainRequest {
    std::string method;              // "GET"
    std::string path;                // without the query
    std::string authorization = {};  // the header field
    std::string body = {};
};

struct PlainAnswer {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> fields = {};  // further header fields
};

// Called on the server's thread. What it throws is answered with 500.
using PlainHandler = std::function<PlainAnswer(const PlainRequest& request)>;

struct PlainServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // zero: any free one
    std::string section;     // of chain.toml, for messages: "metrics"
    std::size_t connections_max = 64;
    std::size_t header_bytes_max = 16 << 10;
    std::size_t body_bytes_max = 64 << 10;
    std::uint64_t request_s_max = 10;  // for header and body
    std::uint64_t write_s_max = 30;
    std::uint64_t idle_s_max = 75;  // scrapers come every 15 or 60 seconds
};

class PlainServer {
public:
    PlainServer(PlainServerOptions options, PlainHandler handler);
    // Stops.
    ~PlainServer();
    PlainServer(const PlainServer&) = delete;
    PlainServer& operator=(const PlainServer&) = delete;

    // Opens the port and serves from then on. The error is a sentence that says what to do.
    Result<void, std::string> start();
    std::uint16_t port() const noexcept;
    // Closes all connections.
    void stop();

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::gateway
