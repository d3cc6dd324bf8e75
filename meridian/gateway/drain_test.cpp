// The end of a server that lets requests finish: what is under way is answered, nothing is begun.
#include <meridian/gateway/server_fixture.hpp>

#include <atomic>

namespace meridian::gateway {
namespace {

std::atomic<bool>& stop_was_told() {
    static std::atomic<bool> out = false;
    return out;
}

class DrainTest : public ServerFixture {
protected:
    DrainTest() : ServerFixture(options()) {}
    static ServerOptions options() {
        ServerOptions out = small();
        out.drain_ms_max = 600'000;
        out.on_stop = [] { stop_was_told() = true; };
        stop_was_told() = false;
        return out;
    }
    void end() {
        m_thread.join();
        m_thread = std::thread([] {});  // for the fixture's end
    }
    void await_requests(std::size_t count) {
        while (m_server.status().requests != count) {
        }
    }
    // Some items, each of which takes a while.
    static std::string batch() {
        std::string out = "[";
        for (int i = 0; i < 10; ++i)
            out += std::string(i > 0 ? "," : "") +
                   R"({"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0x3e8"]})";
        return out + "]";
    }
};

TEST_F(DrainTest, ABatchUnderWayIsAnsweredAndItsConnectionClosed) {
    auto busy = connect();
    auto idle = connect();
    EXPECT_EQ(post(idle, kChainId).result(), http::status::ok);
    http::write(busy, request(http::verb::post, batch()));
    await_requests(1);
    m_server.stop();
    beast::error_code ec;
    char byte = 0;
    EXPECT_EQ(idle.read_some(asio::buffer(&byte, 1), ec), 0u);  // closed meanwhile
    EXPECT_TRUE(ec);
    EXPECT_TRUE(stop_was_told());
    const auto answer = read_response(busy);
    EXPECT_EQ(answer.result(), http::status::ok);
    EXPECT_FALSE(answer.keep_alive());
    EXPECT_EQ(json::parse(answer.body()).as_array().size(), 10u);
    end();
    EXPECT_EQ(m_node.chain.head()->number(), 10'000u);
}

TEST_F(DrainTest, AWebSocketsAnswerIsSentBeforeItClosesAsGoingAway) {
    auto busy = open_websocket();
    auto idle = open_websocket();
    write(busy, batch());
    await_requests(1);
    m_server.stop();
    const auto expect_going_away = [](WebSocket& stream) {
        beast::flat_buffer buffer;
        beast::error_code ec;
        stream.read(buffer, ec);
        EXPECT_EQ(ec, beast::websocket::error::closed) << ec.message();
        EXPECT_EQ(stream.reason().code, beast::websocket::close_code::going_away);
    };
    // At once, as it is not waited for longer than a closing takes.
    expect_going_away(idle);
    EXPECT_EQ(read_json(busy).as_array().size(), 10u);
    expect_going_away(busy);
    end();
}

class ShortDrainTest : public ServerFixture {
protected:
    ShortDrainTest() : ServerFixture(options()) {}
    static ServerOptions options() {
        ServerOptions out = small();
        out.drain_ms_max = 1;
        return out;
    }
};

TEST_F(ShortDrainTest, WhatTakesLongerThanTheDrainIsBrokenOff) {
    auto busy = connect();
    http::write(busy, request(http::verb::post, long_batch()));
    while (m_server.status().requests == 0) {
    }
    m_server.stop();
    m_thread.join();
    m_thread = std::thread([] {});
    EXPECT_LT(m_node.chain.head()->number(), 150'000u);
}

}  // namespace
}  // namespace meridian::gateway
