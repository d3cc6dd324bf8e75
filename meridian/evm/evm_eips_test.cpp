// One test or more for every EIP that changed the machine, at the border of its revision.
#include <meridian/evm/evm_fixture.hpp>

#include <gtest/gtest.h>

namespace meridian::evm {
namespace {

using namespace testing;

constexpr std::int64_t kPush = 3;

Program program() {
    return {};
}

// Whether the opcode exists: an undefined one halts, a defined one may fail otherwise.
bool defines(Revision revision, Op op) {
    World world(revision);
    Program code;
    for (int i = 0; i < 7; ++i)
        code.push(0);
    return world.run(code.add(op)).status != Status::UndefinedInstruction;
}

void expect_since(Op op, Revision revision) {
    const auto before = static_cast<Revision>(static_cast<int>(revision) - 1);
    EXPECT_FALSE(defines(before, op)) << static_cast<int>(op);
    EXPECT_TRUE(defines(revision, op)) << static_cast<int>(op);
    EXPECT_TRUE(defines(Revision::Osaka, op)) << static_cast<int>(op);
}

TEST(EvmInstructions, AppearWithTheirRevision) {
    expect_since(Op::Delegatecall, Revision::Homestead);
    for (const Op op : {Op::Staticcall, Op::Revert, Op::Returndatasize, Op::Returndatacopy})
        expect_since(op, Revision::Byzantium);
    for (const Op op : {Op::Shl, Op::Shr, Op::Sar, Op::Extcodehash, Op::Create2})
        expect_since(op, Revision::Constantinople);
    for (const Op op : {Op::Chainid, Op::Selfbalance})
        expect_since(op, Revision::Istanbul);
    expect_since(Op::Basefee, Revision::London);
    expect_since(Op::Push0, Revision::Shanghai);
    for (const Op op : {Op::Tload, Op::Tstore, Op::Mcopy, Op::Blobhash, Op::Blobbasefee})
        expect_since(op, Revision::Cancun);
    expect_since(Op::Clz, Revision::Osaka);
}

TEST(EvmEip2, DepositThatCannotBePaidFailsSinceHomestead) {
    // 100 bytes of code cost 20,000; the creation has less left.
    const Program init = program().push(100).push(0).add(Op::Return);
    for (const Revision revision : {Revision::Frontier, Revision::Homestead}) {
        World world(revision);
        Message message = world.message(10'000);
        message.kind = CallKind::Create;
        message.input = init.code();
        world.parent.set_nonce(kSender, 1);
        const CallResult result = world.run(message);
        if (revision == Revision::Frontier) {
            EXPECT_EQ(result.status, Status::Success);
            EXPECT_GT(result.gas_left, 0);
            EXPECT_TRUE(world.state->exists(result.created));
            EXPECT_FALSE(world.state->load(result.created).account.has_code());
        } else {
            EXPECT_EQ(result.status, Status::OutOfGas);
            EXPECT_EQ(result.gas_left, 0);
        }
    }
}

TEST(EvmEip7, DelegatecallKeepsSenderAndValue) {
    World world(Revision::Homestead);
    world.deploy(
        kOther, program().add(Op::Caller).push(0).add(Op::Sstore).add(Op::Callvalue).push(1).add(Op::Sstore));
    world.deploy(kContract, program().call(Op::Delegatecall, kOther, 100'000));
    Message message = world.message();
    message.value = 42;
    EXPECT_EQ(world.run(message).status, Status::Success);
    EXPECT_EQ(world.stored(0), from_address(kSender));
    EXPECT_EQ(world.stored(1), 42);
}

TEST(EvmEip150, CallIsCappedInsteadOfFailing) {
    const Program code = program().call(Op::Call, kOther, 10'000'000);
    World before(Revision::Homestead);
    before.deploy(kOther, program().add(Op::Stop));
    EXPECT_EQ(before.run(code).status, Status::OutOfGas);
    World after(Revision::TangerineWhistle);
    after.deploy(kOther, program().add(Op::Gas).push(0).add(Op::Sstore));
    EXPECT_EQ(after.run(code).status, Status::Success);
    const std::int64_t available = 1'000'000 - 7 * kPush - 700;
    EXPECT_EQ(after.stored(0, kOther), static_cast<std::uint64_t>(available - available / 64 - 2));
}

TEST(EvmEip150, RepricesReading) {
    const auto gas = [](Revision revision, Op op) {
        return World(revision).gas_of(program().push(0).add(op)) - kPush;
    };
    EXPECT_EQ(gas(Revision::Homestead, Op::Sload), 50);
    EXPECT_EQ(gas(Revision::TangerineWhistle, Op::Sload), 200);
    EXPECT_EQ(gas(Revision::Homestead, Op::Balance), 20);
    EXPECT_EQ(gas(Revision::TangerineWhistle, Op::Balance), 400);
    EXPECT_EQ(gas(Revision::TangerineWhistle, Op::Extcodesize), 700);
}

TEST(EvmEip160, RepricesExponents) {
    const Program code = program().push(0x10000).push(2).add(Op::Exp);
    EXPECT_EQ(World(Revision::TangerineWhistle).gas_of(code), 2 * kPush + 10 + 3 * 10);
    EXPECT_EQ(World(Revision::SpuriousDragon).gas_of(code), 2 * kPush + 10 + 3 * 50);
}

TEST(EvmEip161, CallToNobodyPaysOnlyWithValue) {
    const Program code = program().call(Op::Call, account(0x77), 0);
    const Program paying = program().call(Op::Call, account(0x77), 0, 1);
    EXPECT_EQ(World(Revision::TangerineWhistle).gas_of(code), 7 * kPush + 700 + 25000);
    EXPECT_EQ(World(Revision::SpuriousDragon).gas_of(code), 7 * kPush + 700);
    World world(Revision::SpuriousDragon);
    world.deploy(kContract, paying, 5);
    EXPECT_EQ(1'000'000 - world.run().gas_left, 7 * kPush + 700 + 9000 + 25000 - 2300);
    EXPECT_EQ(world.state->balance(account(0x77)), 1);
}

TEST(EvmEip161, NewContractsBeginWithNonceOne) {
    for (const Revision revision : {Revision::TangerineWhistle, Revision::SpuriousDragon}) {
        World world(revision);
        const u256 created = world.value_of(program().create(program().add(Op::Stop)).return_top());
        EXPECT_EQ(world.state->nonce(to_address(created)), revision == Revision::SpuriousDragon ? 1 : 0);
        EXPECT_EQ(to_address(created), create_address(kContract, 1));
    }
}

TEST(EvmEip170, LimitsCodeSize) {
    const auto status = [](Revision revision, std::size_t size) {
        World world(revision);
        const Program init = program().push(size).push(0).add(Op::Return);
        Message message = world.message(20'000'000);
        message.kind = CallKind::Create;
        message.input = init.code();
        return world.run(message).status;
    };
    EXPECT_EQ(status(Revision::TangerineWhistle, 24577), Status::Success);
    EXPECT_EQ(status(Revision::SpuriousDragon, 24576), Status::Success);
    EXPECT_EQ(status(Revision::SpuriousDragon, 24577), Status::CodeSizeExceeded);
}

TEST(EvmEip140, RevertKeepsGasAndReturnsData) {
    World world(Revision::Byzantium);
    const CallResult result =
        world.run(program().sstore(1, 1).push(0x42).push(0).add(Op::Mstore8).push(1).push(0).add(Op::Revert));
    EXPECT_EQ(result.status, Status::Revert);
    EXPECT_EQ(result.output, Bytes{0x42});
    EXPECT_GT(result.gas_left, 900'000);
    EXPECT_EQ(world.stored(1), 0);
}

TEST(EvmEip211, ReturnDataIsTheLastCallsAndBounded) {
    World world(Revision::Byzantium);
    world.deploy(kOther, program().push(0x77).return_top());
    const Program call = program().call(Op::Call, kOther, 100'000);
    EXPECT_EQ(world.value_of(program().add(call).add(Op::Returndatasize).return_top()), 32);
    EXPECT_EQ(world.value_of(program()
                                 .add(call)
                                 .push(32)
                                 .push(0)
                                 .push(0)
                                 .add(Op::Returndatacopy)
                                 .push(0)
                                 .add(Op::Mload)
                                 .return_top()),
              0x77);
    EXPECT_EQ(world.run(program().add(call).push(1).push(32).push(0).add(Op::Returndatacopy)).status,
              Status::InvalidMemoryAccess);
    EXPECT_EQ(world.run(program().push(0).push(1).push(0).add(Op::Returndatacopy)).status,
              Status::InvalidMemoryAccess);
}

TEST(EvmEip214, StaticFramesCannotWrite) {
    for (const Program& write :
         {program().sstore(0, 1), program().push(0).push(0).add(Op::Log0),
          program().push(1).add(Op::Selfdestruct), program().create(program().add(Op::Stop)),
          program().call(Op::Call, kSender, 0, 1), program().push(1).push(1).add(Op::Tstore)}) {
        World world;
        world.deploy(kOther, write, 10);
        EXPECT_EQ(world.value_of(program().call(Op::Staticcall, kOther, 500'000).return_top()), 0);
        Message message = world.message();
        message.recipient = message.code_address = kOther;
        message.is_static = true;
        EXPECT_EQ(world.run(message).status, Status::StaticModeViolation);
    }
    World world;
    world.deploy(kOther, program().call(Op::Call, kSender, 0, 0));
    EXPECT_EQ(world.value_of(program().call(Op::Staticcall, kOther, 500'000).return_top()), 1);
}

TEST(EvmEip145, Shifts) {
    World world(Revision::Constantinople);
    const auto shift = [&](Op op, const u256& by, const u256& x) {
        return world.value_of(program().push(x).push(by).add(op).return_top());
    };
    const u256 top = u256{1} << 255;
    EXPECT_EQ(shift(Op::Shl, 255, 1), top);
    EXPECT_EQ(shift(Op::Shl, 256, 1), 0);
    EXPECT_EQ(shift(Op::Shr, 255, top), 1);
    EXPECT_EQ(shift(Op::Shr, top, top), 0);
    EXPECT_EQ(shift(Op::Sar, 255, top), u256::max());
    EXPECT_EQ(shift(Op::Sar, 1000, top), u256::max());
    EXPECT_EQ(shift(Op::Sar, 1000, 5), 0);
}

TEST(EvmEip1014, Create2AddressDependsOnCodeAndSalt) {
    World world(Revision::Constantinople);
    const Program init = program().add(Op::Stop);
    const u256 created = world.value_of(program().create2(init, 5).return_top());
    EXPECT_EQ(to_address(created), create2_address(kContract, to_hash(5), crypto::keccak256(init.code())));
    // The EIP's second example.
    const auto deployer =
        first_bytes<20>(BytesView{to_hash(0xdeadbeef00000000000000000000000000000000_u256)}.last(20));
    const std::uint8_t zero[] = {0};
    EXPECT_EQ(from_address(create2_address(deployer, {}, crypto::keccak256(zero))),
              0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3_u256);
}

TEST(EvmEip1052, CodeHash) {
    World world(Revision::Constantinople);
    const auto hash = [&](const Address& address) {
        return world.value_of(program().push(address).add(Op::Extcodehash).return_top());
    };
    EXPECT_EQ(hash(account(0x99)), 0);
    EXPECT_EQ(hash(kSender), from_hash(crypto::kEmptyKeccak));
    world.deploy(kOther, program().add(Op::Stop));
    EXPECT_EQ(hash(kOther), from_hash(crypto::keccak256(program().add(Op::Stop).code())));
}

// The table of EIP-2200, which is EIP-1283's with dearer no-ops: writes to slot 0, original value, gas of
// the SSTOREs and refund.
struct SstoreCase {
    std::vector<int> writes;
    int original;
    std::int64_t gas[3];  // Constantinople, Istanbul, London (first access cold)
    std::int64_t refund[3];
};

TEST(EvmEip2200, NetGasMetering) {
    const SstoreCase cases[] = {
        {{0, 0}, 0, {400, 1600, 2300}, {0, 0, 0}},
        {{0, 1}, 0, {20200, 20800, 22200}, {0, 0, 0}},
        {{1, 0}, 0, {20200, 20800, 22200}, {19800, 19200, 19900}},
        {{1, 2}, 0, {20200, 20800, 22200}, {0, 0, 0}},
        {{0, 0}, 1, {5200, 5800, 5100}, {15000, 15000, 4800}},
        {{0, 1}, 1, {5200, 5800, 5100}, {4800, 4200, 2800}},
        {{0, 2}, 1, {5200, 5800, 5100}, {0, 0, 0}},
        {{2, 0}, 1, {5200, 5800, 5100}, {15000, 15000, 4800}},
        {{2, 1}, 1, {5200, 5800, 5100}, {4800, 4200, 2800}},
        {{1, 1}, 1, {400, 1600, 2300}, {0, 0, 0}},
        {{1, 0, 1}, 0, {40200, 40800, 42200}, {19800, 19200, 19900}},
        {{0, 1, 0}, 1, {10200, 10800, 8000}, {19800, 19200, 7600}},
    };
    const Revision revisions[] = {Revision::Constantinople, Revision::Istanbul, Revision::London};
    for (std::size_t r = 0; r < 3; ++r)
        for (const SstoreCase& each : cases) {
            World world(revisions[r]);
            Program code;
            for (const int value : each.writes)
                code.sstore(0, static_cast<std::uint64_t>(value));
            world.deploy(kContract, code);
            world.parent.set_storage(kContract, 0, static_cast<std::uint64_t>(each.original));
            const CallResult result = world.run();
            const auto pushes = static_cast<std::int64_t>(2 * each.writes.size()) * kPush;
            EXPECT_EQ(1'000'000 - result.gas_left - pushes, each.gas[r]) << r << ' ' << (&each - cases);
            EXPECT_EQ(world.state->refund(), each.refund[r]) << r << ' ' << (&each - cases);
        }
}

TEST(EvmEip1283, IsAbsentFromPetersburg) {
    const Program code = program().sstore(0, 1).sstore(0, 1);
    EXPECT_EQ(World(Revision::Constantinople).gas_of(code), 4 * kPush + 20000 + 200);
    EXPECT_EQ(World(Revision::Petersburg).gas_of(code), 4 * kPush + 20000 + 5000);
    EXPECT_EQ(World(Revision::Byzantium).gas_of(code), 4 * kPush + 20000 + 5000);
}

TEST(EvmEip2200, SstoreNeedsMoreThanTheStipend) {
    const Program code = program().sstore(0, 0);
    EXPECT_EQ(World(Revision::Istanbul).run(code, 2300 + 2 * kPush).status, Status::OutOfGas);
    EXPECT_EQ(World(Revision::Istanbul).run(code, 2301 + 2 * kPush).status, Status::Success);
    EXPECT_EQ(World(Revision::Constantinople).run(code, 200 + 2 * kPush).status, Status::Success);
}

TEST(EvmEip1884, RepricesTrieReads) {
    EXPECT_EQ(World(Revision::Petersburg).gas_of(program().push(0).add(Op::Sload)) - kPush, 200);
    EXPECT_EQ(World(Revision::Istanbul).gas_of(program().push(0).add(Op::Sload)) - kPush, 800);
    EXPECT_EQ(World(Revision::Istanbul).gas_of(program().push(0).add(Op::Balance)) - kPush, 700);
    EXPECT_EQ(World(Revision::Istanbul).gas_of(program().push(0).add(Op::Extcodehash)) - kPush, 700);
    EXPECT_EQ(World(Revision::Istanbul).gas_of(program().add(Op::Selfbalance)), 5);
}

TEST(EvmEip1344, ChainId) {
    World world(Revision::Istanbul);
    world.block.chain_id = 1234321;
    EXPECT_EQ(world.value_of(program().add(Op::Chainid).return_top()), 1234321);
}

TEST(EvmEip2929, FirstAccessIsDearer) {
    World world(Revision::Berlin);
    const auto twice = [&](Op op) {
        Program once = program().push(account(0x42)).add(op).add(Op::Pop);
        const std::int64_t first = world.gas_of(once);
        return std::pair{first, world.gas_of(program().add(once).add(once)) - first};
    };
    for (const Op op : {Op::Balance, Op::Extcodesize, Op::Extcodehash})
        EXPECT_EQ(twice(op), (std::pair<std::int64_t, std::int64_t>{2600 + 5, 100 + 5}));
    EXPECT_EQ(twice(Op::Sload), (std::pair<std::int64_t, std::int64_t>{2100 + 5, 100 + 5}));
    const Program call = program().call(Op::Staticcall, account(0x42), 0).add(Op::Pop);
    EXPECT_EQ(world.gas_of(call), 2600 + 6 * kPush + 2);
    EXPECT_EQ(world.gas_of(program().add(call).add(call)), 2700 + 2 * (6 * kPush + 2));
}

TEST(EvmEip2929, WarmthIsUndoneByRevert) {
    World world(Revision::Berlin);
    world.deploy(kOther, program().push(account(0x42)).add(Op::Balance).push(0).push(0).add(Op::Revert));
    const Program code = program().call(Op::Call, kOther, 100'000).push(account(0x42)).add(Op::Balance);
    const std::int64_t callee = kPush + 2600 + 2 * kPush;
    EXPECT_EQ(world.gas_of(code), 7 * kPush + 2600 + callee + kPush + 2600);
}

TEST(EvmEip3198, BaseFee) {
    EXPECT_EQ(World(Revision::London).value_of(program().add(Op::Basefee).return_top()), 7);
}

TEST(EvmEip3529, NoRefundForSelfdestruct) {
    const Program code = program().push(kOther).add(Op::Selfdestruct);
    World before(Revision::Berlin);
    (void)before.run(code);
    EXPECT_EQ(before.state->refund(), 24000);
    World after(Revision::London);
    (void)after.run(code);
    EXPECT_EQ(after.state->refund(), 0);
}

TEST(EvmEip3541, RejectsCodeThatBeginsWithEf) {
    const Program init = program().push(0xef).push(0).add(Op::Mstore8).push(1).push(0).add(Op::Return);
    for (const Revision revision : {Revision::Berlin, Revision::London}) {
        World world(revision);
        Message message = world.message();
        message.kind = CallKind::Create;
        message.input = init.code();
        EXPECT_EQ(world.run(message).status,
                  revision == Revision::Berlin ? Status::Success : Status::InvalidCode);
    }
}

TEST(EvmEip4399, PrevRandao) {
    EXPECT_EQ(World(Revision::Paris).value_of(program().add(Op::Prevrandao).return_top()), 0x1234);
}

TEST(EvmEip3855, Push0) {
    EXPECT_EQ(World(Revision::Shanghai).gas_of(program().add(Op::Push0)), 2);
    EXPECT_EQ(World(Revision::Shanghai).value_of(program().add(Op::Push0).return_top()), 0);
}

TEST(EvmEip3860, MetersAndLimitsInitCode) {
    const auto create = [](std::size_t size) { return program().push(size).push(0).push(0).add(Op::Create); };
    const std::int64_t memory = 3 * 32 + 32 * 32 / 512;
    const auto pushes = 3 * kPush;
    EXPECT_EQ(World(Revision::Paris).gas_of(create(1024)), pushes + 32000 + memory);
    EXPECT_EQ(World(Revision::Shanghai).gas_of(create(1024)), pushes + 32000 + memory + 2 * 32);
    EXPECT_EQ(World(Revision::Shanghai).run(create(49152)).status, Status::Success);
    EXPECT_EQ(World(Revision::Shanghai).run(create(49153)).status, Status::InitCodeSizeExceeded);
    EXPECT_EQ(World(Revision::Paris).run(create(49153)).status, Status::Success);
}

TEST(EvmEip1153, TransientStorageIsPerAccountAndReverts) {
    World world(Revision::Cancun);
    world.deploy(kOther, program().push(9).push(1).add(Op::Tstore).push(0).push(0).add(Op::Revert));
    EXPECT_EQ(world.value_of(program()
                                 .push(5)
                                 .push(1)
                                 .add(Op::Tstore)
                                 .call(Op::Call, kOther, 100'000)
                                 .call(Op::Delegatecall, kOther, 100'000)
                                 .push(1)
                                 .add(Op::Tload)
                                 .return_top()),
              5);
    EXPECT_EQ(World(Revision::Cancun).gas_of(program().push(5).push(1).add(Op::Tstore)), 106);
}

TEST(EvmEip5656, McopyOverlaps) {
    World world(Revision::Cancun);
    const u256 pattern = 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f_u256;
    EXPECT_EQ(world.value_of(program()
                                 .push(pattern)
                                 .push(0)
                                 .add(Op::Mstore)
                                 .push(31)
                                 .push(0)
                                 .push(1)
                                 .add(Op::Mcopy)
                                 .push(0)
                                 .add(Op::Mload)
                                 .return_top()),
              pattern >> 8);
}

TEST(EvmEip4844, BlobHash) {
    World world(Revision::Cancun);
    const Hash hashes[] = {to_hash(11), to_hash(22)};
    world.txn.blob_hashes = hashes;
    EXPECT_EQ(world.value_of(program().push(1).add(Op::Blobhash).return_top()), 22);
    EXPECT_EQ(world.value_of(program().push(2).add(Op::Blobhash).return_top()), 0);
    EXPECT_EQ(world.value_of(program().push(u256::max()).add(Op::Blobhash).return_top()), 0);
}

TEST(EvmEip7516, BlobBaseFee) {
    EXPECT_EQ(World(Revision::Cancun).value_of(program().add(Op::Blobbasefee).return_top()), 3);
}

TEST(EvmEip6780, OnlyNewContractsAreDestroyed) {
    for (const Revision revision : {Revision::Shanghai, Revision::Cancun}) {
        World world(revision);
        world.deploy(kContract, program().push(kOther).add(Op::Selfdestruct), 7);
        (void)world.run();
        EXPECT_EQ(world.state->balance(kOther), 7);
        EXPECT_EQ(world.state->balance(kContract), 0);
        EXPECT_EQ(world.state->is_destroyed(world.state->load(kContract)), revision == Revision::Shanghai);
        // To itself: burns the balance, or does nothing.
        world.deploy(kContract, program().push(kContract).add(Op::Selfdestruct), 7);
        (void)world.run();
        EXPECT_EQ(world.state->balance(kContract), revision == Revision::Shanghai ? 0 : 7);
    }
    World world(Revision::Cancun);
    const Program init = program().add(Op::Address).add(Op::Selfdestruct);
    world.deploy(kContract, program().create(init, 3).return_top(), 3);
    const CallResult result = world.run();
    const Address created = to_address(load_be(result.output));
    EXPECT_TRUE(world.state->is_destroyed(world.state->load(created)));
    EXPECT_EQ(world.state->balance(created), 0);
}

TEST(EvmEip7702, DelegatesRunInTheDelegatorsPlace) {
    World world(Revision::Prague);
    Bytes designator = {0xef, 0x01, 0x00};
    append(designator, kOther);
    const Address delegator = account(0xde);
    world.deploy(delegator, BytesView{designator});
    world.deploy(kOther, program().add(Op::Address).return_top());
    const auto called = [&](const Program& code) { return world.value_of(code); };
    EXPECT_EQ(called(program()
                         .push(32)
                         .push(0)
                         .push(0)
                         .push(0)
                         .push(delegator)
                         .push(100'000)
                         .add(Op::Staticcall)
                         .add(Op::Pop)
                         .push(0)
                         .add(Op::Mload)
                         .return_top()),
              from_address(delegator));
    EXPECT_EQ(called(program().push(delegator).add(Op::Extcodesize).return_top()), 23);
    EXPECT_EQ(called(program().push(delegator).add(Op::Extcodehash).return_top()),
              from_hash(crypto::keccak256(designator)));
    // Both accounts are accessed first; the callee costs 6 pushes' worth less than its own program.
    const std::int64_t callee = 2 + 2 * kPush + 3 + 3 + 2 * kPush - kPush;
    world.deploy(kOther, program().add(Op::Stop));
    (void)callee;
    EXPECT_EQ(world.gas_of(program().call(Op::Staticcall, delegator, 100'000)), 6 * kPush + 2600 + 2600);
}

TEST(EvmEip7702, ADelegatesDelegationIsNotFollowed) {
    World world(Revision::Prague);
    Bytes to_first = {0xef, 0x01, 0x00};
    append(to_first, account(0xd1));
    world.deploy(account(0xd1), BytesView{to_first});
    EXPECT_EQ(world.value_of(program().call(Op::Call, account(0xd1), 1000).return_top()), 0);
    // A delegation to a precompile runs nothing, successfully.
    Bytes to_precompile = {0xef, 0x01, 0x00};
    append(to_precompile, left_padded<20>(std::array<std::uint8_t, 1>{5}));
    world.deploy(account(0xd2), BytesView{to_precompile});
    EXPECT_EQ(world.value_of(program().call(Op::Call, account(0xd2), 1000).return_top()), 1);
}

TEST(EvmEip7939, CountsLeadingZeros) {
    World world(Revision::Osaka);
    for (const auto& [x, zeros] :
         {std::pair<u256, u256>{0, 256}, {1, 255}, {u256::max(), 0}, {u256{1} << 200, 55}})
        EXPECT_EQ(world.value_of(program().push(x).add(Op::Clz).return_top()), zeros);
    EXPECT_EQ(world.gas_of(program().push(1).add(Op::Clz)), kPush + 5);
}

}  // namespace
}  // namespace meridian::evm
