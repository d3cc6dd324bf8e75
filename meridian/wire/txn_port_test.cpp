// The transaction port over the loopback interface: the client against the server, and the server against
// peers that misbehave.
#include <meridian/crypto/keccak.hpp>
#include <meridian/wire/raw_peer.hpp>
#include <meridian/wire/txn_client.hpp>
#include <meridian/wire/txn_server.hpp>

#include <condition_variable>
#include <map>
#include <thread>

namespace meridian::wire {
namespace {

using sequencer::SubmitError;
using sequencer::SubmitFailure;
using sequencer::Submitted;

constexpr Protocol kTxns = Protocol::Transactions;

Bytes envelope(std::uint64_t number) {
    Bytes out(100, 0x77);
    for (std::size_t i = 0; i < 8; ++i)
        out[i] = static_cast<std::uint8_t>(number >> 8 * i);
    return out;
}

// A node that holds what is submitted until the test lets it answer.
class TxnPort : public testing::Test {
protected:
    struct Held {
        Bytes envelope;
        sequencer::SubmitCallback done;
    };

    void open(TxnServerOptions options = {}) {
        m_server = std::make_unique<TxnServer>(
            options, test_chain(), [this](Bytes bytes, sequencer::SubmitCallback done, ClientId) {
                const std::unique_lock lock(m_mutex);
                if (m_answering)
                    return done(Submitted{crypto::keccak256(bytes), std::nullopt});
                m_held.push_back({std::move(bytes), std::move(done)});
                m_changed.notify_all();
            });
        const auto started = m_server->start();
        ASSERT_TRUE(started) << started.error();
    }
    void TearDown() override { m_server.reset(); }

    TxnClientOptions client_options() {
        TxnClientOptions out;
        out.address = "127.0.0.1:" + std::to_string(m_server->port());
        out.chain = test_chain();
        return out;
    }
    RawPeer greeted() {
        RawPeer peer(m_server->port(), kTxns);
        peer.greet(kTxns);
        (void)peer.expect<TxnLimits>();
        return peer;
    }
    // What the node holds once it is that much.
    std::vector<Held> held(std::size_t count) {
        std::unique_lock lock(m_mutex);
        EXPECT_TRUE(
            m_changed.wait_for(lock, std::chrono::seconds(60), [&] { return m_held.size() >= count; }));
        return std::exchange(m_held, {});
    }
    static void accept(const Held& one) {
        one.done(Submitted{crypto::keccak256(one.envelope), std::nullopt});
    }

