// Subscriptions as places in history: where they begin, what slow readers miss (nothing), what is taken back.
#include <meridian/rpc/test_chain.hpp>
#include <meridian/rpc/test_node.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace meridian::rpc {
namespace {

// Writes one log without topics.
const json::string kCounterCode = "0x60005f5260205fa000";
const json::string kCounter = "0x00000000000000000000000000000000000c0de0";

// A connection that has room for so many messages.
struct Reader final : Session {
    void notify(Notification message) override {
        const json::value parsed = json::parse(message.head + *message.body);
        messages.push_back(parsed.at("params").as_object());
    }
    bool has_room() override { return messages.size() < room; }
    void cut_off(std::string reason) override { last_words = std::move(reason); }

    std::vector<std::uint64_t> sequences() const {
        std::vector<std::uint64_t> out;
        for (const json::object& message : messages)
            out.push_back(std::stoull(std::string(message.at("sequence").as_string()), nullptr, 16));
        return out;
    }

    std::size_t room = 1'000'000;
    std::vector<json::object> messages;
    std::string last_words;
};

class StreamsTest : public ::testing::Test {
protected:
    StreamsTest() {
        m_node.service.mailbox()->set_poster(
            [this](std::function<void()> work) { m_posted.push_back(std::move(work)); });
        m_node.call("anvil_setCode", {kCounter, kCounterCode});
    }
    ~StreamsTest() override { m_node.service.mailbox()->set_poster({}); }

