#include <meridian/gateway/plain_server.hpp>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <stdexcept>

namespace meridian::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;

// Shows what the handler was given.
PlainAnswer echo(const PlainRequest& request) {
    if (request.path == "/throw")
        throw std::runtime_error("out of paper");
    return {.status = request.path == "/teapot" ? 418u : 200u,
            .type = "text/plain",
            .body = request.method + " " + request.path + " " + request.authorization + " " + request.body,
            .fields = {{"X-Field", "value"}}};
}

class PlainServerTest : public testing::Test {
protected:
    void start(PlainServerOptions options = {}) {
        options.section = "metrics";
        m_server = std::make_unique<PlainServer>(options, echo);
        const auto started = m_server->start();
        ASSERT_TRUE(started) << started.error();
    }
    Tcp::socket connect() {
        Tcp::socket out(m_io);
        out.connect({asio::ip::make_address("127.0.0.1"), m_server->port()});
        return out;
    }
    static http::response<http::string_body> read(Tcp::socket& socket) {
        beast::flat_buffer buffer;
        http::response<http::string_body> out;
        http::read(socket, buffer, out);
        return out;
    }
    static http::response<http::string_body> say(Tcp::socket& socket, const std::string& text) {
        asio::write(socket, asio::buffer(text));
        return read(socket);
    }

    asio::io_context m_io;
    std::unique_ptr<PlainServer> m_server;
};

TEST_F(PlainServerTest, ServesRequestAfterRequest) {
    start();
    auto socket = connect();
    const auto first = say(socket, "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n");
    EXPECT_EQ(first.body(), "GET /metrics Bearer t ");
    EXPECT_EQ(first["X-Field"], "value");
    const auto second = say(socket, "POST /teapot HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(second.result_int(), 418u);
    EXPECT_EQ(second.body(), "POST /teapot  hi");
}

TEST_F(PlainServerTest, OutlivesAHandlerThatThrows) {
    start();
    auto socket = connect();
    EXPECT_EQ(say(socket, "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n").result_int(), 500u);
    EXPECT_EQ(say(socket, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").result_int(), 200u);
}

TEST_F(PlainServerTest, RefusesWhatIsTooLarge) {
    start();
    auto body = connect();
    EXPECT_EQ(say(body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n").result_int(), 413u);
    auto header = connect();
    EXPECT_EQ(say(header, "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n").result_int(),
              431u);
}

TEST_F(PlainServerTest, ClosesWhoIsSlowAndWhoIsOneTooMany) {
    PlainServerOptions options;
    options.connections_max = 1;
    options.request_s_max = 1;
    start(options);
    auto slow = connect();
    asio::write(slow, asio::buffer(std::string("GET / HT")));
    beast::error_code ec;
    char byte = 0;
    EXPECT_EQ(slow.read_some(asio::buffer(&byte, 1), ec), 0u);
    EXPECT_TRUE(ec);
    slow.close();
    auto served = connect();
    EXPECT_EQ(say(served, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").result_int(), 200u);
    auto too_many = connect();
    EXPECT_EQ(too_many.read_some(asio::buffer(&byte, 1), ec), 0u);
    EXPECT_TRUE(ec);
}

TEST_F(PlainServerTest, NamesTheKeyOfAPortInUse) {
    start();
    PlainServer second({.port = m_server->port(), .section = "metrics"}, echo);
    const auto started = second.start();
    ASSERT_FALSE(started);
    EXPECT_NE(
        started.error().find("is in use; end the program that has it, or choose another with metrics.port"),
        std::string::npos)
        << started.error();
    PlainServer wrong({.host = "nowhere", .section = "admin"}, echo);
    EXPECT_NE(wrong.start().error().find("admin.host"), std::string::npos);
}

TEST_F(PlainServerTest, StopsWithConnectionsOpen) {
    start();
    auto socket = connect();
    say(socket, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    m_server->stop();
    beast::error_code ec;
    char byte = 0;
    m_server.reset();
    EXPECT_EQ(socket.read_some(asio::buffer(&byte, 1), ec), 0u);
    EXPECT_TRUE(ec);
}

}  // namespace
}  // namespace meridian::gateway
