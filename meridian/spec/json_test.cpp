#include <meridian/spec/json.hpp>

#include <gtest/gtest.h>

#include <functional>

namespace meridian::spec {
namespace {

std::string failure_of(std::string_view text, const std::function<void(const Json&)>& read) {
    const auto document = Document::parse(text, "f.json");
    if (!document)
        return document.error().text();
    try {
        read(document->root());
    } catch (const FieldFailure& failure) {
        return document->error(failure).text();
    }
    return {};
}

TEST(SpecJson, NamesFileFieldAndReason) {
    const auto read = [](const Json& root) {
        const Json& block = array(member(root, "blocks"))[1];
        (void)number64(member(block, "gas"));
    };
    EXPECT_EQ(failure_of(R"({"blocks":[{},{"gas":"0x1g"}]})", read),
              "f.json: blocks/1/gas: not a number: 0x1g");
    EXPECT_EQ(failure_of(R"({"blocks":[{},{"gas":true}]})", read), "f.json: blocks/1/gas: expected a number");
    EXPECT_EQ(failure_of(R"({"blocks":[{},{}]})", read), "f.json: blocks/1: missing member \"gas\"");
    EXPECT_EQ(failure_of(R"({"blocks":[{},{"gas":"0x10000000000000000"}]})", read),
              "f.json: blocks/1/gas: number beyond 64 bits");
    EXPECT_EQ(failure_of(R"({"blocks":3})", read), "f.json: blocks: expected an array");
    EXPECT_EQ(failure_of("[]", read), "f.json: expected an object");
    EXPECT_EQ(failure_of(R"({"blocks":[{},{"gas":"0x1f"}]})", read), "");
}

TEST(SpecJson, RefusesMalformedTruncatedAndDeepDocuments) {
    const auto none = [](const Json&) {};
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("{\"a\":"), std::string("{}x"),
          std::string("{\"a\":1,}"), std::string("\xff"), std::string("nul"), std::string(100000, '['),
          std::string(100000, '[') + std::string(100000, ']')})
        EXPECT_TRUE(failure_of(text, none).starts_with("f.json: malformed JSON at byte "))
            << text.substr(0, 20);
    EXPECT_EQ(failure_of(std::string(60, '[') + std::string(60, ']') + " \n", none), "");
}

TEST(SpecJson, TakesNumbersAsFixturesWriteThem) {
    const auto value = [](std::string_view text) { return number(Document::parse(text, "n")->root()); };
    EXPECT_EQ(value("\"0x00ff\""), u256{255});
    EXPECT_EQ(value("\"255\""), u256{255});
    EXPECT_EQ(value("255"), u256{255});
    EXPECT_EQ(value("\"0x\""), u256{});
    EXPECT_EQ(value("\"0x:bigint 0x10\""), u256{16});
    EXPECT_THROW(value("-1"), FieldFailure);
    EXPECT_THROW(value("1.5"), FieldFailure);
    EXPECT_THROW(value("\"0x:bigint 0x1" + std::string(64, '0') + "\""), FieldFailure);
}

TEST(SpecJson, ReadsBytesOfOneSizeOnly) {
    const auto document = Document::parse(R"(["0x01","0x1","zz","0x0102030405060708"])", "b");
    const auto& items = document->root().as_array();
    EXPECT_EQ(bytes(items[0]), Bytes{1});
    EXPECT_THROW(bytes(items[1]), FieldFailure);
    EXPECT_THROW(bytes(items[2]), FieldFailure);
    EXPECT_EQ(fixed_bytes<8>(items[3])[7], 8);
    EXPECT_THROW(fixed_bytes<8>(items[0]), FieldFailure);
    EXPECT_THROW(address(items[0]), FieldFailure);
    EXPECT_EQ(hash(items[0])[31], 1);
}

TEST(SpecJson, ReportsFilesThatCannotBeRead) {
    EXPECT_EQ(Document::load("/nonexistent/x.json").error().text(), "/nonexistent/x.json: cannot be opened");
    EXPECT_EQ(Document::load("/").error().text(), "/: is a folder");
}

}  // namespace
}  // namespace meridian::spec
