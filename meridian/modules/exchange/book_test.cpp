#include <meridian/base/hex.hpp>
#include <meridian/module/page_tree.hpp>
#include <meridian/modules/exchange/book_test_model.hpp>

#include <gtest/gtest.h>

namespace meridian::modules::exchange {
namespace {

using module::testing::OwnedArena;
using module::testing::Random;
using testing::TestVenue;

Bytes random_bytes(std::uint64_t seed, std::size_t size) {
    Random random(seed);
    Bytes out(size);
    for (std::uint8_t& byte : out)
        byte = static_cast<std::uint8_t>(random.next());
    return out;
}

class BookTest : public ::testing::Test {
protected:
    static constexpr MarketRules kRules{
        .tick = 25, .lot = 10, .size_min = 1, .size_max = 1000, .price_max = 10'000, .fills_max = 8};

    BookTest() : m_arena(1024) { m_place = *Book::create(*m_arena, kRules); }
    Book book() { return {*m_arena, m_place}; }

    static NewOrder order(Side side, Price price, Size size, Owner owner = 1,
                          TimeInForce force = TimeInForce::GoodTillCancelled) {
        NewOrder out;
        out.owner = owner;
        out.side = side;
        out.price = price;
        out.size = size;
        out.time_in_force = force;
        return out;
    }
    Result<Placed, Error> place(const NewOrder& order) {
        m_venue.events.clear();
        return book().place(order, m_venue);
    }
    OrderId resting(Side side, Price price, Size size, Owner owner = 1) {
        const auto placed = place(order(side, price, size, owner));
        EXPECT_TRUE(placed.has_value() && placed->resting == size);
        return placed ? placed->id : 0;
    }
    std::vector<EventKind> kinds() const {
        std::vector<EventKind> out;
        for (const Event& event : m_venue.events)
            out.push_back(event.kind);
        return out;
    }

    OwnedArena m_arena;
    module::Place<BookState> m_place;
    TestVenue m_venue;
};

TEST_F(BookTest, BooksThatShareKnowOnlyTheirOwnOrders) {
    const module::Place<BookState> other_place(module::offset_of_page(*m_arena->allocate_pages(1)));
    const module::Place<BooksState> shared(m_arena->at(m_place).shared);
    ASSERT_TRUE(Book::create(*m_arena, shared, other_place, kRules));
    Book other(*m_arena, other_place);
    const OrderId here = resting(Side::Sell, 100, 5);
    const auto there = other.place(order(Side::Sell, 90, 5), m_venue);
    ASSERT_TRUE(there);
    EXPECT_EQ(there->id, here + 1);
    EXPECT_EQ(other.find(here), nullptr);
    EXPECT_EQ(other.cancel(1, here, m_venue).error(), Error::UnknownOrder);
    EXPECT_EQ(other.reduce(here, 1, m_venue).error(), Error::UnknownOrder);
    EXPECT_EQ(place(order(Side::Buy, 95, 5, 2))->filled, 0u) << "the better offer is another market's";
    EXPECT_EQ(other.cancel_all(1, 10, m_venue), 1u);
    EXPECT_NE(book().find(here), nullptr);
    EXPECT_EQ(other.best(Side::Sell), nullptr);
}

TEST_F(BookTest, FillsTheBestPriceFirstAndTheOldestOrderOfIt) {
    const OrderId late_best = resting(Side::Sell, 100, 5);
    resting(Side::Sell, 102, 5);
    const OrderId second = resting(Side::Sell, 100, 5);
    const auto placed = place(order(Side::Buy, 101, 12, 2));
    ASSERT_TRUE(placed);
    EXPECT_EQ(placed->filled, 10u);
    EXPECT_EQ(placed->resting, 2u);
    ASSERT_EQ(kinds(), (std::vector{EventKind::Accepted, EventKind::Filled, EventKind::Filled}));
    EXPECT_EQ(m_venue.events[1].maker_id, late_best);
    EXPECT_EQ(m_venue.events[2].maker_id, second);
    EXPECT_EQ(m_venue.events[1].price, 100u);
    EXPECT_EQ(book().best(Side::Buy)->price, 101u);
    EXPECT_EQ(book().best(Side::Sell)->price, 102u);
}

TEST_F(BookTest, RefusesWithTheNameOfTheRule) {
    const auto refused = [&](const NewOrder& bad) {
        const auto placed = place(bad);
        EXPECT_EQ(kinds(), std::vector{EventKind::Rejected});
        EXPECT_EQ(m_venue.events[0].error, placed.error());
        return placed.error();
    };
    EXPECT_EQ(refused(order(Side::Buy, 0, 1)), Error::ZeroPrice);
    EXPECT_EQ(refused(order(Side::Buy, 10'001, 1)), Error::PriceBounds);
    EXPECT_EQ(refused(order(Side::Buy, 1, 0)), Error::ZeroSize);
    EXPECT_EQ(refused(order(Side::Buy, 1, 1001)), Error::SizeBounds);
    EXPECT_EQ(refused(order(Side::Buy, 1, ~Size{0})), Error::SizeBounds);
    NewOrder market = order(Side::Buy, 5, 1);
    market.type = OrderType::Market;
    EXPECT_EQ(refused(market), Error::BadCommand);
    market.time_in_force = TimeInForce::ImmediateOrCancel;
    EXPECT_EQ(refused(market), Error::NoLiquidity);
    market.price = 0;
    EXPECT_EQ(refused(market), Error::ZeroPrice);
    NewOrder reduce = order(Side::Buy, 5, 1);
    reduce.reduce_only = true;
    reduce.size_cap = 0;
    EXPECT_EQ(refused(reduce), Error::ReduceOnly);
    resting(Side::Sell, 7, 1);
    EXPECT_EQ(refused(order(Side::Buy, 7, 1, 2, TimeInForce::PostOnly)), Error::WouldCross);
    EXPECT_EQ(refused(order(Side::Buy, 7, 2, 2, TimeInForce::FillOrKill)), Error::FillOrKill);
    EXPECT_EQ(book().amend(2, 1, 5, 5, m_venue).error(), Error::NotOwner);
    EXPECT_EQ(book().amend(1, 9, 5, 5, m_venue).error(), Error::UnknownOrder);
    EXPECT_EQ(book().amend(1, 1, 7, 1, m_venue).error(), Error::Unchanged);
    EXPECT_EQ(book().cancel(2, 1, m_venue).error(), Error::NotOwner);
    EXPECT_EQ(book().cancel(1, 2, m_venue).error(), Error::UnknownOrder);
    EXPECT_EQ(book().last_id(), 1u);
}

TEST_F(BookTest, ConvertsPricesAndSizesByTickAndLot) {
    EXPECT_EQ(to_ticks(kRules, 2500), Price{100});
    EXPECT_EQ(to_ticks(kRules, 2501).error(), Error::OffTick);
    EXPECT_EQ(to_ticks(kRules, 0).error(), Error::ZeroPrice);
    EXPECT_EQ(to_ticks(kRules, 25ull * 10'001).error(), Error::PriceBounds);
    EXPECT_EQ(to_ticks(kRules, ~std::uint64_t{0} / 25 * 25).error(), Error::PriceBounds);
    EXPECT_EQ(to_lots(kRules, 10'000), Size{1000});
    EXPECT_EQ(to_lots(kRules, 10'010).error(), Error::SizeBounds);
    EXPECT_EQ(to_lots(kRules, 15).error(), Error::OffLot);
    EXPECT_EQ(to_lots(kRules, 0).error(), Error::ZeroSize);
}

TEST_F(BookTest, RefusesRulesThatCannotBe) {
    const auto refused = [](auto&& change) {
        MarketRules rules = kRules;
        change(rules);
        return !check_rules(rules);
    };
    EXPECT_FALSE(refused([](MarketRules&) {}));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.tick = 0; }));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.lot = 0; }));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.fills_max = 0; }));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.size_min = 0; }));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.size_min = 1001; }));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.size_max = kSizeMax + 1; }));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.price_max = 0; }));
    EXPECT_TRUE(refused([](MarketRules& rules) { rules.price_max = kPriceMax + 1; }));
}

