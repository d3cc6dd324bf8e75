// WebSockets over real sockets: subscriptions, and what a connection may not do.
#include <meridian/gateway/http_rules.hpp>
#include <meridian/gateway/server_fixture.hpp>
#include <meridian/rpc/format.hpp>

namespace meridian::gateway {
namespace {

namespace websocket = beast::websocket;
constexpr const char* kNewHeads =
    R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})";

// Reads until the connection ends.
std::size_t count_messages(WebSocket& stream, beast::error_code& ec) {
    beast::flat_buffer buffer;
    std::size_t messages = 0;
    while (!ec) {
        buffer.clear();
        stream.read(buffer, ec);
        messages += ec ? 0 : 1;
    }
    return messages;
}

class WebSocketTest : public ServerFixture {
protected:
    using ServerFixture::ServerFixture;

    static constexpr std::size_t kMined = 12'000;  // heads are more than the kernel's buffers hold
    static void mine_more_than_buffers_hold(Tcp::socket& socket) {
        for (std::size_t i = 0; i < kMined / 1'000; ++i)
            post(socket, R"({"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0x3e8"]})");
    }
};

TEST(WebSocketReason, IsCutBetweenWords) {
    EXPECT_EQ(close_reason("no room"), "no room");
    const std::string whole(123, 'x');
    EXPECT_EQ(close_reason(whole), whole);
    std::string words;
    while (words.size() < 300)
        words += "four ";
    const std::string cut = close_reason(words);
    EXPECT_LE(cut.size(), 123u);
    EXPECT_TRUE(cut.ends_with("four...")) << cut;
    EXPECT_EQ(close_reason(std::string(124, 'x')), "...");
}

TEST_F(WebSocketTest, PushesNewHeads) {
    auto stream = open_websocket();
    write(stream, kNewHeads);
    const auto id = read_json(stream).at("result");
    auto socket = connect();
    post(socket, R"({"jsonrpc":"2.0","id":1,"method":"evm_mine"})");
    const auto pushed = read_json(stream);
    EXPECT_EQ(pushed.at("params").at("subscription"), id);
    EXPECT_EQ(pushed.at("params").at("result").at("number"), "0x1");
    // Requests go on being answered in between.
    write(stream, kChainId);
    EXPECT_EQ(read_json(stream).at("id"), 7);
    stream.close(websocket::close_code::normal);
}

TEST_F(WebSocketTest, SubscribesToSyncing) {
    auto stream = open_websocket();
    write(stream, R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["syncing"]})");
    EXPECT_TRUE(read_json(stream).at("result").is_string());
    stream.close(websocket::close_code::normal);
}

TEST_F(WebSocketTest, AnswersPingsAndFragmentedMessages) {
    auto stream = open_websocket();
    std::string ponged;
    stream.control_callback([&](websocket::frame_type kind, beast::string_view payload) {
        if (kind == websocket::frame_type::pong)
            ponged = std::string(payload);
    });
    stream.ping("still there?");
    const std::string text = kChainId;
    stream.write_some(false, asio::buffer(text.substr(0, 20)));
    stream.write_some(true, asio::buffer(text.substr(20)));
    EXPECT_EQ(read_json(stream).at("id"), 7);
    EXPECT_EQ(ponged, "still there?");
}

