// Commands as bytes: what each costs, that there is one form of each, and what is refused.
#include <meridian/base/hex.hpp>
#include <meridian/modules/exchange/commands_test_model.hpp>
#include <meridian/modules/exchange/exchange_fixture.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian::modules::exchange {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

PlaceOrder order(MarketId market, Side side, Price price, Size size) {
    return PlaceOrder{.market = market, .side = side, .price = price, .size = size};
}

PlaceTrigger trigger(MarketId market) {
    PlaceTrigger out;
    out.above = true;
    out.at = 70;
    out.order = order(market, Side::Sell, 60, 5);
    out.order.time_in_force = TimeInForce::ImmediateOrCancel;
    out.order.type = OrderType::Market;
    out.order.reduce_only = true;
    return out;
}

PlaceOrder full_order() {
    PlaceOrder out = order(3, Side::Sell, 100, 7);
    out.time_in_force = TimeInForce::PostOnly;
    out.self_trade = SelfTrade::Allow;
    out.reduce_only = true;
    out.client_id[15] = 9;
    out.builder = 300;
    out.builder_ppm = 50;
    return out;
}

std::vector<Command> one_of_each() {
    AddMarket market{testing::perpetual_terms(), testing::address_of(800)};
    market.terms.fees[0] = {5, 350, -100};
    return {{0, order(0, Side::Buy, 50'000, 100)},
            {0, full_order()},
            {2, AmendOrder{.market = 1, .order = 300, .price = 5, .size = 6}},
            {0, CancelOrder{.market = 1, .order = 300}},
            {0, CancelClientId{.client_id = full_order().client_id}},
            {0, CancelMarket{1}},
            {31, CancelAll{}},
            {0, trigger(1)},
            {0, TriggerPair{trigger(1), trigger(1)}},
            {0, OrderWithTrigger{full_order(), trigger(3)}},
            {0, PlaceTwap{.market = 1, .side = Side::Sell, .size = 1000, .duration_ms = 600'000}},
            {0, CancelConditional{7}},
            {0, ScheduleCancel{1'700'000'000'000}},
            {0, SetLeverage{1, 20, true}},
            {0, MoveMargin{1, -5}},
            {0, MoveMargin{1, std::numeric_limits<std::int64_t>::min()}},
            {0, AddCollateral{~0ull}},
            {0, RemoveCollateral{1}},
            {0, ApproveBuilder{3, 1000}},
            {0, TransferTo{3, 0, 10}},
            {0, WithdrawAsset{0, 10}},
            {0, FundInsurance{10}},
            {0, PublishPrices{1'700'000'000'000, {{0, 5}, {1, 6}}}},
            {0, AddAsset{testing::address_of(5), 1'000'000'000'000}},
            {0, market},
            {0, SetPublishers{}},
            {0, SetPublishers{{testing::address_of(1), testing::address_of(2)}}},
            {0, SetBackstop{5}},
            {0, SetHalted{1, true}},
            {0, CollectFees{5, 0, 10}}};
}

TEST(Commands, HaveOneFormEach) {
    for (const Command& command : one_of_each()) {
        const Bytes bytes = encode_command(command);
        const auto decoded = decode_command(bytes);
        ASSERT_TRUE(decoded.has_value()) << to_hex0x(bytes) << " " << describe(decoded.error());
        EXPECT_EQ(decoded->sub, command.sub);
        EXPECT_EQ(decoded->body.index(), command.body.index());
        EXPECT_EQ(encode_command(*decoded), bytes) << to_hex0x(bytes);
        // No part of it is one, except for lists that may end earlier and a count of no entries.
        const bool is_list = std::holds_alternative<PublishPrices>(command.body) ||
                             std::holds_alternative<SetPublishers>(command.body);
        for (std::size_t size = 0; !is_list && size < bytes.size(); ++size)
            EXPECT_FALSE(decode_command(BytesView(bytes).first(size))) << to_hex0x(bytes) << " " << size;
    }
}

TEST(Commands, AreAsTheTableSays) {
    const Command plain{0, order(0, Side::Buy, 50'000, 100)};
    EXPECT_EQ(to_hex0x(encode_command(plain)), "0x010000d0860364");
    EXPECT_EQ(encode_command({0, order(4, Side::Sell, 2'000'000, 10'000)}).size(), 8u);
    const Bytes full = encode_command({5, full_order()});
    EXPECT_EQ(to_hex0x(full), "0x810503f704640700000000000000000000000000000009ac0232");
    const auto read = std::get<PlaceOrder>(decode_command(full)->body);
    EXPECT_EQ(read.market, 3u);
    EXPECT_EQ(read.side, Side::Sell);
    EXPECT_EQ(read.time_in_force, TimeInForce::PostOnly);
    EXPECT_EQ(read.type, OrderType::Limit);
    EXPECT_EQ(read.self_trade, SelfTrade::Allow);
    EXPECT_TRUE(read.reduce_only);
    EXPECT_EQ(read.client_id, full_order().client_id);
    EXPECT_EQ(read.builder, 300u);
    EXPECT_EQ(read.builder_ppm, 50u);
    const auto moved = std::get<MoveMargin>(decode_command(hex("110109"))->body);
    EXPECT_EQ(moved.amount, -5);
    const auto pair =
        std::get<TriggerPair>(decode_command(encode_command({0, TriggerPair{trigger(1), trigger(1)}}))->body);
    EXPECT_EQ(pair.second.order.market, 1u);
    EXPECT_TRUE(pair.second.above);
    EXPECT_EQ(pair.second.at, 70u);
    EXPECT_EQ(pair.second.order.type, OrderType::Market);
}

TEST(Commands, AreRefusedWithTheRule) {
    const auto error = [](std::string_view bytes) {
        const auto decoded = decode_command(hex(bytes));
        return decoded ? std::string("none") : std::string(name(decoded.error()));
    };
    EXPECT_EQ(error(""), "UnknownKind");
    EXPECT_EQ(error("00"), "UnknownKind");
    EXPECT_EQ(error("7f"), "UnknownKind");
    EXPECT_EQ(error("06"), "none");
    EXPECT_EQ(error("0600"), "TrailingBytes");
    EXPECT_EQ(error("860001"), "NotCanonical");  // sub-account 0 written down
    EXPECT_EQ(error("8681"), "Truncated");
    EXPECT_EQ(error("030180"), "Truncated");
    EXPECT_EQ(error("03018000"), "NotCanonical");      // 0 as two bytes
    EXPECT_EQ(error("03ffffffff1f01"), "OutOfRange");  // a market of 33 bits
    EXPECT_EQ(error("0301ffffffffffffffffff01"), "none");
    EXPECT_EQ(error("0301ffffffffffffffffff02"), "OutOfRange");
    EXPECT_EQ(error("0301ffffffffffffffffff8100"), "OutOfRange");
    EXPECT_EQ(error("01008005d0860364"), "OutOfRange");                                  // self-trade mode 5
    EXPECT_EQ(error("010020d086036400000000000000000000000000000000"), "NotCanonical");  // client id 0
    EXPECT_EQ(error("010040d08603640005"), "NotCanonical");                              // builder 0
    EXPECT_EQ(error("0700400101"
                    "01"),
              "OutOfRange");
    EXPECT_EQ(error("10010202"), "OutOfRange");  // neither isolated nor not
    EXPECT_EQ(error("2005"), "Truncated");       // no price
    EXPECT_EQ(error("3201"), "Truncated");
}

TEST(Commands, NeverFailOnAnyBytes) {
    std::mt19937_64 random(7);
    const std::vector<Command> commands = one_of_each();
    std::size_t decoded = 0;
    for (int i = 0; i < 200'000; ++i) {
        Bytes bytes = encode_command(commands[random() % commands.size()]);
        for (std::uint64_t changes = random() % 3 + 1; changes > 0; --changes)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        if (random() % 4 == 0)
            bytes.resize(random() % (bytes.size() + 2));
        decoded += testing::check_command_bytes(bytes) ? 1 : 0;
    }
    EXPECT_GT(decoded, 10'000u);
    EXPECT_LT(decoded, 190'000u);
}

TEST(Commands, BelongToGroups) {
    const auto group = [](const CommandBody& body, std::uint32_t sub = 0) {
        return group_of(encode_command({sub, body}));
    };
    EXPECT_EQ(group(PlaceOrder{}), CommandGroup::Trade);
    EXPECT_EQ(group(PlaceOrder{}, 3), CommandGroup::Trade);
    EXPECT_EQ(group(PlaceTwap{}), CommandGroup::Trade);
    EXPECT_EQ(group(CancelAll{}), CommandGroup::Cancel);
    EXPECT_EQ(group(ScheduleCancel{}), CommandGroup::Cancel);
    EXPECT_EQ(group(SetLeverage{}), CommandGroup::Margin);
    EXPECT_EQ(group(RemoveCollateral{}), CommandGroup::Margin);
    EXPECT_EQ(group(TransferTo{}), CommandGroup::Transfer);
    EXPECT_EQ(group(FundInsurance{}), CommandGroup::Transfer);
    EXPECT_EQ(group(WithdrawAsset{}), CommandGroup::Withdraw);
    EXPECT_EQ(group(WithdrawAsset{}, 1), CommandGroup::Withdraw);
    EXPECT_EQ(group(ApproveBuilder{}), CommandGroup::Approve);
    EXPECT_EQ(group(PublishPrices{1, {{}}}), CommandGroup::Oracle);
    EXPECT_EQ(group(AddAsset{}), CommandGroup::Operator);
    EXPECT_EQ(group_of(hex("7f")), CommandGroup::Operator);
}

}  // namespace
}  // namespace meridian::modules::exchange