TEST_F(BookTest, KeepsPriorityOnlyForLessAtTheSamePrice) {
    const OrderId first = resting(Side::Buy, 50, 10);
    const OrderId second = resting(Side::Buy, 50, 10);
    EXPECT_EQ(book().amend(1, first, 50, 4, m_venue)->resting, 4u);
    EXPECT_EQ(book().first(*book().best(Side::Buy))->id, first);
    EXPECT_EQ(book().best(Side::Buy)->total, 14u);
    EXPECT_EQ(book().amend(1, first, 50, 5, m_venue)->resting, 5u);
    EXPECT_EQ(book().first(*book().best(Side::Buy))->id, second);
    EXPECT_EQ(book().amend(1, second, 49, 10, m_venue)->resting, 10u);
    EXPECT_EQ(book().first(*book().best(Side::Buy))->id, first);
}

TEST_F(BookTest, AmendedOrderTradesIfItCrosses) {
    const OrderId sell = resting(Side::Sell, 60, 3, 2);
    const OrderId buy = resting(Side::Buy, 50, 10);
    m_venue.events.clear();
    const auto amended = book().amend(1, buy, 60, 10, m_venue);
    ASSERT_TRUE(amended);
    EXPECT_EQ(amended->filled, 3u);
    EXPECT_EQ(amended->resting, 7u);
    EXPECT_EQ(book().find(sell), nullptr);
    EXPECT_EQ(book().find(buy)->price, 60u);
}

