// HTTP over real sockets: what is answered, with which status, and how long the server waits.
#include <meridian/gateway/server_fixture.hpp>

namespace meridian::gateway {
namespace {

class HttpTest : public ServerFixture {};

std::string head_of(const std::string& answer) {
    return answer.substr(0, answer.find("\r\n"));
}

TEST_F(HttpTest, AnswersSeveralRequestsOnOneConnection) {
    auto socket = connect();
    for (int i = 0; i < 3; ++i) {
        const auto response = post(socket, kChainId);
        EXPECT_EQ(response.result(), http::status::ok);
        EXPECT_EQ(response[http::field::content_type], "application/json");
        EXPECT_EQ(json::parse(response.body()).at("result"), "0x12d591");
    }
}

TEST_F(HttpTest, AnswersPipelinedRequestsInOrder) {
    auto socket = connect();
    std::string requests;
    for (int id = 1; id <= 20; ++id) {
        const std::string body =
            R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"eth_chainId"})";
        requests +=
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    asio::write(socket, asio::buffer(requests));
    beast::flat_buffer buffer;
    for (int id = 1; id <= 20; ++id) {
        Response response;
        http::read(socket, buffer, response);
        EXPECT_EQ(json::parse(response.body()).at("id"), id);
    }
}

TEST_F(HttpTest, ClosesAfterTheAnswerIfAsked) {
    const std::string rest = "Host: localhost\r\n\r\n";
    EXPECT_EQ(head_of(talk("GET / HTTP/1.1\r\nConnection: close\r\n" + rest)), "HTTP/1.1 200 OK");
    EXPECT_EQ(head_of(talk("GET / HTTP/1.0\r\n" + rest)), "HTTP/1.0 200 OK");
}

TEST_F(HttpTest, GetSaysWhatThisIsAndHeadSaysHowLongThatIs) {
    auto socket = connect();
    const auto get = send(socket, request(http::verb::get, ""));
    EXPECT_NE(get.body().find("JSON-RPC"), std::string::npos);
    const auto answer = talk("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_NE(answer.find("Content-Length: " + std::to_string(get.body().size()) + "\r\n"),
              std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpTest, SaysWhatIsMalformed) {
    for (const char* text :
         {"GARBAGE\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02", "POST / HTTP/1.1\r\nHost\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\nx\r\n"}) {
        const std::string answer = talk(text);
        EXPECT_EQ(head_of(answer), "HTTP/1.1 400 Bad Request") << text;
        EXPECT_NE(answer.find("Connection: close"), std::string::npos);
        EXPECT_GT(answer.size() - answer.find("\r\n\r\n"), 20u) << "no reason: " << answer;
    }
    EXPECT_EQ(head_of(talk("POST / HTTP/9.9\r\n\r\n")), "HTTP/1.1 505 HTTP Version Not Supported");
    auto socket = connect();
    EXPECT_EQ(json::parse(post(socket, "garbage").body()).at("error").at("code"), -32700);
}

TEST_F(HttpTest, RefusesWhatIsTooLargeAndLetsTheClientReadIt) {
    const std::string start = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    // Written whole before the answer is read: without draining, the connection would be reset.
    const std::string large(5'000'000, ' ');
    EXPECT_EQ(head_of(talk(start + "Content-Length: 5000000\r\n\r\n" + large)),
              "HTTP/1.1 413 Payload Too Large");
    EXPECT_EQ(head_of(talk(start + "Transfer-Encoding: chunked\r\n\r\n4c4b40\r\n" + large)),
              "HTTP/1.1 413 Payload Too Large");
    EXPECT_EQ(head_of(talk(start + "X-Long: " + std::string(100'000, 'x') + "\r\n\r\n")),
              "HTTP/1.1 431 Request Header Fields Too Large");
    auto socket = connect();
    EXPECT_EQ(post(socket, std::string(10'000, ' ')).result(), http::status::ok);
}

TEST_F(HttpTest, TellsClientsThatWaitToSendTheBody) {
    const std::string start =
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: ";
    auto socket = connect();
    asio::write(socket, asio::buffer(start + "100-continue\r\nContent-Length: 47\r\n\r\n"));
    std::string said;
    asio::read_until(socket, asio::dynamic_buffer(said), "\r\n\r\n");
    EXPECT_EQ(said, "HTTP/1.1 100 Continue\r\n\r\n");
    asio::write(socket, asio::buffer(std::string(kChainId)));
    EXPECT_EQ(read_response(socket).result(), http::status::ok);
    // The body is not asked for when it is refused already.
    EXPECT_EQ(head_of(talk(start + "100-continue\r\nContent-Length: 10001\r\n\r\n")),
              "HTTP/1.1 413 Payload Too Large");
    EXPECT_EQ(head_of(talk(start + "something\r\nContent-Length: 1\r\n\r\n")),
              "HTTP/1.1 417 Expectation Failed");
}

TEST_F(HttpTest, TakesOnlyTheMethodsAndTypesOfJsonRpc) {
    for (const auto verb : {http::verb::put, http::verb::delete_, http::verb::patch, http::verb::trace}) {
        auto socket = connect();
        const auto response = send(socket, request(verb, ""));
        EXPECT_EQ(response.result(), http::status::method_not_allowed);
        EXPECT_EQ(response[http::field::allow], "POST, GET, HEAD, OPTIONS");
    }
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", ""}) {
        auto socket = connect();
        auto sent = request(http::verb::post, kChainId);
        sent.set(http::field::content_type, type);
        EXPECT_EQ(send(socket, sent).result(), http::status::unsupported_media_type) << type;
    }
}

TEST_F(HttpTest, RefusesNamesThatAreNotItsOwn) {
    const auto status = [this](const std::string& host, const std::string& target = "/") {
        auto socket = connect();
        auto sent = request(http::verb::post, kChainId);
        sent.target(target);
        sent.set(http::field::host, host);
        return send(socket, sent).result();
    };
    EXPECT_EQ(status("LOCALHOST:8545"), http::status::ok);
    EXPECT_EQ(status("192.0.2.1:8545"), http::status::ok);
    EXPECT_EQ(status("[::1]:8545"), http::status::ok);
    EXPECT_EQ(status(""), http::status::ok);
    EXPECT_EQ(status("evil.example"), http::status::forbidden);
    // A whole address as the target takes precedence over the header.
    EXPECT_EQ(status("localhost", "http://evil.example/"), http::status::forbidden);
    EXPECT_EQ(status("evil.example", "http://localhost/"), http::status::ok);
    WebSocket stream(connect());
    beast::error_code ec;
    stream.handshake("evil.example", "/", ec);
    EXPECT_EQ(ec, beast::websocket::error::upgrade_declined);
}

TEST_F(HttpTest, LetsPagesOfThisMachineReadTheAnswers) {
    const auto ask = [this](http::verb verb, const char* origin, bool preflight) {
        auto socket = connect();
        auto sent = request(verb, verb == http::verb::post ? kChainId : "");
        sent.set(http::field::origin, origin);
        if (preflight) {
            sent.set(http::field::access_control_request_method, "POST");
            sent.set(http::field::access_control_request_headers, "content-type,x-custom");
        }
        return send(socket, sent);
    };
    constexpr auto kOrigin = http::field::access_control_allow_origin;
    const auto allowed = ask(http::verb::options, "http://localhost:3000", true);
    EXPECT_EQ(allowed.result(), http::status::no_content);
    EXPECT_EQ(allowed[kOrigin], "http://localhost:3000");
    EXPECT_EQ(allowed[http::field::access_control_allow_methods], "POST, GET");
    EXPECT_EQ(allowed[http::field::access_control_allow_headers], "content-type,x-custom");
    EXPECT_EQ(allowed[http::field::vary], "Origin");
    EXPECT_EQ(ask(http::verb::post, "http://127.0.0.1:5173", false)[kOrigin], "http://127.0.0.1:5173");
    const auto refused = ask(http::verb::options, "https://evil.example", true);
    EXPECT_EQ(refused.result(), http::status::forbidden);
    EXPECT_EQ(refused.count(kOrigin), 0u);
    EXPECT_EQ(ask(http::verb::post, "https://evil.example", false).count(kOrigin), 0u);
    EXPECT_EQ(ask(http::verb::options, "https://evil.example", false).result(), http::status::no_content);
}

TEST_F(HttpTest, RefusesWebSocketsOfForeignPages) {
    const auto handshake = [this](const char* origin) {
        WebSocket stream(connect());
        stream.set_option(beast::websocket::stream_base::decorator(
            [origin](beast::websocket::request_type& sent) { sent.set(http::field::origin, origin); }));
        beast::error_code ec;
        stream.handshake("localhost", "/", ec);
        return ec;
    };
    EXPECT_FALSE(handshake("http://localhost:3000"));
    EXPECT_EQ(handshake("https://evil.example"), beast::websocket::error::upgrade_declined);
    EXPECT_EQ(handshake("null"), beast::websocket::error::upgrade_declined);
}

class OpenHttpTest : public ServerFixture {
protected:
    static ServerOptions open() {
        ServerOptions out = small();
        out.vhosts = {"*"};
        out.cors = {"*"};
        return out;
    }
    OpenHttpTest() : ServerFixture(open()) {}
};

TEST_F(OpenHttpTest, StarsAllowEverything) {
    auto socket = connect();
    auto sent = request(http::verb::post, kChainId);
    sent.set(http::field::host, "any.example");
    sent.set(http::field::origin, "https://app.example");
    const auto response = send(socket, sent);
    EXPECT_EQ(response.result(), http::status::ok);
    EXPECT_EQ(response[http::field::access_control_allow_origin], "*");
}

// Deadlines of one second, each by itself.
class SlowHttpTest : public ServerFixture {
protected:
    static ServerOptions impatient() {
        ServerOptions out = small();
        out.header_s_max = 1;
        out.body_s_max = 1;
        out.idle_s_max = 1;
        out.drain_s_max = 1;
        return out;
    }
    SlowHttpTest() : ServerFixture(impatient()) {}

    // Sends one byte every 100 ms until the server has closed, which it must; gives the seconds.
    double drip(Tcp::socket& socket, const char* byte) {
        const auto start = std::chrono::steady_clock::now();
        beast::error_code ec;
        socket.non_blocking(true);
        char received[1000];
        for (;;) {
            asio::write(socket, asio::buffer(byte, 1), ec);
            const std::size_t count = socket.read_some(asio::buffer(received), ec);
            if (count == 0 && ec != asio::error::would_block)
                break;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return seconds_since(start);
    }
};

TEST_F(SlowHttpTest, EndsHeadersThatDoNotEnd) {
    auto silent = connect();
    EXPECT_GT(drip(silent, "G"), 0.5);
    auto header = connect();
    asio::write(header, asio::buffer(std::string("POST / HTTP/1.1\r\nX: ")));
    const double seconds = drip(header, "x");
    EXPECT_GT(seconds, 0.5);
}

TEST_F(SlowHttpTest, EndsBodiesThatDoNotEnd) {
    auto socket = connect();
    asio::write(socket, asio::buffer(std::string("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                                 "application/json\r\nContent-Length: 9000\r\n\r\n")));
    const double seconds = drip(socket, " ");
    EXPECT_GT(seconds, 0.5);
}

TEST_F(SlowHttpTest, EndsIdleConnections) {
    auto socket = connect();
    EXPECT_EQ(post(socket, kChainId).result(), http::status::ok);
    const auto start = std::chrono::steady_clock::now();
    char byte;
    beast::error_code ec;
    EXPECT_EQ(socket.read_some(asio::buffer(&byte, 1), ec), 0u);
    EXPECT_GT(seconds_since(start), 0.5);
}

TEST_F(SlowHttpTest, DrainsARefusedRequestForSoLongOnly) {
    auto socket = connect();
    asio::write(socket, asio::buffer(std::string("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                                 "application/json\r\nContent-Length: 90000\r\n\r\n")));
    // The refusal comes at once; what is still sent is taken for a second, and then refused as well.
    const auto start = std::chrono::steady_clock::now();
    beast::error_code ec;
    while (!ec) {
        asio::write(socket, asio::buffer(" ", 1), ec);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_GT(seconds_since(start), 0.5);
}

}  // namespace
}  // namespace meridian::gateway
