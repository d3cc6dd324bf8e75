// What one client may have of the server: its rate, its share of the work, methods, connections,
// subscriptions.
#include <meridian/gateway/server_fixture.hpp>

namespace meridian::gateway {
namespace {

constexpr const char* kBatchOfThree =
    R"([{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","id":"b","method":"eth_chainId"},)"
    R"({"jsonrpc":"2.0","method":"eth_chainId"}])";

ServerOptions with(const std::function<void(ServerOptions&)>& change) {
    ServerOptions out;
    out.port = 0;
    out.request_bytes_max = 10'000;
    out.notification_bytes_max = 20'000;
    out.stop_ms_max = 60'000;
    change(out);
    return out;
}

// A full bucket takes a quarter of an hour: none comes back while a test runs.
class RateTest : public ServerFixture {
protected:
    RateTest()
        : ServerFixture(with([](ServerOptions& options) {
              options.request_bytes_max = 100'000;
              options.requests_per_s_max = 1;
              options.requests_burst_max = 900;
          })) {}
    static std::string batch_of_all() {
        std::string out = "[";
        for (int i = 0; i < 900; ++i)
            out += std::string(i > 0 ? "," : "") + R"({"jsonrpc":"2.0","id":7,"method":"x"})";
        return out + "]";
    }
};

TEST_F(RateTest, Answers429WithTheTimeToWaitAndTheKey) {
    auto socket = connect();
    EXPECT_EQ(post(socket, batch_of_all()).result(), http::status::ok);
    auto again = connect();  // the address counts, not the connection
    const auto refused = post(again, batch_of_all());
    EXPECT_EQ(refused.result(), http::status::too_many_requests);
    const int wait_s = std::stoi(std::string(refused[http::field::retry_after]));
    EXPECT_TRUE(wait_s > 0 && wait_s <= 900) << wait_s;
    const auto answers = json::parse(refused.body()).as_array();
    ASSERT_EQ(answers.size(), 900u);
    const auto& error = answers[0].at("error");
    EXPECT_EQ(answers[0].at("id"), 7);
    EXPECT_EQ(error.at("code"), -32005);
    EXPECT_EQ(error.at("data").at("limit"), "rpc.requests_per_s_max");
    EXPECT_TRUE(
        error.at("message").as_string().starts_with("too many requests: at most 1 a second; try again in "));
    EXPECT_EQ(m_server.status().refused_for_rate, 1u);
}

class BusyTest : public ServerFixture {
protected:
    BusyTest() : ServerFixture(with([](ServerOptions& options) { options.concurrent_requests_max = 1; })) {}
};

TEST_F(BusyTest, ABatchIsRefusedItemByItemAndAWebSocketKeepsItsConnection) {
    auto busy = connect();
    http::write(busy, request(http::verb::post, long_batch()));
    while (m_server.status().requests == 0) {
    }
    auto socket = connect();
    const auto refused = post(socket, kBatchOfThree);
    EXPECT_EQ(refused.result(), http::status::too_many_requests);
    const auto answers = json::parse(refused.body()).as_array();
    ASSERT_EQ(answers.size(), 2u);  // the third was a notification
    EXPECT_EQ(answers[1].at("id"), "b");
    EXPECT_EQ(answers[1].at("error").at("data").at("limit"), "rpc.concurrent_requests_max");

    auto stream = open_websocket();
    write(stream, kChainId);
    EXPECT_EQ(read_json(stream).at("error").at("code"), -32005);
    busy.close();
    while (m_server.status().requests != 0) {
    }
    write(stream, kChainId);
    EXPECT_EQ(read_json(stream).at("result"), "0x12d591");
    EXPECT_EQ(m_server.status().refused_for_load, 2u);
}

class FilterTest : public ServerFixture {
protected:
    FilterTest()
        : ServerFixture(with([](ServerOptions& options) {
              options.methods = rpc::MethodFilter({"eth_*", "net_version"}, {"eth_sendTransaction"});
          })) {}
    std::string message_of(const std::string& method) {
        auto socket = connect();
        const auto answer = json::parse(
            post(socket, R"({"jsonrpc":"2.0","id":1,"params":[],"method":")" + method + "\"}").body());
        const auto* error = answer.as_object().if_contains("error");
        return error == nullptr ? "" : std::string(error->at("message").as_string());
    }
};

TEST_F(FilterTest, ServesWhatIsAllowedAndNotDenied) {
    EXPECT_EQ(message_of("eth_chainId"), "");
    EXPECT_EQ(message_of("net_version"), "");
    EXPECT_EQ(message_of("net_listening"), "the method net_listening is not served by this node (rpc.allow)");
    EXPECT_EQ(message_of("eth_sendTransaction"),
              "the method eth_sendTransaction is not served by this node (rpc.deny)");
    EXPECT_EQ(message_of("eth_nothing"), "the method eth_nothing does not exist/is not available");
}