TEST_F(BookTest, StopsAtTheBoundOnFillsAndCancelsTheRest) {
    for (int i = 0; i < 10; ++i)
        resting(Side::Sell, 10, 1);
    const auto placed = place(order(Side::Buy, 10, 10, 2));
    ASSERT_TRUE(placed);
    EXPECT_EQ(placed->filled, 8u);
    EXPECT_EQ(placed->resting, 0u);
    EXPECT_EQ(m_venue.events.back().kind, EventKind::Cancelled);
    EXPECT_EQ(m_venue.events.back().reason, CancelReason::FillsMax);
    EXPECT_EQ(m_venue.events.back().size, 2u);
    EXPECT_EQ(book().best(Side::Sell)->count, 2u);
}

TEST_F(BookTest, PreventsTradesWithOneself) {
    const auto meet = [&](SelfTrade mode, Size size) {
        resting(Side::Sell, 10, 5, 7);
        NewOrder incoming = order(Side::Buy, 10, size, 7);
        incoming.self_trade = mode;
        const Placed placed = *place(incoming);
        const Size left = book().best(Side::Sell) != nullptr ? book().best(Side::Sell)->total : 0;
        EXPECT_TRUE(book().cancel_all(7, 100, m_venue).has_value());
        return std::array{placed.filled, placed.resting, left};
    };
    EXPECT_EQ(meet(SelfTrade::CancelIncoming, 8), (std::array<Size, 3>{0, 0, 5}));
    EXPECT_EQ(meet(SelfTrade::CancelResting, 8), (std::array<Size, 3>{0, 8, 0}));
    EXPECT_EQ(meet(SelfTrade::CancelBoth, 8), (std::array<Size, 3>{0, 0, 0}));
    EXPECT_EQ(meet(SelfTrade::Decrement, 8), (std::array<Size, 3>{0, 3, 0}));
    EXPECT_EQ(meet(SelfTrade::Decrement, 2), (std::array<Size, 3>{0, 0, 3}));
    EXPECT_EQ(meet(SelfTrade::Allow, 8), (std::array<Size, 3>{5, 3, 0}));
}

TEST_F(BookTest, CancelsAllOfAnOwnerNewestFirstAndSaysHowMany) {
    const OrderId oldest = resting(Side::Buy, 10, 1, 3);
    resting(Side::Buy, 11, 1, 4);
    resting(Side::Sell, 20, 1, 3);
    const OrderId newest = resting(Side::Buy, 9, 1, 3);
    m_venue.events.clear();
    EXPECT_EQ(book().cancel_all(3, 2, m_venue), 2u);
    EXPECT_EQ(m_venue.events[0].id, newest);
    EXPECT_NE(book().find(oldest), nullptr);
    EXPECT_EQ(book().cancel_all(3, 2, m_venue), 1u);
    EXPECT_EQ(book().cancel_all(3, 2, m_venue), 0u);
    EXPECT_EQ(book().cancel_all(99, 2, m_venue), 0u);
    EXPECT_EQ(book().order_count(), 1u);
}

TEST_F(BookTest, CollectsWithoutMatchingAndStartsOnlyUncrossed) {
    ASSERT_TRUE(book().set_collecting(true).has_value());
    resting(Side::Buy, 20, 1);
    const OrderId sell = resting(Side::Sell, 10, 1, 2);
    EXPECT_EQ(place(order(Side::Buy, 20, 1, 1, TimeInForce::ImmediateOrCancel)).error(), Error::Collecting);
    EXPECT_EQ(book().set_collecting(false).error(), Error::StillCrossed);
    EXPECT_TRUE(book().amend(2, sell, 21, 1, m_venue).has_value());
    EXPECT_TRUE(book().set_collecting(false).has_value());
}

