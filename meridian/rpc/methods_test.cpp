// The methods as a developer's tools use them.
#include <meridian/base/hex.hpp>
#include <meridian/rpc/signing.hpp>
#include <meridian/rpc/test_node.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace meridian::rpc {
namespace {

// Returns 42: PUSH1 42, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN; in front the code that deploys it.
constexpr const char* kAnswerInit = "0x67602a5f5260205ff35f5260086018f3";
// Counts in slot 0, emits a log with topic 1: deploys 5f5460010180 5f55 5f5260 0160205fa1 00.
constexpr const char* kCounterCode = "0x5f54600101805f555f52600160205fa100";

class MethodsTest : public testing::Test {
protected:
    json::object transaction(std::size_t from, json::value to, const char* value = "0x1") const {
        return {{"from", m_node.account(from)}, {"to", std::move(to)}, {"value", value}};
    }
    json::value receipt(const json::value& hash) { return m_node.call("eth_getTransactionReceipt", {hash}); }

    TestNode m_node;
};

TEST_F(MethodsTest, SendsAndFindsATransaction) {
    const auto hash = m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    const auto found = receipt(hash);
    EXPECT_EQ(found.at("status"), "0x1");
    EXPECT_EQ(found.at("blockNumber"), "0x1");
    EXPECT_EQ(m_node.call("eth_getTransactionByHash", {hash}).at("value"), "0x1");
    EXPECT_EQ(m_node.call("eth_getTransactionCount", {m_node.account(0), "latest"}), "0x1");
    EXPECT_EQ(m_node.call("eth_getTransactionCount", {m_node.account(0), "0x0"}), "0x0");
}

TEST_F(MethodsTest, DeploysAndCalls) {
    const auto hash = m_node.call("eth_sendTransaction",
                                  {json::object{{"from", m_node.account(0)}, {"data", kAnswerInit}}});
    const auto contract = receipt(hash).at("contractAddress");
    EXPECT_EQ(m_node.call("eth_getCode", {contract, "latest"}), "0x602a5f5260205ff3");
    EXPECT_EQ(m_node.call("eth_call", {json::object{{"to", contract}}, "latest"}),
              "0x000000000000000000000000000000000000000000000000000000000000002a");
    EXPECT_EQ(m_node.call("eth_call", {json::object{{"to", contract}}, "0x0"}), "0x");
    // A state override in the contract's place.
    const json::object overrides{{contract.as_string(), json::object{{"code", "0x60015f5260205ff3"}}}};
    EXPECT_EQ(m_node.call("eth_call", {json::object{{"to", contract}}, "latest", overrides}),
              "0x0000000000000000000000000000000000000000000000000000000000000001");
}

TEST_F(MethodsTest, RevertsCarryReasonAndData) {
    // Reverts with Error("no").
    const char* code = "0x6308c379a060e01b5f5260206004526002602452616e6f60f01b60445260645ffd";
    m_node.call("anvil_setCode", {m_node.account(9), code});
    const auto error = m_node.error("eth_call", {json::object{{"to", m_node.account(9)}}, "latest"});
    EXPECT_EQ(error.at("code"), 3);
    EXPECT_EQ(error.at("message"), "execution reverted: no");
    EXPECT_TRUE(error.at("data").as_string().starts_with("0x08c379a0"));
    EXPECT_EQ(m_node.error("eth_estimateGas", {json::object{{"to", m_node.account(9)}}}).at("code"), 3);
}

TEST_F(MethodsTest, LogsFiltersAndTheirChanges) {
    const json::string counter = "0x00000000000000000000000000000000000c0de0";
    m_node.call("anvil_setCode", {counter, kCounterCode});
    const json::object criteria{{"address", counter}, {"fromBlock", "0x0"}};
    const auto filter = m_node.call("eth_newFilter", {criteria});
    const auto blocks = m_node.call("eth_newBlockFilter");
    for (int i = 0; i < 3; ++i)
        m_node.call("eth_sendTransaction", {transaction(0, counter, "0x0")});
    EXPECT_EQ(m_node.call("eth_getLogs", {criteria}).as_array().size(), 3u);
    EXPECT_EQ(m_node.call("eth_getFilterChanges", {filter}).as_array().size(), 3u);
    EXPECT_EQ(m_node.call("eth_getFilterChanges", {filter}).as_array().size(), 0u);
    EXPECT_EQ(m_node.call("eth_getFilterLogs", {filter}).as_array().size(), 3u);
    EXPECT_EQ(m_node.call("eth_getFilterChanges", {blocks}).as_array().size(), 3u);
    EXPECT_EQ(m_node.call("eth_uninstallFilter", {filter}), true);
    EXPECT_EQ(m_node.error("eth_getFilterChanges", {filter}).at("message"), "filter not found");
    json::object other = criteria;
    other["topics"] = json::array{json::string("0x" + std::string(64, '2'))};
    EXPECT_EQ(m_node.call("eth_getLogs", {other}).as_array().size(), 0u);
    other["topics"] = json::array{nullptr, nullptr};
    EXPECT_EQ(m_node.call("eth_getLogs", {other}).as_array().size(), 0u);
}

TEST_F(MethodsTest, Subscriptions) {
    struct Recorder final : Session {
        void notify(Notification message) override {
            messages.push_back(json::parse(message.head + *message.body));
        }
        bool has_room() override { return true; }
        void cut_off(std::string reason) override { FAIL() << reason; }
        std::vector<json::value> messages;
    } session;
    const auto ask = [&](const std::string& text) {
        return json::parse(m_node.dispatcher.handle(text, &session));
    };
    const auto id =
        ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})").at("result");
    ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newPendingTransactions"]})");
    m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    ASSERT_EQ(session.messages.size(), 2u);
    const auto head = std::ranges::find_if(session.messages, [&](const json::value& message) {
        return message.at("params").at("subscription") == id;
    });
    ASSERT_NE(head, session.messages.end());
    EXPECT_EQ(head->at("method"), "eth_subscription");
    EXPECT_EQ(head->at("params").at("result").at("number"), "0x1");
    EXPECT_EQ(
        ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_unsubscribe","params":[)" + json::serialize(id) + "]}")
            .at("result"),
        true);
    m_node.service.forget(session);
    m_node.call("evm_mine");
    EXPECT_EQ(session.messages.size(), 2u);
    EXPECT_EQ(m_node.error("eth_subscribe", {"newHeads"}).at("message"), "notifications not supported");
}

