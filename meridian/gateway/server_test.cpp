// What belongs to the server as a whole: its port, its clock, its end, and turns between connections.
#include <meridian/gateway/server_fixture.hpp>

namespace meridian::gateway {
namespace {

class ServerTest : public ServerFixture {
protected:
    std::string height(Tcp::socket& socket) {
        const auto response = post(socket, R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})");
        return std::string(json::parse(response.body()).at("result").as_string());
    }
    // Waits until no block is mined any more: not all of long_batch() were then.
    void expect_given_up(Tcp::socket& socket) {
        std::string before;
        std::string now = height(socket);
        while (now != before) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
            before = std::exchange(now, height(socket));
        }
        EXPECT_NE(now, "0x249f0");
    }
};

TEST_F(ServerTest, ServesOthersBetweenABatchsItemsAndStopsWhenTheClientLeaves) {
    auto left = connect();
    http::write(left, request(http::verb::post, long_batch()));
    auto socket = connect();
    while (height(socket) == "0x0") {
    }
    EXPECT_NE(height(socket), "0x249f0");  // 150'000: served before the batch's end
    left.close();
    expect_given_up(socket);
}

TEST_F(ServerTest, StopsABatchWhenItsWebSocketLeaves) {
    auto socket = connect();
    {
        auto left = open_websocket();
        write(left, long_batch());
        while (height(socket) == "0x0") {
        }
    }
    expect_given_up(socket);
}

TEST_F(ServerTest, EndsInTheMiddleOfABatchWithSubscribersTold) {
    auto batch = connect();
    http::write(batch, request(http::verb::post, long_batch()));
    auto idle = connect();
    while (height(idle) == "0x0") {
    }
    auto subscriber = open_websocket();
    write(subscriber, R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})");
    m_server.stop();
    beast::error_code ec;
    beast::flat_buffer buffer;
    while (!ec) {
        buffer.clear();
        subscriber.read(buffer, ec);
    }
    EXPECT_EQ(ec, beast::websocket::error::closed) << ec.message();
    EXPECT_EQ(subscriber.reason().code, beast::websocket::close_code::going_away);
    m_thread.join();
    m_thread = std::thread([] {});  // for the fixture's end
    EXPECT_LT(m_node.chain.head()->number(), 150'000u);
    EXPECT_EQ(idle.read_some(asio::buffer(buffer.prepare(1)), ec), 0u);
    EXPECT_TRUE(ec);
}

TEST_F(ServerTest, RefusesConnectionsNoMore) {
    Tcp::socket late(m_io);
    m_server.stop();
    m_thread.join();
    beast::error_code ec;
    late.connect({asio::ip::make_address("127.0.0.1"), m_server.port()}, ec);
    EXPECT_EQ(ec, asio::error::connection_refused);
    m_thread = std::thread([] {});
}

TEST_F(ServerTest, SaysThatThePortIsTaken) {
    ServerOptions same = small();
    same.port = m_server.port();
    rpc::TestNode other_node;
    Server other(other_node.service, same);
    const auto opened = other.listen();
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().find("--port"), std::string::npos);
}

TEST_F(ServerTest, MinesByTheClock) {
    auto socket = connect();
    post(socket, R"({"jsonrpc":"2.0","id":1,"method":"evm_setIntervalMining","params":[1]})");
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    EXPECT_NE(height(socket), "0x0");
}

class FewConnectionsTest : public ServerFixture {
protected:
    static ServerOptions few() {
        ServerOptions out = small();
        out.connections_max = 3;  // of one address two
        return out;
    }
    FewConnectionsTest() : ServerFixture(few()) {}
};

TEST_F(FewConnectionsTest, RefusesOneTooManyAndTakesTheNextWhenOneHasLeft) {
    auto first = connect();
    auto second = connect();
    EXPECT_EQ(post(first, kChainId).result(), http::status::ok);
    EXPECT_EQ(post(second, kChainId).result(), http::status::ok);
    auto third = connect();
    EXPECT_EQ(read_response(third).result(), http::status::service_unavailable);
    first.close();
    beast::error_code ec = asio::error::would_block;
    for (int attempt = 0; ec && attempt < 100; ++attempt) {
        auto next = connect();
        beast::flat_buffer buffer;
        Response response;
        http::write(next, request(http::verb::post, kChainId), ec);
        http::read(next, buffer, response, ec);
        if (!ec && response.result() == http::status::service_unavailable)
            ec = asio::error::would_block;
    }
    EXPECT_FALSE(ec) << ec.message();
}

}  // namespace
}  // namespace meridian::gateway
