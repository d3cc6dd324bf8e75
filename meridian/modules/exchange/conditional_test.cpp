// Orders that wait: triggers, pairs, TWAPs, the dead man's switch; and batches.
#include <meridian/modules/exchange/exchange_fixture.hpp>

#include <gtest/gtest.h>

namespace meridian::modules::exchange {
namespace {

using testing::TestExchange;

constexpr MarketId kPerp = TestExchange::kPerp;

class ConditionalTest : public ::testing::Test {
protected:
    ConditionalTest() {
        m_a = m_world.trader(1, 1'000'000);
        m_b = m_world.trader(2, 1'000'000);
        m_world.block(1000);
    }
    void TearDown() override { EXPECT_EQ(exchange().check_invariants(), ""); }
    Exchange& exchange() { return m_world.exchange(); }
    // Sells at any price what the account has, when the mark is there.
    PlaceTrigger stop(Price at, bool above, Size size, AccountId account, Side side = Side::Sell) {
        PlaceTrigger trigger;
        trigger.above = above;
        trigger.at = at;
        trigger.order = TestExchange::order(account, side, side == Side::Sell ? 1 : 5000, size);
        trigger.order.type = OrderType::Market;
        trigger.order.time_in_force = TimeInForce::ImmediateOrCancel;
        trigger.order.reduce_only = true;
        return trigger;
    }
    std::vector<std::uint64_t> ids(ReportKind kind) {
        std::vector<std::uint64_t> out;
        for (const Report& report : m_world.events().of(kind))
            out.push_back(report.id);
        return out;
    }

    TestExchange m_world;
    AccountId m_a;
    AccountId m_b;
};

using Ids = std::vector<std::uint64_t>;

TEST_F(ConditionalTest, FiresAtTheMarkByPriceAndThenId) {
    m_world.trade(m_a, m_b, 1000, 100);
    ASSERT_TRUE(m_world.place(m_b, Side::Buy, 800, 100).has_value());
    const std::uint64_t low = *exchange().place_trigger(stop(900, false, 10, m_a));
    const std::uint64_t high = *exchange().place_trigger(stop(950, false, 10, m_a));
    const std::uint64_t same = *exchange().place_trigger(stop(900, false, 10, m_a));
    const std::uint64_t up = *exchange().place_trigger(stop(1050, true, 10, m_a));
    m_world.block(951);
    EXPECT_EQ(ids(ReportKind::TriggerFired), Ids{});
    m_world.block(890);
    EXPECT_EQ(ids(ReportKind::TriggerFired), (Ids{high, low, same}));
    EXPECT_EQ(m_world.position(m_a).size, 70);
    m_world.block(1050);
    EXPECT_EQ(ids(ReportKind::TriggerFired), (Ids{high, low, same, up}));
    EXPECT_EQ(m_world.position(m_a).size, 60);
}

TEST_F(ConditionalTest, RefusedOrdersEndTheTrigger) {
    const std::uint64_t id = *exchange().place_trigger(stop(900, false, 10, m_a));
    m_world.block(900);
    EXPECT_EQ(ids(ReportKind::TriggerFired), Ids{});
    ASSERT_EQ(ids(ReportKind::TriggerGone), Ids{id});
    EXPECT_EQ(m_world.events().of(ReportKind::TriggerGone)[0].error, Error::ReduceOnly);
    EXPECT_EQ(exchange().cancel_conditional(m_a, id).error(), Error::UnknownTrigger);
}

TEST_F(ConditionalTest, RefusesWhatCannotBe) {
    PlaceTrigger trigger = stop(0, false, 10, m_a);
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::ZeroPrice);
    trigger.at = 1'000'001;
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::PriceBounds);
    trigger = stop(900, false, 0, m_a);
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::ZeroSize);
    trigger = stop(900, false, 1'000'001, m_a);
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::SizeBounds);
    trigger = stop(900, false, 1, 77);
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::UnknownAccount);
    trigger = stop(900, false, 1, m_a);
    trigger.order.market = 5;
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::UnknownMarket);
    trigger.order.market = TestExchange::kSpot;
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::WrongMarket);
    trigger = stop(900, false, 1, m_a);
    trigger.order.time_in_force = TimeInForce::GoodTillCancelled;
    EXPECT_EQ(exchange().place_trigger(trigger).error(), Error::BadCommand);
    EXPECT_EQ(exchange().place_trigger_pair(stop(900, false, 1, m_a), stop(900, true, 1, m_b)).error(),
              Error::BadCommand);
    for (std::uint32_t i = 0; i < kConditionalsMax; ++i)
        ASSERT_TRUE(exchange().place_trigger(stop(1 + i, false, 1, m_a)).has_value());
    EXPECT_EQ(exchange().place_trigger(stop(900, false, 1, m_a)).error(), Error::TooManyTriggers);
}