class Counting final : public rpc::RequestObserver {
public:
    void on_request(std::string_view method, std::optional<rpc::ErrorCode> error, std::uint64_t) override {
        const std::lock_guard lock(m_mutex);
        seen.emplace_back(std::string(method), error.has_value());
    }
    std::vector<std::pair<std::string, bool>> seen;

private:
    std::mutex m_mutex;
};
Counting& counting() {
    static Counting out;
    return out;
}

class ObserverTest : public ServerFixture {
protected:
    ObserverTest() : ServerFixture(with([](ServerOptions& options) { options.observer = &counting(); })) {}
};

TEST_F(ObserverTest, IsToldOfEveryRequestByTheTablesName) {
    counting().seen.clear();
    auto socket = connect();
    post(socket,
         R"([{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","id":1,"method":"made_up"},)"
         R"({"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[1]}])");
    const std::vector<std::pair<std::string, bool>> expected{
        {"eth_chainId", false}, {"", true}, {"eth_getBalance", true}};
    EXPECT_EQ(counting().seen, expected);
}

class PagesTest : public ServerFixture {
protected:
    PagesTest()
        : ServerFixture(with([](ServerOptions& options) {
              options.pages = [](std::string_view path) -> std::optional<PageAnswer> {
                  if (path != "/readyz")
                      return std::nullopt;
                  return PageAnswer{503, "application/json", "{\"ready\":false}"};
              };
          })) {}
};

TEST_F(PagesTest, AreServedBesideJsonRpc) {
    auto socket = connect();
    Request get(http::verb::get, "/readyz?verbose", 11);
    get.set(http::field::host, "localhost");
    const auto answer = send(socket, get);
    EXPECT_EQ(answer.result_int(), 503u);
    EXPECT_EQ(answer.body(), "{\"ready\":false}");
    get.target("/");
    EXPECT_EQ(send(socket, get).result(), http::status::ok);
    EXPECT_EQ(post(socket, kChainId).result(), http::status::ok);
}

class PerAddressTest : public ServerFixture {
protected:
    PerAddressTest()
        : ServerFixture(with([](ServerOptions& options) { options.connections_per_address_max = 2; })) {}
};

TEST_F(PerAddressTest, RefusesAThirdConnectionOfOneAddressUntilOneLeaves) {
    auto first = connect();
    auto second = connect();
    EXPECT_EQ(post(first, kChainId).result(), http::status::ok);
    EXPECT_EQ(post(second, kChainId).result(), http::status::ok);
    auto third = connect();
    EXPECT_EQ(read_response(third).result(), http::status::service_unavailable);
    first.close();
    while (m_server.status().connections == 2) {
    }
    auto fourth = connect();
    EXPECT_EQ(post(fourth, kChainId).result(), http::status::ok);
    EXPECT_EQ(m_server.status().refused_connections, 1u);
}

// A client that sends its header a byte at a time gets header_s_max for all of it, not for each byte.
class SlowTest : public ServerFixture {
protected:
    SlowTest()
        : ServerFixture(with([](ServerOptions& options) {
              options.header_s_max = 1;
              options.connections_max = 120;  // of one address half
          })) {}
};

TEST_F(SlowTest, ManyWhoDribbleTheirHeadersAreCutOffAndOthersServedMeanwhile) {
    std::vector<Tcp::socket> slow;
    for (int i = 0; i < 50; ++i)
        slow.push_back(connect());
    bool cut_off = false;
    auto honest = connect();
    // As long as the server keeps the first of them, send it another byte, and be served oneself.
    const std::string header = "POST / HTTP/1.1\r\nX: ";
    for (std::size_t sent = 0; !cut_off && sent < 10'000; ++sent) {
        const char byte = sent < header.size() ? header[sent] : 'x';
        for (Tcp::socket& socket : slow) {
            beast::error_code ec;
            socket.write_some(asio::buffer(&byte, 1), ec);
            cut_off |= ec.failed();
        }
        EXPECT_EQ(post(honest, kChainId).result(), http::status::ok);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(cut_off);
    while (m_server.status().connections > 1) {
    }
}

TEST_F(ServerFixture, SubscriptionsOfOneConnectionAreBounded) {
    auto stream = open_websocket();
    const std::size_t allowed = m_node.service.limits().subscriptions_per_session_max;
    for (std::size_t i = 0; i < allowed; ++i) {
        write(stream, R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})");
        ASSERT_TRUE(read_json(stream).as_object().contains("result"));
    }
    write(stream, R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})");
    EXPECT_TRUE(read_json(stream).as_object().contains("error"));
    write(stream, kChainId);
    EXPECT_EQ(read_json(stream).at("result"), "0x12d591");
}

}  // namespace
}  // namespace meridian::gateway
