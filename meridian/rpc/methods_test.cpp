// The methods as a developer's tools use them.
#include <meridian/base/hex.hpp>
#include <meridian/rpc/signing.hpp>
#include <meridian/rpc/test_node.hpp>

#include <gtest/gtest.h>

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
        void notify(std::string message) override { messages.push_back(std::move(message)); }
        std::vector<std::string> messages;
    } session;
    const auto ask = [&](const std::string& text) {
        return json::parse(m_node.dispatcher.handle(text, &session));
    };
    const auto id = ask(R"({"id":1,"method":"eth_subscribe","params":["newHeads"]})").at("result");
    ask(R"({"id":1,"method":"eth_subscribe","params":["newPendingTransactions"]})");
    m_node.call("eth_sendTransaction", {transaction(0, m_node.account(1))});
    ASSERT_EQ(session.messages.size(), 2u);
    const auto head = json::parse(session.messages[1]);
    EXPECT_EQ(head.at("method"), "eth_subscription");
    EXPECT_EQ(head.at("params").at("subscription"), id);
    EXPECT_EQ(head.at("params").at("result").at("number"), "0x1");
    EXPECT_EQ(
        ask(R"({"id":1,"method":"eth_unsubscribe","params":[)" + json::serialize(id) + "]}").at("result"),
        true);
    m_node.service.forget(session);
    m_node.call("evm_mine");
    EXPECT_EQ(session.messages.size(), 2u);
    EXPECT_EQ(m_node.error("eth_subscribe", {"newHeads"}).at("message"), "notifications not supported");
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
    EXPECT_EQ(message({{"timeout", "soon"}}), "invalid argument 2: time: invalid duration \"soon\"");
    EXPECT_EQ(message({{"timeout", "5"}}), "invalid argument 2: time: missing unit in duration \"5\"");
    EXPECT_EQ(message({{"timeout", "1e3s"}}), "invalid argument 2: time: invalid duration \"1e3s\"");
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