TEST_F(MethodsTest, LogsOfBlocksThatWereTakenAwayAreToldAsRemoved) {
    struct Recorder final : Session {
        bool has_room() override { return true; }
        void cut_off(std::string reason) override { FAIL() << reason; }
        void notify(Notification message) override {
            logs.push_back(json::parse(message.head + *message.body).at("params").at("result"));
        }
        std::vector<json::value> logs;
    } session;
    const json::string counter = "0x00000000000000000000000000000000000c0de0";
    m_node.call("anvil_setCode", {counter, kCounterCode});
    m_node.dispatcher.handle(R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs"]})",
                             &session);
    for (int i = 0; i < 2; ++i)
        m_node.call("eth_sendTransaction", {transaction(0, counter, "0x0")});
    ASSERT_EQ(session.logs.size(), 2u);
    m_node.call("anvil_reorg", {2});
    ASSERT_EQ(session.logs.size(), 4u);
    // The newest first.
    for (const std::size_t i : {0u, 1u}) {
        json::object expected = session.logs[1 - i].as_object();
        expected["removed"] = true;
        EXPECT_EQ(session.logs[2 + i], json::value(expected));
    }
    m_node.service.forget(session);
}

TEST_F(MethodsTest, EstimatesEnoughAndNotMuchMore) {
    const json::string counter = "0x00000000000000000000000000000000000c0de0";
    m_node.call("anvil_setCode", {counter, kCounterCode});
    EXPECT_EQ(m_node.call("eth_estimateGas", {transaction(0, m_node.account(1))}), "0x5208");
    json::object txn = transaction(0, counter, "0x0");
    const u256 estimate = read_quantity(m_node.call("eth_estimateGas", {txn}));
    txn["gas"] = quantity(estimate);
    const u256 used = read_quantity(receipt(m_node.call("eth_sendTransaction", {txn})).at("gasUsed"));
    EXPECT_GE(estimate, used);
    EXPECT_LT(estimate, used * 102 / 100);
}

TEST_F(MethodsTest, TracesAgreeWithTheReceipt) {
    const json::string counter = "0x00000000000000000000000000000000000c0de0";
    m_node.call("anvil_setCode", {counter, kCounterCode});
    const auto hash = m_node.call("eth_sendTransaction", {transaction(0, counter, "0x5")});
    const auto used = receipt(hash).at("gasUsed");
    const auto steps = m_node.call("debug_traceTransaction", {hash});
    EXPECT_EQ(quantity(steps.at("gas").to_number<std::uint64_t>()), used);
    EXPECT_EQ(steps.at("structLogs").at(0).at("op"), "PUSH0");
    EXPECT_EQ(steps.at("structLogs").at(1).at("storage").as_object().begin()->value(),
              json::string("0x" + std::string(64, '0')));
    const auto call = m_node.call(
        "debug_traceTransaction",
        {hash, json::object{{"tracer", "callTracer"}, {"tracerConfig", json::object{{"withLog", true}}}}});
    EXPECT_EQ(call.at("gasUsed"), used);
    EXPECT_EQ(call.at("type"), "CALL");
    EXPECT_EQ(call.at("logs").as_array().size(), 1u);
    const auto diff = m_node.call("debug_traceTransaction",
                                  {hash, json::object{{"tracer", "prestateTracer"},
                                                      {"tracerConfig", json::object{{"diffMode", true}}}}});
    EXPECT_EQ(diff.at("post").at(std::string_view(counter)).at("balance"), "0x5");
    EXPECT_EQ(diff.at("post").at(std::string_view(counter)).at("storage").as_object().begin()->value(),
              json::string("0x" + std::string(63, '0') + "1"));
    EXPECT_EQ(m_node.call("debug_traceBlockByNumber", {"0x1"}).as_array().size(), 1u);
    EXPECT_TRUE(m_node.error("debug_traceTransaction", {hash, json::object{{"tracer", "x"}}})
                    .at("message")
                    .as_string()
                    .starts_with("unknown tracer"));
}

