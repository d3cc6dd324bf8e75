// The driver against a node of our own making, which answers as each test wants it.
#include <meridian/load/driver.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <thread>

namespace meridian::load {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using Tcp = asio::ip::tcp;

// The error's text for a submission, or empty to accept it; "hang up" ends the connection.
using Behaviour = std::function<std::string(std::uint32_t txn)>;

// One connection after another.
class FakeNode {
public:
    explicit FakeNode(Behaviour behaviour)
        : m_behaviour(std::move(behaviour)), m_acceptor(m_io, {asio::ip::address_v4::loopback(), 0}) {
        m_thread = std::thread([this] { serve(); });
    }
    ~FakeNode() {
        m_ending = true;
        boost::system::error_code ignored;
        Tcp::socket(m_io).connect(m_acceptor.local_endpoint(), ignored);  // wakes it
        m_thread.join();
    }

    Endpoint endpoint() const {
        return {
            .kind = Endpoint::Kind::Http, .host = "127.0.0.1", .port = m_acceptor.local_endpoint().port()};
    }
    // When the driver has ended.
    const std::vector<std::uint32_t>& taken() const { return m_taken; }

private:
    void serve() {
        while (!m_ending) {
            Tcp::socket socket = m_acceptor.accept();
            boost::beast::flat_buffer buffer;
            boost::system::error_code ec;
            while (!ec && !m_ending) {
                http::request<http::string_body> request;
                http::read(socket, buffer, request, ec);
                if (!ec && !answer(socket, request, ec))
                    break;
            }
        }
    }

    bool answer(Tcp::socket& socket, const http::request<http::string_body>& request,
                boost::system::error_code& ec) {
        const json::value asked = json::parse(request.body());
        const std::int64_t id = asked.at("id").as_int64();
        const std::string error = m_behaviour(static_cast<std::uint32_t>(id));
        if (error == "hang up")
            return false;
        json::object body{{"jsonrpc", "2.0"}, {"id", id}};
        if (error.empty()) {
            m_taken.push_back(static_cast<std::uint32_t>(id));
            body["result"] = "0x00";
        } else {
            body["error"] = json::object{{"code", -32000}, {"message", error}};
        }
        http::response<http::string_body> response(http::status::ok, 11);
        response.body() = json::serialize(body);
        response.prepare_payload();
        http::write(socket, response, ec);
        return true;
    }