TEST_F(ConditionalTest, OneOfAPairCancelsTheOther) {
    m_world.trade(m_a, m_b, 1000, 100);
    ASSERT_TRUE(m_world.place(m_b, Side::Buy, 900, 200).has_value());
    ASSERT_TRUE(
        exchange().place_trigger_pair(stop(950, false, 100, m_a), stop(1100, true, 100, m_a)).has_value());
    m_world.block(940);
    EXPECT_EQ(m_world.position(m_a).size, 0);
    EXPECT_EQ(exchange().ledger().account(m_a).conditional_count, 0u);
    const std::uint64_t one =
        *exchange().place_trigger_pair(stop(950, false, 100, m_a), stop(1100, true, 100, m_a));
    EXPECT_TRUE(exchange().cancel_conditional(m_a, one).has_value());
    EXPECT_EQ(exchange().ledger().account(m_a).conditional_count, 0u);
}

TEST_F(ConditionalTest, AnOrderAndItsStopCancelEachOther) {
    m_world.trade(m_a, m_b, 1000, 100);
    ASSERT_TRUE(m_world.place(m_b, Side::Buy, 900, 50).has_value());
    PlaceOrder profit = TestExchange::order(m_a, Side::Sell, 1001, 100);
    profit.reduce_only = true;
    // The book's middle is 1.5 above the oracle, so the mark is 950. The stop fires: the order goes.
    const auto placed = exchange().place_with_trigger(profit, stop(950, false, 50, m_a));
    ASSERT_EQ(placed->resting, 100u);
    m_world.block(949);
    EXPECT_EQ(m_world.position(m_a).size, 50);
    EXPECT_EQ(exchange().ledger().book(kPerp).find(placed->id), nullptr);
    // The order trades, if only in part: the stop goes.
    profit.size = 50;
    ASSERT_TRUE(exchange().place_with_trigger(profit, stop(900, false, 50, m_a)).has_value());
    EXPECT_EQ(exchange().ledger().account(m_a).conditional_count, 1u);
    ASSERT_EQ(m_world.place(m_b, Side::Buy, 1001, 1)->filled, 1u);
    EXPECT_EQ(exchange().ledger().account(m_a).conditional_count, 0u);
    // The order is cancelled: so is the stop.
    ASSERT_TRUE(exchange().cancel_all(m_a).has_value());
    profit.size = 10;
    const auto again = exchange().place_with_trigger(profit, stop(900, false, 10, m_a));
    ASSERT_TRUE(exchange().cancel(m_a, kPerp, again->id).has_value());
    EXPECT_EQ(exchange().ledger().account(m_a).conditional_count, 0u);
}