    json::object subscribe(Reader& reader, json::array params) {
        const json::object request{
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", "eth_subscribe"}, {"params", std::move(params)}};
        auto answer = json::parse(m_node.dispatcher.handle(json::serialize(request), &reader)).as_object();
        run_posted();
        return answer;
    }
    void run_posted() {
        while (!m_posted.empty()) {
            const auto work = std::move(m_posted.front());
            m_posted.pop_front();
            work();
        }
    }
    void touch(int count) {
        for (int i = 0; i < count; ++i)
            m_node.call("eth_sendTransaction", {json::object{{"from", m_node.account(0)}, {"to", kCounter}}});
        run_posted();
    }

    TestNode m_node;
    std::deque<std::function<void()>> m_posted;
};

using Sequences = std::vector<std::uint64_t>;
constexpr std::uint64_t log_at(std::uint64_t moment, std::uint64_t index = 0) {
    return moment << 20 | index;
}

TEST_F(StreamsTest, BeginInThePastAndGoOnLiveWithoutAGap) {
    touch(3);
    Reader heads;
    Reader logs;
    subscribe(heads, {"newHeads", json::object{{"from", "0x2"}}});
    subscribe(logs, {"logs", json::object{{"address", kCounter}, {"from", "0x200000"}}});
    EXPECT_EQ(heads.sequences(), (Sequences{2, 3}));
    EXPECT_EQ(logs.sequences(), (Sequences{log_at(2), log_at(3)}));
    touch(2);
    EXPECT_EQ(heads.sequences(), (Sequences{2, 3, 4, 5}));
    EXPECT_EQ(logs.sequences(), (Sequences{log_at(2), log_at(3), log_at(4), log_at(5)}));
    EXPECT_EQ(heads.messages.back().at("result").at("number"), "0x5");
    Reader live;
    subscribe(live, {"newHeads"});
    EXPECT_TRUE(live.messages.empty());
    touch(1);
    EXPECT_EQ(live.sequences(), (Sequences{6}));
}

TEST_F(StreamsTest, WaitForASlowReaderAndLeaveNothingOut) {
    Reader slow;
    slow.room = 2;
    subscribe(slow, {"logs", json::object{{"address", kCounter}}});
    touch(5);
    EXPECT_EQ(slow.messages.size(), 2u);
    slow.room = 4;
    m_node.service.on_room(slow);
    run_posted();
    EXPECT_EQ(slow.messages.size(), 4u);
    slow.room = 100;
    m_node.service.on_room(slow);
    run_posted();
    EXPECT_EQ(slow.sequences(), (Sequences{log_at(1), log_at(2), log_at(3), log_at(4), log_at(5)}));
}

TEST_F(StreamsTest, StopAmidABlockAndGoOnThere) {
    m_node.call("evm_setAutomine", {false});
    touch(3);
    m_node.call("evm_mine");
    Reader slow;
    slow.room = 2;
    subscribe(slow, {"logs", json::object{{"address", kCounter}, {"from", "0x0"}}});
    EXPECT_EQ(slow.sequences(), (Sequences{log_at(1, 0), log_at(1, 1)}));
    slow.room = 100;
    m_node.service.on_room(slow);
    run_posted();
    EXPECT_EQ(slow.sequences(), (Sequences{log_at(1, 0), log_at(1, 1), log_at(1, 2)}));
    // From the middle, too.
    Reader later;
    subscribe(later, {"logs", json::object{{"address", kCounter}, {"from", "0x100002"}}});
    EXPECT_EQ(later.sequences(), (Sequences{log_at(1, 2)}));
    EXPECT_EQ(later.messages[0].at("result").at("logIndex"), "0x2");
}

TEST_F(StreamsTest, LookThroughALongPastInTurns) {
    m_node.call("anvil_mine", {"0x3e8"});
    touch(1);
    Reader logs;
    subscribe(logs, {"logs", json::object{{"address", kCounter}, {"from", "0x0"}}});
    EXPECT_EQ(logs.sequences(), (Sequences{log_at(1001)}));
}

TEST_F(StreamsTest, CountWhatEntersThePool) {
    Reader hashes;
    subscribe(hashes, {"newPendingTransactions"});
    touch(2);
    Reader again;
    subscribe(again, {"newPendingTransactions", json::object{{"from", "0x1"}, {"fullTransactions", true}}});
    touch(1);
    EXPECT_EQ(hashes.sequences(), (Sequences{0, 1, 2}));
    EXPECT_EQ(again.sequences(), (Sequences{1, 2}));
    EXPECT_EQ(again.messages[0].at("result").at("hash"), hashes.messages[1].at("result"));
    // What a client has from before a restart is not taken for what is there now.
    Reader stale;
    const auto refused = subscribe(stale, {"newPendingTransactions", json::object{{"from", "0x4"}}});
    EXPECT_EQ(
        refused.at("error").at("message").as_string(),
        "pending transactions are remembered from 0 on, the next one is 3; none of before a restart is");
}

TEST_F(StreamsTest, TellWhatADevelopmentChainTakesBack) {
    Reader logs;
    subscribe(logs, {"logs", json::object{{"address", kCounter}}});
    touch(2);
    m_node.call("anvil_rollback", {1});
    touch(1);
    ASSERT_EQ(logs.sequences(), (Sequences{log_at(1), log_at(2), log_at(2), log_at(2)}));
    EXPECT_EQ(logs.messages[2].at("result").at("removed"), true);
    EXPECT_EQ(logs.messages[3].at("result").at("removed"), false);
}

TEST_F(StreamsTest, ShareTheBytesOfWhatManyAreTold) {
    struct Keeper final : Session {
        void notify(Notification message) override { bodies.push_back(std::move(message.body)); }
        bool has_room() override { return true; }
        void cut_off(std::string) override {}
        std::vector<std::shared_ptr<const std::string>> bodies;
    };
    Keeper one;
    Keeper two;
    for (Keeper* keeper : {&one, &two})
        for (const char* kind : {"newHeads", "logs"})
            m_node.dispatcher.handle(R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":[")" +
                                         std::string(kind) + R"("]})",
                                     keeper);
    touch(1);
    ASSERT_EQ(one.bodies.size(), 2u);
    ASSERT_EQ(two.bodies.size(), 2u);
    EXPECT_EQ(one.bodies[0], two.bodies[0]);
    EXPECT_EQ(one.bodies[1], two.bodies[1]);
    m_node.service.forget(one);
    m_node.service.forget(two);
}