    static sequencer::PublishedFramePtr frame(std::uint64_t number, std::uint32_t index,
                                              const std::vector<Bytes>& envelopes) {
        auto content = std::make_shared<sequencer::SealedFrame>();
        content->number = number;
        content->block_number = 9;
        content->index = index;
        content->timestamp_us = 1'000'000 + number;
        for (const Bytes& bytes : envelopes) {
            auto txn = std::make_shared<sequencer::PooledTxn>();
            txn->envelope = bytes;
            txn->hash = crypto::keccak256(bytes);
            content->txns.push_back(txn);
            chain::Receipt receipt;
            receipt.success = true;
            receipt.gas_used = 21'000 + content->txns.size();
            content->receipts.push_back(receipt);
        }
        return std::make_shared<const sequencer::PublishedFrame>(content, frames::SignedHeader{}, nullptr);
    }

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<Held> m_held;
    bool m_answering = false;
    std::unique_ptr<TxnServer> m_server;
};

// Remembers what it is told.
class Recorder final : public TxnClientListener {
public:
    void on_accepted(const Accepted& answer) override {
        note([&] { accepted[answer.id] = answer; });
    }
    void on_refused(const Refused& answer) override {
        note([&] { refused[answer.id] = answer; });
    }
    void on_included(const Included& outcome) override {
        note([&] { included[outcome.id] = outcome; });
    }
    void on_dropped(const Dropped& outcome) override {
        note([&] { dropped[outcome.id] = outcome; });
    }
    void on_closed(const std::string& why) override {
        note([&] { closed = why; });
    }
    template <class Condition>
    bool wait(const Condition& condition) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(60), condition);
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::uint64_t, Accepted> accepted;
    std::map<std::uint64_t, Refused> refused;
    std::map<std::uint64_t, Included> included;
    std::map<std::uint64_t, Dropped> dropped;
    std::string closed;

private:
    template <class Change>
    void note(const Change& change) {
        {
            const std::unique_lock lock(mutex);
            change();
        }
        changed.notify_all();
    }
};

TEST_F(TxnPort, TellsHashAndMissingNonceOrWhyNot) {
    open();
    Recorder told;
    auto client = TxnClient::connect(client_options(), told);
    ASSERT_TRUE(client) << client.error();
    EXPECT_EQ((*client)->limits().envelope_size_max, 128u << 10);
    for (std::uint64_t id = 0; id < 3; ++id)
        ASSERT_TRUE((*client)->try_submit(id, envelope(id), false));
    auto waiting = held(3);
    ASSERT_EQ(waiting.size(), 3u);
    EXPECT_EQ(waiting[1].envelope, envelope(1));
    waiting[2].done(Submitted{crypto::keccak256(envelope(2)), std::nullopt});
    waiting[0].done(Submitted{crypto::keccak256(envelope(0)), 41});
    waiting[1].done(fail(SubmitFailure{SubmitError::NonceTooLow, "nonce too low: next nonce 5, tx nonce 3"}));
    ASSERT_TRUE(told.wait([&] { return told.accepted.size() == 2 && told.refused.size() == 1; }));
    EXPECT_EQ(told.accepted[0].hash, crypto::keccak256(envelope(0)));
    EXPECT_EQ(told.accepted[0].missing_nonce, 41u);
    EXPECT_EQ(told.accepted[2].missing_nonce, std::nullopt);
    EXPECT_EQ(told.refused[1].error, SubmitError::NonceTooLow);
    EXPECT_EQ(told.refused[1].text, "nonce too low: next nonce 5, tx nonce 3");
    EXPECT_EQ((*client)->in_flight(), 0u);
}

TEST_F(TxnPort, TellsTheFrameOfWhatIsWaitedFor) {
    open();
    Recorder told;
    auto client = TxnClient::connect(client_options(), told);
    ASSERT_TRUE(client) << client.error();
    for (std::uint64_t id = 0; id < 4; ++id)
        ASSERT_TRUE((*client)->try_submit(id, envelope(id), id != 1));
    auto waiting = held(4);
    for (const Held& one : waiting)
        if (one.envelope != envelope(3))
            accept(one);
    m_server->on_frame(frame(70, 0, {envelope(50), envelope(0)}));
    m_server->on_frame(frame(71, 1, {envelope(1), envelope(2), envelope(3)}));
    // Published before the ingress has said that it was accepted: the answers keep their order.
    for (const Held& one : waiting)
        if (one.envelope == envelope(3))
            accept(one);
    ASSERT_TRUE(told.wait([&] { return told.included.size() == 3 && told.accepted.size() == 4; }));
    EXPECT_EQ(told.included[0], (Included{0, 9, 1, 70, true, 21'002, 1'000'070}));
    EXPECT_EQ(told.included[2], (Included{2, 9, 3, 71, true, 21'002, 1'000'071}));
    EXPECT_EQ(told.included[3], (Included{3, 9, 4, 71, true, 21'003, 1'000'071}));
    EXPECT_EQ((*client)->in_flight(), 0u);
    EXPECT_EQ(m_server->status().waiting, 0u);
    EXPECT_EQ(m_server->status().included, 3u);
}

TEST_F(TxnPort, CountsTheTransactionsOfTheBlockThatItBeginsIn) {
    open();
    sequencer::Head head;
    head.open.push_back(frame(5, 0, {envelope(7), envelope(8), envelope(9)}));
    m_server->begin_amid_block(head);
    m_answering = true;
    Recorder told;
    auto client = TxnClient::connect(client_options(), told);
    ASSERT_TRUE(client) << client.error();
    ASSERT_TRUE((*client)->try_submit(1, envelope(1), true));
    ASSERT_TRUE(told.wait([&] { return told.accepted.size() == 1; }));
    m_server->on_frame(frame(6, 1, {envelope(1)}));
    ASSERT_TRUE(told.wait([&] { return told.included.size() == 1; }));
    EXPECT_EQ(told.included[1].index, 3u);
}

TEST_F(TxnPort, SaysThatAWaitIsOverOrInVain) {
    TxnServerOptions options;
    options.wait_ms_max = 50;
    open(options);
    m_answering = true;
    Recorder told;
    auto client = TxnClient::connect(client_options(), told);
    ASSERT_TRUE(client) << client.error();
    ASSERT_TRUE((*client)->try_submit(1, envelope(1), true));
    ASSERT_TRUE(told.wait([&] { return told.dropped.size() == 1; }));
    EXPECT_EQ(told.dropped[1].reason, DropReason::Expired);
    EXPECT_NE(told.dropped[1].text.find("50 ms"), std::string::npos);
    m_server.reset();
    m_answering = false;
    open();
    Recorder again;
    auto other = TxnClient::connect(client_options(), again);
    ASSERT_TRUE(other) << other.error();
    ASSERT_TRUE((*other)->try_submit(1, envelope(1), true));
    accept(held(1).at(0));
    m_server->on_rejected(crypto::keccak256(envelope(1)), "insufficient funds");
    ASSERT_TRUE(again.wait([&] { return again.dropped.size() == 1; }));
    EXPECT_EQ(again.dropped[1].reason, DropReason::Rejected);
    EXPECT_NE(again.dropped[1].text.find("insufficient funds"), std::string::npos);
}

TEST_F(TxnPort, KeepsThousandsInFlightAndReadsNoMoreThanItMay) {
    TxnServerOptions options;
    options.in_flight_max = 100;
    open(options);
    RawPeer peer = greeted();
    Bytes messages;
    for (std::uint64_t id = 0; id < 5'000; ++id)
        encode(messages, Submit{id, false, envelope(id)});
    std::thread writer([&] { peer.send(messages); });
    std::size_t answered = 0;
    while (answered < 5'000) {
        auto waiting = held(std::min<std::size_t>(100, 5'000 - answered));
        EXPECT_LE(waiting.size(), 100u);
        answered += waiting.size();
        for (const Held& one : waiting)
            accept(one);
    }
    std::size_t read = 0;
    for (; read < 5'000; ++read)
        EXPECT_EQ(peer.expect<Accepted>().id, read);
    writer.join();
    EXPECT_EQ(m_server->status().accepted, 5'000u);
}

TEST_F(TxnPort, HoldsBackAClientThatDoesNotReadItsAnswers) {
    constexpr std::uint64_t kCount = 600'000;  // more answers than sockets hold
    open();
    m_answering = true;
    RawPeer peer = greeted();
    Bytes messages;
    for (std::uint64_t id = 0; id < kCount; ++id)
        encode(messages, Submit{id, false, Bytes(1)});
    std::thread writer([&] { peer.send(messages); });
    // Until it takes no more.
    for (std::uint64_t before = ~0ull; before != m_server->status().submitted;) {
        before = m_server->status().submitted;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_LT(m_server->status().submitted, kCount);
    // The rest is answered as soon as somebody reads.
    for (std::uint64_t id = 0; id < kCount; ++id)
        ASSERT_EQ(peer.expect<Accepted>().id, id);
    writer.join();
}

TEST_F(TxnPort, AnswersEnvelopesThatAreTooLargeForTheNode) {
    open();
    RawPeer peer = greeted();
    peer.send(Submit{5, false, Bytes(200'000)});
    auto one = held(1);
    EXPECT_EQ(one.at(0).envelope.size(), 200'000u);  // the ingress refuses it
    one[0].done(fail(SubmitFailure{SubmitError::Malformed, "oversized data"}));
    EXPECT_EQ(peer.expect<Refused>().id, 5u);
    Bytes larger{0x00, 0x00, 0x20, 0x00, 33};
    peer.send(larger);
    const Error error = peer.expect<Error>();
    EXPECT_EQ(error.code, ErrorCode::TooLarge);
    EXPECT_TRUE(peer.ended());
}

TEST_F(TxnPort, TurnsAwayStrangers) {
    open();
    TxnClientOptions options = client_options();
    options.chain.chain_id = 1;
    Recorder told;
    const auto other_chain = TxnClient::connect(options, told);
    ASSERT_FALSE(other_chain);
    EXPECT_NE(other_chain.error().find("chain 1234321"), std::string::npos) << other_chain.error();
    EXPECT_NE(other_chain.error().find("chain 1 "), std::string::npos) << other_chain.error();
    options = client_options();
    options.chain.genesis_hash.bytes[5] = 1;
    EXPECT_FALSE(TxnClient::connect(options, told));
    RawPeer feed(m_server->port(), kTxns);
    feed.send(Hello{Protocol::Feed, kVersion, test_chain()});
    EXPECT_EQ(feed.expect<Error>().code, ErrorCode::WrongProtocol);
    RawPeer future(m_server->port(), kTxns);
    future.send(Hello{kTxns, 2, test_chain()});
    const Error version = future.expect<Error>();
    EXPECT_EQ(version.code, ErrorCode::WrongVersion);
    EXPECT_EQ(version.number, kVersion);
}

TEST_F(TxnPort, SaysWhatIsWrongWithGarbageAndCloses) {
    open();
    RawPeer http(m_server->port(), kTxns);
    http.send(as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_EQ(http.expect<Error>().code, ErrorCode::BadMessage);
    EXPECT_TRUE(http.ended());
    RawPeer impatient(m_server->port(), kTxns);
    impatient.send(Submit{1, false, envelope(1)});
    EXPECT_EQ(impatient.expect<Error>().code, ErrorCode::Unexpected);
    RawPeer twice = greeted();
    twice.greet(kTxns);
    EXPECT_EQ(twice.expect<Error>().code, ErrorCode::Unexpected);
    RawPeer flags = greeted();
    flags.send(Bytes{0x0b, 0, 0, 0, 33, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0xff});
    EXPECT_EQ(flags.expect<Error>().code, ErrorCode::BadMessage);
}

TEST_F(TxnPort, CutsOffWhoIsSilentOrStopsAmidAMessage) {
    TxnServerOptions options;
    options.port.session.hello_ms_max = 100;
    open(options);
    RawPeer silent(m_server->port(), kTxns);
    const Error greeting = silent.expect<Error>();
    EXPECT_EQ(greeting.code, ErrorCode::TimedOut);
    EXPECT_NE(greeting.text.find("greeting"), std::string::npos);
    m_server.reset();
    options.port.session = {};
    options.port.session.message_ms_max = 100;
    open(options);
    RawPeer half = greeted();
    half.send(Bytes{0x20, 0, 0, 0, 33, 1});
    const Error message = half.expect<Error>();
    EXPECT_EQ(message.code, ErrorCode::TimedOut);
    EXPECT_NE(message.text.find("does not come to its end"), std::string::npos) << message.text;
    m_server.reset();
    options.port.session = {};
    options.port.session.idle_ms_max = 1'000;
    open(options);
    RawPeer idle = greeted();  // it does not answer pings
    const Error life = idle.expect<Error>();
    EXPECT_EQ(life.code, ErrorCode::TimedOut);
    EXPECT_NE(life.text.find("no sign of life"), std::string::npos) << life.text;
}

TEST_F(TxnPort, AnswersPingsAndKeepsWhoAnswersThem) {
    TxnServerOptions options;
    options.port.session.idle_ms_max = 1'500;
    open(options);
    m_answering = true;
    Recorder told;
    auto client = TxnClient::connect(client_options(), told);
    ASSERT_TRUE(client) << client.error();
    RawPeer peer = greeted();
    peer.send(Ping{77});
    EXPECT_EQ(peer.expect<Pong>().token, 77u);
    EXPECT_TRUE(peer.ended());  // as it answers none of the server's
    // Longer than the idle time has passed meanwhile for the client, too.
    EXPECT_FALSE((*client)->closed());
    ASSERT_TRUE((*client)->try_submit(1, envelope(1), false));
    EXPECT_TRUE(told.wait([&] { return told.accepted.size() == 1; }));
}

TEST_F(TxnPort, TakesNoMoreConnectionsThanItMay) {
    TxnServerOptions options;
    options.port.connections_max = 2;
    open(options);
    RawPeer first = greeted(), second = greeted();
    RawPeer third(m_server->port(), kTxns);
    const Error error = third.expect<Error>();
    EXPECT_EQ(error.code, ErrorCode::TooManyConnections);
    EXPECT_EQ(error.number, 2u);
    EXPECT_TRUE(third.ended());
    first.socket().close();
    // There is room again as soon as the server has noticed.
    for (;;) {
        RawPeer next(m_server->port(), kTxns);
        next.greet(kTxns);
        const auto answer = next.read();
        if (answer && std::holds_alternative<Welcome>(*answer))
            break;
    }
}

TEST_F(TxnPort, TakesNoMoreConnectionsOfOneAddressThanAreFree) {
    TxnServerOptions options;
    options.port.connections_max = 4;
    open(options);
    RawPeer first = greeted(), second = greeted(), third = greeted();
    RawPeer fourth(m_server->port(), kTxns);
    EXPECT_EQ(fourth.expect<Error>().code, ErrorCode::TooManyConnections);
    EXPECT_TRUE(fourth.ended());
}

TEST_F(TxnPort, TellsItsClientsThatItEnds) {
    open();
    Recorder told;
    auto client = TxnClient::connect(client_options(), told);
    ASSERT_TRUE(client) << client.error();
    ASSERT_TRUE((*client)->try_submit(1, envelope(1), true));
    auto waiting = held(1);
    m_server->stop();
    ASSERT_TRUE(told.wait([&] { return !told.closed.empty(); }));
    EXPECT_NE(told.closed.find("shutting down"), std::string::npos) << told.closed;
    EXPECT_FALSE((*client)->try_submit(2, envelope(2), false));
    EXPECT_FALSE((*client)->submit(2, envelope(2), false));
    m_server.reset();
    accept(waiting.at(0));  // an answer that comes too late for anyone
}

TEST_F(TxnPort, AnswersABlockingClient) {
    open();
    m_answering = true;
    auto client = BlockingTxnClient::connect(client_options());
    ASSERT_TRUE(client) << client.error();
    const auto plain = (*client)->submit(envelope(1), false);
    ASSERT_TRUE(plain) << plain.error();
    EXPECT_EQ(std::get<Accepted>(plain->answer).hash, crypto::keccak256(envelope(1)));
    std::thread node([&] {
        while (m_server->status().waiting == 0)
            std::this_thread::yield();
        m_server->on_frame(frame(3, 0, {envelope(2)}));
    });
    const auto waited = (*client)->submit(envelope(2), true);
    node.join();
    ASSERT_TRUE(waited) << waited.error();
    EXPECT_EQ(std::get<Included>(waited->outcome).frame_number, 3u);
    EXPECT_FALSE((*client)->submit(Bytes(kEnvelopeSizeMax + 1), false));
    m_server.reset();
    EXPECT_FALSE((*client)->submit(envelope(3), false));
}

TEST(TxnClientConnect, SaysWhyThereIsNoConnection) {
    Recorder told;
    TxnClientOptions options;
    options.chain = test_chain();
    for (const auto& [address, why] : std::map<std::string, std::string>{{"localhost", "no port"},
                                                                         {"::1:30", "brackets"},
                                                                         {"localhost:0", "1 to 65535"},
                                                                         {":30", "no host"},
                                                                         {"localhost:99999", "1 to 65535"}}) {
        options.address = address;
        const auto client = TxnClient::connect(options, told);
        ASSERT_FALSE(client);
        EXPECT_NE(client.error().find(why), std::string::npos) << client.error();
        EXPECT_NE(client.error().find(address), std::string::npos) << client.error();
    }
    std::uint16_t closed_port = 0;
    {
        boost::asio::io_context io;
        boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
        closed_port = acceptor.local_endpoint().port();
    }
    options.address = "127.0.0.1:" + std::to_string(closed_port);
    const auto client = TxnClient::connect(options, told);
    ASSERT_FALSE(client);
    EXPECT_NE(client.error().find("cannot connect to " + options.address), std::string::npos)
        << client.error();
}

}  // namespace
}  // namespace meridian::wire
