// The protocol around the methods: what is a request, what answers it, and the bounds.
#include <meridian/rpc/dispatcher.hpp>
#include <meridian/rpc/method_filter.hpp>
#include <meridian/rpc/test_chain.hpp>
#include <meridian/rpc/test_node.hpp>

#include <gtest/gtest.h>

namespace meridian::rpc {
namespace {

class DispatcherTest : public testing::Test {
protected:
    json::value raw(std::string_view text) {
        const std::string answer = m_node.dispatcher.handle(text);
        return answer.empty() ? json::value("nothing") : json::parse(answer);
    }
    std::int64_t error_code(std::string_view text) { return raw(text).at("error").at("code").as_int64(); }

    TestNode m_node;
};

TEST_F(DispatcherTest, AnswersWithTheRequestsIdentifier) {
    for (const char* id : {"1", "\"x\"", "null", "1.5"}) {
        const auto answer = raw(std::string(R"({"jsonrpc":"2.0","method":"eth_chainId","id":)") + id + "}");
        EXPECT_EQ(json::serialize(answer.at("id")), json::serialize(json::parse(id)));
        EXPECT_EQ(answer.at("result"), "0x12d591");
    }
}

TEST_F(DispatcherTest, EchoesNumbersAsTheyWereGiven) {
    for (const char* id : {"1.5", "-7", "18446744073709551615", "1e+30"}) {
        const std::string answer = m_node.dispatcher.handle(
            std::string(R"({"jsonrpc":"2.0","method":"eth_chainId","id":)") + id + "}");
        EXPECT_TRUE(answer.starts_with(std::string(R"({"jsonrpc":"2.0","id":)") + id + ",\"result\""))
            << answer;
    }
}

TEST_F(DispatcherTest, RefusesWhatIsNoIdentifier) {
    for (const char* id : {"1e999", "-1e999", "{}", "[1]", "true"}) {
        const auto answer = raw(std::string(R"({"jsonrpc":"2.0","method":"eth_chainId","id":)") + id + "}");
        EXPECT_EQ(answer.at("error").at("code"), -32600) << id;
        EXPECT_EQ(answer.at("error").at("message"), "invalid request");
        EXPECT_TRUE(answer.at("id").is_null());
    }
}

// What a double holds of them would be another number.
TEST_F(DispatcherTest, RefusesIntegersBeyondSixtyFourBitsAsIdentifiers) {
    for (const char* id : {"18446744073709551616", "-9223372036854775809", "100000000000000000000000000001"})
        for (const char* form : {R"({"id":%,"jsonrpc":"2.0","method":"eth_chainId"})",
                                 R"([{"jsonrpc":"2.0","method":"eth_chainId","id":%}])",
                                 R"({"jsonrpc":"2.0","method":"eth_chainId","\u0069d":%})"}) {
            std::string text = form;
            text.replace(text.find('%'), 1, id);
            json::value answer = raw(text);
            if (answer.is_array())
                answer = json::value(answer.at(0));
            EXPECT_EQ(answer.at("error").at("code"), -32600) << text;
            EXPECT_TRUE(answer.at("id").is_null());
        }
    // Elsewhere they are numbers as any other.
    EXPECT_EQ(error_code(R"({"jsonrpc":"2.0","id":1,"method":"eth_getBalance",
                             "params":[{"id":18446744073709551616}]})"),
              -32602);
}

TEST_F(DispatcherTest, RefusesOtherVersionsAsGethDoes) {
    for (const char* version : {R"("jsonrpc":"1.0",)", R"("jsonrpc":2.0,)", R"("jsonrpc":null,)", ""}) {
        const auto answer = raw("{" + std::string(version) + R"("id":7,"method":"eth_chainId"})");
        EXPECT_EQ(answer.at("error").at("code"), -32600) << version;
        EXPECT_EQ(answer.at("error").at("message"), "invalid request");
        EXPECT_EQ(answer.at("id"), 7);
        // Without an identifier it is no notification either.
        EXPECT_TRUE(raw("{" + std::string(version) + R"("method":"eth_chainId"})").at("id").is_null());
    }
}

TEST_F(DispatcherTest, BoundsTheNumberOfValues) {
    const std::size_t values_max = m_node.service.limits().json_values_max;
    const auto answer = [&](std::string_view item, std::size_t count) {
        std::string text = R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[)";
        for (std::size_t i = 0; i < count; ++i)
            text.append(i > 0 ? "," : "").append(item);
        return raw(text + "]}");
    };
    for (const char* item : {"0", "[]", "{}", "\"\"", "null", "1.5"}) {
        const auto refused = answer(item, values_max);
        EXPECT_EQ(refused.at("error").at("code"), -32600) << item;
        EXPECT_EQ(refused.at("error").at("message"), "too many JSON values (at most 250000)");
    }
    // Five values are the rest of the request.
    EXPECT_EQ(answer("0", values_max - 5).at("error").at("code"), -32602);
    EXPECT_EQ(answer("0", values_max - 4).at("error").at("code"), -32600);
}

TEST_F(DispatcherTest, NotificationsGetNoAnswer) {
    EXPECT_EQ(raw(R"({"jsonrpc":"2.0","method":"eth_chainId"})"), "nothing");
    EXPECT_EQ(raw(R"([{"jsonrpc":"2.0","method":"eth_chainId"}])"), "nothing");
}

TEST_F(DispatcherTest, BadRequests) {
    EXPECT_EQ(error_code("{"), -32700);
    EXPECT_EQ(error_code(""), -32700);
    EXPECT_EQ(error_code("\xff\xfe"), -32700);
    EXPECT_EQ(error_code(std::string(10'000, '[')), -32700);
    EXPECT_EQ(error_code("1"), -32600);
    EXPECT_EQ(error_code("[]"), -32600);
    EXPECT_EQ(error_code("{}"), -32600);
    EXPECT_EQ(error_code(R"({"jsonrpc":"2.0","id":1,"method":5})"), -32600);
    EXPECT_EQ(error_code(R"({"jsonrpc":"2.0","id":1,"method":"eth_unknown"})"), -32601);
    EXPECT_EQ(error_code(R"({"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{}})"), -32602);
    EXPECT_EQ(error_code(R"({"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[]})"), -32602);
    EXPECT_EQ(error_code(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]})"), -32602);
}

TEST_F(DispatcherTest, ArgumentErrorsNameTheArgument) {
    const auto message = [&](const char* params) {
        return std::string(
            raw(std::string(R"({"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":)") + params + "}")
                .at("error")
                .at("message")
                .as_string());
    };
    EXPECT_EQ(message("[]"), "missing value for required argument 0");
    EXPECT_EQ(message("[1]"),
              "invalid argument 0: json: cannot unmarshal non-string into Go value of type common.Address");
    EXPECT_EQ(message("[\"0x12\"]"),
              "invalid argument 0: hex string has length 2, want 40 for common.Address");
    const std::string address = "[\"0x" + std::string(40, '1') + "\",";
    EXPECT_EQ(message((address + "\"5\"]").c_str()), "invalid argument 1: hex string without 0x prefix");
    EXPECT_EQ(message((address + "\"0x05\"]").c_str()),
              "invalid argument 1: hex number with leading zero digits");
    EXPECT_EQ(message((address + "\"0x63\"]").c_str()), "header not found");
    EXPECT_EQ(message((address + "\"latest\",1]").c_str()), "too many arguments, want at most 2");
}

TEST_F(DispatcherTest, MessagesStayTextWhereverTheyAreCut) {
    std::string name;
    for (int i = 0; i < 60; ++i)
        name += "\xe2\x82\xac";  // three bytes each
    for (const char* prefix : {"", "x", "xx"})
        EXPECT_EQ(error_code(R"({"jsonrpc":"2.0","id":1,"method":")" + (prefix + name) + "\"}"), -32601);
}

TEST_F(DispatcherTest, BatchesAreAnsweredInOrderAndBounded) {
    const auto answers =
        raw(R"([{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","id":2,"method":"no"},5])");
    ASSERT_EQ(answers.as_array().size(), 3u);
    EXPECT_EQ(answers.at(0).at("id"), 1);
    EXPECT_EQ(answers.at(1).at("error").at("code"), -32601);
    EXPECT_EQ(answers.at(2).at("error").at("code"), -32600);
    std::string large = "[";
    for (int i = 0; i <= 1000; ++i)
        large += std::string(i > 0 ? "," : "") + R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})";
    EXPECT_EQ(error_code(large + "]"), -32600);
}

