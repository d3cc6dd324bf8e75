#include <meridian/load/submit_message.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/load/abi.hpp>
#include <meridian/load/signed_load.hpp>

#include <gtest/gtest.h>

namespace meridian::load {
namespace {

class Answers final : public ChannelListener {
public:
    void on_answer(const SubmitAnswer& answer) override {
        last = answer;
        error = answer.error;
        last.error = error;
        ++count;
    }
    void on_included(std::uint32_t, const Inclusion&, const FrameStamp&) override {}
    void on_dropped(std::uint32_t, std::string_view) override {}
    void on_lost(std::string_view) override {}

    SubmitAnswer last{.error = {}, .inclusion = {}};
    std::string error;
    int count = 0;
};

TEST(SubmitMessage, IsJsonRpcOfTheSizeThatItSays) {
    const Bytes envelope{0x02, 0xf8, 0x00};
    std::string text = "before";
    append_submission(text, SubmitMethod::Plain, 17, envelope);
    EXPECT_EQ(text,
              R"(before{"jsonrpc":"2.0","id":17,"method":"eth_sendRawTransaction","params":["0x02f800"]})");
    for (const auto method : {SubmitMethod::Plain, SubmitMethod::Sync})
        for (const std::uint32_t id : {0u, 9u, 4'294'967'295u}) {
            text.clear();
            append_submission(text, method, id, envelope);
            EXPECT_EQ(text.size(), submission_size(method, id, envelope));
        }
}

TEST(SubmitMessage, ReadsAnswers) {
    Answers answers;
    EXPECT_TRUE(read_submit_answer(R"({"jsonrpc":"2.0","id":3,"result":"0x12"})", answers));
    EXPECT_EQ(answers.last.txn, 3u);
    EXPECT_EQ(answers.last.verdict, Verdict::Accepted);
    EXPECT_FALSE(answers.last.inclusion);
    EXPECT_TRUE(read_submit_answer(
        R"({"id":4,"result":{"status":"0x0","gasUsed":"0x5208","effectiveGasPrice":"0x7"}})", answers));
    ASSERT_TRUE(answers.last.inclusion);
    EXPECT_FALSE(answers.last.inclusion->succeeded);
    EXPECT_EQ(answers.last.inclusion->gas_used, 21'000u);
    EXPECT_EQ(answers.last.inclusion->gas_price, u256{7});
}

TEST(SubmitMessage, TellsErrorsThatPassFromThoseThatDoNot) {
    const auto verdict = [](const std::string& error) {
        Answers answers;
        EXPECT_TRUE(read_submit_answer(R"({"id":1,"error":)" + error + "}", answers));
        return answers.last.verdict;
    };
    EXPECT_EQ(verdict(R"({"code":-32000,"message":"already known"})"), Verdict::AlreadyThere);
    EXPECT_EQ(verdict(R"({"code":-32003,"message":"transaction already imported"})"), Verdict::AlreadyThere);
    EXPECT_EQ(verdict(R"({"code":-32000,"message":"nonce too low: next nonce 2, tx nonce 1"})"),
              Verdict::AlreadyThere);
    EXPECT_EQ(verdict(R"({"code":-32005,"message":"slow down"})"), Verdict::NotNow);
    EXPECT_EQ(verdict(R"({"code":-32000,"message":"txpool is full"})"), Verdict::NotNow);
    EXPECT_EQ(verdict(R"({"code":-32000,"message":"insufficient funds"})"), Verdict::Refused);
    EXPECT_EQ(verdict("7"), Verdict::Refused);
}

TEST(SubmitMessage, TakesNothingThatIsNoAnswer) {
    Answers answers;
    for (const char* text :
         {"", "[]", "{}", R"({"id":1})", R"({"id":-1,"result":"0x"})", R"({"id":4294967296,"result":"0x"})",
          R"({"id":"1","result":"0x"})", R"({"id":1,)"})
        EXPECT_FALSE(read_submit_answer(text, answers)) << text;
    EXPECT_EQ(answers.count, 0);
}

// Selectors and layout as solc's --hashes and the contract ABI specification have them.
TEST(Abi, EncodesCalls) {
    const Address to = "0x00112233445566778899aabbccddeeff00112233"_address;
    EXPECT_EQ(to_hex(call_data("transfer(address,uint256)", {word(to), u256{1}})),
              "a9059cbb00000000000000000000000000112233445566778899aabbccddeeff00112233"
              "0000000000000000000000000000000000000000000000000000000000000001");
    const std::array<Address, 2> path{to, to};
    const Bytes data = call_data("f(uint256,address[])", {u256{5}, u256{}}, 1, path);
    ASSERT_EQ(data.size(), 4u + 5 * 32);
    EXPECT_EQ(data[4 + 31], 5);
    EXPECT_EQ(data[4 + 63], 0x40);
    EXPECT_EQ(data[4 + 95], 2);
    EXPECT_TRUE(equal(std::span(data).subspan(4 + 96 + 12, 20), to));
}

TEST(HashIndex, FindsEachAndNothingElse) {
    std::vector<Hash> hashes(1'000);
    for (std::size_t i = 0; i < hashes.size(); ++i)
        hashes[i] = to_hash(u256{i, 0, 0, i % 7});  // few different beginnings
    const HashIndex index(hashes);
    for (std::uint32_t i = 0; i < hashes.size(); ++i)
        EXPECT_EQ(index.find(hashes[i]), i);
    EXPECT_FALSE(index.find(to_hash(u256{1'000, 0, 0, 3})));
    EXPECT_FALSE(HashIndex(std::vector<Hash>{}).find(Hash{}));
}

}  // namespace
}  // namespace meridian::load