TEST_F(MethodsTest, TracesEndInTimeAndSpace) {
    m_node.call("anvil_setCode", {m_node.account(9), "0x5b5f56"});  // JUMPDEST PUSH0 JUMP, for ever
    const auto message = [&](json::object options) {
        return m_node
            .error("debug_traceCall", {json::object{{"to", m_node.account(9)}}, "latest", std::move(options)})
            .at("message");
    };
    EXPECT_EQ(message({{"tracer", "callTracer"}, {"timeout", "1ms"}}), "execution timeout");
    EXPECT_EQ(message({{"tracer", "noopTracer"}, {"timeout", "0.5ms500us"}}), "execution timeout");
    EXPECT_EQ(message({{"timeout", "1m"}}), "the trace is too large; limit it or use callTracer");
    EXPECT_EQ(message({{"timeout", "soon"}}), "invalid argument 2: timeout: time: invalid duration \"soon\"");
    EXPECT_EQ(message({{"timeout", "5"}}),
              "invalid argument 2: timeout: time: missing unit in duration \"5\"");
    EXPECT_EQ(message({{"timeout", "1e3s"}}), "invalid argument 2: timeout: time: invalid duration \"1e3s\"");
    // The node goes on.
    EXPECT_EQ(m_node
                  .call("debug_traceCall", {json::object{{"to", m_node.account(1)}}, "latest",
                                            json::object{{"tracer", "callTracer"}, {"timeout", "1m30s"}}})
                  .at("type"),
              "CALL");
}

TEST_F(MethodsTest, TheLastNonceIsNeverUsed) {
    json::object txn = transaction(0, m_node.account(1));
    txn["nonce"] = "0xffffffffffffffff";
    EXPECT_TRUE(m_node.error("eth_sendTransaction", {txn})
                    .at("message")
                    .as_string()
                    .starts_with("nonce has max value"));
    EXPECT_EQ(m_node.call("txpool_status").at("queued"), "0x0");
}

TEST_F(MethodsTest, NamesTheFieldOfACallThatItCannotRead) {
    const auto message = [&](const char* field, json::value value) {
        return m_node.error("eth_call", {json::object{{field, std::move(value)}}}).at("message");
    };
    const std::string prefix = "invalid argument 0: json: cannot unmarshal ";
    EXPECT_EQ(message("value", "0x01"),
              json::string(prefix + "hex number with leading zero digits into Go struct "
                                    "field TransactionArgs.value of type *hexutil.Big"));
    EXPECT_EQ(message("gas", "0x10000000000000000"),
              json::string(prefix + "hex number > 64 bits into Go struct field TransactionArgs.gas of type "
                                    "hexutil.Uint64"));
    EXPECT_EQ(message("from", 5),
              json::string(prefix + "non-string into Go struct field TransactionArgs.from "
                                    "of type common.Address"));
}

TEST_F(MethodsTest, NamesThePlaceInsideOfAnArgument) {
    const json::string account = m_node.account(1);
    const auto call = [&](json::object members) {
        return std::string(m_node.error("eth_call", {std::move(members)}).at("message").as_string());
    };
    const auto overrides = [&](json::value state, json::value block) {
        return std::string(m_node
                               .error("eth_call", {json::object{{"to", account}}, "latest", std::move(state),
                                                   std::move(block)})
                               .at("message")
                               .as_string());
    };
    const auto logs = [&](json::object filter) {
        return std::string(m_node.error("eth_getLogs", {std::move(filter)}).at("message").as_string());
    };
    const json::object entry{{"address", account}, {"storageKeys", json::array{"0x12"}}};
    const json::object sound{{"address", account}, {"storageKeys", json::array{}}};
    const std::vector<std::pair<std::string, std::string>> cases = {
        {call({{"accessList", json::array{sound, sound, entry}}}),
         "invalid argument 0: accessList[2].storageKeys[0]: hex string has length 2"},
        {call({{"accessList", json::array{json::object{{"address", "0x"}}}}}),
         "invalid argument 0: accessList[0].address: "},
        {call({{"data", "0x1"}}),
         "invalid argument 0: json: cannot unmarshal hex string of odd length into Go "
         "struct field TransactionArgs.data"},
        {call({{"input", 1}}),
         "invalid argument 0: json: cannot unmarshal non-string into Go struct field "
         "TransactionArgs.input"},
        {call({{"to", "0x12"}}), "invalid argument 0: to: hex string has length 2"},
        {call({{"blobVersionedHashes", json::array{"0x"}}}), "invalid argument 0: blobVersionedHashes[0]: "},
        {call({{"authorizationList", json::array{json::object{{"nonce", "0x01"}}}}}),
         "invalid argument 0: authorizationList[0].nonce: "},
        {call({{"authorizationList", json::array{json::object{{"r", "0xg"}}}}}),
         "invalid argument 0: authorizationList[0].r: "},
        {overrides(json::object{{"0x12", json::object{}}}, nullptr), "invalid argument 2: [\"0x12\"]: "},
        {overrides(json::object{{account, json::object{{"balance", "1"}}}}, nullptr),
         "invalid argument 2: [\"" + std::string(account) + "\"].balance: "},
        {overrides(json::object{{account, json::object{{"stateDiff", json::object{{"0x1", "0xg"}}}}}},
                   nullptr),
         "invalid argument 2: [\"" + std::string(account) + "\"].stateDiff[\"0x1\"]: "},
        {overrides(nullptr, json::object{{"gasLimit", "0x01"}}), "invalid argument 3: gasLimit: "},
        {logs({{"fromBlock", "0x01"}}), "invalid argument 0: fromBlock: "},
        {logs({{"address", json::array{account, "0x"}}}), "invalid argument 0: address[1]: "},
        {logs({{"topics", json::array{nullptr, json::array{"0x12"}}}}), "invalid argument 0: topics[1][0]: "},
        {logs({{"blockHash", 1}}), "invalid argument 0: blockHash: "},
    };
    for (const auto& [message, prefix] : cases)
        EXPECT_TRUE(message.starts_with(prefix)) << message << "\n" << prefix;
    const json::object block{{"calls", json::array{json::object{}, json::object{{"to", 1}}}}};
    EXPECT_TRUE(
        m_node.error("eth_simulateV1", {json::object{{"blockStateCalls", json::array{block}}}, "latest"})
            .at("message")
            .as_string()
            .starts_with("invalid argument 0: blockStateCalls[0].calls[1]: json: cannot unmarshal non-string "
                         "into Go struct field TransactionArgs.to"));
}