// Three items and a notification, under the given bounds.
json::array answers_within(std::size_t bytes_max, std::uint64_t ms_max) {
    TestNode node;
    ServiceOptions options = node.service.options();
    options.limits.batch_response_bytes_max = bytes_max;
    options.limits.batch_ms_max = ms_max;
    Service service(node.chain, options, &node.chain);
    Dispatcher dispatcher(service);
    return json::parse(dispatcher.handle(R"([{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},
                                             {"jsonrpc":"2.0","method":"eth_chainId"},
                                             {"jsonrpc":"2.0","id":2,"method":"web3_clientVersion"},
                                             {"jsonrpc":"2.0","id":3,"method":"eth_chainId"}])"))
        .as_array();
}

TEST_F(DispatcherTest, ABatchsAnswerIsBounded) {
    const auto answers = answers_within(80, 30'000);
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0].at("result"), "0x12d591");
    for (std::size_t i : {1, 2}) {
        EXPECT_EQ(answers[i].at("id"), i + 1);
        EXPECT_EQ(answers[i].at("error").at("code"), -32003);
    }
}

TEST_F(DispatcherTest, ABatchsTimeIsBounded) {
    const auto answers = answers_within(1'000, 0);
    ASSERT_EQ(answers.size(), 3u);
    for (std::size_t i : {0, 1, 2}) {
        EXPECT_EQ(answers[i].at("id"), i + 1);
        EXPECT_EQ(answers[i].at("error").at("code"), -32002);
        EXPECT_EQ(answers[i].at("error").at("message"), "request timed out (rpc.batch_ms_max)");
    }
}

TEST_F(DispatcherTest, AnExchangeTakesTurns) {
    Exchange exchange(m_node.dispatcher,
                      json::parse(R"([{"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0x3e8"]},
                                      {"jsonrpc":"2.0","id":2,"method":"eth_blockNumber"}])"),
                      nullptr);
    EXPECT_EQ(exchange.step({}), Exchange::State::More);
    EXPECT_LT(m_node.chain.head()->number(), 1'000u);
    while (exchange.step({}) == Exchange::State::More) {
    }
    const json::value answers = json::parse(exchange.take());
    ASSERT_EQ(answers.as_array().size(), 2u);
    // The second item began after the first one's last turn.
    EXPECT_EQ(answers.at(1).at("result"), "0x3e8");
}

TEST_F(DispatcherTest, MiningEndsWithTheNode) {
    Exchange exchange(m_node.dispatcher,
                      json::parse(R"({"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0x3e8"]})"),
                      nullptr);
    ASSERT_EQ(exchange.step({}), Exchange::State::More);
    m_node.service.interrupt();
    while (exchange.step({}) == Exchange::State::More) {
    }
    EXPECT_EQ(json::parse(exchange.take()).at("error").at("code"), -32002);
    EXPECT_LT(m_node.chain.head()->number(), 1'000u);
}

TEST_F(DispatcherTest, EveryMethodDescribesItself) {
    const auto list = m_node.call("rpc_methods");
    const auto modules = m_node.call("rpc_modules");
    ASSERT_EQ(list.as_array().size(), m_node.service.methods().size());
    ASSERT_GT(list.as_array().size(), 100u);
    for (const auto& method : list.as_array()) {
        const std::string name(method.at("name").as_string());
        EXPECT_TRUE(modules.as_object().contains(name.substr(0, name.find('_')))) << name;
        EXPECT_FALSE(method.at("summary").as_string().empty()) << method;
        EXPECT_FALSE(method.at("result").as_string().empty()) << method;
        bool optional = false;
        for (const auto& param : method.at("params").as_array()) {
            EXPECT_FALSE(param.at("name").as_string().empty()) << method;
            EXPECT_FALSE(param.at("type").as_string().empty()) << method;
            // A required parameter never follows an optional one.
            EXPECT_FALSE(optional && param.at("required").as_bool()) << method;
            optional = !param.at("required").as_bool();
        }
    }
}

// The methods of the execution-apis specification (its src/eth, src/debug, src/net and src/txpool).
TEST_F(DispatcherTest, HasTheSpecificationsMethods) {
    for (const char* name : {"debug_getBadBlocks",
                             "debug_getRawBlock",
                             "debug_getRawHeader",
                             "debug_getRawReceipts",
                             "debug_getRawTransaction",
                             "debug_traceBlockByHash",
                             "debug_traceBlockByNumber",
                             "debug_traceTransaction",
                             "eth_accounts",
                             "eth_baseFee",
                             "eth_blobBaseFee",
                             "eth_blockNumber",
                             "eth_call",
                             "eth_chainId",
                             "eth_coinbase",
                             "eth_config",
                             "eth_createAccessList",
                             "eth_estimateGas",
                             "eth_feeHistory",
                             "eth_gasPrice",
                             "eth_getBalance",
                             "eth_getBlockByHash",
                             "eth_getBlockByNumber",
                             "eth_getBlockReceipts",
                             "eth_getBlockTransactionCountByHash",
                             "eth_getBlockTransactionCountByNumber",
                             "eth_getCode",
                             "eth_getFilterChanges",
                             "eth_getFilterLogs",
                             "eth_getLogs",
                             "eth_getProof",
                             "eth_getStorageAt",
                             "eth_getStorageValues",
                             "eth_getTransactionByBlockHashAndIndex",
                             "eth_getTransactionByBlockNumberAndIndex",
                             "eth_getTransactionByHash",
                             "eth_getTransactionCount",
                             "eth_getTransactionReceipt",
                             "eth_getUncleCountByBlockHash",
                             "eth_getUncleCountByBlockNumber",
                             "eth_maxPriorityFeePerGas",
                             "eth_newBlockFilter",
                             "eth_newFilter",
                             "eth_newPendingTransactionFilter",
                             "eth_sendRawTransaction",
                             "eth_sendRawTransactionSync",
                             "eth_sendTransaction",
                             "eth_sign",
                             "eth_signTransaction",
                             "eth_simulateV1",
                             "eth_syncing",
                             "eth_uninstallFilter",
                             "net_version",
                             "testing_buildBlockV1",
                             "txpool_content",
                             "txpool_contentFrom",
                             "txpool_inspect",
                             "txpool_status"})
        EXPECT_NE(m_node.service.methods().find(name), nullptr) << name;
}

// Whatever a method is given, it answers.
TEST_F(DispatcherTest, NoMethodFallsOverNonsense) {
    const char* nonsense[] = {"null",
                              "1",
                              "-1",
                              "1e300",
                              "\"\"",
                              "\"0x\"",
                              "\"latest\"",
                              "[]",
                              "{}",
                              "true",
                              "\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\""};
    const json::value methods = m_node.call("rpc_methods");
    for (const auto& method : methods.as_array()) {
        const std::string name(method.at("name").as_string());
        for (const char* value : nonsense) {
            std::string params = value;
            for (std::size_t i = 1; i < method.at("params").as_array().size(); ++i)
                params += std::string(",") + value;
            const auto answer =
                raw(R"({"jsonrpc":"2.0","id":1,"method":")" + name + R"(","params":[)" + params + "]}");
            EXPECT_TRUE(answer.as_object().contains("result") || answer.as_object().contains("error"));
            if (answer.as_object().contains("error")) {
                EXPECT_NE(answer.at("error").at("message"), "internal error") << name << " " << params;
            }
        }
    }
}

TEST(MethodFilterItems, NameMethodsThereAre) {
    for (const char* item : {"eth_call", "eth_*", "realtime_*", "rpc_methods", "anvil_*", "evm_mine"})
        EXPECT_EQ(find_method_mistake(item), std::nullopt) << item;
    EXPECT_EQ(find_method_mistake("eth_getBalanc"),
              "\"eth_getBalanc\" names no method; did you mean \"eth_getBalance\"?");
    EXPECT_EQ(find_method_mistake("etH_*"), "\"etH_*\" names no method; did you mean \"eth_*\"?");
    for (const char* item : {"*", "eth*", "eth_", "", "eth_get*"})
        EXPECT_NE(find_method_mistake(item), std::nullopt) << item;
}

TEST(DamagedData, MakesNoAnswer) {
    TestNode node;
    node.call("anvil_mine", {"0x3"});
    DamagedChain chain(node.chain);
    Service service(chain, {});
    Dispatcher dispatcher(service);
    const auto ask = [&](const std::string& method, const std::string& params) {
        return json::parse(dispatcher.handle(R"({"jsonrpc":"2.0","id":1,"method":")" + method +
                                             R"(","params":)" + params + "}"))
            .as_object();
    };
    const std::string balance = R"(["0x00000000000000000000000000000000000c0de0","latest"])";
    EXPECT_EQ(ask("eth_getBalance", balance).at("result"), "0x0");
    chain.m_state_is_damaged = true;
    chain.m_damaged_from = 2;
    for (const auto& [method, params] :
         {std::pair{"eth_getBalance", balance.c_str()},
          {"eth_getBlockByNumber", R"(["0x2",false])"},
          {"eth_call", R"([{"to":"0x00000000000000000000000000000000000c0de0"}])"}}) {
        const auto answer = ask(method, params);
        ASSERT_TRUE(answer.contains("error")) << json::serialize(answer);
        EXPECT_EQ(answer.at("error").at("code"), -32603);
        EXPECT_EQ(answer.at("error").at("message"), json::string(kUnreadable));
    }
    EXPECT_TRUE(ask("eth_getBlockByNumber", R"(["0x1",false])").contains("result"));
}

}  // namespace
}  // namespace meridian::rpc