TEST_F(ConditionalTest, WaitsWhileTheOracleIsStale) {
    m_world.trade(m_a, m_b, 1000, 100);
    ASSERT_TRUE(m_world.place(m_b, Side::Buy, 900, 50).has_value());
    m_world.block(0, 61'000);
    ASSERT_TRUE(exchange().place_trigger(stop(1000, false, 10, m_a)).has_value());
    m_world.block(0);
    EXPECT_EQ(m_world.position(m_a).size, 100);
    m_world.block(1000);
    EXPECT_EQ(m_world.position(m_a).size, 90);
}

TEST_F(ConditionalTest, ATwapTradesInSlicesAndCatchesUp) {
    EXPECT_EQ(exchange().place_twap({m_a, kPerp, Side::Buy, false, 110, kTwapMsMin - 1}).error(),
              Error::BadTime);
    // Five minutes: eleven slices of ten lots, thirty at most.
    ASSERT_TRUE(exchange().place_twap({m_a, kPerp, Side::Buy, false, 110, kTwapMsMin}).has_value());
    // Above 1,030 is more than 3 %.
    ASSERT_TRUE(m_world.place(m_b, Side::Sell, 1031, 1000).has_value());
    m_world.block(1000);
    EXPECT_EQ(m_world.position(m_a).size, 0);
    ASSERT_TRUE(exchange().cancel_all(m_b).has_value());
    ASSERT_TRUE(m_world.place(m_b, Side::Sell, 1030, 1000).has_value());
    // Ten slices are left for 110: eleven each.
    m_world.block(1000, 30'000);
    EXPECT_EQ(m_world.position(m_a).size, 11);
    m_world.block(1000, 1000);
    EXPECT_EQ(m_world.position(m_a).size, 11);
    // Nothing for two minutes: then one slice in a block, and nine have 99 left: eleven.
    m_world.block(1000, 120'000);
    EXPECT_EQ(m_world.position(m_a).size, 22);
    for (int i = 0; i < 12; ++i)
        m_world.block(1000, 30'000);
    EXPECT_EQ(m_world.position(m_a).size, 110);
    EXPECT_EQ(m_world.events().of(ReportKind::TwapGone).size(), 1u);
    EXPECT_EQ(exchange().ledger().account(m_a).conditional_count, 0u);
}

TEST_F(ConditionalTest, TheDeadMansSwitchCancelsStopsToo) {
    const std::uint64_t now = m_world.now_ms();
    EXPECT_EQ(exchange().schedule_cancel(m_a, now + 4'999).error(), Error::BadTime);
    EXPECT_EQ(exchange().schedule_cancel(77, now + 5'000).error(), Error::UnknownAccount);
    ASSERT_TRUE(m_world.place(m_a, Side::Buy, 900, 1).has_value());
    ASSERT_TRUE(exchange().place_trigger(stop(500, false, 1, m_a)).has_value());
    ASSERT_TRUE(exchange().schedule_cancel(m_a, now + 6'000).has_value());
    m_world.block(1000, 5'000);
    EXPECT_EQ(exchange().ledger().account(m_a).order_count, 1u);
    // Set anew before it is due, it waits; taken back, it never comes.
    ASSERT_TRUE(exchange().schedule_cancel(m_a, now + 12'000).has_value());
    m_world.block(1000, 2'000);
    EXPECT_EQ(exchange().ledger().account(m_a).order_count, 1u);
    ASSERT_TRUE(exchange().schedule_cancel(m_a, 0).has_value());
    m_world.block(1000, 10'000);
    EXPECT_EQ(exchange().ledger().account(m_a).order_count, 1u);
    for (std::uint32_t i = 0; i < kSwitchesPerDay; ++i) {
        ASSERT_TRUE(exchange().schedule_cancel(m_a, m_world.now_ms() + 5'000).has_value());
        m_world.block(1000, 5'000);
        EXPECT_EQ(exchange().ledger().account(m_a).order_count, 0u);
        EXPECT_EQ(exchange().ledger().account(m_a).conditional_count, 0u);
    }
    EXPECT_EQ(exchange().schedule_cancel(m_a, m_world.now_ms() + 5'000).error(), Error::TooMany);
    m_world.block(1000, kDayMs);
    EXPECT_TRUE(exchange().schedule_cancel(m_a, m_world.now_ms() + 5'000).has_value());
}

TEST_F(ConditionalTest, BatchesAnswerEachCommand) {
    PlaceOrder named = TestExchange::order(m_a, Side::Buy, 900, 5);
    named.client_id[0] = 1;
    PlaceOrder post_only = TestExchange::order(m_b, Side::Sell, 900, 5);
    post_only.time_in_force = TimeInForce::PostOnly;
    const std::vector<OrderCommand> batch = {named, post_only, AmendOrder{m_a, kPerp, 1, 901, 6},
                                             CancelClientId{m_a, named.client_id},
                                             CancelOrder{m_a, kPerp, 1}};
    const auto outcomes = exchange().run(batch);
    ASSERT_EQ(outcomes->size(), 5u);
    EXPECT_EQ((*outcomes)[0].placed.resting, 5u);
    EXPECT_EQ((*outcomes)[1].error, Error::WouldCross);
    EXPECT_EQ((*outcomes)[2].placed.resting, 6u);
    EXPECT_EQ((*outcomes)[3].error, Error::None);
    EXPECT_EQ((*outcomes)[4].error, Error::UnknownOrder);
    EXPECT_EQ(exchange().run(std::vector<OrderCommand>(kBatchMax + 1, batch[4])).error(), Error::TooMany);
    EXPECT_EQ(rank_in_frame(batch[0]), 2u);
    EXPECT_EQ(rank_in_frame(batch[1]), 1u);
    EXPECT_EQ(rank_in_frame(batch[4]), 0u);
}

}  // namespace
}  // namespace meridian::modules::exchange