TEST_F(MethodsTest, FailuresOfTheStackAndOfOpcodesCarryNumbers) {
    const auto message = [&](const char* code) {
        m_node.call("anvil_setCode", {m_node.account(9), code});
        return m_node.error("eth_call", {json::object{{"to", m_node.account(9)}}, "latest"}).at("message");
    };
    EXPECT_EQ(message("0x01"), "stack underflow (0 <=> 2)");
    EXPECT_EQ(message("0x5f5f91"), "stack underflow (2 <=> 3)");
    EXPECT_EQ(message("0x5b5f5f56"), "stack limit reached 1024 (1023)");  // pushes for ever
    EXPECT_EQ(message("0x5b5f805f56"), "stack limit reached 1024 (1023)");
    EXPECT_EQ(message("0x0c"), "invalid opcode: opcode 0xc not defined");
    EXPECT_EQ(message("0xfe"), "invalid opcode: INVALID");
    const json::object calls{{"calls", json::array{json::object{{"to", m_node.account(9)}}}}};
    m_node.call("anvil_setCode", {m_node.account(9), "0x5f01"});
    EXPECT_EQ(m_node.call("eth_simulateV1", {json::object{{"blockStateCalls", json::array{calls}}}, "latest"})
                  .at(0)
                  .at("calls")
                  .at(0)
                  .at("error")
                  .at("message"),
              "stack underflow (1 <=> 2)");
    EXPECT_EQ(
        m_node.call("eth_createAccessList", {json::object{{"to", m_node.account(9)}}, "latest"}).at("error"),
        "stack underflow (1 <=> 2)");
    EXPECT_EQ(m_node
                  .call("debug_traceCall", {json::object{{"to", m_node.account(9)}}, "latest",
                                            json::object{{"tracer", "callTracer"}}})
                  .at("error"),
              "stack underflow (1 <=> 2)");
    EXPECT_EQ(m_node.error("eth_estimateGas", {json::object{{"to", m_node.account(9)}}}).at("message"),
              "stack underflow (1 <=> 2)");
}

TEST_F(MethodsTest, RawTransactionsAreRefusedInGethsWords) {
    const auto message = [&](const char* raw) {
        return m_node.error("eth_sendRawTransaction", {raw}).at("message");
    };
    EXPECT_EQ(message("0x"), "typed transaction too short");
    EXPECT_EQ(message("0x02"), "typed transaction too short");
    EXPECT_EQ(message("0x0501"), "transaction type not supported");
    EXPECT_EQ(message("0x80"), "rlp: expected input list for types.LegacyTx");
    EXPECT_EQ(message("0xc0"), "rlp: too few elements for types.LegacyTx");
    EXPECT_EQ(message("0x02c0"), "rlp: too few elements for types.DynamicFeeTx");
    EXPECT_EQ(message("0xc201"), "rlp: value size exceeds available input length");
    EXPECT_EQ(message("0xc00000"), "rlp: input contains more than one value");
    EXPECT_EQ(message("0xc20001"),
              "rlp: non-canonical integer (leading zero bytes) for uint64, decoding into "
              "(types.LegacyTx).Nonce");
    // A recipient and an address of an access list a byte short, a key a byte long.
    EXPECT_EQ(message("0xde8001825208930101010101010101010101010101010101010180801b0101"),
              "rlp: input string too short for common.Address, decoding into (types.LegacyTx).To");
    EXPECT_EQ(message("0x01f70180018252089401010101010101010101010101010101010101018080d6d5930101010101"
                      "0101010101010101010101010101c0800101"),
              "rlp: input string too short for common.Address, decoding into "
              "(types.AccessListTx).AccessList[0].Address");
    EXPECT_EQ(message("0x01f85c0180018252089401010101010101010101010101010101010101018080f83af838940101"
                      "010101010101010101010101010101010101e2a10202020202020202020202020202020202020202"
                      "02020202020202020202020202800101"),
              "rlp: input string too long for common.Hash, decoding into "
              "(types.AccessListTx).AccessList[0].StorageKeys[0]");
    EXPECT_EQ(message("0xc1c0"),
              "rlp: expected input string or byte for uint64, decoding into (types.LegacyTx).Nonce");
}