// A venue that counts what it admits in the same arena.
class CountingVenue final : public Venue {
public:
    CountingVenue(module::Arena& arena, module::Place<std::uint64_t> count, std::uint64_t limit)
        : m_arena(arena), m_count(count), m_limit(limit) {}
    Admission admit(const Fill& fill) noexcept override {
        if (m_arena.at(m_count) + fill.size > m_limit)
            return {0, false, true};
        m_arena.edit(m_count) += fill.size;
        return {fill.size};
    }
    void on_event(const Event& event) noexcept override { last = event; }

    Event last{};

private:
    module::Arena& m_arena;
    module::Place<std::uint64_t> m_count;
    std::uint64_t m_limit;
};

TEST_F(BookTest, FillOrKillRefusedByTheVenueUndoesWhatTheVenueWrote) {
    const module::Place<std::uint64_t> count(module::offset_of_page(*m_arena->allocate_pages(1)));
    resting(Side::Sell, 10, 5);
    resting(Side::Sell, 11, 5);
    CountingVenue venue(*m_arena, count, 7);
    const Bytes before = module::testing::bytes_of(*m_arena);
    EXPECT_EQ(book().place(order(Side::Buy, 11, 10, 2, TimeInForce::FillOrKill), venue).error(),
              Error::FillOrKill);
    EXPECT_EQ(venue.last.kind, EventKind::Rejected);
    EXPECT_EQ(module::testing::bytes_of(*m_arena), before);
    EXPECT_EQ(book().place(order(Side::Buy, 11, 8, 2, TimeInForce::ImmediateOrCancel), venue)->filled, 5u);
    EXPECT_EQ(m_arena->at(count), 5u);
}

TEST_F(BookTest, LeavesNothingBehindButCounters) {
    // What has grown for the first orders stays; the second time nothing new may.
    Bytes after[2];
    for (Bytes& pages : after) {
        for (std::uint32_t i = 0; i < 300; ++i)
            resting(i % 2 == 0 ? Side::Buy : Side::Sell, i % 2 == 0 ? 100 - i % 90 : 200 + i % 70, 3, i % 5);
        for (Owner owner = 0; owner < 5; ++owner)
            EXPECT_EQ(book().cancel_all(owner, 100, m_venue), 60u);
        EXPECT_EQ(book().order_count(), 0u);
        pages = module::testing::bytes_of(*m_arena);
    }
    EXPECT_EQ(after[0].size(), after[1].size());
}

TEST_F(BookTest, ReportsAnArenaThatIsFullAndIsUnchangedAfterRevert) {
    OwnedArena small(12);
    const module::Place<BookState> place = *Book::create(*small, kRules);
    Book book(*small, place);
    for (std::uint32_t i = 0;; ++i) {
        ASSERT_LT(i, 100'000u);
        const Bytes before = module::testing::bytes_of(*small);
        const auto checkpoint = small->checkpoint();
        const auto placed = book.place(order(Side::Buy, 1 + i % 5000, 1, i), m_venue);
        if (placed) {
            ASSERT_TRUE(small->commit(checkpoint).has_value());
            continue;
        }
        EXPECT_EQ(placed.error(), Error::ArenaFailed);
        small->revert(checkpoint);
        EXPECT_EQ(module::testing::bytes_of(*small), before);
        break;
    }
    EXPECT_EQ(book.cancel(0, 1, m_venue), (Result<void, Error>{}));
}

TEST(BookModel, AgreesOverLongStreams) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE(seed);
        OwnedArena arena(512);
        testing::World world(*arena);
        world.run(testing::Choices(random_bytes(seed, 12'000)));
        EXPECT_GT(world.commands(), 1000u);
        EXPECT_GT(world.fills(), 100u);
    }
}

TEST(BookModel, AgreesWhenPagesAndUndoRunOut) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE(seed);
        OwnedArena arena(9 + static_cast<std::uint32_t>(seed), 40 + static_cast<std::uint32_t>(seed) * 8);
        testing::World world(*arena);
        world.run(testing::Choices(random_bytes(100 + seed, 6000)));
    }
}

// The same commands give the same pages on every machine: this root is also what RV64 computes.
TEST(BookModel, HasTheSameRootEverywhere) {
    OwnedArena arena(512);
    testing::World world(*arena);
    world.run(testing::Choices(random_bytes(7, 20'000)));
    module::PageTree tree(*arena);
    EXPECT_EQ(to_hex(tree.update(*arena)),
              "e2207cc820bf01df568903267898d9954dd0dc492b280e5dfe78b288e904f293");
}

}  // namespace
}  // namespace meridian::modules::exchange