    Behaviour m_behaviour;
    asio::io_context m_io;
    Tcp::acceptor m_acceptor;
    std::atomic<bool> m_ending = false;
    std::vector<std::uint32_t> m_taken;
    std::thread m_thread;
};

SignedLoad make_load(std::size_t txns) {
    SignedLoad out;
    for (std::size_t i = 0; i < txns; ++i) {
        out.envelopes.push_back(Bytes(10, static_cast<std::uint8_t>(i)));
        out.hashes.push_back(to_hash(u256{i}));
    }
    return out;
}

DriveOptions options_for(const FakeNode& node, std::size_t senders) {
    DriveOptions out;
    out.endpoint = node.endpoint();
    out.connections = 1;
    out.pipeline = 8;
    out.senders = senders;
    return out;
}

void drive(const DriveOptions& options, RunState& state) {
    Driver driver(options, state);
    state.begin();
    driver.start();
    while (!driver.done())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    driver.stop();
}

std::size_t count_errors(const RunState& state, std::string_view part) {
    std::size_t out = 0;
    for (const auto& [kind, count] : state.errors())
        if (kind.find(part) != std::string::npos)
            out += count;
    return out;
}

TEST(Driver, SendsAllInTheOrderOfEachAccount) {
    const SignedLoad load = make_load(300);
    RunState state(load);
    FakeNode node([](std::uint32_t) { return ""; });
    drive(options_for(node, 7), state);
    EXPECT_EQ(state.accepted(), 300u);
    EXPECT_TRUE(std::is_sorted(node.taken().begin(), node.taken().end()));
    EXPECT_EQ(node.taken().size(), 300u);
    EXPECT_TRUE(state.errors().empty());
    EXPECT_EQ(state.in_flight(), 300u);
    state.note_included(load.hashes[5], {.succeeded = true, .gas_used = 1, .gas_price = {}});
    state.note_included(load.hashes[5], {.succeeded = true, .gas_used = 1, .gas_price = {}});
    EXPECT_EQ(state.included(), 1u);
    EXPECT_EQ(state.in_flight(), 299u);
}

TEST(Driver, SendsAgainWhatABusyNodeDidNotTake) {
    const SignedLoad load = make_load(100);
    RunState state(load);
    std::map<std::uint32_t, int> asked;
    FakeNode node(
        [&](std::uint32_t txn) { return ++asked[txn] <= 2 && txn % 3 == 0 ? "the node is busy" : ""; });
    drive(options_for(node, 100), state);
    EXPECT_EQ(state.accepted(), 100u);
    EXPECT_EQ(node.taken().size(), 100u);
    EXPECT_EQ(count_errors(state, "busy"), 68u);
}

TEST(Driver, StopsAnAccountWhoseTransactionIsRefused) {
    const SignedLoad load = make_load(1'000);
    RunState state(load);
    FakeNode node([](std::uint32_t txn) { return txn == 11 ? "insufficient funds" : ""; });
    drive(options_for(node, 10), state);
    EXPECT_EQ(count_errors(state, "insufficient funds"), 1u);
    const std::size_t dropped = count_errors(state, "one before it failed");
    EXPECT_GT(dropped, 90u);  // those of account 1 that were not on their way
    EXPECT_EQ(state.accepted() + dropped + 1, 1'000u);
    EXPECT_EQ(state.in_flight(), state.accepted());
}

TEST(Driver, GoesOnWhereTheConnectionBroke) {
    const SignedLoad load = make_load(200);
    RunState state(load);
    std::map<std::uint32_t, int> asked;
    FakeNode node([&](std::uint32_t txn) {
        ++asked[txn];
        if (txn == 50 && asked[txn] == 1)
            return "hang up";
        return txn < 50 && asked[txn] > 1 ? "already known" : "";
    });
    DriveOptions options = options_for(node, 200);
    options.reconnect_s = 3'600;
    drive(options, state);
    EXPECT_EQ(state.accepted(), 200u);
    EXPECT_EQ(count_errors(state, "connection lost"), 1u);
}

TEST(Driver, GivesUpALostConnectionUnlessToldToTryAgain) {
    const SignedLoad load = make_load(200);
    RunState state(load);
    FakeNode node([](std::uint32_t txn) { return txn == 50 ? "hang up" : ""; });
    drive(options_for(node, 200), state);
    EXPECT_LE(state.accepted(), 50u);
    EXPECT_EQ(state.accepted() + count_errors(state, "not answered") + count_errors(state, "not sent"), 200u);
    EXPECT_EQ(state.in_flight(), state.accepted());
}

TEST(Driver, CountsWaitingSinceTheScheduleWantedItSent) {
    const SignedLoad load = make_load(50);
    RunState state(load);
    FakeNode node([](std::uint32_t) { return ""; });
    DriveOptions options = options_for(node, 50);
    options.rate = 1'000;
    drive(options, state);
    for (std::uint32_t txn = 0; txn < 50; ++txn) {
        EXPECT_EQ(state.records()[txn].due_us, 1 + 1'000u * txn);
        EXPECT_GE(state.records()[txn].sent_us, state.records()[txn].due_us);
    }
}

TEST(Driver, SaysThatNobodyIsThere) {
    const SignedLoad load = make_load(1);
    RunState state(load);
    DriveOptions options;
    options.endpoint = {.kind = Endpoint::Kind::Http, .host = "127.0.0.1", .port = 1};
    EXPECT_THROW(Driver(options, state), std::exception);
}

}  // namespace
}  // namespace meridian::load