// geth looks at the fees before gas, nonce and balance.
TEST_F(MethodsTest, ATipAboveTheFeeIsToldFirst) {
    json::object txn = transaction(0, m_node.account(1), "0xffffffffffffffffffffffff");
    txn["gas"] = "0x1";
    txn["maxFeePerGas"] = "0x1";
    txn["maxPriorityFeePerGas"] = "0x2";
    EXPECT_EQ(m_node.error("eth_sendTransaction", {txn}).at("message"),
              "max priority fee per gas higher than max fee per gas");
    txn["maxPriorityFeePerGas"] = "0x1";
    EXPECT_EQ(m_node.error("eth_sendTransaction", {txn}).at("message"),
              "intrinsic gas too low: gas 1, minimum needed 21000");
}

// An endless loop under each method, with more gas than the time allows.
TEST_F(MethodsTest, CallsEndInTime) {
    ServiceOptions options = m_node.service.options();
    options.limits.call_gas_max = std::uint64_t{1} << 62;
    options.limits.call_ms_max = 30;
    Service service(m_node.chain, options, &m_node.chain);
    Dispatcher dispatcher(service);
    m_node.call("anvil_setCode", {m_node.account(9), "0x5b5f56"});
    m_node.call("evm_setBlockGasLimit", {"0x4000000000000000"});
    const auto message = [&](const char* method, json::array params) {
        const json::object request{
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}};
        const json::value answer = json::parse(dispatcher.handle(json::serialize(request)));
        return answer.at("error").at("message");
    };
    const json::object loop{{"to", m_node.account(9)}, {"gas", "0x4000000000000000"}};
    const json::object gas_limit{{"gasLimit", "0x4000000000000000"}};
    const json::object block{{"blockOverrides", gas_limit}, {"calls", json::array{loop}}};
    const json::object simulation{{"blockStateCalls", json::array{block}}};
    const char* kAborted = "execution aborted (timeout = 30ms)";
    EXPECT_EQ(message("eth_call", {loop}), kAborted);
    EXPECT_EQ(message("eth_createAccessList", {loop}), kAborted);
    EXPECT_EQ(message("eth_simulateV1", {simulation, "latest"}), kAborted);
    EXPECT_EQ(message("debug_traceCall",
                      {loop, "latest", json::object{{"tracer", "noopTracer"}, {"timeout", "30ms"}}}),
              "execution timeout");
    service.interrupt();
    EXPECT_EQ(message("eth_call", {loop}), "execution aborted (the node is stopping)");
    EXPECT_EQ(message("debug_traceCall", {loop, "latest", json::object{{"tracer", "noopTracer"}}}),
              "execution aborted (the node is stopping)");
}

