// The interpreter executes the same blocks in two shapes: as translated for speed, and one instruction at a
// time for tracers. Whatever the program, both must do the same, and likewise where there is an interrupt.
#include <meridian/evm/random_program.hpp>

#include <gtest/gtest.h>

namespace meridian::evm {
namespace {

using namespace testing;

TEST(EvmStepped, AgreesWithFusedOnRandomPrograms) {
    int succeeded = 0;
    for (std::uint64_t seed = 0; seed < 6000; ++seed) {
        World world(static_cast<Revision>(seed % kRevisionCount));
        world.deploy(kContract, random_program(2 * seed), 1000);
        world.deploy(kOther, random_program(2 * seed + 1), 10);
        world.parent.set_storage(kContract, 1, 5);
        const std::int64_t gas = seed % 3 == 0 ? 3'000 : 200'000;
        const Observation fused = observe(world, gas, false);
        const Observation stepped = observe(world, gas, true);
        ASSERT_EQ(fused, stepped) << "seed " << seed;
        world.options.interrupt = &kNever;
        ASSERT_EQ(fused, observe(world, gas, seed % 2 == 0)) << "seed " << seed;
        succeeded += !fused.halted;
    }
    EXPECT_GT(succeeded, 300);
}

}  // namespace
}  // namespace meridian::evm
