// A server on a free port of the loopback interface with clients of it, for tests.
#pragma once

#include <meridian/gateway/server.hpp>
#include <meridian/rpc/test_node.hpp>

#include <gtest/gtest.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <thread>

namespace meridian::gateway {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using Tcp = asio::ip::tcp;
using WebSocket = beast::websocket::stream<Tcp::socket>;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

inline constexpr const char* kChainId = R"({"jsonrpc":"2.0","id":7,"method":"eth_chainId"})";

class ServerFixture : public testing::Test {
protected:
    explicit ServerFixture(ServerOptions chosen = small()) : m_server(m_node.service, chosen) {
        const auto opened = m_server.listen();
        EXPECT_TRUE(opened) << opened.error();
        m_thread = std::thread([this] { m_server.run(); });
    }
    ~ServerFixture() override {
        m_server.stop();
        m_thread.join();
    }

    static ServerOptions small() {
        ServerOptions out;
        out.port = 0;
        out.request_bytes_max = 10'000;
        out.notification_bytes_max = 20'000;
        // Never the reason for an end here: a slow machine may need long for what is under way.
        out.stop_ms_max = 60'000;
        out.write_s_max = 3'600;
        return out;
    }

    Tcp::socket connect() {
        Tcp::socket socket(m_io);
        socket.connect({asio::ip::make_address("127.0.0.1"), m_server.port()});
        return socket;
    }
    WebSocket open_websocket() {
        WebSocket stream(connect());
        stream.handshake("localhost", "/");
        return stream;
    }

    static Request request(http::verb verb, const std::string& body) {
        Request out(verb, "/", 11);
        out.set(http::field::host, "localhost");
        out.set(http::field::content_type, "application/json");
        out.body() = body;
        out.prepare_payload();
        return out;
    }
    static Response read_response(Tcp::socket& socket) {
        beast::flat_buffer buffer;
        Response response;
        http::read(socket, buffer, response);
        return response;
    }
    static Response send(Tcp::socket& socket, const Request& sent) {
        http::write(socket, sent);
        return read_response(socket);
    }
    static Response post(Tcp::socket& socket, const std::string& body) {
        return send(socket, request(http::verb::post, body));
    }
    // Everything that the server says to these bytes before it closes.
    std::string talk(const std::string& bytes) {
        auto socket = connect();
        beast::error_code ec;
        asio::write(socket, asio::buffer(bytes), ec);
        std::string answer;
        asio::read(socket, asio::dynamic_buffer(answer), ec);
        return answer;
    }
    static json::value read_json(WebSocket& stream) {
        beast::flat_buffer buffer;
        stream.read(buffer);
        return json::parse(beast::buffers_to_string(buffer.data()));
    }
    static void write(WebSocket& stream, const std::string& text) { stream.write(asio::buffer(text)); }

    rpc::TestNode m_node;
    Server m_server;
    std::thread m_thread;
    asio::io_context m_io;
};

// A batch that takes seconds, as far as it is answered.
inline std::string long_batch() {
    std::string out = "[";
    for (int i = 0; i < 150; ++i)
        out += std::string(i > 0 ? "," : "") +
               R"({"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0x3e8"]})";
    return out + "]";
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace meridian::gateway