// However many subscriptions a client has, another one's connection is looked at after one of his.
TEST_F(StreamsTest, GiveEachClientATurn) {
    struct Noting final : Session {
        Noting(ClientId client, std::vector<ClientId>& told) : m_client(client), m_told(told) {}
        ClientId client() const override { return m_client; }
        void notify(Notification) override { m_told.push_back(m_client); }
        bool has_room() override { return true; }
        void cut_off(std::string) override {}

    private:
        ClientId m_client;
        std::vector<ClientId>& m_told;
    };
    std::vector<ClientId> told;
    std::vector<std::unique_ptr<Noting>> sessions;
    const auto add = [&](ClientId client, int subscriptions) {
        sessions.push_back(std::make_unique<Noting>(client, told));
        for (int i = 0; i < subscriptions; ++i)
            m_node.dispatcher.handle(
                R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})",
                sessions.back().get());
    };
    for (int i = 0; i < 10; ++i)
        add(1, 100);
    add(2, 1);
    run_posted();
    touch(1);
    ASSERT_EQ(told.size(), 1'001u);
    const auto at = std::ranges::find(told, ClientId{2}) - told.begin();
    EXPECT_LE(at, 200);
    for (const auto& session : sessions)
        m_node.service.forget(*session);
    EXPECT_EQ(m_node.service.streams().size(), 0u);
}

TEST_F(StreamsTest, RefuseWhatTheyDoNotKnow) {
    Reader reader;
    const auto message = [&](json::array params) {
        return std::string(subscribe(reader, std::move(params)).at("error").at("message").as_string());
    };
    EXPECT_NE(
        message({"newHeads", json::object{{"form", "0x1"}}}).find("unknown subscription option \"form\""),
        std::string::npos);
    EXPECT_NE(message({"frames"}).find("no frames"), std::string::npos);
    EXPECT_NE(message({"heads"}).find("no \"heads\" subscription"), std::string::npos);
    EXPECT_EQ(m_node.service.streams().size(), 0u);
}

TEST_F(StreamsTest, AreBounded) {
    Reader reader;
    for (std::size_t i = 0; i < m_node.service.limits().subscriptions_per_session_max; ++i)
        ASSERT_TRUE(subscribe(reader, {"syncing"}).contains("result"));
    EXPECT_NE(std::string(subscribe(reader, {"syncing"}).at("error").at("message").as_string())
                  .find("too many subscriptions"),
              std::string::npos);
    m_node.service.forget(reader);
    EXPECT_EQ(m_node.service.streams().size(), 0u);
}

// Filters of pending transactions share what is remembered of them.
TEST_F(StreamsTest, AFilterThatIsPolledTooSeldomIsTold) {
    StreamLimits limits;
    limits.pending_kept = 4;
    Streams streams(m_node.chain, limits);
    sequencer::PooledTxn txn;
    for (std::uint8_t i = 0; i < 10; ++i) {
        txn.hash.bytes[0] = i;
        streams.on_pending(txn);
    }
    EXPECT_EQ(streams.pending_count(), 10u);
    EXPECT_EQ(streams.first_pending(), 6u);
    EXPECT_EQ(streams.pending_hash(6).bytes[0], 6);
    EXPECT_EQ(streams.pending_hash(9).bytes[0], 9);
    limits.pending_bytes_max = 1'000;
    Streams small(m_node.chain, limits);
    txn.envelope = Bytes(600);
    for (int i = 0; i < 3; ++i)
        small.on_pending(txn);
    EXPECT_EQ(small.first_pending(), 2u);
}

