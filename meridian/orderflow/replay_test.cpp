#include <meridian/module/arena_fixture.hpp>
#include <meridian/orderflow/replay.hpp>

#include <gtest/gtest.h>

namespace meridian::orderflow {
namespace {

using namespace modules::exchange;

class Quotes final : public QuoteSink {
public:
    void on_quote(const Quote& quote) override { all.push_back(quote); }
    std::vector<Quote> all;
};

Message message(Action action, std::uint64_t id, Side side = Side::Buy, std::int64_t price = 0,
                std::uint64_t size = 0, bool completes = true) {
    Message out;
    out.action = action;
    out.id = id;
    out.side = side;
    out.price = price;
    out.size = size;
    out.completes = completes;
    out.sequence = id;
    return out;
}

TEST(Replay, DoesWhatTheVenueDid) {
    Recording recording;
    recording.price_decimals = 2;
    recording.messages = {message(Action::Add, 5, Side::Buy, 9950, 10),
                          message(Action::Add, 6, Side::Sell, 10050, 4),
                          message(Action::Take, 5, Side::Buy, 0, 3, false),
                          message(Action::Amend, 6, Side::Sell, 10000, 6),
                          message(Action::Amend, 7, Side::Sell, 10000, 1),
                          message(Action::Take, 99),
                          message(Action::Take, 6)};
    Message replace = message(Action::Replace, 5, Side::Buy, 9900, 2);
    replace.new_id = 8;
    recording.messages.push_back(replace);
    recording.messages.push_back(message(Action::Clear, 0));
    const auto commands = to_commands(recording);
    ASSERT_TRUE(commands) << commands.error();
    EXPECT_EQ(commands->tick, 50u);
    EXPECT_EQ(commands->unknown, 1u);
    EXPECT_EQ(price_text(*commands, 199), "99.5");
    EXPECT_EQ(price_text(*commands, 200), "100");
    CommandList small;
    small.price_decimals = 4;
    EXPECT_EQ(price_text(small, 15), "0.0015");

    module::testing::OwnedArena arena(256);
    const module::Place<BookState> place = *Book::create(*arena, rules_of(*commands));
    Quotes quotes;
    const auto report = replay(*arena, place, *commands, quotes);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->fills, 0u);
    const std::vector<Quote> expected = {{5, 199, 10, 0, 0},  {6, 199, 10, 201, 4}, {6, 199, 7, 200, 6},
                                         {7, 199, 7, 200, 7}, {99, 199, 7, 200, 7}, {6, 199, 7, 200, 1},
                                         {5, 198, 2, 200, 1}, {0, 0, 0, 0, 0}};
    EXPECT_EQ(quotes.all, expected);
}

TEST(Replay, CollectsWhileTheVenueIsCrossed) {
    Recording recording;
    recording.messages = {message(Action::Add, 1, Side::Buy, 10, 1),
                          message(Action::Add, 2, Side::Sell, 9, 1), message(Action::Take, 1),
                          message(Action::Add, 3, Side::Buy, 8, 1)};
    module::testing::OwnedArena arena(256);
    const auto commands = to_commands(recording);
    const module::Place<BookState> place = *Book::create(*arena, rules_of(*commands));
    Quotes quotes;
    const auto report = replay(*arena, place, *commands, quotes);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->crossed, 1u);
    EXPECT_EQ(report->fills, 0u);
    EXPECT_FALSE(Book(*arena, place).collecting());
}

TEST(Replay, NamesTheMessageThatCannotBe) {
    const auto error_of = [](const Message& bad) {
        Recording recording;
        recording.messages = {message(Action::Add, 1, Side::Buy, 10, 1), bad};
        const auto commands = to_commands(recording);
        return commands ? std::string("none") : commands.error();
    };
    EXPECT_EQ(error_of(message(Action::Add, 1, Side::Buy, 10, 1)),
              "message 2: order 1 is in the book already");
    EXPECT_EQ(error_of(message(Action::Add, 2, Side::Buy, -10, 1)),
              "message 2: a price that is not above zero");
    EXPECT_EQ(error_of(message(Action::Add, 2, Side::Buy, 10, 0)),
              "message 2: the size of an order is zero or above 2^38 lots");
    EXPECT_EQ(error_of(message(Action::Amend, 1, Side::Sell, 10, 1)), "message 2: an order changes its side");
    EXPECT_EQ(error_of(message(Action::Add, 2, Side::Buy, (std::int64_t{1} << 40) + 1, 1)),
              "the prices span more than 2^32 ticks: there is no common tick");
}

}  // namespace
}  // namespace meridian::orderflow
