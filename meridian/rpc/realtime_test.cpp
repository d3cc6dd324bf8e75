// Requests that wait, and what they wait for.
#include <meridian/rpc/test_chain.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace meridian::rpc {
namespace {

constexpr const char* kSync = "eth_sendRawTransactionSync";

json::object request(int id, const char* method, json::array params) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

// As many turns as it wants.
Exchange::State advance(Exchange& exchange, const std::function<void()>& wake = {}) {
    auto state = Exchange::State::More;
    while (state == Exchange::State::More)
        state = exchange.step(wake);
    return state;
}

class RealtimeTest : public testing::Test {
protected:
    // Signed, but not sent.
    json::value raw(std::uint64_t nonce, const char* value = "0x1") {
        return m_node
            .call("eth_signTransaction", {json::object{{"from", m_node.account(0)},
                                                       {"to", m_node.account(9)},
                                                       {"value", value},
                                                       {"gas", "0x5208"},
                                                       {"nonce", quantity(nonce)}}})
            .at("raw");
    }
    void stop_mining() { m_node.call("evm_setAutomine", {false}); }

    // Sends what waits there to the chain's thread, which is this one.
    void run_posted() {
        while (!m_posted.empty()) {
            const auto work = std::move(m_posted.front());
            m_posted.pop_front();
            work();
        }
    }
    void collect_posted(Service& service) {
        service.mailbox()->set_poster(
            [this](std::function<void()> work) { m_posted.push_back(std::move(work)); });
    }