TEST(Deadline, DurationsPrintAsInGo) {
    EXPECT_EQ(format_duration(5'000), "5s");
    EXPECT_EQ(format_duration(1'500), "1.5s");
    EXPECT_EQ(format_duration(250), "250ms");
    EXPECT_EQ(format_duration(90'000), "1m30s");
    EXPECT_EQ(format_duration(3'600'000), "1h0m0s");
}

TEST_F(MethodsTest, TracesAnEncodedBlock) {
    const auto hash = m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    const auto raw = m_node.call("debug_getRawBlock", {"0x1"});
    const json::object options{{"tracer", "callTracer"}};
    const auto traces = m_node.call("debug_traceBlock", {raw, options});
    EXPECT_EQ(traces, m_node.call("debug_traceBlockByNumber", {"0x1", options}));
    EXPECT_EQ(traces.at(0).at("txHash"), hash);
    const auto message = [&](const json::value& rlp) {
        return std::string(m_node.error("debug_traceBlock", {rlp}).at("message").as_string());
    };
    EXPECT_TRUE(message("0xc0").starts_with("could not decode block: ")) << message("0xc0");
    EXPECT_EQ(message(m_node.call("debug_getRawBlock", {"0x0"})), "genesis is not traceable");
    // Not on the chain any more, but its parent is.
    m_node.call("anvil_rollback", {1});
    EXPECT_EQ(m_node.call("debug_traceBlock", {raw, options}), traces);
    // Another chain's block.
    TestNode other;
    other.call("anvil_setBalance", {other.account(1), "0x1"});
    other.call("evm_mine");
    other.call("evm_mine");
    EXPECT_TRUE(message(other.call("debug_getRawBlock", {"0x2"})).ends_with(" not found"));
}

TEST_F(MethodsTest, RevertKeepsWhatBelongsToTheNode) {
    const auto other = json::string("0x" + std::string(40, '1'));
    m_node.call("anvil_setBalance", {other, "0xde0b6b3a7640000"});
    const auto id = m_node.call("evm_snapshot");
    m_node.call("hardhat_impersonateAccount", {other});
    m_node.call("evm_setAutomine", {false});
    m_node.call("anvil_setCoinbase", {other});
    m_node.call("evm_setBlockGasLimit", {"0x1000000"});
    m_node.call("evm_setNextBlockTimestamp", {1'800'000'000});
    m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    EXPECT_EQ(m_node.call("evm_revert", {id}), true);
    EXPECT_EQ(m_node.call("anvil_getAutomine"), false);
    EXPECT_EQ(m_node.call("eth_coinbase"), other);
    EXPECT_EQ(m_node.call("txpool_status").at("pending"), "0x0");
    m_node.call("evm_mine");
    const auto block = m_node.call("eth_getBlockByNumber", {"latest", false});
    EXPECT_NE(block.at("gasLimit"), "0x1000000");
    EXPECT_EQ(block.at("timestamp"), quantity(std::uint64_t{1'700'000'001}));
    m_node.call("eth_sendTransaction", {json::object{{"from", other}, {"to", m_node.account(1)}}});
    // And an impersonation that has ended since does not come back.
    const auto again = m_node.call("evm_snapshot");
    m_node.call("hardhat_stopImpersonatingAccount", {other});
    m_node.call("evm_revert", {again});
    EXPECT_EQ(m_node.error("eth_sendTransaction", {json::object{{"from", other}}}).at("code"), -32000);
}

TEST_F(MethodsTest, AContractIsNotMadeOfNothing) {
    for (const char* method : {"eth_sendTransaction", "eth_signTransaction", "eth_fillTransaction"}) {
        for (const char* data : {"", "0x"}) {
            json::object txn{{"from", m_node.account(0)}, {"value", "0x1"}};
            if (*data != 0)
                txn["data"] = data;
            const auto error = m_node.error(method, {txn});
            EXPECT_EQ(error.at("code"), -32000) << method;
            EXPECT_EQ(error.at("message"), "contract creation without any data provided") << method;
        }
        EXPECT_NE(m_node.call(method, {json::object{{"from", m_node.account(0)}, {"data", "0x00"}}}),
                  nullptr);
    }
}

TEST_F(MethodsTest, RollsBackAndReorganises) {
    json::array hashes;
    for (int i = 0; i < 4; ++i)
        hashes.push_back(m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))}));
    const auto late = m_node.call("evm_snapshot");
    const auto filter = m_node.call("eth_newBlockFilter");
    const auto second = m_node.call("eth_getBlockByNumber", {"0x2", false});
    const auto third = m_node.call("eth_getBlockByNumber", {"0x3", false});
    json::object from_one = transaction(1, m_node.account(2), "0x5");
    json::object from_zero = transaction(0, m_node.account(2), "0x7");
    EXPECT_TRUE(m_node
                    .call("anvil_reorg", {2, json::array{json::array{from_one, 0}, json::array{from_zero, 1},
                                                         json::array{from_zero, 1}}})
                    .is_null());
    EXPECT_EQ(m_node.call("eth_blockNumber"), "0x4");
    EXPECT_EQ(m_node.call("eth_getFilterChanges", {filter}).as_array().size(), 2u);
    EXPECT_EQ(m_node.call("eth_getBlockByNumber", {"0x2", false}), second);
    const auto now = m_node.call("eth_getBlockByNumber", {"0x3", true});
    EXPECT_NE(now.at("hash"), third.at("hash"));
    EXPECT_EQ(now.at("timestamp"), third.at("timestamp"));
    EXPECT_EQ(now.at("transactions").at(0).at("value"), "0x5");
    const auto last = m_node.call("eth_getBlockByNumber", {"0x4", true});
    EXPECT_EQ(last.at("transactions").at(0).at("nonce"), "0x2");
    EXPECT_EQ(last.at("transactions").at(1).at("nonce"), "0x3");
    EXPECT_TRUE(receipt(hashes[2]).is_null());
    EXPECT_FALSE(receipt(hashes[1]).is_null());
    // The snapshot was of blocks that are gone.
    EXPECT_EQ(m_node.call("evm_revert", {late}), false);
    m_node.call("anvil_rollback", {nullptr});
    EXPECT_EQ(m_node.call("eth_blockNumber"), "0x3");
    EXPECT_EQ(m_node.error("anvil_rollback", {4}).at("message"),
              "Rollback depth must not exceed current chain height: current height 3, depth 4");
    EXPECT_EQ(m_node.error("anvil_reorg", {4, json::array{}}).at("code"), -32602);
    // A list of one list, which braces alone do not say to every compiler.
    const auto one = [](json::value txn, int block) {
        json::array out;
        out.emplace_back(json::array{std::move(txn), block});
        return out;
    };
    EXPECT_EQ(m_node.error("anvil_reorg", {1, one(from_one, 1)}).at("code"), -32602);
    EXPECT_EQ(m_node.error("anvil_reorg", {1, one("0x1234", 0)}).at("message"),
              "invalid argument 1: transaction type not supported");
    EXPECT_EQ(m_node.call("eth_blockNumber"), "0x3");
}

TEST_F(MethodsTest, RefusesTimesThatWouldOverflow) {
    const auto head = m_node.call("eth_getBlockByNumber", {"latest", false}).at("timestamp");
    EXPECT_EQ(m_node.error("evm_setNextBlockTimestamp", {"0xffffffffffffffff"}).at("code"), -32602);
    EXPECT_EQ(m_node.error("hardhat_mine", {"0x5", "0xffffffffffffffff"}).at("code"), -32602);
    EXPECT_EQ(m_node.error("hardhat_mine", {"0x5", "0x7fffffffffffffff"}).at("code"), -32602);
    EXPECT_EQ(m_node.call("eth_blockNumber"), "0x0");
    EXPECT_EQ(m_node.call("eth_getBlockByNumber", {"latest", false}).at("timestamp"), head);
}

TEST_F(MethodsTest, DumpsAndLoadsTheState) {
    const json::string counter = "0x00000000000000000000000000000000000c0de0";
    m_node.call("anvil_setCode", {counter, kCounterCode});
    for (int i = 0; i < 3; ++i)
        m_node.call("eth_sendTransaction", {transaction(0, counter, "0x5")});
    const auto dump = m_node.call("anvil_dumpState");
    TestNode other;
    EXPECT_EQ(other.call("anvil_loadState", {dump}), true);
    EXPECT_EQ(other.call("eth_blockNumber"), "0x3");
    for (const auto& [method, params] :
         std::vector<std::pair<const char*, json::array>>{{"eth_getStorageAt", {counter, "0x0", "latest"}},
                                                          {"eth_getCode", {counter, "latest"}},
                                                          {"eth_getAccount", {m_node.account(0), "latest"}},
                                                          {"eth_getAccount", {counter, "latest"}}})
        EXPECT_EQ(other.call(method, params), m_node.call(method, params)) << method;
    EXPECT_TRUE(other.call("anvil_dumpState").as_string().starts_with("0x1f8b"));
    // Plain JSON as well, and what is there stays.
    const auto plain = [&](std::string_view text) { return hex_data(as_bytes(text)); };
    other.call("anvil_loadState",
               {plain(R"({"accounts":{"0x00000000000000000000000000000000000000aa":{"balance":"0x7"}}})")});
    EXPECT_EQ(other.call("eth_getBalance", {"0x00000000000000000000000000000000000000aa"}), "0x7");
    EXPECT_EQ(other.call("eth_getCode", {counter}), m_node.call("eth_getCode", {counter}));
    const auto message = [&](const json::value& state) {
        return std::string(other.error("anvil_loadState", {state}).at("message").as_string());
    };
    EXPECT_EQ(message(plain(R"({"accounts":{"0x12":{}}})")),
              "invalid argument 0: state dump.accounts.0x12: hex string has length 2, want 40 for "
              "common.Address");
    EXPECT_TRUE(message("0x1234").starts_with("invalid argument 0: state dump: parse error"));
    EXPECT_EQ(message("0x1f8b08"), "invalid argument 0: state dump: broken or cut off gzip");
    EXPECT_EQ(message(plain(R"({"best_block_number":99999999999})")),
              "state dump: block number 99999999999 is too far ahead");
}

// The token answers with the slot whose key is the Keccak of the arguments.
TEST_F(MethodsTest, FindsTheSlotsOfTokens) {
    const json::string token = "0x000000000000000000000000000000000070ce20";
    // CALLDATACOPY(0, 4, CALLDATASIZE - 4), SLOAD(KECCAK256(0, CALLDATASIZE - 4)), RETURN it.
    m_node.call("anvil_setCode", {token, "0x600436038060045f375f20545f5260205ff3"});
    const std::string owner = std::string(24, '0') + to_hex(m_node.chain.accounts()[0].address);
    const std::string spender = std::string(24, '0') + to_hex(m_node.chain.accounts()[1].address);
    const auto read = [&](const std::string& data) {
        return read_data(m_node.call("eth_call", {json::object{{"to", token}, {"data", data}}, "latest"}));
    };
    m_node.call("anvil_dealERC20", {m_node.account(0), token, "0x123"});
    EXPECT_EQ(load_be(read("0x70a08231" + owner)), u256{0x123});
    m_node.call("anvil_setERC20Allowance", {m_node.account(0), m_node.account(1), token, "0x45"});
    EXPECT_EQ(load_be(read("0xdd62ed3e" + owner + spender)), u256{0x45});
    EXPECT_EQ(load_be(read("0x70a08231" + owner)), u256{0x123});
    EXPECT_EQ(m_node.error("hardhat_dealERC20", {m_node.account(0), m_node.account(1), "0x1"}).at("message"),
              "Unable to set ERC20 balance, no slot found");
}

TEST_F(MethodsTest, AccountsHeadersAndSendersNonces) {
    const auto hash = m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    EXPECT_EQ(m_node.call("eth_getTransactionBySenderAndNonce", {m_node.account(0), "0x0"}).at("hash"), hash);
    EXPECT_TRUE(m_node.call("eth_getTransactionBySenderAndNonce", {m_node.account(0), 2}).is_null());
    const auto account = m_node.call("eth_getAccount", {m_node.account(0), "0x1"});
    EXPECT_EQ(account.at("nonce"), "0x1");
    EXPECT_EQ(account.at("storageRoot"), hex_data(trie::kEmptyRoot));
    const auto block = m_node.call("eth_getBlockByNumber", {"0x1", false});
    const auto header = m_node.call("eth_getHeaderByNumber", {"0x1"});
    for (const auto& member : header.as_object())
        EXPECT_EQ(block.at(member.key()), member.value()) << member.key();
    EXPECT_FALSE(header.as_object().contains("transactions"));
    EXPECT_EQ(m_node.call("eth_getHeaderByHash", {block.at("hash")}), header);
    EXPECT_TRUE(m_node.call("eth_getHeaderByNumber", {"0x99"}).is_null());
    EXPECT_EQ(m_node.call("anvil_getGenesisTime"), 1'700'000'000);
    m_node.call("anvil_setChainId", {5});
    EXPECT_EQ(m_node.call("eth_chainId"), "0x5");
    EXPECT_EQ(m_node.call("eth_networkId"), "5");
    const auto sent = m_node.call("eth_sendTransactionSync", {transaction(0, m_node.account(1))});
    EXPECT_EQ(m_node.call("eth_getTransactionByHash", {sent.at("transactionHash")}).at("chainId"), "0x5");
}

TEST_F(MethodsTest, SaysWhyANumberIsRefused) {
    for (const char* method : {"hardhat_mine", "evm_increaseTime", "evm_setIntervalMining"})
        for (const json::value& number : {json::value(-1), json::value(-1.5), json::value("-0x1")})
            EXPECT_EQ(m_node.error(method, {number}).at("message"), "invalid argument 0: negative number");
    const auto range =
        m_node.error("eth_newFilter", {json::object{{"fromBlock", "0x2"}, {"toBlock", "0x1"}}});
    EXPECT_EQ(range.at("code"), -32602);
    EXPECT_EQ(range.at("message"), "invalid block range params");
}

TEST_F(MethodsTest, SnapshotsTimeAndMining) {
    const auto id = m_node.call("evm_snapshot");
    m_node.call("evm_increaseTime", {1000});
    m_node.call("hardhat_mine", {"0x3", "0xa"});
    EXPECT_EQ(m_node.call("eth_blockNumber"), "0x3");
    const auto last = m_node.call("eth_getBlockByNumber", {"latest", false});
    EXPECT_EQ(read_quantity(last.at("timestamp")), u256{1'700'000'000 + 1000 + 20});
    EXPECT_EQ(m_node.error("evm_setNextBlockTimestamp", {1}).at("code"), -32602);
    EXPECT_EQ(m_node.call("evm_revert", {id}), true);
    EXPECT_EQ(m_node.call("evm_revert", {id}), false);
    EXPECT_EQ(m_node.call("eth_blockNumber"), "0x0");
    m_node.call("evm_setAutomine", {false});
    m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    EXPECT_EQ(m_node.call("txpool_status").at("pending"), "0x1");
    EXPECT_EQ(m_node.call("eth_getBlockByNumber", {"pending", false}).at("transactions").as_array().size(),
              1u);
    m_node.call("evm_mine");
    EXPECT_EQ(m_node.call("txpool_status").at("pending"), "0x0");
    EXPECT_EQ(m_node.error("hardhat_mine", {"0xffffffffff"}).at("code"), -32005);
}

TEST_F(MethodsTest, ProofsAreOfTheStateRoot) {
    const auto proof = m_node.call("eth_getProof", {m_node.account(0), {"0x0"}, "latest"});
    const Bytes node = read_data(proof.at("accountProof").at(0));
    const auto block = m_node.call("eth_getBlockByNumber", {"latest", false});
    EXPECT_EQ(crypto::keccak256(node), read_hash(block.at("stateRoot")));
    EXPECT_EQ(proof.at("storageProof").at(0).at("value"), "0x0");
}

TEST_F(MethodsTest, SimulatesBlocksInARow) {
    const json::object transfer{{"from", m_node.account(0)}, {"to", m_node.account(1)}, {"value", "0x1"}};
    const json::object block{{"calls", json::array{transfer, transfer}}};
    const auto result = m_node.call(
        "eth_simulateV1",
        {json::object{{"blockStateCalls", json::array{block, block}}, {"traceTransfers", true}}, "latest"});
    ASSERT_EQ(result.as_array().size(), 2u);
    EXPECT_EQ(result.at(1).at("parentHash"), result.at(0).at("hash"));
    EXPECT_EQ(result.at(1).at("calls").at(1).at("logs").at(0).at("logIndex"), "0x1");
    EXPECT_EQ(m_node.call("eth_blockNumber"), "0x0");
    EXPECT_EQ(m_node.error("eth_simulateV1", {json::object{{"blockStateCalls", json::array{}}}}).at("code"),
              -32602);
}

TEST_F(MethodsTest, SignaturesRecover) {
    const auto signature = m_node.call("eth_sign", {m_node.account(0), "0xdeadbeef"});
    EXPECT_EQ(read_data(signature).size(), 65u);
    EXPECT_EQ(m_node.call("personal_sign", {"0xdeadbeef", m_node.account(0)}), signature);
    EXPECT_EQ(m_node.error("eth_sign", {json::string("0x" + std::string(40, '1')), "0x"}).at("code"), -32000);
    const auto signed_txn = m_node.call("eth_signTransaction", {transaction(0, m_node.account(1))});
    const auto hash = m_node.call("eth_sendRawTransaction", {signed_txn.at("raw")});
    EXPECT_EQ(hash, signed_txn.at("tx").at("hash"));
    EXPECT_EQ(m_node.error("eth_sendRawTransaction", {signed_txn.at("raw")}).at("message"), "already known");
}

// The example of EIP-712.
TEST(TypedData, TheProposalsExample) {
    const auto data = json::parse(R"({
      "types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},
        {"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
        "Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}],
        "Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person"},{"name":"contents","type":"string"}]},
      "primaryType":"Mail",
      "domain":{"name":"Ether Mail","version":"1","chainId":1,
        "verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
      "message":{"from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to":{"name":"Bob","wallet":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},"contents":"Hello, Bob!"}})");
    EXPECT_EQ(to_hex(typed_data_digest(data)),
              "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
}

TEST(TypedData, ErrorsNameTheMember) {
    const auto data = json::parse(
        R"({"types":{"EIP712Domain":[],"A":[{"name":"x","type":"uint8"}]},"primaryType":"A","domain":{},"message":{"x":"y"}})");
    try {
        typed_data_digest(data);
        FAIL();
    } catch (const RpcError& error) {
        EXPECT_EQ(error.message(), "typed data: message.x: not an integer");
    }
}

}  // namespace
}  // namespace meridian::rpc
