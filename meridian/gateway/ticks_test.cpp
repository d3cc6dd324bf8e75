#include <meridian/gateway/ticks.hpp>

#include <gtest/gtest.h>

namespace meridian::gateway {
namespace {

using std::chrono::milliseconds;

TEST(Ticks, ComeAtEvenIntervalsHoweverLateTheLastWasDealtWith) {
    const Ticks::time_point start{};
    const milliseconds interval{500};
    EXPECT_EQ(next_tick(start, interval, start), start + interval);
    Ticks::time_point due = start;
    for (int i = 1; i <= 1000; ++i) {
        due = next_tick(due, interval, due + milliseconds(i % 499));
        EXPECT_EQ(due, start + i * interval);
    }
}

TEST(Ticks, ThatWereMissedAreLeftOut) {
    const Ticks::time_point start{};
    const milliseconds interval{500};
    EXPECT_EQ(next_tick(start, interval, start + milliseconds(500)), start + milliseconds(1000));
    EXPECT_EQ(next_tick(start, interval, start + milliseconds(1999)), start + milliseconds(2000));
    EXPECT_EQ(next_tick(start, interval, start + milliseconds(2001)), start + milliseconds(2500));
}

}  // namespace
}  // namespace meridian::gateway
