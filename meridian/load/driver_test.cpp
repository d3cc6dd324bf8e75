// The driver against a node of our own making, which answers as each test wants it.
#include <meridian/crypto/keccak.hpp>
#include <meridian/load/driver.hpp>
#include <meridian/wire/txn_server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <set>
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

TEST(Driver, SendsAgainWhatANodeForgotThatWasStartedAgain) {
    const SignedLoad load = make_load(60);
    RunState state(load);
    std::map<std::uint32_t, int> asked;
    FakeNode node([&](std::uint32_t txn) { return ++asked[txn] == 1 && txn == 40 ? "hang up" : ""; });
    DriveOptions options = options_for(node, 60);
    options.reconnect_s = 3'600;
    drive(options, state);
    EXPECT_EQ(state.accepted(), 60u);
    for (std::uint32_t txn = 0; txn < 60; ++txn)  // all of the first 41 twice: none was in a block
        EXPECT_EQ(asked[txn], txn <= 40 ? 2 : 1) << txn;
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

// A transaction port behind which each transaction gets a frame of its own, one after another.
class FramingNode {
public:
    explicit FramingNode(std::set<Hash> rejected = {}) : m_rejected(std::move(rejected)) {
        m_server = std::make_unique<wire::TxnServer>(
            wire::TxnServerOptions{}, wire::ChainIdentity{.genesis_hash = Hash{}, .chain_id = 7},
            [this](Bytes envelope, sequencer::SubmitCallback done, ClientId) {
                take(std::move(envelope), done);
            });
        const auto started = m_server->start();
        EXPECT_TRUE(started);
        m_thread = std::thread([this] { make_frames(); });
    }
    ~FramingNode() {
        {
            const std::lock_guard lock(m_mutex);
            m_ending = true;
        }
        m_changed.notify_all();
        m_thread.join();
        m_server->stop();  // it calls take() until then
    }

    DriveOptions options(std::size_t senders) const {
        DriveOptions out;
        out.endpoint = {.kind = Endpoint::Kind::Binary, .host = "127.0.0.1", .port = m_server->port()};
        out.connections = 2;
        out.senders = senders;
        out.chain_id = 7;
        return out;
    }

private:
    // Busy whenever it is asked for the first time by one in five.
    void take(Bytes envelope, const sequencer::SubmitCallback& done) {
        const std::lock_guard lock(m_mutex);
        if (envelope[0] % 5 == 0 && m_asked.insert(envelope).second)
            return done(fail(sequencer::SubmitFailure{sequencer::SubmitError::Busy, "busy"}));
        done(sequencer::Submitted{crypto::keccak256(envelope), std::nullopt});
        m_taken.push_back(std::move(envelope));
        m_changed.notify_all();
    }

    void make_frames() {
        std::unique_lock lock(m_mutex);
        for (std::uint64_t number = 1;;) {
            m_changed.wait(lock, [this] { return m_ending || !m_taken.empty(); });
            if (m_ending)
                return;
            const Bytes envelope = std::move(m_taken.front());
            m_taken.erase(m_taken.begin());
            lock.unlock();
            const Hash hash = crypto::keccak256(envelope);
            if (m_rejected.contains(hash))
                m_server->on_rejected(hash, "insufficient funds");
            else
                m_server->on_frame(frame(number++, envelope, hash));
            lock.lock();
        }
    }

    static sequencer::PublishedFramePtr frame(std::uint64_t number, const Bytes& envelope, const Hash& hash) {
        auto content = std::make_shared<sequencer::SealedFrame>();
        content->number = number;
        content->block_number = 1;
        content->timestamp_us = 1'000 * number;
        auto txn = std::make_shared<sequencer::PooledTxn>();
        txn->envelope = envelope;
        txn->hash = hash;
        content->txns.push_back(txn);
        chain::Receipt receipt;
        receipt.success = true;
        receipt.gas_used = 21'000;
        content->receipts.push_back(receipt);
        return std::make_shared<const sequencer::PublishedFrame>(content, frames::SignedHeader{}, nullptr);
    }

    std::set<Hash> m_rejected;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::set<Bytes> m_asked;
    std::vector<Bytes> m_taken;
    bool m_ending = false;
    std::unique_ptr<wire::TxnServer> m_server;
    std::thread m_thread;
};

// Envelopes with the hashes that a node gives them.
SignedLoad make_hashed_load(std::size_t txns) {
    SignedLoad out = make_load(txns);
    for (std::size_t i = 0; i < txns; ++i)
        out.hashes[i] = crypto::keccak256(out.envelopes[i]);
    return out;
}

// Until nothing is on its way any more.
void drive_until_settled(const DriveOptions& options, RunState& state) {
    Driver driver(options, state);
    state.begin();
    driver.start();
    while (!driver.done() || state.in_flight() != 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    driver.stop();
}

TEST(Driver, IsToldOfFramesOverTheBinaryPort) {
    const SignedLoad load = make_hashed_load(200);
    RunState state(load);
    FramingNode node;
    drive_until_settled(node.options(200), state);
    EXPECT_EQ(state.accepted(), 200u);
    EXPECT_EQ(state.included(), 200u);
    EXPECT_EQ(count_errors(state, "busy"), 40u);
    for (const TxnRecord& record : state.records()) {
        EXPECT_TRUE(record.inclusion.succeeded);
        EXPECT_EQ(record.inclusion.gas_used, 21'000u);
    }
    // As the node stamped them, however late they were seen.
    EXPECT_EQ(state.frame_intervals_us().max(), 1'000u);
}

TEST(Driver, CountsWhatANodeDropsAsFailed) {
    const SignedLoad load = make_hashed_load(200);
    RunState state(load);
    FramingNode node({load.hashes[33]});
    drive_until_settled(node.options(200), state);
    EXPECT_EQ(state.accepted(), 200u);
    EXPECT_EQ(state.included(), 199u);
    EXPECT_EQ(count_errors(state, "dropped: the transaction cannot be executed: insufficient funds"), 1u);
}

TEST(Driver, NamesAnotherChain) {
    const SignedLoad load = make_hashed_load(1);
    RunState state(load);
    FramingNode node;
    DriveOptions options = node.options(1);
    options.chain_id = 8;
    EXPECT_THROW(Driver(options, state), std::exception);
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
