// The exchange's commands: money, orders, margin, fees, the oracle, funding. liquidation_test.cpp has the
// rest.
#include <meridian/modules/exchange/exchange_fixture.hpp>

#include <gtest/gtest.h>

namespace meridian::modules::exchange {
namespace {

using testing::address_of;
using testing::perpetual_terms;
using testing::spot_terms;
using testing::TestExchange;

constexpr MarketId kPerp = TestExchange::kPerp;
constexpr MarketId kSpot = TestExchange::kSpot;

std::int64_t number(Money amount) {
    return static_cast<std::int64_t>(amount);
}

// --- money -----------------------------------------------------------------------------------------------

TEST(Money, RoundsInTheProtocolsFavour) {
    EXPECT_EQ(number(fee_of(1, 450)), 1);
    EXPECT_EQ(number(fee_of(10'000, 450)), 5);
    EXPECT_EQ(number(fee_of(10'000, 400)), 4);
    EXPECT_EQ(number(fee_of(10'000, -450)), -4);
    EXPECT_EQ(number(fee_of(1, -450)), 0);
    EXPECT_EQ(number(div_up(-7, 2)), -3);
    EXPECT_EQ(number(div_down(-7, 2)), -4);
    EXPECT_EQ(number(div_up(7, 2)), 4);
    EXPECT_EQ(number(part_of(-10, 1, 3)), -3);
}

TEST(Money, TermsThatCouldOverflowAreRefused) {
    MarketTerms terms = perpetual_terms();
    EXPECT_TRUE(check_terms(terms).has_value());
    // 1e6 ticks times 1e9 lots: 2^58 / 1e15 is 288.
    terms.unit = 288;
    EXPECT_TRUE(check_terms(terms).has_value());
    terms.unit = 289;
    EXPECT_EQ(check_terms(terms).error(), Error::BadTerms);
    terms.unit = ~std::uint64_t{0};
    EXPECT_EQ(check_terms(terms).error(), Error::BadTerms);
}

TEST(Money, TermsOutOfOrderAreRefused) {
    const auto refused = [](auto&& change) {
        MarketTerms terms = perpetual_terms();
        change(terms);
        return !check_terms(terms);
    };
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.rules.tick = 0; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.rules.fills_max = kFillsMax + 1; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.fee_tier_count = 0; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.fees[0] = {0, 100, -101}; }));
    EXPECT_FALSE(refused([](MarketTerms& terms) { terms.fees[0] = {0, 100, -100}; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) {
        terms.fee_tier_count = 2;
        terms.fees[0] = {0, 100, 0};
        terms.fees[1] = {10, 50, -60};
    }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.margins[0].leverage_max = 0; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) {
        terms.margin_tier_count = 2;
        terms.margins[1] = {100, 10, 0};
    }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.quorum = 0; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.scale_upper = terms.scale_lower = 5; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.open_interest_max = terms.rules.size_max - 1; }));
    EXPECT_TRUE(refused([](MarketTerms& terms) { terms.quote_asset = 1; }));
    MarketTerms spot = spot_terms();
    EXPECT_TRUE(check_terms(spot).has_value());
    spot.lot_units = 0;
    EXPECT_EQ(check_terms(spot).error(), Error::BadTerms);
}

// --- accounts and balances -------------------------------------------------------------------------------

TEST(Exchange, MovesMoneyAndNamesWhatItRefuses) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const auto account = exchange.deposit(address_of(1), 0, kCollateral, 1000);
    ASSERT_TRUE(account.has_value());
    EXPECT_EQ(exchange.deposit(address_of(1), 0, kCollateral, 5), *account);
    const auto sub = exchange.deposit(address_of(1), 7, 1, 20);
    ASSERT_TRUE(sub.has_value());
    EXPECT_NE(*sub, *account);
    EXPECT_EQ(exchange.ledger().find_account(address_of(1), 7), *sub);
    EXPECT_EQ(exchange.ledger().find_account(address_of(2), 0), kNoAccount);
    EXPECT_EQ(exchange.deposit(address_of(1), kSubAccountsMax, 0, 1).error(), Error::TooManyAccounts);
    EXPECT_EQ(exchange.deposit(address_of(1), 0, 2, 1).error(), Error::UnknownAsset);
    EXPECT_EQ(exchange.deposit(address_of(1), 0, 0, 0).error(), Error::ZeroAmount);
    EXPECT_EQ(exchange.deposit(address_of(1), 0, 0, kSupplyMax).error(), Error::SupplyBounds);
    EXPECT_TRUE(exchange.transfer(*account, *sub, 0, 5).has_value());
    EXPECT_EQ(exchange.transfer(*account, 99, 0, 5).error(), Error::UnknownAccount);
    EXPECT_EQ(exchange.withdraw(*account, 0, 1001).error(), Error::InsufficientBalance);
    EXPECT_EQ(exchange.withdraw(*sub, 1, 21).error(), Error::InsufficientBalance);
    EXPECT_TRUE(exchange.withdraw(*sub, 1, 20).has_value());
    EXPECT_TRUE(exchange.add_collateral(*account, 600).has_value());
    EXPECT_EQ(exchange.withdraw(*account, 0, 401).error(), Error::InsufficientBalance);
    EXPECT_EQ(exchange.remove_collateral(*account, 601).error(), Error::InsufficientMargin);
    EXPECT_TRUE(exchange.remove_collateral(*account, 600).has_value());
    EXPECT_TRUE(exchange.withdraw(*account, 0, 1000).has_value());
    EXPECT_EQ(exchange.ledger().asset(0).supply, 5u);
    EXPECT_EQ(exchange.ledger().asset(1).supply, 0u);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Exchange, LetsOnlyTheOperatorDecide) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const Address other = address_of(5);
    EXPECT_EQ(exchange.add_asset(other).error(), Error::NotOperator);
    EXPECT_EQ(exchange.add_market(other, perpetual_terms(), other).error(), Error::NotOperator);
    EXPECT_EQ(exchange.set_publishers(other, {}).error(), Error::NotOperator);
    EXPECT_EQ(exchange.set_backstop(other, 0).error(), Error::NotOperator);
    EXPECT_EQ(exchange.set_halted(other, 0, true).error(), Error::NotOperator);
    EXPECT_EQ(exchange.collect_fees(other, 0, 1, 1).error(), Error::NotOperator);
    EXPECT_EQ(exchange.publish(other, 0, 10, 1).error(), Error::NotPublisher);
    EXPECT_EQ(exchange.set_backstop(world.operator_key(), 3).error(), Error::UnknownAccount);
    MarketTerms terms = spot_terms();
    terms.base_asset = 9;
    EXPECT_EQ(exchange.add_market(world.operator_key(), terms, other).error(), Error::UnknownAsset);
    EXPECT_TRUE(exchange.set_halted(address_of(800), 0, true).has_value());
}

// --- spot ------------------------------------------------------------------------------------------------

TEST(Spot, HoldsWhatOrdersNeedAndTakesFeesOfWhatIsReceived) {
    MarketTerms terms = spot_terms();
    // The taker pays 0.1 % of what it receives, the maker is paid 0.05 % out of that.
    terms.fees[0] = {0, 1000, -500};
    TestExchange world(perpetual_terms(), terms);
    Exchange& exchange = world.exchange();
    const AccountId seller = *exchange.deposit(address_of(1), 0, 1, 50'000);
    const AccountId buyer = *exchange.deposit(address_of(2), 0, kCollateral, 600'000);
    // 5,000 lots are 50,000 of the base asset.
    EXPECT_EQ(world.place(seller, Side::Sell, 100, 5001, kSpot).error(), Error::InsufficientBalance);
    EXPECT_EQ(world.place(seller, Side::Sell, 100, 5000, kSpot)->resting, 5000u);
    EXPECT_EQ(exchange.withdraw(seller, 1, 1).error(), Error::InsufficientBalance);
    EXPECT_EQ(world.place(buyer, Side::Buy, 120, 5001, kSpot).error(), Error::InsufficientBalance);
    // 4,000 lots at 100, though up to 120 was offered.
    EXPECT_EQ(world.place(buyer, Side::Buy, 120, 4000, kSpot)->filled, 4000u);
    EXPECT_EQ(exchange.check_invariants(), "");
    const Ledger& ledger = exchange.ledger();
    EXPECT_EQ(ledger.balance(buyer, 0).total, 200'000u);
    EXPECT_EQ(ledger.balance(buyer, 0).held, 0u);
    EXPECT_EQ(ledger.balance(buyer, 1).total, 40'000u - 40);
    EXPECT_EQ(ledger.balance(seller, 0).total, 400'000u);
    // Sold 40,000; of the taker's fee of 40 it gets 20.
    EXPECT_EQ(ledger.balance(seller, 1).total, 10'020u);
    EXPECT_EQ(ledger.balance(seller, 1).held, 10'000u);
    EXPECT_EQ(ledger.asset(1).fees, 20u);
    EXPECT_TRUE(exchange.collect_fees(world.operator_key(), 1, buyer, 20).has_value());
    EXPECT_EQ(exchange.collect_fees(world.operator_key(), 1, buyer, 1).error(), Error::InsufficientBalance);
    EXPECT_EQ(exchange.cancel_market(seller, kSpot), 1u);
    EXPECT_EQ(ledger.balance(seller, 1).held, 0u);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Spot, AmendmentsHoldWhatTheyNeedThen) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId buyer = *exchange.deposit(address_of(2), 0, kCollateral, 1000);
    const OrderId order = world.place(buyer, Side::Buy, 10, 80, kSpot)->id;
    EXPECT_EQ(exchange.amend({buyer, kSpot, order, 10, 101}).error(), Error::InsufficientBalance);
    EXPECT_EQ(exchange.check_invariants(), "");
    EXPECT_EQ(exchange.amend({buyer, kSpot, order, 20, 50})->resting, 50u);
    EXPECT_EQ(exchange.ledger().balance(buyer, 0).held, 1000u);
    EXPECT_EQ(exchange.amend({buyer, kSpot, order, 20, 5})->resting, 5u);
    EXPECT_EQ(exchange.ledger().balance(buyer, 0).held, 100u);
    EXPECT_EQ(exchange.check_invariants(), "");
}

// --- margin ----------------------------------------------------------------------------------------------

TEST(Margin, GrowsByTiersAndOpenInterest) {
    MarketTerms terms = perpetual_terms();
    terms.margin_tier_count = 2;
    terms.margins[0] = {0, 50, 0};
    terms.margins[1] = {100'000, 10, 0};
    // 100,000 at a fiftieth and 50,000 at a tenth.
    EXPECT_EQ(number(tier_margin(terms, 150'000)), 7'000);
    EXPECT_EQ(number(maintenance_margin(terms, 150'000)), 3'500);
    EXPECT_EQ(number(tier_margin(terms, 49)), 1);
    EXPECT_EQ(number(maintenance_margin(terms, 49)), 1);
    terms.scale_lower = 1'000'000;
    terms.scale_upper = 2'000'000;
    TestExchange world(terms);
    Market market = world.market();
    market.mark = 1000;
    market.open_interest = 1000;
    const Margin margin(world.exchange().ledger());
    EXPECT_EQ(number(margin.initial(market, 150, 50)), 7'000);
    EXPECT_EQ(number(margin.initial(market, 150, 5)), 30'000);
    market.open_interest = 1500;  // half-way: half of what the value is above the margin
    EXPECT_EQ(number(margin.initial(market, 150, 50)), 78'500);
    market.open_interest = 9000;
    EXPECT_EQ(number(margin.initial(market, 150, 50)), 150'000);
    EXPECT_EQ(number(margin.maintenance(market, 150)), 3'500);
}

TEST(Margin, IsAskedForWhenOrdersComeAndNotForClosing) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId a = world.trader(1, 10'000);
    const AccountId b = world.trader(2, 1'000'000);
    EXPECT_EQ(world.place(a, Side::Buy, 1000, 1).error(), Error::NoMark);
    world.block(1000);
    EXPECT_EQ(world.place(a, Side::Buy, 1000, 101).error(), Error::InsufficientMargin);
    EXPECT_EQ(world.place(a, Side::Buy, 900, 60)->resting, 60u);
    // Of buys and sells the larger counts.
    EXPECT_EQ(world.place(a, Side::Sell, 1100, 100)->resting, 100u);
    EXPECT_EQ(world.place(a, Side::Sell, 1100, 1).error(), Error::InsufficientMargin);
    EXPECT_EQ(world.place(a, Side::Buy, 900, 41).error(), Error::InsufficientMargin);
    EXPECT_EQ(exchange.remove_collateral(a, 1).error(), Error::InsufficientMargin);
    EXPECT_EQ(exchange.cancel_all(a), 2u);
    EXPECT_EQ(world.position(a).active(), false);
    world.trade(a, b, 1000, 100);
    EXPECT_EQ(world.position(a).size, 100);
    EXPECT_EQ(number(world.position(a).cost), 100'000);
    EXPECT_EQ(world.position(b).size, -100);
    EXPECT_EQ(world.market().open_interest, 100u);
    EXPECT_EQ(world.place(a, Side::Buy, 900, 1).error(), Error::InsufficientMargin);
    // Selling up to twice the position makes no larger one.
    EXPECT_EQ(world.place(a, Side::Sell, 1100, 200)->resting, 200u);
    EXPECT_EQ(world.place(a, Side::Sell, 1100, 1).error(), Error::InsufficientMargin);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Margin, IsAskedForAgainWhenOrdersAreFilled) {
    TestExchange world;
    const AccountId a = world.trader(1, 10'000);
    const AccountId b = world.trader(2, 10'000);
    const AccountId c = world.trader(3, 1'000'000);
    world.block(1000);
    EXPECT_EQ(world.place(a, Side::Sell, 1000, 100)->resting, 100u);
    EXPECT_EQ(world.place(c, Side::Sell, 1000, 100)->resting, 100u);
    // At 1,100 the maker's 10,000 are not a tenth of 110,000, less the 10,000 that selling at 1,000 loses.
    world.block(1100);
    const auto taken = world.place(b, Side::Buy, 1000, 90);
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->filled, 90u);
    EXPECT_EQ(world.position(a).size, 0);
    EXPECT_EQ(world.position(c).size, -90);
    EXPECT_EQ(world.events().orders.back().second.kind, EventKind::Filled);
    EXPECT_EQ(world.exchange().ledger().account(a).order_count, 0u);
    // A taker that pays too much for its margin loses its order, not the maker.
    EXPECT_EQ(world.place(c, Side::Sell, 1900, 50)->resting, 50u);
    const AccountId d = world.trader(4, 10'000);
    const auto refused = world.place(d, Side::Buy, 1900, 30);
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->filled, 10u);
    EXPECT_EQ(world.exchange().check_invariants(), "");
}

TEST(Margin, ProfitIsRealisedByShareAndCannotBeTakenBefore) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId a = world.trader(1, 20'000);
    const AccountId b = world.trader(2, 1'000'000);
    world.block(1000);
    world.trade(a, b, 1000, 3);
    world.block(1201);
    // 3 lots cost 3,000 and are worth 3,603; a tenth stays.
    EXPECT_EQ(number(exchange.cross_health(a).equity), 20'603);
    EXPECT_EQ(number(Margin(exchange.ledger()).withdrawable(a)), 20'000 - 361);
    world.trade(b, a, 1201, 1);
    EXPECT_EQ(world.balance(a), 20'201);
    EXPECT_EQ(number(world.position(a).cost), 2000);
    // It turns short: two are closed, three opened.
    world.trade(b, a, 1201, 5);
    EXPECT_EQ(world.balance(a), 20'603);
    EXPECT_EQ(world.position(a).size, -3);
    EXPECT_EQ(number(world.position(a).cost), -3603);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Margin, IsolatedPositionsHaveTheirOwn) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId a = world.trader(1, 20'000);
    const AccountId b = world.trader(2, 1'000'000);
    world.block(1000);
    EXPECT_EQ(exchange.set_leverage(a, kPerp, 11, true).error(), Error::BadLeverage);
    EXPECT_EQ(exchange.set_leverage(a, kSpot, 5, true).error(), Error::WrongMarket);
    ASSERT_TRUE(exchange.set_leverage(a, kPerp, 5, true).has_value());
    world.trade(a, b, 1000, 50);
    EXPECT_EQ(number(world.position(a).margin), 10'000);
    EXPECT_EQ(world.balance(a), 10'000);
    EXPECT_EQ(exchange.set_leverage(a, kPerp, 5, false).error(), Error::PositionOpen);
    EXPECT_TRUE(exchange.move_margin(a, kPerp, 2'000).has_value());
    EXPECT_EQ(exchange.move_margin(a, kPerp, 8'001).error(), Error::InsufficientMargin);
    EXPECT_EQ(exchange.move_margin(a, kPerp, -2'001).error(), Error::InsufficientMargin);
    EXPECT_TRUE(exchange.move_margin(a, kPerp, -2'000).has_value());
    EXPECT_EQ(exchange.move_margin(b, kPerp, 5).error(), Error::WrongMarket);
    // Half is closed at 1,100: 2,500 are gained; half of the equity of 15,000 is free.
    world.block(1100);
    world.trade(b, a, 1100, 25);
    EXPECT_EQ(number(world.position(a).margin), 5'000);
    EXPECT_EQ(world.balance(a), 17'500);
    world.trade(b, a, 1100, 25);
    EXPECT_EQ(number(world.position(a).margin), 0);
    EXPECT_EQ(world.balance(a), 25'000);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Orders, ReduceOnlyOrdersShrinkWithThePosition) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId a = world.trader(1, 20'000);
    const AccountId b = world.trader(2, 1'000'000);
    world.block(1000);
    PlaceOrder reduce = TestExchange::order(a, Side::Sell, 1100, 80);
    reduce.reduce_only = true;
    EXPECT_EQ(exchange.place(reduce).error(), Error::ReduceOnly);
    world.trade(a, b, 1000, 50);
    EXPECT_EQ(exchange.place(reduce)->resting, 50u);
    const OrderId order = world.events().orders.back().second.id;
    EXPECT_EQ(exchange.amend({a, kPerp, order, 1100, 51}).error(), Error::ReduceOnly);
    world.trade(b, a, 1000, 20);
    EXPECT_EQ(exchange.ledger().book(kPerp).find(order)->remaining, 30u);
    EXPECT_EQ(exchange.check_invariants(), "");
    world.trade(b, a, 1000, 30);
    EXPECT_EQ(exchange.ledger().book(kPerp).find(order), nullptr);
    EXPECT_EQ(exchange.check_invariants(), "");
    reduce.market = kSpot;
    EXPECT_EQ(exchange.place(reduce).error(), Error::WrongMarket);
}

TEST(Orders, HaveClientIdsAndBounds) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId a = world.trader(1, 20'000'000);
    world.block(1000);
    PlaceOrder order = TestExchange::order(a, Side::Buy, 500, 1);
    order.client_id[3] = 7;
    const OrderId id = exchange.place(order)->id;
    EXPECT_EQ(exchange.place(order).error(), Error::ClientIdUsed);
    EXPECT_EQ(exchange.cancel_client_id(a, {}).error(), Error::UnknownOrder);
    EXPECT_EQ(exchange.ledger().book(kPerp).find(id)->owner, a);
    EXPECT_TRUE(exchange.cancel_client_id(a, order.client_id).has_value());
    EXPECT_EQ(exchange.cancel_client_id(a, order.client_id).error(), Error::UnknownOrder);
    EXPECT_TRUE(exchange.place(order).has_value());
    EXPECT_EQ(exchange.cancel(a, 7, 1).error(), Error::UnknownMarket);
    EXPECT_EQ(exchange.cancel(77, 0, 1).error(), Error::UnknownAccount);
    order.self_trade = SelfTrade::Allow;
    EXPECT_EQ(exchange.place(order).error(), Error::BadCommand);
    for (std::uint32_t i = 1; i < kOrdersPerAccountMax; ++i)
        ASSERT_TRUE(world.place(a, Side::Buy, 500, 1).has_value());
    EXPECT_EQ(world.place(a, Side::Buy, 500, 1).error(), Error::TooManyOrders);
    EXPECT_EQ(exchange.check_invariants(), "");
    EXPECT_EQ(exchange.cancel_all(a), kOrdersPerAccountMax);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Fees, FollowTheVolumeOfTheDaysBefore) {
    MarketTerms terms = perpetual_terms();
    terms.fee_tier_count = 2;
    terms.fees[0] = {0, 500, 100};
    terms.fees[1] = {150'000, 300, -200};
    TestExchange world(terms);
    Exchange& exchange = world.exchange();
    const AccountId maker = world.trader(1, 1'000'000);
    const AccountId taker = world.trader(2, 1'000'000);
    const AccountId builder = world.trader(3, 1);
    world.block(1000);
    world.trade(taker, maker, 1000, 150);
    EXPECT_EQ(world.balance(taker), 1'000'000 - 75);
    EXPECT_EQ(world.balance(maker), 1'000'000 - 15);
    world.trade(maker, taker, 1000, 150);
    EXPECT_EQ(world.balance(taker), 1'000'000 - 75 - 15);
    world.block(1000, kDayMs);
    world.trade(taker, maker, 1000, 11);
    EXPECT_EQ(world.balance(taker), 1'000'000 - 90 - 4);  // 3.3, up
    EXPECT_EQ(world.balance(maker), 1'000'000 - 90 + 2);  // 2.2, down
    EXPECT_EQ(exchange.ledger().asset(0).fees, 180u + 2);
    // 14 days later the day with the volume is out of sight.
    world.block(1000, 14 * kDayMs);
    EXPECT_EQ(Fees(const_cast<Ledger&>(exchange.ledger())).volume(taker), 11'000u);
    // A builder's fee needs the account's consent, and comes beside the exchange's.
    PlaceOrder order = TestExchange::order(taker, Side::Sell, 1000, 10);
    order.builder = builder;
    order.builder_ppm = 1000;
    EXPECT_EQ(exchange.place(order).error(), Error::BuilderFee);
    EXPECT_EQ(exchange.approve_builder(taker, builder, kBuilderRateMax + 1).error(), Error::BuilderFee);
    ASSERT_TRUE(exchange.approve_builder(taker, builder, 999).has_value());
    EXPECT_EQ(exchange.place(order).error(), Error::BuilderFee);
    ASSERT_TRUE(exchange.approve_builder(taker, builder, 1000).has_value());
    ASSERT_EQ(exchange.place(order)->resting, 10u);
    const std::int64_t before = world.balance(taker);
    ASSERT_EQ(world.place(maker, Side::Buy, 1000, 10)->filled, 10u);
    EXPECT_EQ(world.balance(builder), 1 + 10);
    EXPECT_EQ(world.balance(taker), before - 10 - 1 - 1);  // and an hour's funding of 11 lots
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Orders, HaltedMarketsLeaveTheWayOut) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId a = world.trader(1, 20'000);
    const AccountId b = world.trader(2, 1'000'000);
    world.block(1000);
    world.trade(a, b, 1000, 50);
    const OrderId rests = world.place(b, Side::Buy, 990, 50)->id;
    ASSERT_TRUE(exchange.set_halted(address_of(800), kPerp, true).has_value());
    EXPECT_EQ(world.place(a, Side::Sell, 990, 10).error(), Error::Halted);
    EXPECT_EQ(exchange.amend({b, kPerp, rests, 995, 50}).error(), Error::Halted);
    EXPECT_EQ(exchange.amend({b, kPerp, rests, 990, 49})->resting, 49u);
    PlaceOrder reduce = TestExchange::order(a, Side::Sell, 990, 49);
    reduce.reduce_only = true;
    EXPECT_EQ(exchange.place(reduce)->filled, 49u);
    EXPECT_TRUE(exchange.remove_collateral(a, 19'000).has_value());
    EXPECT_TRUE(exchange.withdraw(a, kCollateral, 19'000).has_value());
    EXPECT_EQ(exchange.check_invariants(), "");
}

// --- the oracle and funding ------------------------------------------------------------------------------

TEST(Oracle, TakesTheMedianOfWhatIsFresh) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const std::uint64_t now = world.now_ms();
    EXPECT_EQ(exchange.publish(address_of(900), kPerp, 0, now).error(), Error::ZeroPrice);
    EXPECT_EQ(exchange.publish(address_of(900), kPerp, 1'000'001, now).error(), Error::PriceBounds);
    EXPECT_EQ(exchange.publish(address_of(900), kPerp, 1, now + kPublishAheadMs + 1).error(), Error::BadTime);
    EXPECT_EQ(exchange.publish(address_of(900), kSpot, 1, now).error(), Error::WrongMarket);
    EXPECT_EQ(exchange.publish(address_of(900), 9, 1, now).error(), Error::UnknownMarket);
    ASSERT_TRUE(exchange.publish(address_of(900), kPerp, 1000, now).has_value());
    EXPECT_EQ(exchange.publish(address_of(900), kPerp, 1001, now).error(), Error::OldPrice);
    world.block(0);
    EXPECT_FALSE(world.market().fresh());  // one is no quorum
    ASSERT_TRUE(exchange.publish(address_of(901), kPerp, 1003, now).has_value());
    world.block(0);
    EXPECT_EQ(world.market().oracle, 1001u);
    // One that lies moves the price no further than to another's.
    ASSERT_TRUE(exchange.publish(address_of(902), kPerp, 999'999, now).has_value());
    world.block(0);
    EXPECT_EQ(world.market().oracle, 1003u);
    EXPECT_EQ(world.market().mark, 1003u);
    world.block(0, 60'000);
    EXPECT_FALSE(world.market().fresh());
    EXPECT_EQ(world.market().mark, 1003u);
}

TEST(Oracle, DecaysByTheExponential) {
    EXPECT_EQ(decay(0), std::uint64_t{1} << 63);
    // e^-1 and e^-2 times 2^63, rounded: the factors' roundings may add a little, truncations take away.
    const std::uint64_t e1 = 3393088950634442637u;
    const std::uint64_t e2 = 1248247667004394400u;
    EXPECT_LE(decay(150'000), e1 + 8);
    EXPECT_GE(decay(150'000), e1 - 23);
    EXPECT_LE(decay(300'000), e2 + 8);
    EXPECT_GE(decay(300'000), e2 - 23);
    EXPECT_EQ(decay(std::uint64_t{1} << 23), 0u);
    for (std::uint64_t time = 1; time < 2000; ++time)
        EXPECT_LT(decay(time), decay(time - 1));
}

TEST(Oracle, MarksBetweenTheBookAndTheOracle) {
    TestExchange world;
    const AccountId a = world.trader(1, 1'000'000);
    world.block(1000);
    ASSERT_TRUE(world.place(a, Side::Buy, 1040, 1).has_value());
    ASSERT_TRUE(world.place(a, Side::Sell, 1060, 1).has_value());
    // Middle 1,050: the average of what it is above the oracle is 50 from its first sample. Median of
    // 1,050, median(1,040, 1,060, no trade: 1,040) = 1,040, and 1,000.
    world.block(1000);
    EXPECT_EQ(world.market().mark, 1040u);
    // The book goes back; after 150 s the average is (50 / e + (1 - 1 / e) * 0): 18.4 or so.
    ASSERT_EQ(world.exchange().cancel_all(a), 2u);
    ASSERT_TRUE(world.place(a, Side::Buy, 990, 1).has_value());
    ASSERT_TRUE(world.place(a, Side::Sell, 1010, 1).has_value());
    world.block(1000);
    EXPECT_GE(world.market().mark, 1000u);
    const Market& market = world.market();
    // Two samples of a second: 50 half ticks times two, then 0.
    EXPECT_NEAR(static_cast<double>(market.premium_sum) / static_cast<double>(market.premium_weight), 49.8,
                0.2);
    world.block(1000, 150'000);
    EXPECT_FALSE(world.market().premium_sum < 0);
}

TEST(Funding, RatesAreClampedAndCapped) {
    // The interest alone: 0.01 % in 8 hours.
    EXPECT_EQ(hourly_rate(0), 12'500);
    EXPECT_EQ(hourly_rate(100'000), 12'500);
    // Within the clamp the interest is what counts, beyond it the premium less 0.05 %.
    EXPECT_EQ(hourly_rate(600'000), 12'500);
    EXPECT_EQ(hourly_rate(1'000'000), 62'500);
    EXPECT_EQ(hourly_rate(-1'000'000), -62'500);
    EXPECT_EQ(hourly_rate(9'000'000'000), kHourlyRateMaxPpb);
    EXPECT_EQ(hourly_rate(-9'000'000'000), -kHourlyRateMaxPpb);
}

TEST(Funding, PayersPayWhatReceiversGetAndTheRestInsures) {
    TestExchange world;
    Exchange& exchange = world.exchange();
    const AccountId longs = world.trader(1, 1'000'000);
    const AccountId shorts[] = {world.trader(2, 1'000'000), world.trader(3, 1'000'000),
                                world.trader(4, 1'000'000)};
    world.block(1000);
    for (const AccountId account : shorts)
        world.trade(longs, account, 1000, 33);
    // Until the hour is over: the interest, 12,500 parts per billion of 1,000 for each of 99 lots: 1.2375.
    world.block(1000, kHourMs);
    EXPECT_EQ(world.market().funding_rate, 12'500);
    EXPECT_EQ(number(world.market().funding_index), 12'500'000);
    EXPECT_EQ(exchange.check_invariants(), "");
    // It is paid when positions are touched: 2 by the long one, 0.4125 down by each short.
    for (const AccountId account : shorts)
        world.trade(account, longs, 1000, 33);
    EXPECT_EQ(world.balance(longs), 1'000'000 - 2);
    EXPECT_EQ(world.balance(shorts[0]), 1'000'000);
    EXPECT_EQ(number(world.market().funding_weight), 0);
    EXPECT_EQ(number(world.market().funding_pot), 2);
    EXPECT_EQ(exchange.check_invariants(), "");
    world.block(1000, kHourMs);
    EXPECT_EQ(number(world.market().funding_pot), 0);
    EXPECT_EQ(number(world.insurance().remainder), 2);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(Funding, PremiumIsThatOfTheImpactPrices) {
    TestExchange world;
    const AccountId a = world.trader(1, 10'000'000);
    const AccountId b = world.trader(2, 1'000'000);
    world.block(1000);
    world.trade(a, b, 1000, 100);
    // 1,000 are worth less than one lot: both impact prices are those of the best orders.
    ASSERT_TRUE(world.place(a, Side::Buy, 1010, 1).has_value());
    ASSERT_TRUE(world.place(a, Side::Sell, 1020, 1).has_value());
    for (int i = 0; i < 10; ++i)
        world.block(1000, 5000);
    EXPECT_EQ(world.market().sample_sum, 10 * 10'000'000);
    EXPECT_EQ(world.market().sample_count, 10u);
    // The mean of 1 %, less 0.05 %, an eighth of it.
    world.block(1000, kHourMs);
    EXPECT_EQ(world.market().funding_rate, (10'000'000 - 500'000) / 8);
    EXPECT_EQ(world.exchange().check_invariants(), "");
}

}  // namespace
}  // namespace meridian::modules::exchange
