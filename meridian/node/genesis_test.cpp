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

std::string with_config(const std::string& members) {
    return R"({"config":{"chainId":1,)" + members + R"(},"gasLimit":1,"alloc":{}})";
}

TEST(Genesis, TellsAMisspeltForkFromWhatItDoesNotKnow) {
    const auto genesis = parse_genesis(with_config(
        R"("homesteadBlock":0,"isthmusTime":1,"noSuchThing":{},"eip160Block":0,"clique":{"period":1})"));
    ASSERT_TRUE(genesis) << genesis.error().message();
    EXPECT_EQ(genesis->ignored, (std::vector<std::string>{"config.isthmusTime", "config.noSuchThing"}));
    const std::pair<const char*, const char*> misspelt[] = {{"osakTime", "osakaTime"},
                                                            {"OsakaTime", "osakaTime"},
                                                            {"pragueBlock", ""},
                                                            {"homesteadblock", "homesteadBlock"},
                                                            {"bpo6Time", ""},
                                                            {"homsteadBlock", "homesteadBlock"},
                                                            {"shangaiTime", "shanghaiTime"},
                                                            {"petersbergBlock", "petersburgBlock"},
                                                            {"frameTime", "framesTime"},
                                                            {"verkleTime", ""}};
    for (const auto& [key, meant] : misspelt) {
        const std::string said = error_of(with_config("\"" + std::string(key) + "\":0"));
        EXPECT_EQ(said, *meant == 0
                            ? "accepted"
                            : "config." + std::string(key) + ": unknown; did you mean config." + meant + "?");
    }
}

TEST(Genesis, NumbersInEveryForm) {
    for (const char* text : {"\"0x20\"", "\"32\"", "32"}) {
        const auto genesis = parse_genesis(with("timestamp", text));
        ASSERT_TRUE(genesis) << text;
        EXPECT_EQ(genesis->header.timestamp, 32u);
    }
}

TEST(Genesis, BareNumbersAbove64Bits) {
    const auto genesis = parse_genesis(with("difficulty", "58750000000000000000000"));
    ASSERT_TRUE(genesis) << genesis.error().message();
    EXPECT_EQ(to_decimal(genesis->header.difficulty), "58750000000000000000000");
    const auto greatest = parse_genesis(with("timestamp", "18446744073709551615"));
    ASSERT_TRUE(greatest);
    EXPECT_EQ(greatest->header.timestamp, ~std::uint64_t{0});
    for (const char* text :
         {"-58750000000000000000000", "58750000000000000000000.5", "58750000000000000000000e5",
          "5875000000000000000e400", "1.58750000000000000000000"})
        EXPECT_TRUE(error_of(with("difficulty", text)).starts_with("difficulty: expected a number")) << text;
    EXPECT_TRUE(error_of(with("timestamp", "58750000000000000000000"))
                    .starts_with("timestamp: number does not fit 64 bits"));
    EXPECT_TRUE(error_of(with("timestamp", R"("a\"58750000000000000000000")"))
                    .starts_with("timestamp: not a number"));
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
        {with("extraData", "\"0x" + std::string(66, '0') + "\""),
         "extraData: longer than 32 bytes, which only the list of signers of a chain with config.clique"},
        {with("timestamp", "1e30"), "timestamp: expected a number"},
        {with("timestamp", "[]"), "timestamp: expected a number"},
        {with("nonce", "-1"), "nonce: expected a number"},
        {with("difficulty", "\"1" + std::string(100, '0') + "\""),
         "difficulty: number does not fit 256 bits"},
        {with("coinbase", "\"0xzz\""), "coinbase"},
        {with("number", "1"), "number"},
        {with("baseFeePerGas", "\"0x1" + std::string(64, '0') + "\""), "baseFeePerGas: number does not fit"},
        {std::string(1000, '['), "not JSON"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_NE(error_of(text).find(expected), std::string::npos) << text << "\n" << error_of(text);
}

std::string config_error(std::string_view forks) {
    return error_of(R"({"config":{"chainId":7,)" + std::string(forks) + R"(},"gasLimit":1,"alloc":{}})");
}

constexpr std::string_view kToLondon =
    R"("homesteadBlock":0,"eip150Block":0,"eip158Block":0,"byzantiumBlock":0,"petersburgBlock":0,
       "istanbulBlock":0,"berlinBlock":0,"londonBlock":0)";

TEST(Genesis, ForksAreInOrderAndWithoutGaps) {
    const std::string london(kToLondon);
    const std::string merged = london + R"(,"terminalTotalDifficulty":0)";
    const std::pair<std::string, const char*> cases[] = {
        {R"("homesteadBlock":5,"eip150Block":3)",
         "config.eip150Block: 3 is before config.homesteadBlock, 5, which it has to follow"},
        {R"("homesteadBlock":0,"daoForkBlock":5,"eip150Block":4)",
         "config.eip150Block: 4 is before config.daoFork"},
        {R"("eip150Block":3)", "config.homesteadBlock: missing, though config.eip150Block is set"},
        {R"("homesteadBlock":0,"eip150Block":0,"byzantiumBlock":0)",
         "config.eip155Block: missing, though config.byzantiumBlock is set"},
        {R"("homesteadBlock":0,"eip150Block":0,"eip155Block":1,"eip158Block":2)",
         "config.eip155Block: must be config.eip158Block"},
        {london + R"(,"grayGlacierBlock":7,"mergeNetsplitBlock":6)",
         "config.mergeNetsplitBlock: 6 is before config.grayGlacierBlock, 7"},
        {R"("shanghaiTime":3)", "config.homesteadBlock: missing, though config.shanghaiTime is set"},
        {merged + R"(,"shanghaiTime":5,"cancunTime":4)",
         "config.cancunTime: 4 is before config.shanghaiTime, 5, which it has to follow"},
        {merged + R"(,"shanghaiTime":5,"pragueTime":6)",
         "config.cancunTime: missing, though config.pragueTime is set: each fork builds on the one before "
         "it, "
         "so give it a time too"},
        {merged + R"(,"cancunTime":5)", "config.shanghaiTime: missing, though config.cancunTime is set"},
        {london + R"(,"shanghaiTime":5)",
         "config.terminalTotalDifficulty: missing, though config.shanghaiTime"},
        {R"("terminalTotalDifficulty":9)",
         "config.londonBlock: missing, though config.terminalTotalDifficulty"},
        {london.substr(0, london.size() - 1) + R"(4,"terminalTotalDifficulty":0)",
         "config.londonBlock: must be 0, as config.terminalTotalDifficulty is 0"},
        {merged + R"(,"shanghaiTime":18446744073709551616)",
         "config.shanghaiTime: number does not fit 64 bits"},
        {merged + R"(,"shanghaiTime":"0x10000000000000000")",
         "config.shanghaiTime: number does not fit 64 bits"},
    };
    for (const auto& [forks, expected] : cases)
        EXPECT_TRUE(config_error(forks).starts_with(expected)) << forks << "\n" << config_error(forks);
    const std::string good[] = {
        london, merged, merged + R"(,"muirGlacierBlock":0,"shanghaiTime":5,"cancunTime":5)",
        R"("homesteadBlock":0,"eip150Block":1,"eip155Block":2,"byzantiumBlock":3,"constantinopleBlock":4,
           "istanbulBlock":5)",
        london + R"(,"terminalTotalDifficulty":"58750000000000000000000","shanghaiTime":1)"};
    for (const std::string& forks : good)
        EXPECT_EQ(config_error(forks), "accepted") << forks;
}

