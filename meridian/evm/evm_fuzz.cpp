// Arbitrary bytecode, run in both shapes of the interpreter and with an interrupt: no crash, no difference.
// Input: revision, gas (2 bytes), length of the first program (2 bytes), both programs.
#include <meridian/base/assert.hpp>
#include <meridian/evm/random_program.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    using namespace meridian::evm;
    using namespace meridian::evm::testing;
    if (size < 5)
        return 0;
    const BytesView input{data, size};
    const BytesView programs = input.subspan(5);
    const std::size_t length = std::min<std::size_t>(programs.size(), input[3] * 256u + input[4]);
    World world(static_cast<Revision>(input[0] % kRevisionCount));
    world.deploy(kContract, programs.first(length), 1000);
    world.deploy(kOther, programs.subspan(length), 10);
    world.parent.set_storage(kContract, 1, 5);
    const std::int64_t gas = (input[1] * 256 + input[2]) * 16;
    const Observation fused = observe(world, gas, false);
    const Observation stepped = observe(world, gas, true);
    MERIDIAN_ASSERT(fused == stepped);
    world.options.interrupt = &kNever;
    MERIDIAN_ASSERT(fused == observe(world, gas, false));
    return 0;
}