    TestNode m_node;
    std::deque<std::function<void()>> m_posted;
};

TEST_F(RealtimeTest, AReceiptIsThereAtOnce) {
    const json::value receipt = m_node.call(kSync, {raw(0)});
    EXPECT_EQ(receipt.at("status"), "0x1");
    EXPECT_EQ(receipt.at("blockNumber"), "0x1");
    EXPECT_EQ(m_node.call("realtime_sendRawTransaction", {raw(1)}).at("blockNumber"), "0x2");
}

TEST_F(RealtimeTest, WithoutAReceiptTheHashIsTold) {
    stop_mining();
    const json::value error = m_node.error(kSync, {raw(0), 1});
    EXPECT_EQ(error.at("code"), 4);
    EXPECT_EQ(error.at("message"), "the transaction waits, and was not executed within 1ms");
    const json::value waiting = m_node.call("eth_getTransactionByHash", {error.at("data")});
    EXPECT_EQ(waiting.at("nonce"), "0x0");
    const json::value expired = m_node.error("realtime_sendRawTransaction", {raw(1)});
    EXPECT_EQ(expired.at("code"), -32000);
    EXPECT_EQ(expired.at("message"), "realtime transaction expired");
    // Zero and more than ten seconds count as two seconds.
    EXPECT_EQ(m_node.error(kSync, {raw(2), "0x0"}).at("message"),
              "the transaction waits, and was not executed within 2s");
    EXPECT_EQ(m_node.error(kSync, {raw(3), 10'001}).at("message"),
              "the transaction waits, and was not executed within 2s");
}

TEST_F(RealtimeTest, AGapThatIsClosedAtOnceIsNone) {
    collect_posted(m_node.service);
    Exchange late(m_node.dispatcher, request(1, kSync, {raw(1)}), nullptr);
    std::size_t woken = 0;
    ASSERT_EQ(advance(late, [&] { ++woken; }), Exchange::State::Waiting);
    ASSERT_EQ(m_node.call(kSync, {raw(0)}).at("status"), "0x1");
    run_posted();
    ASSERT_EQ(woken, 1u);
    ASSERT_EQ(advance(late), Exchange::State::Done);
    EXPECT_EQ(json::parse(late.take()).at("result").at("status"), "0x1");
}

TEST_F(RealtimeTest, AGapIsToldWhenItsTimeIsUp) {
    Exchange late(m_node.dispatcher, request(1, kSync, {raw(1), 10'000}), nullptr);
    ASSERT_EQ(advance(late, [] {}), Exchange::State::Waiting);
    m_node.service.waiting().expire(WaitingRoom::Clock::now() + std::chrono::seconds(1));
    ASSERT_EQ(advance(late), Exchange::State::Done);
    EXPECT_EQ(json::parse(late.take()).at("error").at("code"), 6);
    // One that was filled meanwhile, and not executed yet, is waited for as long as the client said.
    stop_mining();
    Exchange patient(m_node.dispatcher, request(2, kSync, {raw(2), 10'000}), nullptr);
    ASSERT_EQ(advance(patient, [] {}), Exchange::State::Waiting);
    m_node.call("eth_sendRawTransaction", {raw(0)});
    m_node.service.waiting().expire(WaitingRoom::Clock::now() + std::chrono::seconds(1));
    EXPECT_EQ(advance(patient, [] {}), Exchange::State::Waiting);
}

TEST_F(RealtimeTest, AGapNamesTheNonceThatIsMissing) {
    const json::value error = m_node.error(kSync, {raw(5)});
    EXPECT_EQ(error.at("code"), 6);
    EXPECT_EQ(error.at("data"), "0x0");
}

TEST_F(RealtimeTest, RefusalsAreThoseOfSending) {
    ASSERT_EQ(m_node.call(kSync, {raw(0)}).at("status"), "0x1");
    for (const char* method : {"eth_sendRawTransaction", kSync, "realtime_sendRawTransaction"}) {
        EXPECT_EQ(m_node.error(method, {raw(0, "0x2")}).at("message"),
                  "nonce too low: next nonce 1, tx nonce 0");
        EXPECT_EQ(m_node.error(method, {"0x01"}).at("message"), "typed transaction too short");
    }
}

TEST_F(RealtimeTest, AReceiptIsWaitedFor) {
    stop_mining();
    Exchange exchange(m_node.dispatcher, request(1, kSync, {raw(0)}), nullptr);
    bool woken = false;
    ASSERT_EQ(advance(exchange, [&] { woken = true; }), Exchange::State::Waiting);
    m_node.call("anvil_setBalance", {m_node.account(3), "0x1"});
    EXPECT_FALSE(woken);
    m_node.call("evm_mine");
    ASSERT_TRUE(woken);
    ASSERT_EQ(advance(exchange), Exchange::State::Done);
    EXPECT_EQ(json::parse(exchange.take()).at("result").at("blockNumber"), "0x1");
    EXPECT_EQ(m_node.service.waiting().waiting(), 0u);
}

TEST_F(RealtimeTest, WhatWasDroppedIsNotWaitedForInVain) {
    stop_mining();
    Exchange exchange(m_node.dispatcher, request(1, kSync, {raw(0)}), nullptr);
    ASSERT_EQ(advance(exchange), Exchange::State::Waiting);
    m_node.call("anvil_dropAllTransactions");
    m_node.service.waiting().expire(WaitingRoom::Clock::time_point::max());
    ASSERT_EQ(advance(exchange), Exchange::State::Done);
    EXPECT_EQ(json::parse(exchange.take()).at("error").at("code"), 5);
}

TEST_F(RealtimeTest, TheSendersOfUnlockedAccountsWaitToo) {
    stop_mining();
    const json::object txn{{"from", m_node.account(0)}, {"to", m_node.account(1)}};
    Exchange exchange(m_node.dispatcher, request(1, "eth_sendTransactionSync", {txn}), nullptr);
    ASSERT_EQ(advance(exchange), Exchange::State::Waiting);
    m_node.call("evm_mine");
    ASSERT_EQ(advance(exchange), Exchange::State::Done);
    EXPECT_EQ(json::parse(exchange.take()).at("result").at("status"), "0x1");
}

TEST_F(RealtimeTest, ACallWaitsForANonce) {
    stop_mining();
    const json::object condition{{"account", m_node.account(0)}, {"nonce", 1}, {"timeout", 60'000}};
    // Answers with the balance of whom the transaction pays.
    m_node.call("anvil_setCode", {m_node.account(8),
                                  "0x73" + std::string(m_node.account(9)).substr(2) + "3160005260206000f3"});
    const json::object call{{"to", m_node.account(8)}};
    const json::value before = m_node.call("eth_call", {call});
    Exchange exchange(m_node.dispatcher, request(1, "eth_callAfter", {call, condition}), nullptr);
    bool woken = false;
    ASSERT_EQ(advance(exchange, [&] { woken = true; }), Exchange::State::Waiting);
    m_node.call("evm_mine");
    EXPECT_FALSE(woken);
    m_node.call("eth_sendRawTransaction", {raw(0)});
    m_node.call("evm_mine");
    ASSERT_TRUE(woken);
    ASSERT_EQ(advance(exchange), Exchange::State::Done);
    const json::value result = json::parse(exchange.take()).at("result");
    EXPECT_NE(result, before);
    EXPECT_EQ(result, m_node.call("eth_call", {call}));
    EXPECT_EQ(m_node.call("eth_callAfter", {call, condition}), result);
}

TEST_F(RealtimeTest, ACallDoesNotWaitForEver) {
    const json::object call{{"to", m_node.account(8)}};
    const auto condition = [&](json::value timeout) {
        return json::object{
            {"account", m_node.account(0)}, {"nonce", "0x1"}, {"timeout", std::move(timeout)}};
    };
    const json::value error = m_node.error("eth_callAfter", {call, condition(5)});
    EXPECT_EQ(error.at("code"), -32002);
    EXPECT_EQ(error.at("message"), "nonce 1 was not reached within 5ms");
    EXPECT_EQ(m_node.error("eth_callAfter", {call, condition(60'001)}).at("message"),
              "invalid argument 1: timeout above 60000 ms");
    EXPECT_EQ(m_node.error("eth_callAfter", {call, json::object{{"nonce", 1}}}).at("message"),
              "invalid argument 1: missing account");
}

// --- pools that answer later ----------------------------------------------------------------------------

class SlowPoolTest : public RealtimeTest {
protected:
    SlowPoolTest() : m_slow(m_node.chain), m_service(m_slow, options()), m_dispatcher(m_service) {
        collect_posted(m_service);
    }
    static ServiceOptions options() {
        ServiceOptions out;
        out.limits.waiting_per_batch_max = 2;
        out.limits.waiting_max = 3;
        return out;
    }
    json::array sends(std::size_t count) {
        json::array out;
        for (std::size_t i = 0; i < count; ++i)
            out.push_back(request(static_cast<int>(i), "eth_sendRawTransaction", {raw(i)}));
        return out;
    }

    SlowChain m_slow;
    Service m_service;
    Dispatcher m_dispatcher;
};

TEST_F(SlowPoolTest, AnAnswerMayComeOnAnotherThread) {
    Exchange exchange(m_dispatcher, sends(1)[0], nullptr);
    bool woken = false;
    ASSERT_EQ(advance(exchange, [&] { woken = true; }), Exchange::State::Waiting);
    std::thread([&] { m_slow.answer_last(); }).join();
    EXPECT_FALSE(woken);
    run_posted();
    ASSERT_TRUE(woken);
    ASSERT_EQ(advance(exchange), Exchange::State::Done);
    EXPECT_EQ(json::parse(exchange.take()).at("result").as_string().size(), 66u);
}

TEST_F(SlowPoolTest, ABatchsItemsWaitTogetherAndAreAnsweredInOrder) {
    Exchange exchange(m_dispatcher, sends(3), nullptr);
    int woken = 0;
    ASSERT_EQ(advance(exchange, [&] { ++woken; }), Exchange::State::Waiting);
    EXPECT_EQ(m_slow.waiting(), 2u);  // as many as may
    m_slow.answer_last();
    m_slow.answer_last();
    run_posted();
    EXPECT_EQ(woken, 1);
    ASSERT_EQ(advance(exchange), Exchange::State::Waiting);
    EXPECT_EQ(m_slow.waiting(), 1u);
    m_slow.answer_last();
    run_posted();
    ASSERT_EQ(advance(exchange), Exchange::State::Done);
    const json::value answers = json::parse(exchange.take());
    ASSERT_EQ(answers.as_array().size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(answers.at(i).at("id"), i);
        EXPECT_TRUE(answers.at(i).at("result").is_string());
    }
}

TEST_F(SlowPoolTest, TooManyAreRefused) {
    Exchange first(m_dispatcher, sends(2), nullptr, 1);
    Exchange second(m_dispatcher, sends(2), nullptr, 2);
    ASSERT_EQ(advance(first), Exchange::State::Waiting);
    ASSERT_EQ(advance(second), Exchange::State::Waiting);
    second.expire();
    ASSERT_EQ(advance(second), Exchange::State::Done);
    const json::value answers = json::parse(second.take());
    EXPECT_EQ(answers.at(0).at("error").at("code"), -32002);
    EXPECT_EQ(answers.at(1).at("error").at("code"), -32005);
    EXPECT_EQ(
        answers.at(1).at("error").at("message"),
        "too many requests wait (at most 3, of one client as many as there is room left; rpc.waiting_max)");
}

TEST_F(SlowPoolTest, WhoHasLeftWaitsNoMore) {
    bool woken = false;
    {
        Exchange exchange(m_dispatcher, sends(2), nullptr);
        ASSERT_EQ(advance(exchange, [&] { woken = true; }), Exchange::State::Waiting);
        EXPECT_EQ(m_service.waiting().waiting(), 2u);
    }
    EXPECT_EQ(m_service.waiting().waiting(), 0u);
    m_slow.answer_last();
    m_slow.answer_last();
    run_posted();
    EXPECT_FALSE(woken);
}

TEST_F(SlowPoolTest, AnAnswerMayComeWhenTheServiceIsGone) {
    {
        Service service(m_slow, options());
        collect_posted(service);
        Dispatcher dispatcher(service);
        Exchange exchange(dispatcher, sends(1)[0], nullptr);
        ASSERT_EQ(advance(exchange), Exchange::State::Waiting);
    }
    m_slow.answer_last();
    run_posted();
}

// --- a block that is open -------------------------------------------------------------------------------

class OpenBlockTest : public RealtimeTest {
protected:
    OpenBlockTest() : m_open(m_node.chain), m_service(m_open, {}), m_dispatcher(m_service) {
        // Logs its caller's value.
        m_node.call("anvil_setCode", {m_node.account(8), "0x34600052600160206000a100"});
        m_node.call("evm_mine");
        m_hash = m_node.call(
            "eth_sendTransaction",
            {json::object{{"from", m_node.account(0)}, {"to", m_node.account(8)}, {"value", "0x7"}}});
    }
    json::value ask(const char* method, json::array params) {
        return json::parse(m_dispatcher.handle(json::serialize(request(1, method, std::move(params)))));
    }
    json::value call(const char* method, json::array params) {
        return ask(method, std::move(params)).at("result");
    }

    OpenChain m_open;
    Service m_service;
    Dispatcher m_dispatcher;
    json::value m_hash;
};

TEST_F(OpenBlockTest, BlocksAreThoseThatHaveAHash) {
    EXPECT_EQ(call("eth_blockNumber", {}), "0x1");
    for (const char* tag : {"latest", "safe", "finalized"}) {
        EXPECT_EQ(call("eth_getBlockByNumber", {tag, false}).at("number"), "0x1") << tag;
        EXPECT_EQ(call("eth_getBlockTransactionCountByNumber", {tag}), "0x0") << tag;
    }
    EXPECT_TRUE(call("eth_getBlockByNumber", {"0x2", false}).is_null());
    EXPECT_EQ(call("eth_getBlockReceipts", {"latest"}).as_array().size(), 0u);
    EXPECT_EQ(call("eth_feeHistory", {"0x5", "latest"}).at("oldestBlock"), "0x0");
    const json::value pending = call("eth_getBlockByNumber", {"pending", true});
    EXPECT_EQ(pending.at("number"), "0x2");
    EXPECT_TRUE(pending.at("hash").is_null());
    EXPECT_TRUE(pending.at("nonce").is_null());
    EXPECT_TRUE(pending.at("transactions").at(0).at("blockHash").is_null());
}

TEST_F(OpenBlockTest, StateIsThatOfTheLastFrame) {
    const char* kBefore = "0x21e19e0c9bab2400000";
    const char* kAfter = "0x21e19e0c9bab2400007";
    EXPECT_EQ(call("eth_getBalance", {m_node.account(8), "0x1"}), kBefore);
    for (const json::value& block : {json::value("latest"), json::value("pending"), json::value("0x2")})
        EXPECT_EQ(call("eth_getBalance", {m_node.account(8), block}), kAfter);
    EXPECT_EQ(call("eth_getTransactionCount", {m_node.account(0), "latest"}), "0x1");
    EXPECT_EQ(ask("eth_getBalance", {m_node.account(8), "0x3"}).at("error").at("message"),
              "header not found");
    // NUMBER of the block that the call is in.
    const json::object overrides{{m_node.account(7), json::object{{"code", "0x4360005260206000f3"}}}};
    const auto number = [&](const char* block) {
        return call("eth_call", {json::object{{"to", m_node.account(7)}}, block, overrides});
    };
    EXPECT_EQ(number("latest"), json::string("0x" + std::string(63, '0') + "2"));
    EXPECT_EQ(number("0x1"), json::string("0x" + std::string(63, '0') + "1"));
    // A proof is for a block that has a root.
    EXPECT_EQ(call("eth_getProof", {m_node.account(8), json::array{}, "latest"}).at("balance"), kBefore);
    EXPECT_EQ(call("debug_traceTransaction", {m_hash}).at("gas"),
              m_node.call("debug_traceTransaction", {m_hash}).at("gas"));
}

TEST_F(OpenBlockTest, ReceiptsAndLogsHaveNoBlockHashYet) {
    const json::value receipt = call("eth_getTransactionReceipt", {m_hash});
    EXPECT_TRUE(receipt.at("blockHash").is_null());
    EXPECT_EQ(receipt.at("blockNumber"), "0x2");
    EXPECT_TRUE(receipt.at("logs").at(0).at("blockHash").is_null());
    EXPECT_TRUE(call("eth_getTransactionByHash", {m_hash}).at("blockHash").is_null());
    const json::value logs = call("eth_getLogs", {json::object{{"fromBlock", "0x0"}}});
    ASSERT_EQ(logs.as_array().size(), 1u);
    EXPECT_EQ(logs.at(0), receipt.at("logs").at(0));
}

TEST_F(OpenBlockTest, AFilterTellsEachLogOnce) {
    const json::value filter = call("eth_newFilter", {json::object{}});
    const json::value blocks = call("eth_newBlockFilter", {});
    EXPECT_EQ(call("eth_getFilterChanges", {filter}).as_array().size(), 0u);
    m_node.call("eth_sendTransaction",
                {json::object{{"from", m_node.account(0)}, {"to", m_node.account(8)}, {"value", "0x8"}}});
    // The block before is sealed now, and told with its hash; its log was told before.
    EXPECT_EQ(call("eth_getFilterChanges", {filter}).as_array().size(), 1u);
    EXPECT_EQ(call("eth_getFilterChanges", {filter}).as_array().size(), 0u);
    EXPECT_EQ(call("eth_getFilterChanges", {blocks}).as_array().size(), 1u);
}

TEST_F(OpenBlockTest, FeesAreThoseOfTheOpenBlock) {
    EXPECT_EQ(call("eth_baseFee", {}), call("eth_getBlockByNumber", {"pending", false}).at("baseFeePerGas"));
}

TEST_F(OpenBlockTest, DevelopmentMethodsAreAbsent) {
    for (const char* method : {"evm_mine", "anvil_setBalance", "hardhat_reset", "eth_sendTransaction",
                               "eth_sign", "personal_sign", "testing_buildBlockV1", "anvil_reorg"})
        EXPECT_EQ(ask(method, {}).at("error").at("code"), -32601) << method;
    EXPECT_EQ(call("eth_accounts", {}).as_array().size(), 0u);
    EXPECT_EQ(call("eth_mining", {}), false);
    EXPECT_FALSE(call("rpc_modules", {}).as_object().contains("anvil"));
}

}  // namespace
}  // namespace meridian::rpc
