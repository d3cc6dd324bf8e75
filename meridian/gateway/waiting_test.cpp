// Connections with requests that wait.
#include <meridian/gateway/server_fixture.hpp>

#include <set>

namespace meridian::gateway {
namespace {

class WaitingTest : public ServerFixture {
protected:
    explicit WaitingTest(ServerOptions chosen = small()) : ServerFixture(chosen), m_socket(connect()) {
        call("evm_setAutomine", "false");
    }

    json::value call(const std::string& method, const std::string& params) {
        const Response response = post(
            m_socket, R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":[)" + params + "]}");
        return json::parse(response.body()).at("result");
    }
    // Waits for the receipt of a transaction that nobody has mined.
    std::string sync(int id, int nonce, int timeout_ms) {
        const json::value made = call("eth_signTransaction",
                                      R"({"gas":"0x5208","to":"0x00000000000000000000000000000000000000aa",)"
                                      R"("nonce":"0x)" +
                                          std::to_string(nonce) + "\"}");
        return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
               R"(,"method":"eth_sendRawTransactionSync","params":[)" + json::serialize(made.at("raw")) +
               "," + std::to_string(timeout_ms) + "]}";
    }
    void await_count(std::size_t count) {
        const auto start = std::chrono::steady_clock::now();
        while (m_node.service.waiting().waiting() != count && seconds_since(start) < 30)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ASSERT_EQ(m_node.service.waiting().waiting(), count);
    }

    Tcp::socket m_socket;
};

TEST_F(WaitingTest, OthersPassOnTheSameWebSocket) {
    auto stream = open_websocket();
    write(stream, sync(1, 0, 10'000));
    write(stream, kChainId);
    EXPECT_EQ(read_json(stream).at("id"), 7);
    call("evm_mine", "");
    const json::value answer = read_json(stream);
    EXPECT_EQ(answer.at("id"), 1);
    EXPECT_EQ(answer.at("result").at("blockNumber"), "0x1");
}

TEST_F(WaitingTest, EndsWithItsTime) {
    auto stream = open_websocket();
    write(stream, sync(1, 0, 20));
    EXPECT_EQ(read_json(stream).at("error").at("code"), 4);
    auto other = connect();
    EXPECT_EQ(json::parse(post(other, sync(1, 0, 20)).body()).at("error").at("message"), "already known");
    EXPECT_EQ(json::parse(post(other, sync(1, 1, 20)).body()).at("error").at("code"), 4);
    await_count(0);
}

TEST_F(WaitingTest, AnswersOverHttp) {
    auto other = connect();
    http::write(other, request(http::verb::post, sync(1, 0, 10'000)));
    await_count(1);
    call("evm_mine", "");
    EXPECT_EQ(json::parse(read_response(other).body()).at("result").at("status"), "0x1");
    // The connection goes on.
    EXPECT_EQ(post(other, kChainId).result(), http::status::ok);
}

TEST_F(WaitingTest, EndsWithTheConnection) {
    {
        auto other = connect();
        http::write(other, request(http::verb::post, sync(1, 0, 10'000)));
        auto stream = open_websocket();
        write(stream, sync(1, 1, 10'000));
        await_count(2);
    }
    await_count(0);
}

TEST_F(WaitingTest, EndsWithTheNode) {
    auto other = connect();
    http::write(other, request(http::verb::post, sync(1, 0, 10'000)));
    auto stream = open_websocket();
    write(stream, sync(1, 1, 10'000));
    await_count(2);
    m_server.stop();
    beast::flat_buffer buffer;
    beast::error_code ec;
    stream.read(buffer, ec);
    EXPECT_EQ(ec, beast::websocket::error::closed) << ec.message();
    Response response;
    http::read(other, buffer, response, ec = {});
    EXPECT_TRUE(ec);
}

class FewWaitingTest : public WaitingTest {
protected:
    static ServerOptions few() {
        ServerOptions out = small();
        out.waiting_requests_max = 2;
        return out;
    }
    FewWaitingTest() : WaitingTest(few()) {}
};

TEST_F(FewWaitingTest, FurtherRequestsAreNotReadUntilOneIsAnswered) {
    auto stream = open_websocket();
    write(stream, sync(1, 0, 10'000));
    write(stream, sync(2, 1, 10'000));
    await_count(2);
    write(stream, kChainId);
    call("evm_mine", "");
    EXPECT_NE(read_json(stream).at("id"), 7);
    std::set<std::int64_t> ids;
    for (int i = 0; i < 2; ++i)
        ids.insert(read_json(stream).at("id").as_int64());
    EXPECT_TRUE(ids.contains(7));
}

}  // namespace
}  // namespace meridian::gateway
