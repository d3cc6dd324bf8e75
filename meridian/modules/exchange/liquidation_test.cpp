// Liquidation, worked out by hand. Initial margin is a tenth and maintenance margin a twentieth of the value;
// there are no fees.
#include <meridian/modules/exchange/exchange_fixture.hpp>

#include <gtest/gtest.h>

namespace meridian::modules::exchange {
namespace {

using testing::address_of;
using testing::perpetual_terms;
using testing::TestExchange;

constexpr MarketId kPerp = TestExchange::kPerp;

std::int64_t number(Money amount) {
    return static_cast<std::int64_t>(amount);
}

MarketTerms terms_with_partial(std::uint64_t partial_value) {
    MarketTerms terms = perpetual_terms();
    terms.partial_value = partial_value;
    return terms;
}

// Alice has 10,000 and is long 100 lots at 1,000: her maintenance margin there is 5,000. Bob is short.
class LiquidationTest : public ::testing::Test {
protected:
    explicit LiquidationTest(std::uint64_t partial_value = 1'000'000)
        : m_world(terms_with_partial(partial_value)) {
        m_alice = m_world.trader(1, 10'000);
        m_bob = m_world.trader(2, 1'000'000);
        m_carol = m_world.trader(3, 1'000'000);
        m_world.block(1000);
        m_world.trade(m_alice, m_bob, 1000, 100);
    }
    void TearDown() override { EXPECT_EQ(m_world.exchange().check_invariants(), ""); }
    void insure(std::uint64_t amount) {
        const AccountId account = *m_world.exchange().deposit(address_of(50), 0, kCollateral, amount);
        ASSERT_TRUE(m_world.exchange().fund_insurance(account, amount).has_value());
    }
    AccountId make_vault(std::uint64_t collateral) {
        const AccountId vault = m_world.trader(60, collateral);
        EXPECT_TRUE(m_world.exchange().set_backstop(m_world.operator_key(), vault).has_value());
        return vault;
    }
    std::size_t told(ReportKind kind) { return m_world.events().of(kind).size(); }

    TestExchange m_world;
    AccountId m_alice;
    AccountId m_bob;
    AccountId m_carol;
};

class PartialLiquidationTest : public LiquidationTest {
protected:
    PartialLiquidationTest() : LiquidationTest(50'000) {}
};

TEST_F(LiquidationTest, SellsOnTheBookBelowMaintenanceMargin) {
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 940, 100).has_value());
    // At 950: equity 5,000, maintenance margin 4,750.
    m_world.block(950);
    EXPECT_EQ(m_world.position(m_alice).size, 100);
    // At 945: equity 4,500, maintenance margin 4,725, two thirds of it 3,150. All is sold at 940: 6,000 are
    // lost.
    m_world.block(945);
    EXPECT_EQ(m_world.position(m_alice).size, 0);
    EXPECT_EQ(m_world.balance(m_alice), 4'000);
    EXPECT_EQ(m_world.position(m_carol).size, 100);
    EXPECT_EQ(told(ReportKind::Liquidation), 1u);
}

TEST_F(LiquidationTest, StopsWhereTheMarginIsEnough) {
    // Only 40 are bought, at 945: 60 are left. Lost 2,200; equity 7,800 - 60 * 55 = 4,500, maintenance 2,835.
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 945, 40).has_value());
    m_world.block(945);
    EXPECT_EQ(m_world.position(m_alice).size, 60);
    EXPECT_EQ(m_world.balance(m_alice), 7'800);
    m_world.block(945);
    EXPECT_EQ(told(ReportKind::Liquidation), 1u);
}

TEST_F(LiquidationTest, NeverSellsIntoDebt) {
    // At 890 ten lots lose 1,100: 40 lots at 800 would lose 8,000, so that equity, 4,500 at the mark of 945,
    // were 4,500 - 40 * 145 < 0. The bid stays; equity is above two thirds of the margin, so no vault.
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 800, 40).has_value());
    m_world.block(945);
    EXPECT_EQ(m_world.position(m_alice).size, 100);
    EXPECT_EQ(m_world.position(m_carol).size, 0);
    m_world.block(950);
    EXPECT_EQ(m_world.position(m_alice).size, 100);
}