TEST_F(StreamsTest, WhatTheyLookForIsBounded) {
    StreamLimits limits;
    limits.terms_bytes_max = 100;
    limits.total_max = 4;
    Streams streams(m_node.chain, limits);
    Reader reader;
    StreamRequest request;
    request.kind = StreamKind::Logs;
    request.terms.addresses.resize(3);
    streams.subscribe(reader, u256{1}, request);
    try {
        streams.subscribe(reader, u256{2}, request);
        ADD_FAILURE() << "two fit into half";
    } catch (const RpcError& error) {
        EXPECT_NE(error.message().find("rpc.filter_terms_mib_max"), std::string::npos);
    }
    EXPECT_TRUE(streams.unsubscribe(reader, u256{1}));
    streams.subscribe(reader, u256{3}, request);
    streams.subscribe(reader, u256{4}, {});
    try {
        streams.subscribe(reader, u256{5}, {});
        ADD_FAILURE() << "one client has more than half";
    } catch (const RpcError& error) {
        EXPECT_NE(error.message().find("ws.subscriptions_total_max"), std::string::npos);
    }
    streams.forget(reader);
    EXPECT_EQ(streams.size(), 0u);
}

TEST_F(StreamsTest, RefuseOptionsThatThereAreNone) {
    Reader reader;
    const auto error = [&](json::array params) {
        const auto answer = subscribe(reader, std::move(params));
        return answer.contains("error") ? std::string(answer.at("error").at("message").as_string()) : "";
    };
    EXPECT_EQ(
        error({"logs", json::object{{"adress", kCounter}}}),
        "unknown subscription option \"adress\"; there are: address topics fromBlock toBlock blockHash from");
    // What clients send.
    EXPECT_EQ(error({"logs", json::object{{"address", json::array{kCounter}}, {"topics", json::array{}}}}),
              "");
    EXPECT_EQ(error({"logs", json::object{{"fromBlock", "latest"}, {"toBlock", "latest"}}}), "");
    EXPECT_EQ(error({"logs", json::object{}}), "");
    EXPECT_EQ(error({"logs"}), "");
}

// A chain of which the first blocks are gone.
class YoungChain final : public ForwardingChain {
public:
    using ForwardingChain::ForwardingChain;
    std::uint64_t oldest_block() override { return 3; }
};

TEST_F(StreamsTest, RefuseAPastThatIsGoneAndNameWhatThereIs) {
    touch(4);
    YoungChain chain(m_node.chain);
    Streams streams(chain, {});
    Reader reader;
    const auto error = [&](std::string_view kind, const char* from) -> std::string {
        try {
            streams.subscribe(reader, 1, read_stream_request(kind, json::object{{"from", from}}, chain));
            streams.unsubscribe(reader, 1);
            return "";
        } catch (const RpcError& refusal) {
            return refusal.message();
        }
    };
    EXPECT_EQ(error("newHeads", "0x2"),
              "block 2 is not kept; the first that can be had is 3, \"from\": \"0x3\"");
    EXPECT_EQ(error("logs", "0x200000"),
              "block 2 is not kept; the first that can be had is 3, \"from\": \"0x300000\"");
    EXPECT_EQ(error("newHeads", "0x3"), "");
    EXPECT_EQ(error("logs", "0x300000"), "");
    EXPECT_EQ(reader.last_words, "");
}

TEST_F(StreamsTest, TellNoFilesOfDataThatCannotBeRead) {
    touch(4);
    DamagedChain chain(m_node.chain);
    chain.m_damaged_from = 2;
    Streams streams(chain, {});
    Reader reader;
    streams.subscribe(reader, 1, read_stream_request("newHeads", json::object{{"from", "0x1"}}, chain));
    while (streams.pump()) {
    }
    EXPECT_EQ(reader.sequences(), (Sequences{1}));
    EXPECT_EQ(reader.last_words, std::string(kUnreadable) + " (at 2 of subscription 0x1)");
}

}  // namespace
}  // namespace meridian::rpc
