// Executions that the host ends, and that it could end but does not.
#include <meridian/evm/random_program.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace meridian::evm {
namespace {

using namespace testing;

// Requested from the poll of that number on.
class CountingInterrupt final : public Interrupt {
public:
    explicit CountingInterrupt(std::uint64_t first = std::numeric_limits<std::uint64_t>::max())
        : m_first(first) {}
    bool requested() const noexcept override { return ++polls >= m_first; }

    mutable std::uint64_t polls = 0;

private:
    std::uint64_t m_first;
};

constexpr std::int64_t kEndlessGas = std::int64_t{1} << 60;

Status run_with(World& world, const Interrupt& interrupt, std::int64_t gas = kEndlessGas) {
    world.options.interrupt = &interrupt;
    return world.run(gas).status;
}

Program endless_loop() {
    return Program().add(Op::Jumpdest).push(0).add(Op::Jump);
}

TEST(EvmInterrupt, EndsAnEndlessLoop) {
    World world;
    world.deploy(kContract, endless_loop());
    const CountingInterrupt interrupt(10);
    EXPECT_EQ(run_with(world, interrupt), Status::Interrupted);
    EXPECT_EQ(interrupt.polls, 10u);
}

TEST(EvmInterrupt, EndsLoopsOfEveryJump) {
    const Program loops[] = {
        // JUMPI to a known destination; JUMP and JUMPI to one from the stack; a tight loop of one long block.
        Program().add(Op::Jumpdest).push(1).push(0).add(Op::Jumpi),
        Program().push(0).add(Op::Jumpdest).push(2).add(Op::Calldatasize).add(Op::Add).add(Op::Jump),
        Program().add(Op::Jumpdest).push(1).add(Op::Calldatasize).add(Op::Jumpi),
        Program().add(Op::Jumpdest).add(Op::Gas).push(0).add(Op::Mstore).push(0).add(Op::Jump),
    };
    for (const Program& loop : loops) {
        World world;
        world.deploy(kContract, loop);
        const CountingInterrupt interrupt(3);
        EXPECT_EQ(run_with(world, interrupt), Status::Interrupted);
    }
}

TEST(EvmInterrupt, PollsAsOftenAsPromised) {
    World world;
    world.deploy(kContract, endless_loop());
    const CountingInterrupt never;
    EXPECT_EQ(run_with(world, never, 100 * kGasBetweenPolls), Status::OutOfGas);
    EXPECT_GE(never.polls, 100u);
    EXPECT_LE(never.polls, 104u);
}

TEST(EvmInterrupt, EndsCallersToo) {
    // The caller would go on after a failed call, and store what it gave.
    const Program caller = Program().call(Op::Call, kOther, 1 << 20).push(0).add(Op::Sstore);
    const Program creator = Program().create(endless_loop()).push(0).add(Op::Sstore);
    for (const Program* program : {&caller, &creator}) {
        World world;
        world.deploy(kContract, *program).deploy(kOther, endless_loop());
        const CountingInterrupt interrupt(8);
        EXPECT_EQ(run_with(world, interrupt), Status::Interrupted);
        EXPECT_EQ(interrupt.polls, 8u);
        EXPECT_EQ(world.stored(0), u256{});
    }
}

TEST(EvmInterrupt, EndsEndlessRecursionWhileItReturns) {
    // Calls itself to the depth limit; each level then does less than a part's gas of work.
    Program program = Program().call(Op::Call, kContract, kEndlessGas);
    for (int i = 0; i < 1000; ++i)
        program.push(i).add(Op::Pop);
    World world;
    world.deploy(kContract, program);
    const CountingInterrupt never;
    EXPECT_EQ(run_with(world, never), Status::Success);
    EXPECT_GE(never.polls, 3 * 1024u);  // entering by call and by block, returning
    const CountingInterrupt interrupt(never.polls - 100);
    EXPECT_EQ(run_with(world, interrupt), Status::Interrupted);
    EXPECT_EQ(interrupt.polls, never.polls - 100);
}

TEST(EvmInterrupt, IsPolledBeforeAPrecompile) {
    World world;
    CountingInterrupt interrupt(1);
    world.options.interrupt = &interrupt;
    Message message = world.message();
    message.recipient = message.code_address = left_padded<20>(std::array<std::uint8_t, 1>{4});
    EXPECT_EQ(world.run(message).status, Status::Interrupted);
}

TEST(EvmInterrupt, EndsTracedExecutionsAndTellsTheTracer) {
    struct ExitTracer final : Tracer {
        void on_enter(const Message&, BytesView) override {}
        void on_exit(const Message&, const CallResult& result) override { last = result.status; }
        void on_step(const Step&) override {}
        void on_selfdestruct(const Address&, const Address&, const u256&) override {}
        void on_log(const state::Log&) override {}
        Status last = Status::Success;
    } tracer;
    World world;
    world.deploy(kContract, endless_loop());
    const CountingInterrupt interrupt(5);
    world.options.interrupt = &interrupt;
    EXPECT_EQ(world.run(world.message(kEndlessGas), &tracer).status, Status::Interrupted);
    EXPECT_EQ(tracer.last, Status::Interrupted);
}

// A loop of `rounds` after a prelude of as many gas units as wanted, so that the parts of the gas end at each
// of its instructions: it reads the gas, extends memory, writes storage, calls and creates.
Program busy_loop(unsigned prelude, unsigned rounds) {
    Program out;
    for (unsigned i = 0; i < prelude; ++i)
        out.add(Op::Jumpdest);
    out.push(rounds);
    const std::size_t start = out.size();
    out.add(Op::Jumpdest).add(Op::Gas).dup(2).push(5).add(Op::Shl).add(Op::Mstore);
    out.add(Op::Gas).dup(2).add(Op::Sstore).add(Op::Gas).push(64).add(Op::Mstore);
    out.call(Op::Call, kOther, 5000).add(Op::Pop).call(Op::Staticcall, kOther, u256::max()).add(Op::Pop);
    out.push(0).push(0).push(0).add(Op::Create).add(Op::Pop);
    out.push(1).swap(1).add(Op::Sub).dup(1).push(start).add(Op::Jumpi);
    return out.push(4096).push(0).add(Op::Return);
}

TEST(EvmInterrupt, ChangesNothingUnlessRequested) {
    const CountingInterrupt never;
    for (unsigned prelude = 0; prelude < 400; ++prelude) {
        World world;
        world.deploy(kContract, busy_loop(prelude * 37, 3), 1000);
        world.deploy(kOther, Program().add(Op::Gas).return_top(), 10);
        const std::int64_t gas = 400'000 + static_cast<std::int64_t>(prelude % 7) * 10'000;
        const Observation whole = observe(world, gas, false);
        ASSERT_EQ(whole.status, Status::Success);
        world.options.interrupt = &never;
        ASSERT_EQ(observe(world, gas, false), whole) << prelude;
        ASSERT_EQ(observe(world, gas, true), whole) << prelude;
    }
}

}  // namespace
}  // namespace meridian::evm
