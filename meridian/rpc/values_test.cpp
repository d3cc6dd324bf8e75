#include <meridian/rpc/call_args.hpp>
#include <meridian/rpc/values.hpp>

#include <gtest/gtest.h>

namespace meridian::rpc {
namespace {

template <class Read>
std::string complaint(Read read, const json::value& value) {
    try {
        read(value);
    } catch (const ValueError& error) {
        return error.message();
    } catch (const RpcError& error) {
        return error.message();
    }
    return "accepted";
}

TEST(Values, QuantitiesAreCanonical) {
    EXPECT_EQ(read_quantity("0x0"), u256{0});
    EXPECT_EQ(read_quantity("0x1F"), u256{31});
    for (const char* bad : {"", "1", "0x", "0x01", "0xg", "0x-1"})
        EXPECT_NE(complaint(read_quantity, bad), "accepted") << bad;
    EXPECT_NE(complaint(read_quantity, json::string("0x1" + std::string(64, '0'))), "accepted");
    EXPECT_NE(complaint(read_uint64, "0x10000000000000000"), "accepted");
    EXPECT_NE(complaint(read_quantity, 5), "accepted");
}

TEST(Values, LenientQuantitiesTakeWhatToolsSend) {
    EXPECT_EQ(read_lenient_quantity(5), u256{5});
    EXPECT_EQ(read_lenient_quantity(5.0), u256{5});
    EXPECT_EQ(read_lenient_quantity("5"), u256{5});
    EXPECT_EQ(read_lenient_quantity("0x05"), u256{5});
    for (const json::value& bad : {json::value(-1), json::value(0.5), json::value(1e300), json::value("x")})
        EXPECT_NE(complaint(read_lenient_quantity, bad), "accepted");
    EXPECT_EQ(complaint(read_lenient_quantity, 0.5), "not a whole number");
    EXPECT_EQ(complaint(read_lenient_quantity, 1180591620717411303424.0),
              "a number beyond 2^53 has to be written as text");
    EXPECT_EQ(complaint(read_lenient_quantity, true), "not a number");
}

TEST(Values, DataAndSlots) {
    EXPECT_TRUE(read_data("0x").empty());
    EXPECT_NE(complaint(read_data, "0x1"), "accepted");
    EXPECT_EQ(from_hash(read_slot("0x1")), u256{1});
    EXPECT_EQ(from_hash(read_slot("01")), u256{1});
    EXPECT_EQ(complaint([](const json::value& v) { return read_slot(text_of(v.get_string())); }, "0xasdf"),
              "invalid hex in storage key: \"0xasdf\"");
}

TEST(Values, RoundTrip) {
    EXPECT_EQ(quantity(std::uint64_t{0}), "0x0");
    EXPECT_EQ(quantity(u256::max()), json::string("0x" + std::string(64, 'f')));
    EXPECT_EQ(hex_data(Bytes{0, 0xab}), "0x00ab");
    EXPECT_EQ(hex_data({}), "0x");
}

TEST(RevertMessage, DecodesErrorAndPanic) {
    EXPECT_EQ(revert_message({}), "execution reverted");
    Bytes panic{0x4e, 0x48, 0x7b, 0x71};
    append(panic, to_hash(0x11));
    EXPECT_EQ(revert_message(panic), "execution reverted: arithmetic underflow or overflow");
    // An offset or a length beyond the data is no reason, and no harm.
    Bytes error{0x08, 0xc3, 0x79, 0xa0};
    append(error, to_hash(u256::max()));
    append(error, to_hash(u256::max()));
    EXPECT_EQ(revert_message(error), "execution reverted");
}

TEST(RevertMessage, KeepsUtf8AndNothingElse) {
    const auto reverted = [](std::string_view reason) {
        Bytes data{0x08, 0xc3, 0x79, 0xa0};
        append(data, to_hash(32));
        append(data, to_hash(reason.size()));
        append(data, as_bytes(reason));
        return revert_message(data);
    };
    EXPECT_EQ(reverted("no \xc3\xa9\xe2\x82\xac"), "execution reverted: no \xc3\xa9\xe2\x82\xac");
    EXPECT_EQ(reverted("\xff\x80 a\xc3"), "execution reverted: ?? a?");
}

TEST(CallArgs, Contradictions) {
    const auto read = [](const char* text) {
        const auto value = json::parse(text);
        return complaint(read_call_args, value);
    };
    EXPECT_EQ(read("{}"), "accepted");
    EXPECT_NE(read("[]"), "accepted");
    EXPECT_NE(read(R"({"gasPrice":"0x1","maxFeePerGas":"0x1"})"), "accepted");
    EXPECT_NE(read(R"({"data":"0x01","input":"0x02"})"), "accepted");
    EXPECT_EQ(read(R"({"data":"0x01","input":"0x01"})"), "accepted");
}

}  // namespace
}  // namespace meridian::rpc
