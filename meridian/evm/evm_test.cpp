// The machine's own rules: frames, gas, stack, memory, jumps, creation; and what a tracer sees.
#include <meridian/evm/evm_fixture.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace meridian::evm {
namespace {

using namespace testing;

Program program() {
    return {};
}

TEST(Evm, ArithmeticInEveryOperandForm) {
    World world;
    const u256 a = 0xfedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210_u256;
    const u256 b = 0x123456789abcdef0_u256;
    const auto by_form = [&](Op op, const u256& x, const u256& y, const u256& expected) {
        // Constants fold; CALLDATASIZE (zero) makes an operand that the translator does not know.
        const Program known_x = program().push(x);
        const Program known_y = program().push(y);
        const Program hidden_x = program().push(x).add(Op::Calldatasize).add(Op::Add);
        const Program hidden_y = program().push(y).add(Op::Calldatasize).add(Op::Add);
        for (const Program* first : {&known_x, &hidden_x})
            for (const Program* second : {&known_y, &hidden_y})
                EXPECT_EQ(world.value_of(program().add(*second).add(*first).add(op).return_top()), expected)
                    << static_cast<int>(op);
    };
    by_form(Op::Add, a, b, a + b);
    by_form(Op::Mul, a, b, a * b);
    by_form(Op::Sub, b, a, b - a);
    by_form(Op::Div, a, b, a / b);
    by_form(Op::Div, a, 64, a >> 6);
    by_form(Op::Div, a, 0, 0);
    by_form(Op::Mod, a, b, a % b);
    by_form(Op::Mod, a, 256, 0x10);
    by_form(Op::Sdiv, a, b, sdiv(a, b));
    by_form(Op::Smod, a, b, smod(a, b));
    by_form(Op::Lt, a, b, 0);
    by_form(Op::Gt, a, b, 1);
    by_form(Op::Slt, a, b, 1);
    by_form(Op::Sgt, a, b, 0);
    by_form(Op::Eq, a, a, 1);
    by_form(Op::Eq, a, 0, 0);
    by_form(Op::And, a, b, a & b);
    by_form(Op::Or, a, b, a | b);
    by_form(Op::Xor, a, b, a ^ b);
    by_form(Op::Byte, 3, a, 0x98);
    by_form(Op::Byte, 32, a, 0);
    by_form(Op::Signextend, 0, 0x80, ~u256{0x7f});
    by_form(Op::Signextend, 31, a, a);
    by_form(Op::Exp, 3, 5, 243);
    by_form(Op::Shl, 4, a, a << 4);
    by_form(Op::Shr, 256, a, 0);
    by_form(Op::Sar, 300, a, u256::max());
}

TEST(Evm, StackBounds) {
    World world;
    EXPECT_EQ(world.run(program().add(Op::Pop)).status, Status::StackUnderflow);
    EXPECT_EQ(world.run(program().push(1).swap(1)).status, Status::StackUnderflow);
    EXPECT_EQ(world.run(program().push(1).dup(2)).status, Status::StackUnderflow);
    Program full;
    for (int i = 0; i < 1024; ++i)
        full.push(1);
    EXPECT_EQ(world.run(full).status, Status::Success);
    EXPECT_EQ(world.run(program().add(full).push(1)).status, Status::StackOverflow);
    EXPECT_EQ(world.run(program().add(full).dup(1)).status, Status::StackOverflow);
}

TEST(Evm, Jumps) {
    World world;
    EXPECT_EQ(world.run(program().push(3).add(Op::Jump).add(Op::Jumpdest)).status, Status::Success);
    EXPECT_EQ(world.run(program().push(4).add(Op::Jump).add(Op::Jumpdest)).status,
              Status::BadJumpDestination);
    EXPECT_EQ(world.run(program().push(u256::max()).add(Op::Jump)).status, Status::BadJumpDestination);
    // A JUMPDEST byte that is data of a PUSH is none.
    EXPECT_EQ(world.run(program().push(4).add(Op::Jump).push(0x5b)).status, Status::BadJumpDestination);
    EXPECT_EQ(world.run(program().push(0).push(99).add(Op::Jumpi)).status, Status::Success);
    EXPECT_EQ(world.run(program().push(1).push(99).add(Op::Jumpi)).status, Status::BadJumpDestination);
    EXPECT_EQ(world.run(program().add(Op::Calldatasize).push(99).add(Op::Jumpi)).status, Status::Success);
    EXPECT_EQ(world.run(program().add(Op::Address).push(99).add(Op::Jumpi)).status,
              Status::BadJumpDestination);
}

TEST(Evm, LoopsSpendAllGas) {
    World world;
    const CallResult result = world.run(program().add(Op::Jumpdest).push(0).add(Op::Jump));
    EXPECT_EQ(result.status, Status::OutOfGas);
    EXPECT_EQ(result.gas_left, 0);
}

TEST(Evm, GasIsExactWhereItIsRead) {
    World world;
    EXPECT_EQ(world.value_of(program().push(1).push(2).add(Op::Add).add(Op::Pop).add(Op::Gas).return_top()),
              1'000'000 - 3 - 3 - 3 - 2 - 2);
    EXPECT_EQ(world.value_of(program().add(Op::Gas).add(Op::Gas).swap(1).add(Op::Sub).return_top()), 2);
}

TEST(Evm, MemoryCostsQuadratically) {
    World world;
    EXPECT_EQ(world.gas_of(program().push(0).add(Op::Mload)), 3 + 3 + 3);
    EXPECT_EQ(world.gas_of(program().push(32 * 1023).add(Op::Mload)), 3 + 3 + 3 * 1024 + 1024 * 1024 / 512);
    for (const u256& offset : {u256::max(), u256{std::numeric_limits<std::uint64_t>::max()}, u256{1} << 64,
                               u256{1} << 32, u256{1} << 31})
        for (const Op op : {Op::Mload, Op::Mstore, Op::Mstore8, Op::Return, Op::Keccak256})
            EXPECT_EQ(world.run(program().push(1).push(offset).add(op)).status, Status::OutOfGas);
    // An empty range is free wherever it lies.
    EXPECT_EQ(world.run(program().push(0).push(u256::max()).add(Op::Return)).status, Status::Success);
    EXPECT_EQ(world.run(program().push(u256::max()).push(0).add(Op::Return)).status, Status::OutOfGas);
}

TEST(Evm, CallDepthIsBounded) {
    // Calls itself with all gas and counts how deep it gets.
    World world(Revision::Homestead);
    const Program code = program()
                             .push(0)
                             .add(Op::Sload)
                             .push(1)
                             .add(Op::Add)
                             .push(0)
                             .add(Op::Sstore)
                             .push(0)
                             .push(0)
                             .push(0)
                             .push(0)
                             .push(0)
                             .add(Op::Address)
                             .push(30'000)
                             .add(Op::Gas)
                             .add(Op::Sub)
                             .add(Op::Call);
    world.deploy(kContract, code);
    EXPECT_EQ(world.run(100'000'000).status, Status::Success);
    EXPECT_EQ(world.stored(0), 1025);
}

TEST(Evm, CreationsNestToTheBoundOnTheNativeStack) {
    // Init code that creates itself; each level stores nothing and returns nothing.
    World world(Revision::Homestead);
    const Program code = program()
                             .add(Op::Codesize)
                             .push(0)
                             .push(0)
                             .add(Op::Codecopy)
                             .add(Op::Codesize)
                             .push(0)
                             .push(0)
                             .add(Op::Create);
    world.deploy(kContract, code);
    const CallResult result = world.run(100'000'000);
    EXPECT_EQ(result.status, Status::Success);
    EXPECT_GT(100'000'000 - result.gas_left, 1024 * 32000);
    EXPECT_LT(100'000'000 - result.gas_left, 1025 * 32100);
}

TEST(Evm, CallThatCannotPayReturnsItsGas) {
    World world;
    world.deploy(kContract, program().call(Op::Call, kOther, 50'000, 1).return_top(), 0);
    const CallResult result = world.run();
    EXPECT_EQ(load_be(result.output), 0);
    EXPECT_EQ(1'000'000 - result.gas_left, 7 * 3 + 2600 + 9000 + 25000 - 2300 + 3 + 3 + 3 + 3 + 3);
}

TEST(Evm, CreationCollides) {
    for (const int kind : {0, 1, 2}) {
        World world;
        const Address target = create_address(kContract, 1);
        if (kind == 0)
            world.parent.set_nonce(target, 1);
        else if (kind == 1)
            world.parent.set_code(target, program().add(Op::Stop).code());
        else
            world.parent.set_storage(target, 1, 1);
        EXPECT_EQ(world.value_of(program().create(program().add(Op::Stop)).return_top()), 0);
        EXPECT_GT(world.gas_used, 900'000);
        EXPECT_EQ(world.state->nonce(kContract), 2);
    }
}

TEST(Evm, NonceDoesNotOverflow) {
    World world;
    world.deploy(kContract, program().create(program().add(Op::Stop)).return_top());
    world.parent.set_nonce(kContract, std::numeric_limits<std::uint64_t>::max());
    const CallResult result = world.run();
    EXPECT_EQ(load_be(result.output), 0);
    EXPECT_GT(result.gas_left, 900'000);
}

TEST(Evm, CreateAddressFollowsRlp) {
    const Address sender =
        first_bytes<20>(BytesView{to_hash(0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0_u256)}.last(20));
    EXPECT_EQ(from_address(create_address(sender, 0)), 0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d_u256);
    EXPECT_EQ(from_address(create_address(sender, 1)), 0x343c43a37d37dff08ae8c4a11544c718abb4fcf8_u256);
}

TEST(Evm, BlockHashReachesBack256Blocks) {
    struct Source final : BlockHashSource {
        Hash block_hash(std::uint64_t number) override { return to_hash(number + 1); }
    } source;
    World world;
    world.block.block_hashes = &source;
    const auto hash = [&](const u256& number) {
        return world.value_of(program().push(number).add(Op::Blockhash).return_top());
    };
    EXPECT_EQ(hash(1000), 0);
    EXPECT_EQ(hash(999), 1000);
    EXPECT_EQ(hash(744), 745);
    EXPECT_EQ(hash(743), 0);
    EXPECT_EQ(hash(u256{999} + (u256{1} << 64)), 0);
}

struct Recorder final : Tracer {
    void on_enter(const Message& message, BytesView) override { entered.push_back(message.recipient); }
    void on_exit(const Message&, const CallResult& result) override { statuses.push_back(result.status); }
    void on_step(const Step& step) override {
        steps.push_back(step);
        steps.back().stack = {};
        if (!step.stack.empty())
            tops.push_back(step.stack.back());
        else
            tops.push_back(0);
    }
    void on_selfdestruct(const Address&, const Address& beneficiary, const u256& balance) override {
        destroyed.push_back({beneficiary, balance});
    }
    void on_log(const state::Log& log) override { logs.push_back(log); }

    std::vector<Address> entered;
    std::vector<Status> statuses;
    std::vector<Step> steps;
    std::vector<u256> tops;
    std::vector<std::pair<Address, u256>> destroyed;
    std::vector<state::Log> logs;
};

TEST(EvmTracer, SeesEveryStepWithItsCost) {
    World world;
    world.deploy(kOther, program().add(Op::Stop));
    world.deploy(
        kContract,
        program().push(2).push(3).add(Op::Mul).push(64).add(Op::Mstore).call(Op::Call, kOther, 1000));
    Recorder recorder;
    const CallResult result = world.run(world.message(), &recorder);
    EXPECT_EQ(result.status, Status::Success);
    ASSERT_EQ(recorder.steps.size(), 15u);  // the callee's STOP and the implied one included
    EXPECT_EQ(recorder.tops[3], 6);
    EXPECT_EQ(recorder.steps[4].cost, 3 + 3 * 3);
    EXPECT_EQ(recorder.steps[12].cost, 2600 + 1000);
    EXPECT_EQ(recorder.steps[13].depth, 2);
    EXPECT_EQ(recorder.steps[13].gas, 1000);
    EXPECT_EQ(recorder.steps[14].depth, 1);
    EXPECT_EQ(recorder.entered, (std::vector<Address>{kContract, kOther}));
}

TEST(EvmTracer, NamesTheFailureOfTheLastStep) {
    const auto last = [](const Program& code, std::int64_t gas = 100'000) {
        World world;
        world.deploy(kContract, code);
        Recorder recorder;
        const CallResult result = world.run(world.message(gas), &recorder);
        EXPECT_EQ(recorder.steps.back().status, result.status);
        return recorder.steps.back();
    };
    EXPECT_EQ(last(program().add(Op::Pop)).status, Status::StackUnderflow);
    EXPECT_EQ(last(program().byte(0x0c)).status, Status::UndefinedInstruction);
    EXPECT_EQ(last(program().push(9).add(Op::Jump)).status, Status::BadJumpDestination);
    EXPECT_EQ(last(program().push(9).add(Op::Jump)).pc, 2u);
    EXPECT_EQ(last(program().push(u256{1} << 30).add(Op::Mload)).status, Status::OutOfGas);
    EXPECT_EQ(last(program().push(1).push(1).add(Op::Add), 8).gas, 2);
}

TEST(EvmTracer, HearsOfLogsAndSelfdestruct) {
    World world;
    world.deploy(
        kContract,
        program().push(7).push(0).push(0).add(static_cast<Op>(0xa1)).push(kOther).add(Op::Selfdestruct), 5);
    Recorder recorder;
    EXPECT_EQ(world.run(world.message(), &recorder).status, Status::Success);
    ASSERT_EQ(recorder.logs.size(), 1u);
    EXPECT_EQ(recorder.logs[0].topics, std::vector<Hash>{to_hash(7)});
    EXPECT_EQ(recorder.destroyed, (std::vector<std::pair<Address, u256>>{{kOther, 5}}));
}

}  // namespace
}  // namespace meridian::evm