TEST_F(PartialLiquidationTest, ClosesAFifthAndThenWaits) {
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 930, 200).has_value());
    // At 935: equity 3,500, maintenance 4,675, two thirds of it 3,116.7. 93,500 is above 50,000: 20 lots go
    // at 930 and lose 1,400. Of 80 lots: equity 8,600 - 80 * 65 = 3,400, maintenance 3,740: still too little.
    m_world.block(935);
    EXPECT_EQ(m_world.position(m_alice).size, 80);
    EXPECT_EQ(m_world.balance(m_alice), 8'600);
    m_world.block(935, 29'000);
    EXPECT_EQ(m_world.position(m_alice).size, 80);
    // 30 s after it all goes: 80 * 70 = 5,600.
    m_world.block(935, 1'000);
    EXPECT_EQ(m_world.position(m_alice).size, 0);
    EXPECT_EQ(m_world.balance(m_alice), 3'000);
}

TEST_F(LiquidationTest, TheVaultTakesOverBelowTwoThirds) {
    const AccountId vault = make_vault(100'000);
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 920, 100).has_value());
    // At 925: equity 2,500, two thirds of the maintenance margin of 4,625 are 3,083. The vault gets the lots
    // at their cost with all 10,000.
    m_world.block(925);
    EXPECT_EQ(m_world.position(m_alice).size, 0);
    EXPECT_EQ(m_world.balance(m_alice), 0);
    EXPECT_EQ(m_world.position(vault).size, 100);
    EXPECT_EQ(m_world.balance(vault), 110'000);
    EXPECT_EQ(number(m_world.exchange().cross_health(vault).equity), 102'500);
    EXPECT_EQ(told(ReportKind::Backstop), 1u);
    EXPECT_EQ(told(ReportKind::Liquidation), 0u);
    // Another one's lots of the other side close against them: Bob is short 100 at 1,000 with 1,000,000.
    // At 10,500: equity 50,000, two thirds of 52,500 are 35,000: the book, where nobody sells.
    m_world.block(10'500);
    EXPECT_EQ(m_world.position(m_bob).size, -100);
    // At 10,700: equity 30,000, two thirds of 53,500 are 35,667. What remains is nothing; the vault has
    // 110,000 and Bob's 1,000,000, and costs of 100,000 - 100,000.
    m_world.block(10'700);
    EXPECT_EQ(m_world.position(m_bob).size, 0);
    EXPECT_EQ(m_world.position(vault).size, 0);
    EXPECT_EQ(m_world.balance(vault), 1'110'000);
    EXPECT_EQ(m_world.market().open_interest, 0u);
}

TEST_F(LiquidationTest, TheInsurancePaysWhatTheVaultWouldLose) {
    const AccountId vault = make_vault(100'000);
    insure(5'000);
    // At 890: equity -1,000.
    m_world.block(890);
    EXPECT_EQ(m_world.balance(m_alice), 0);
    EXPECT_EQ(number(m_world.insurance().balance), 4'000);
    EXPECT_EQ(number(m_world.insurance().paid), 1'000);
    EXPECT_EQ(m_world.balance(vault), 111'000);
    EXPECT_EQ(number(m_world.exchange().cross_health(vault).equity), 100'000);
}

TEST_F(LiquidationTest, AVaultThatCannotBearItIsNotAsked) {
    // The vault's 10,000 and Alice's 2,500 of equity would have to be a tenth of 92,500 + its own 4,000.
    const AccountId vault = make_vault(6'000);
    m_world.block(925);
    EXPECT_EQ(m_world.position(m_alice).size, 100);
    EXPECT_EQ(m_world.position(vault).size, 0);
    EXPECT_EQ(m_world.balance(vault), 6'000);
    EXPECT_EQ(m_world.balance(m_alice), 10'000);
}

TEST_F(LiquidationTest, WhatTheVaultWouldHaveLostByTakingOverStays) {
    // The vault is short 10 lots, with an order to buy them back and a trigger that goes with the order.
    const AccountId vault = make_vault(4'000);
    m_world.trade(m_carol, vault, 1000, 10);
    PlaceOrder order = TestExchange::order(vault, Side::Buy, 500, 10);
    order.reduce_only = true;
    PlaceTrigger trigger;
    trigger.above = true;
    trigger.at = 1500;
    trigger.order = TestExchange::order(vault, Side::Buy, 1500, 10);
    const auto placed = m_world.exchange().place_with_trigger(order, trigger);
    ASSERT_EQ(placed->resting, 10u);
    // With Alice's 100 lots it would be long 90, without an order to reduce: 4,000 + 750 + 2,500 are no tenth
    // of 83,250. So nothing of that has happened.
    m_world.block(925);
    EXPECT_EQ(m_world.position(vault).size, -10);
    EXPECT_NE(m_world.exchange().ledger().book(kPerp).find(placed->id), nullptr);
    EXPECT_EQ(m_world.exchange().ledger().account(vault).conditional_count, 1u);
}

TEST_F(LiquidationTest, DeleveragesByRankAtThePreviousMark) {
    // Dave and Erin are short too: 30 lots each against Carol, with 10,000 and 5,000 of collateral.
    const AccountId dave = m_world.trader(4, 10'000);
    const AccountId erin = m_world.trader(5, 5'000);
    m_world.trade(m_carol, dave, 1000, 30);
    m_world.trade(m_carol, erin, 1000, 30);
    // No vault, no bids. At 925 nothing happens: there is no debt.
    m_world.block(925);
    EXPECT_EQ(m_world.position(m_alice).size, 100);
    // At 890 Alice has 10,000 - 11,000. At the previous mark of 925 equities are: Bob 1,007,500, Dave 12,250,
    // Erin 7,250; entry over mark is the same for all, value over equity highest for Erin (27,750 / 7,250),
    // then Dave, then Bob. Alice's 100 lots are closed at 925 against 30 of Erin's, 30 of Dave's, 40 of
    // Bob's.
    m_world.block(890);
    EXPECT_EQ(m_world.position(m_alice).size, 0);
    EXPECT_EQ(m_world.balance(m_alice), 2'500);
    EXPECT_EQ(m_world.balance(erin), 5'000 + 30 * 75);
    EXPECT_EQ(m_world.balance(dave), 10'000 + 30 * 75);
    EXPECT_EQ(m_world.balance(m_bob), 1'000'000 + 40 * 75);
    EXPECT_EQ(m_world.position(m_bob).size, -60);
    const std::vector<Report> reports = m_world.events().of(ReportKind::Deleveraged);
    ASSERT_EQ(reports.size(), 3u);
    EXPECT_EQ(reports[0].account, erin);
    EXPECT_EQ(reports[1].account, dave);
    EXPECT_EQ(reports[2].account, m_bob);
    EXPECT_EQ(reports[2].price, 925u);
    EXPECT_EQ(number(m_world.insurance().paid), 0);
    // Accounts without positions have what they had.
    EXPECT_EQ(m_world.position(dave).size, 0);
}

TEST_F(LiquidationTest, CancelsOrdersFirst) {
    const OrderId resting = m_world.place(m_alice, Side::Sell, 2000, 50)->id;
    m_world.block(950);
    EXPECT_NE(m_world.exchange().ledger().book(kPerp).find(resting), nullptr);
    m_world.block(945);
    EXPECT_EQ(m_world.exchange().ledger().book(kPerp).find(resting), nullptr);
    EXPECT_EQ(m_world.position(m_alice).size, 100);
}

TEST_F(LiquidationTest, CascadesFromOneToTheNext) {
    // Dave is long 50 lots at 1,000 with 14,000, and bids for 60 more at 930; below are Carol's bids.
    const AccountId dave = m_world.trader(4, 14'000);
    m_world.trade(dave, m_bob, 1000, 50);
    ASSERT_TRUE(m_world.place(dave, Side::Buy, 930, 60).has_value());
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 929, 40).has_value());
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 865, 60).has_value());
    // At 940: Alice has 4,000 of 4,700. 60 lots go to Dave, who has 14,000 - 3,000 and gains 600 at once:
    // enough for a tenth of 110 lots, 10,340. 40 go to Carol. Alice loses 4,200 and 2,840.
    m_world.block(940);
    EXPECT_EQ(m_world.position(m_alice).size, 0);
    EXPECT_EQ(m_world.balance(m_alice), 2'960);
    EXPECT_EQ(m_world.position(dave).size, 110);
    EXPECT_EQ(number(m_world.position(dave).cost), 105'800);
    // At 890 Dave has 14,000 + 97,900 - 105,800 = 6,100 of 4,895; at 870 he has 3,900 of 4,785, two thirds of
    // which are 3,190. Carol takes 60 at 865: they cost 105,800 * 60 / 110 = 57,709.1 and bring 51,900.
    m_world.block(890);
    EXPECT_EQ(m_world.position(dave).size, 110);
    m_world.block(870);
    EXPECT_EQ(m_world.position(dave).size, 50);
    EXPECT_EQ(m_world.balance(dave), 14'000 - 5'809);
    EXPECT_EQ(number(m_world.position(dave).cost), 48'091);
    // 8,191 + 43,500 - 48,091 = 3,600 of 2,175: enough. At 820: 1,100 of 2,050, and nobody bids. At 797: -50:
    // his 50 lots are closed against Bob's at the previous mark of 820.
    m_world.block(820);
    EXPECT_EQ(m_world.position(dave).size, 50);
    m_world.block(797);
    EXPECT_EQ(m_world.position(dave).size, 0);
    EXPECT_EQ(m_world.balance(dave), 1'100);
    EXPECT_EQ(m_world.position(m_bob).size, -100);
    EXPECT_EQ(number(m_world.insurance().paid), 0);
}

TEST_F(LiquidationTest, WhatIsBeyondABlocksBoundIsDoneInTheNext) {
    std::vector<AccountId> traders;
    for (std::uint32_t i = 0; i < kEndangeredMax + 8; ++i) {
        traders.push_back(m_world.trader(100 + i, 100));
        m_world.trade(traders.back(), m_bob, 1000, 1);
    }
    ASSERT_TRUE(m_world.place(m_carol, Side::Buy, 944, 200).has_value());
    const auto open = [&] {
        return std::count_if(traders.begin(), traders.end(),
                             [&](AccountId account) { return m_world.position(account).size != 0; });
    };
    // Each has 45 of 47.25, Alice a hundred times that: roundings count less for her, so she comes last.
    m_world.block(945);
    EXPECT_EQ(m_world.position(m_alice).size, 100);
    EXPECT_EQ(open(), 8);
    m_world.block(945);
    EXPECT_EQ(m_world.position(m_alice).size, 0);
    EXPECT_EQ(open(), 0);
    for (const AccountId account : traders)
        EXPECT_EQ(m_world.balance(account), 44);
}

TEST(Liquidation, ThoseForWhomNobodyBidsDoNotKeepOthersWaiting) {
    TestExchange world;
    const AccountId bob = world.trader(2, 10'000'000);
    world.block(1000);
    // Three times as many as a block has room for have 45 each at 945, so that they cannot sell their lot at
    // 890, 55 lower. Alice has 4,500 and can sell ten.
    for (std::uint32_t i = 0; i < 3 * kEndangeredMax; ++i)
        world.trade(world.trader(100 + i, 100), bob, 1000, 1);
    const AccountId alice = world.trader(1, 10'000);
    world.trade(alice, bob, 1000, 100);
    ASSERT_TRUE(world.place(bob, Side::Buy, 890, 10).has_value());
    for (int blocks = 0; blocks < 4; ++blocks)
        world.block(945);
    EXPECT_EQ(world.position(alice).size, 90);
    EXPECT_EQ(world.position(bob).size, -90 - 3 * static_cast<std::int64_t>(kEndangeredMax));
    // Somebody bids more: as many blocks are enough for all.
    ASSERT_TRUE(world.place(bob, Side::Buy, 940, 200).has_value());
    for (int blocks = 0; blocks < 4; ++blocks)
        world.block(945);
    EXPECT_EQ(world.position(bob).size, world.position(alice).size == 0 ? 0 : -world.position(alice).size);
    EXPECT_EQ(world.exchange().check_invariants(), "");
}

TEST(Liquidation, FundingEatsTheMargin) {
    // Funding of 4 % an hour, three hours in a row.
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId alice = world.trader(1, 10'000);
    const AccountId bob = world.trader(2, 10'000);
    world.block(1000);
    world.trade(alice, bob, 1000, 90);
    const AccountId carol = world.trader(3, 1'000'000);
    const AccountId donor = *exchange.deposit(address_of(9), 0, kCollateral, 1000);
    ASSERT_TRUE(exchange.fund_insurance(donor, 1000).has_value());
    // Carol bids far above the oracle while the premium is sampled.
    ASSERT_TRUE(world.place(carol, Side::Buy, 1999, 1).has_value());
    world.block(1000, 5000);
    EXPECT_GT(world.market().sample_sum, 900'000'000);
    EXPECT_EQ(exchange.cancel_all(carol), 1u);
    // After the hour, 4 % of 90,000: 3,600 are owed. Equity 6,400, maintenance 4,500.
    world.block(1000, kHourMs);
    EXPECT_EQ(world.market().funding_rate, kHourlyRateMaxPpb);
    EXPECT_EQ(number(exchange.cross_health(alice).equity), 6'400);
    ASSERT_TRUE(world.place(carol, Side::Buy, 1999, 1).has_value());
    world.block(1000, 5000);
    EXPECT_EQ(exchange.cancel_all(carol), 1u);
    // Again: equity 2,800, below two thirds of 4,500; nobody bids, there is no vault and no debt.
    world.block(1000, kHourMs);
    EXPECT_EQ(number(exchange.cross_health(alice).equity), 2'800);
    EXPECT_EQ(world.position(alice).size, 90);
    EXPECT_EQ(exchange.check_invariants(), "");
    // Now that nobody takes over, what is bid is sold to whatever it is: one lot to Carol at 1,999, so that
    // Alice gains 999 and has 89.
    ASSERT_TRUE(world.place(carol, Side::Buy, 1999, 1).has_value());
    world.block(1000, 5000);
    EXPECT_EQ(world.position(alice).size, 89);
    EXPECT_EQ(number(exchange.cross_health(alice).equity), 3'799);
    // 4 % of 89,000 is 3,560: 239 are left. Then, at 997, less 267: -28. At the previous mark of 1,000 there
    // is no debt, and Bob's 89 lots are closed at 1,000; Alice keeps 239.
    world.block(1000, kHourMs);
    EXPECT_EQ(number(exchange.cross_health(alice).equity), 239);
    world.block(997);
    EXPECT_EQ(world.position(alice).size, 0);
    EXPECT_EQ(world.balance(alice), 239);
    // What funding took of Alice is Bob's: 3,600 twice and 3,560 of 89 lots and 40 of the one he still has.
    EXPECT_EQ(world.position(bob).size, -1);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Liquidation, OneHourOfFundingMayLeaveADebt) {
    // Two hours' funding in a row within the time that the oracle is stale cannot be: an hour pays once. So a
    // debt at the previous mark comes from one hour's 4 % on a unit that had less left.
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId alice = world.trader(1, 10'000);
    const AccountId bob = world.trader(2, 20'000);
    const AccountId dave = world.trader(4, 1'000'000);
    world.block(1000);
    world.trade(alice, bob, 1000, 100);
    const AccountId carol = world.trader(3, 1'000'000);
    ASSERT_TRUE(world.place(carol, Side::Buy, 1999, 1).has_value());
    world.block(1000, 5000);
    EXPECT_EQ(exchange.cancel_all(carol), 1u);
    const AccountId donor = *exchange.deposit(address_of(9), 0, kCollateral, 300);
    ASSERT_TRUE(exchange.fund_insurance(donor, 300).has_value());
    // At 920 equity is 2,000: no bids, no vault, no debt.
    world.block(920, 1000);
    EXPECT_EQ(world.position(alice).size, 100);
    // The hour ends: 40 a thousand of 920 for 100 lots are 3,680 (the premium of 10 samples is above the
    // cap). Equity is -1,680 at 920, also the previous mark. The insurance has 300; Bob, who is short all 100
    // lots, gives up 1,380 and gets 8,000 and 3,680 of funding: 20,000 + 8,000 + 3,680 - 1,380.
    world.block(920, kHourMs);
    EXPECT_EQ(world.position(alice).size, 0);
    EXPECT_EQ(world.balance(alice), 0);
    EXPECT_EQ(world.position(bob).size, 0);
    EXPECT_EQ(world.balance(bob), 30'300);
    EXPECT_EQ(number(world.insurance().balance), 0);
    EXPECT_EQ(number(world.insurance().paid), 300);
    EXPECT_EQ(number(world.insurance().debt), 0);
    EXPECT_EQ(world.balance(dave), 1'000'000);
    const std::vector<Report> reports = world.events().of(ReportKind::Deleveraged);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(number(reports[0].amount), 1'380);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Liquidation, IsolatedPositionsFallAlone) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId alice = world.trader(1, 50'000);
    const AccountId bob = world.trader(2, 1'000'000);
    world.block(1000);
    ASSERT_TRUE(exchange.set_leverage(alice, kPerp, 10, true).has_value());
    world.trade(alice, bob, 1000, 100);
    EXPECT_EQ(world.balance(alice), 40'000);
    const AccountId vault = world.trader(60, 100'000);
    ASSERT_TRUE(exchange.set_backstop(world.operator_key(), vault).has_value());
    world.block(925);
    EXPECT_EQ(world.position(alice).size, 0);
    EXPECT_EQ(number(world.position(alice).margin), 0);
    EXPECT_EQ(world.balance(alice), 40'000);
    EXPECT_EQ(world.position(vault).size, 100);
    EXPECT_EQ(world.balance(vault), 110'000);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Liquidation, WaitsWhileTheOracleIsStale) {
    TestExchange world;
    const AccountId alice = world.trader(1, 10'000);
    const AccountId bob = world.trader(2, 1'000'000);
    world.block(1000);
    world.trade(alice, bob, 1000, 100);
    world.block(945);  // too little, and nobody bids
    ASSERT_TRUE(world.place(bob, Side::Buy, 940, 100).has_value());
    world.block(0, 61'000);
    EXPECT_EQ(world.position(alice).size, 100);
    world.block(945);
    EXPECT_EQ(world.position(alice).size, 0);
    EXPECT_EQ(world.exchange().check_invariants(), "");
}

}  // namespace
}  // namespace meridian::modules::exchange
