#include "simulation.hpp"

#include <gtest/gtest.h>

namespace meridian::sim {
namespace {

TEST(Simulation, KeepsEveryPromiseUnderAFewSeeds) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const auto result = simulate({.seed = seed, .steps = 3'000});
        EXPECT_EQ(result.failure, "") << "seed " << seed;
        EXPECT_GT(result.txns, 0u) << "seed " << seed;
    }
}

TEST(Simulation, OfOneSeedIsTheSameEachTime) {
    const auto first = simulate({.seed = 77, .steps = 2'000});
    const auto second = simulate({.seed = 77, .steps = 2'000});
    EXPECT_EQ(first.frames, second.frames);
    EXPECT_EQ(first.txns, second.txns);
    EXPECT_EQ(first.crashes_amid_write, second.crashes_amid_write);
}

}  // namespace
}  // namespace meridian::sim
