// The server over real sockets on the loopback interface.
#include <meridian/gateway/server.hpp>
#include <meridian/rpc/test_node.hpp>

#include <gtest/gtest.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <thread>

namespace meridian::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using Tcp = asio::ip::tcp;

constexpr const char* kChainId = R"({"jsonrpc":"2.0","id":7,"method":"eth_chainId"})";

class ServerTest : public testing::Test {
protected:
    ServerTest() : m_server(m_node.service, options()) {
        const auto opened = m_server.listen();
        EXPECT_TRUE(opened) << opened.error();
        m_thread = std::thread([this] { m_server.run(); });
    }
    ~ServerTest() override {
        m_server.stop();
        m_thread.join();
    }

    static ServerOptions options() {
        ServerOptions out;
        out.port = 0;
        out.request_bytes_max = 10'000;
        out.notification_bytes_max = 20'000;
        return out;
    }

    Tcp::socket connect() {
        Tcp::socket socket(m_io);
        socket.connect({asio::ip::make_address("127.0.0.1"), m_server.port()});
        return socket;
    }

    http::response<http::string_body> send(Tcp::socket& socket, http::verb verb, const std::string& body) {
        http::request<http::string_body> request(verb, "/", 11);
        request.set(http::field::host, "localhost");
        request.body() = body;
        request.prepare_payload();
        http::write(socket, request);
        beast::flat_buffer buffer;
        http::response<http::string_body> response;
        http::read(socket, buffer, response);
        return response;
    }

    rpc::TestNode m_node;
    Server m_server;
    std::thread m_thread;
    asio::io_context m_io;
};

TEST_F(ServerTest, AnswersSeveralRequestsOnOneConnection) {
    auto socket = connect();
    for (int i = 0; i < 3; ++i) {
        const auto response = send(socket, http::verb::post, kChainId);
        EXPECT_EQ(response.result(), http::status::ok);
        EXPECT_EQ(response[http::field::content_type], "application/json");
        EXPECT_EQ(json::parse(response.body()).at("result"), "0x12d591");
    }
}

TEST_F(ServerTest, GetSaysWhatThisIsAndBrowsersMayAsk) {
    auto socket = connect();
    EXPECT_NE(send(socket, http::verb::get, "").body().find("JSON-RPC"), std::string::npos);
    const auto preflight = send(socket, http::verb::options, "");
    EXPECT_EQ(preflight[http::field::access_control_allow_origin], "*");
    EXPECT_EQ(send(socket, http::verb::delete_, "").result(), http::status::method_not_allowed);
}

TEST_F(ServerTest, RefusesWhatIsTooLarge) {
    auto socket = connect();
    EXPECT_EQ(send(socket, http::verb::post, std::string(10'001, ' ')).result(),
              http::status::payload_too_large);
}

// A batch that takes seconds, as far as it is answered.
std::string long_batch() {
    std::string out = "[";
    for (int i = 0; i < 150; ++i)
        out += std::string(i > 0 ? "," : "") + R"({"id":1,"method":"anvil_mine","params":["0x3e8"]})";
    return out + "]";
}

TEST_F(ServerTest, ServesOthersBetweenABatchsItemsAndStopsWhenTheClientLeaves) {
    auto left = connect();
    http::request<http::string_body> request(http::verb::post, "/", 11);
    request.body() = long_batch();
    request.prepare_payload();
    http::write(left, request);
    auto socket = connect();
    const auto height = [&] {
        const auto response = send(socket, http::verb::post, R"({"id":1,"method":"eth_blockNumber"})");
        return json::parse(response.body()).at("result").as_string();
    };
    while (height() == "0x0") {
    }
    EXPECT_NE(height(), "0x249f0");  // 150'000: served before the batch's end
    left.close();
    // An item may be under way; after it no block is mined.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto stopped = height();
    EXPECT_NE(stopped, "0x249f0");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_EQ(height(), stopped);
}

TEST_F(ServerTest, PushesNewHeadsOverWebSocket) {
    beast::websocket::stream<Tcp::socket> stream(connect());
    stream.handshake("localhost", "/");
    const auto read = [&] {
        beast::flat_buffer buffer;
        stream.read(buffer);
        return json::parse(beast::buffers_to_string(buffer.data()));
    };
    stream.write(asio::buffer(std::string(R"({"id":1,"method":"eth_subscribe","params":["newHeads"]})")));
    const auto id = read().at("result");
    auto socket = connect();
    send(socket, http::verb::post, R"({"id":1,"method":"evm_mine"})");
    const auto pushed = read();
    EXPECT_EQ(pushed.at("params").at("subscription"), id);
    EXPECT_EQ(pushed.at("params").at("result").at("number"), "0x1");
    // Requests go on being answered in between.
    stream.write(asio::buffer(std::string(kChainId)));
    EXPECT_EQ(read().at("id"), 7);
    stream.close(beast::websocket::close_code::normal);
}

TEST_F(ServerTest, SubscribesToSyncing) {
    beast::websocket::stream<Tcp::socket> stream(connect());
    stream.handshake("localhost", "/");
    stream.write(asio::buffer(std::string(R"({"id":1,"method":"eth_subscribe","params":["syncing"]})")));
    beast::flat_buffer buffer;
    stream.read(buffer);
    EXPECT_TRUE(json::parse(beast::buffers_to_string(buffer.data())).at("result").is_string());
    stream.close(beast::websocket::close_code::normal);
}

TEST_F(ServerTest, CutsOffASubscriberThatDoesNotRead) {
    beast::websocket::stream<Tcp::socket> stream(connect());
    stream.handshake("localhost", "/");
    stream.write(asio::buffer(std::string(R"({"id":1,"method":"eth_subscribe","params":["newHeads"]})")));
    beast::flat_buffer buffer;
    stream.read(buffer);
    auto socket = connect();
    // More than the bound and the kernel's buffers hold.
    for (int i = 0; i < 12; ++i)
        send(socket, http::verb::post, R"({"id":1,"method":"anvil_mine","params":["0x3e8"]})");
    beast::error_code ec;
    std::size_t messages = 0;
    while (!ec) {
        buffer.clear();
        stream.read(buffer, ec);
        messages += ec ? 0 : 1;
    }
    EXPECT_LT(messages, 12'000u);
    // The others do not notice.
    EXPECT_EQ(send(socket, http::verb::post, kChainId).result(), http::status::ok);
}

TEST_F(ServerTest, SurvivesGarbage) {
    for (const char* text : {"\r\n\r\n", "GET\r\n\r\n", "POST / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00"}) {
        auto socket = connect();
        asio::write(socket, asio::buffer(std::string(text)));
        socket.shutdown(Tcp::socket::shutdown_send);
        beast::error_code ec;
        std::string ignored;
        asio::read(socket, asio::dynamic_buffer(ignored), ec);
    }
    auto socket = connect();
    EXPECT_EQ(send(socket, http::verb::post, "garbage").result(), http::status::ok);
}

TEST_F(ServerTest, SaysThatThePortIsTaken) {
    ServerOptions same = options();
    same.port = m_server.port();
    rpc::TestNode other_node;
    Server other(other_node.service, same);
    const auto opened = other.listen();
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().find("--port"), std::string::npos);
}

TEST_F(ServerTest, MinesByTheClock) {
    auto socket = connect();
    send(socket, http::verb::post, R"({"id":1,"method":"evm_setIntervalMining","params":[1]})");
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    const auto response = send(socket, http::verb::post, R"({"id":1,"method":"eth_blockNumber"})");
    EXPECT_NE(json::parse(response.body()).at("result"), "0x0");
}

}  // namespace
}  // namespace meridian::gateway