TEST(Genesis, ErrorsNameThePathWithinAnAccount) {
    const std::string address = "0x" + std::string(40, 'a');
    const auto account_error = [&](std::string_view fields) {
        return error_of(R"({"config":{"chainId":7},"gasLimit":1,"alloc":{")" + address + "\":{" +
                        std::string(fields) + "}}}");
    };
    const std::string field = "alloc." + address;
    const std::pair<std::string, std::string> cases[] = {
        {R"("nonce":1)", ".balance: missing"},
        {R"("balance":[])", ".balance: expected a number"},
        {R"("balance":"0x1)" + std::string(64, '0') + "\"", ".balance: number does not fit 256 bits"},
        {R"("balance":1,"nonce":"0x10000000000000000")", ".nonce: number does not fit 64 bits"},
        {R"("balance":1,"code":7)", ".code: expected hexadecimal text"},
        {R"("balance":1,"code":"0xzz")", ".code: not hexadecimal"},
        {R"("balance":1,"storage":[])", ".storage: expected an object"},
        {R"("balance":1,"storage":{"0x1":5})", ".storage.0x1: expected hexadecimal text"},
        {R"("balance":1,"storage":{"key":"0x5"})", ".storage.key: expected up to 32 bytes"},
        {R"("balance":1,"storage":{"0x2":"0x)" + std::string(66, '1') + "\"}",
         ".storage.0x2: expected up to 32"},
        {R"("balance":1,"storage":{"0x1":"0x0","0x01":"0x5"})", ".storage.0x01: the same slot twice"},
        {R"("balance":1,"noncee":5)", ".noncee: unknown; an account has balance, nonce, code and storage"},
    };
    for (const auto& [fields, expected] : cases)
        EXPECT_TRUE(account_error(fields).starts_with(field + expected)) << fields << "\n"
                                                                         << account_error(fields);
    EXPECT_EQ(account_error(R"("balance":1,"comment":"funds","secretKey":"0x1","storage":{"0x1":"0x0"})"),
              "accepted");
    EXPECT_LT(account_error(R"("balance":1,")" + std::string(5000, 'x') + R"(":1)").size(), 250u);
}

TEST(Genesis, SignersInExtraDataUnderProofOfAuthority) {
    const std::string extra = std::string(2 * 117, '0');
    const auto genesis = parse_genesis(R"({"config":{"chainId":7,"clique":{"period":5,"epoch":30000}},
        "extraData":"0x)" + extra + R"(","gasLimit":1,"alloc":{}})");
    ASSERT_TRUE(genesis) << genesis.error().message();
    EXPECT_EQ(genesis->header.extra_data.size(), 117u);
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

TEST(Genesis, ReadsWhenContractsSeeFrames) {
    const auto with = [](const std::string& times) {
        return parse_genesis(
            R"({"config":{"chainId":1,"homesteadBlock":0,"eip150Block":0,"eip155Block":0,"eip158Block":0,)"
            R"("byzantiumBlock":0,"constantinopleBlock":0,"petersburgBlock":0,"istanbulBlock":0,)"
            R"("berlinBlock":0,"londonBlock":0,"terminalTotalDifficulty":0,)" +
            times + R"(},"gasLimit":"0x1c9c380","difficulty":"0x0","alloc":{}})");
    };
    const auto genesis = with(R"("shanghaiTime":5,"framesTime":7)");
    ASSERT_TRUE(genesis) << genesis.error().message();
    EXPECT_EQ(genesis->config.frames_time, 7u);
    EXPECT_EQ(genesis->fork_times, (std::vector<std::uint64_t>{5, 7}));
    const auto early = with(R"("shanghaiTime":5,"framesTime":4)");
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().message(), "config.framesTime: must not be before config.shanghaiTime");
    EXPECT_FALSE(with(R"("framesTime":4)"));
}

}  // namespace
}  // namespace meridian::node
