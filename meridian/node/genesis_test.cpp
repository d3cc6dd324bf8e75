#include <meridian/node/genesis.hpp>
#include <meridian/node/system_contracts.hpp>
#include <meridian/trie/trie.hpp>

#include <gtest/gtest.h>

namespace meridian::node {
namespace {

using evm::Revision;

constexpr const char* kMinimal =
    R"({"config":{"chainId":7},"gasLimit":"0x1000","difficulty":"0x1","alloc":{}})";

std::string with(std::string_view field, std::string_view value) {
    return R"({"config":{"chainId":7},"gasLimit":"0x1000","alloc":{},")" + std::string(field) +
           "\":" + std::string(value) + "}";
}

std::string error_of(std::string_view text) {
    const auto parsed = parse_genesis(text);
    return parsed ? "accepted" : parsed.error().message();
}

TEST(Genesis, Minimal) {
    const auto genesis = parse_genesis(kMinimal);
    ASSERT_TRUE(genesis);
    EXPECT_EQ(genesis->config.chain_id, 7u);
    EXPECT_EQ(genesis->header.gas_limit, 0x1000u);
    EXPECT_FALSE(genesis->header.base_fee);
    EXPECT_EQ(genesis->config.revision(1000, 1000), Revision::Frontier);
}

TEST(Genesis, NumbersInEveryForm) {
    for (const char* text : {"\"0x20\"", "\"32\"", "32"}) {
        const auto genesis = parse_genesis(with("timestamp", text));
        ASSERT_TRUE(genesis) << text;
        EXPECT_EQ(genesis->header.timestamp, 32u);
    }
}

TEST(Genesis, FieldsOfTheForksAtGenesis) {
    const auto genesis = parse_genesis(
        R"({"config":{"chainId":1,"homesteadBlock":0,"eip150Block":0,"eip158Block":0,"byzantiumBlock":0,
            "constantinopleBlock":0,"istanbulBlock":0,"berlinBlock":0,"londonBlock":0,"shanghaiTime":0,
            "cancunTime":0,"pragueTime":0,"osakaTime":50,"terminalTotalDifficulty":0,
            "blobSchedule":{"cancun":{"target":1,"max":2,"baseFeeUpdateFraction":3}}},
            "gasLimit":"0x1000","alloc":{}})");
    ASSERT_TRUE(genesis) << error_of(kMinimal);
    EXPECT_EQ(genesis->config.revision(0, 0), Revision::Prague);
    EXPECT_EQ(genesis->config.revision(5, 50), Revision::Osaka);
    EXPECT_EQ(genesis->header.base_fee, u256{1'000'000'000});
    EXPECT_EQ(genesis->header.withdrawals_root, trie::kEmptyRoot);
    EXPECT_EQ(genesis->header.excess_blob_gas, 0u);
    EXPECT_TRUE(genesis->header.requests_hash);
    EXPECT_EQ(genesis->config.blob_parameters(0).max, 2u);
    EXPECT_EQ(genesis->fork_times, std::vector<std::uint64_t>{50});
}

TEST(Genesis, Alloc) {
    const auto genesis = parse_genesis(
        R"({"config":{"chainId":7},"gasLimit":1,"alloc":{
            "0x00000000000000000000000000000000000000aa":{"balance":"10","nonce":"0x2","code":"0x6000",
              "storage":{"0x1":"0x02","0x2":"0x00"}},
            "00000000000000000000000000000000000000bb":{"balance":"0x5"}}})");
    ASSERT_TRUE(genesis);
    ASSERT_EQ(genesis->alloc.size(), 2u);
    const GenesisAccount& first = genesis->alloc.begin()->second;
    EXPECT_EQ(first.balance, u256{10});
    EXPECT_EQ(first.nonce, 2u);
    EXPECT_EQ(first.code.size(), 2u);
    EXPECT_EQ(first.storage, (std::map<u256, u256>{{1, 2}}));
}

TEST(Genesis, ErrorsNameTheField) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "not JSON"},
        {"[]", "object"},
        {"{}", "config: missing"},
        {R"({"config":[]})", "config: expected an object"},
        {R"({"config":{}})", "config.chainId: missing"},
        {R"({"config":{"chainId":"x"},"gasLimit":1,"alloc":{}})", "config.chainId: not a number"},
        {R"({"config":{"chainId":-1},"gasLimit":1,"alloc":{}})", "config.chainId"},
        {R"({"config":{"chainId":1.5},"gasLimit":1,"alloc":{}})", "config.chainId"},
        {R"({"config":{"chainId":1},"alloc":{}})", "gasLimit: missing"},
        {R"({"config":{"chainId":1},"gasLimit":"0x10000000000000000","alloc":{}})",
         "gasLimit: number does not fit"},
        {R"({"config":{"chainId":1},"gasLimit":1})", "alloc: missing"},
        {R"({"config":{"chainId":1},"gasLimit":1,"alloc":{"0x12":{"balance":1}}})",
         "alloc.0x12: expected 20 bytes"},
        {R"({"config":{"chainId":1,"bpo1Time":1},"gasLimit":1,"alloc":{}})", "config.blobSchedule.bpo1"},
        {R"({"config":{"chainId":1,"cancunTime":0,"blobSchedule":{"cancun":
            {"target":1,"max":0,"baseFeeUpdateFraction":5}}},"gasLimit":1,"alloc":{}})",
         "config.blobSchedule.cancun.max"},
        {with("extraData", "\"0x1\""), "extraData: odd number"},
        {with("coinbase", "\"0xzz\""), "coinbase"},
        {with("number", "1"), "number"},
        {with("baseFeePerGas", "\"0x1" + std::string(64, '0') + "\""), "baseFeePerGas: number does not fit"},
        {std::string(1000, '['), "not JSON"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_NE(error_of(text).find(expected), std::string::npos) << text << "\n" << error_of(text);
}

TEST(Genesis, DevelopmentChain) {
    const auto accounts = *dev_accounts(kDefaultMnemonic, 3);
    DevGenesisOptions options;
    options.balance = 5;
    options.unlimited_code_size = true;
    const Genesis genesis = dev_genesis(options, accounts);
    EXPECT_EQ(genesis.alloc.size(), 3 + std::size(kSystemContracts));
    EXPECT_EQ(genesis.alloc.at(accounts[2].address).balance, u256{5});
    EXPECT_EQ(genesis.config.max_code_size, 0u);
    EXPECT_EQ(genesis.config.revision(0, 0), Revision::Osaka);
}

}  // namespace
}  // namespace meridian::node