TEST_F(WebSocketTest, ClosesWith1009OnAMessageThatIsTooLarge) {
    for (const std::size_t size : {10'001u, 5'000'000u}) {
        auto stream = open_websocket();
        beast::error_code ec;
        stream.write(asio::buffer(std::string(size, ' ')), ec);
        count_messages(stream, ec = {});
        EXPECT_EQ(ec, websocket::error::closed) << ec.message();
        EXPECT_EQ(stream.reason().code, websocket::close_code::too_big);
        EXPECT_EQ(stream.reason().reason, "message too large (at most 10000 bytes)");
    }
    auto stream = open_websocket();
    write(stream, std::string(10'000 - std::string(kChainId).size(), ' ') + kChainId);
    EXPECT_EQ(read_json(stream).at("id"), 7);
}

// Nothing is kept for it beyond the bound, and nothing is left out.
TEST_F(WebSocketTest, ReadsBackWhatASubscriberHasNotTakenYet) {
    auto stream = open_websocket();
    write(stream, kNewHeads);
    read_json(stream);
    auto socket = connect();
    mine_more_than_buffers_hold(socket);
    for (std::uint64_t number = 1; number <= kMined; ++number) {
        const auto message = read_json(stream);
        ASSERT_EQ(message.at("params").at("sequence"), rpc::quantity(number));
        ASSERT_EQ(message.at("params").at("result").at("number"), rpc::quantity(number));
    }
    EXPECT_EQ(m_server.status().slow_subscribers, 0u);
}

// A client that asks and never reads: its answers do not pile up, as no further request is read.
TEST_F(WebSocketTest, ReadsNoMoreRequestsThanAnswersAreTaken) {
    auto stream = open_websocket();
    auto socket = connect();
    post(socket, R"({"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0x3e8"]})");
    const std::string request =
        R"({"jsonrpc":"2.0","id":1,"method":"eth_feeHistory","params":["0x400","latest",[1,2,3,4,5,6,7,8,9]]})";
    auto& tcp = stream.next_layer();
    tcp.non_blocking(true);
    // Frames written by hand, as the stream itself would wait.
    std::string frames;
    for (int i = 0; i < 400'000; ++i) {
        frames += "\x81" + std::string(1, static_cast<char>(0x80 | request.size())) + std::string(4, '\0') +
                  request;
        ASSERT_LT(request.size(), 126u);
    }
    std::size_t written = 0;
    const auto start = std::chrono::steady_clock::now();
    auto progress = start;
    beast::error_code ec;
    while (written < frames.size() && seconds_since(progress) < 1 && seconds_since(start) < 20) {
        const std::size_t count = tcp.write_some(asio::buffer(frames) + written, ec);
        written += count;
        if (count > 0)
            progress = std::chrono::steady_clock::now();
        else
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_LT(written, frames.size());
    // It is served again once it reads.
    tcp.non_blocking(false);
    EXPECT_TRUE(read_json(stream).as_object().contains("result"));
}

TEST_F(WebSocketTest, SurvivesGarbageFrames) {
    for (const std::string& text :
         {std::string(14, '\xff'), std::string("\x81\x05hello"), std::string(50, '\0')}) {
        auto stream = open_websocket();
        asio::write(stream.next_layer(), asio::buffer(text));
        beast::error_code ec;
        count_messages(stream, ec);
        EXPECT_TRUE(ec);
    }
    auto socket = connect();
    EXPECT_EQ(post(socket, kChainId).result(), http::status::ok);
}

class HastyWebSocketTest : public WebSocketTest {
protected:
    static ServerOptions hasty() {
        ServerOptions out = small();
        out.write_s_max = 1;
        return out;
    }
    HastyWebSocketTest() : WebSocketTest(hasty()) {}
};

TEST_F(HastyWebSocketTest, CutsOffASubscriberThatDoesNotRead) {
    auto stream = open_websocket();
    write(stream, kNewHeads);
    read_json(stream);
    auto socket = connect();
    mine_more_than_buffers_hold(socket);
    while (m_server.status().slow_subscribers == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    beast::error_code ec;
    EXPECT_LT(count_messages(stream, ec), kMined);
    // The others do not notice.
    EXPECT_EQ(post(socket, kChainId).result(), http::status::ok);
}

class IdleWebSocketTest : public ServerFixture {
protected:
    static ServerOptions impatient() {
        ServerOptions out = small();
        out.websocket_idle_s_max = 2;
        return out;
    }
    IdleWebSocketTest() : ServerFixture(impatient()) {}
};

TEST_F(IdleWebSocketTest, EndsOneWithoutASignOfLifeAndKeepsOneThatAnswersPings) {
    auto silent = open_websocket();
    auto alive = open_websocket();
    std::thread reader([&] {
        // Reading is what answers the server's pings.
        EXPECT_EQ(read_json(alive).at("id"), 7);
    });
    const auto start = std::chrono::steady_clock::now();
    char byte[100];
    beast::error_code ec;
    while (!ec)
        silent.next_layer().read_some(asio::buffer(byte), ec);
    EXPECT_GT(seconds_since(start), 1.0);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    write(alive, kChainId);
    reader.join();
}

}  // namespace
}  // namespace meridian::gateway
