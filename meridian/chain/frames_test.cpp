// Frames as contracts see them, and as a block is made of them.
#include <meridian/chain/frames.hpp>

#include <meridian/chain/chain_fixture.hpp>
#include <meridian/crypto/keccak.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

using namespace testing;
using evm::Revision;

constexpr std::uint64_t kSecond = 1000000;
constexpr FrameContext kFirst{41, 0, 1000 * kSecond + 5};
constexpr FrameContext kSecondFrame{42, 1, 1000 * kSecond + 10005};

struct Fixture : BlockFixture {
    Fixture() : BlockFixture(Revision::Cancun) { config.frames_time = 1000; }

    // The gas limit of the next call.
    TxnOutcome call(BytesView data, const u256& value = {}) {
        Transaction txn;
        txn.nonce = state().nonce(kSender);
        txn.max_fee_per_gas = txn.max_priority_fee_per_gas = 100;
        txn.gas_limit = 50000;
        txn.to = kFrameContract;
        txn.data = to_bytes(data);
        txn.value = value;
        auto outcome = execute(txn);
        EXPECT_TRUE(outcome.has_value());
        return outcome.value_or(TxnOutcome{});
    }
    Bytes answer(std::string_view signature) {
        const TxnOutcome outcome = call(BytesView(crypto::keccak256(as_bytes(signature)).bytes).first(4));
        EXPECT_EQ(outcome.status, evm::Status::Success) << signature;
        return outcome.output;
    }
};

Bytes words(std::initializer_list<u256> values) {
    Bytes out;
    for (const u256& value : values)
        append(out, to_hash(value));
    return out;
}

TEST(Frames, ContractAnswers) {
    Fixture fixture;
    const FrameContext frame{~std::uint64_t{0} - 1, 0, ~std::uint64_t{0} - 2};
    ASSERT_TRUE(fixture.executor().begin_frame(frame).has_value());
    EXPECT_EQ(fixture.answer("frameNumber()"), words({frame.number}));
    EXPECT_EQ(fixture.answer("frameIndex()"), words({frame.index}));
    EXPECT_EQ(fixture.answer("frameTimestampMicros()"), words({frame.timestamp_us}));
    EXPECT_EQ(fixture.answer("frame()"), words({frame.number, frame.index, frame.timestamp_us}));
}

TEST(Frames, EveryFieldFillsItsBits) {
    Fixture fixture;
    const FrameContext frame{~std::uint64_t{0}, ~std::uint32_t{0}, ~std::uint64_t{0}};
    EXPECT_EQ(unpack_frame(pack(frame)), frame);
    write_frame(fixture.state(), frame);
    EXPECT_EQ(last_frame(fixture.state()), frame);
    EXPECT_EQ(fixture.answer("frame()"), words({frame.number, frame.index, frame.timestamp_us}));
    EXPECT_EQ(fixture.answer("frameIndex()"), words({frame.index}));
}

TEST(Frames, ContractRefusesWhatItDoesNotKnow) {
    Fixture fixture;
    ASSERT_TRUE(fixture.executor().begin_frame(kFirst).has_value());
    const Hash selector = crypto::keccak256(as_bytes("frame()"));
    EXPECT_EQ(fixture.call(BytesView(selector.bytes).first(4), 1).status, evm::Status::Revert);
    EXPECT_EQ(fixture.call(BytesView(selector.bytes).first(3)).status, evm::Status::Revert);
    EXPECT_EQ(fixture.call({}).status, evm::Status::Revert);
    EXPECT_EQ(fixture.call(BytesView(selector.bytes).first(32)).status, evm::Status::Success);
}

TEST(Frames, EachFrameIsSeenByItsTransactions) {
    Fixture fixture;
    ASSERT_TRUE(fixture.executor().start().has_value());
    ASSERT_TRUE(fixture.executor().begin_frame(kFirst).has_value());
    EXPECT_EQ(fixture.answer("frameNumber()"), words({41}));
    ASSERT_TRUE(fixture.executor().begin_frame(kSecondFrame).has_value());
    EXPECT_EQ(fixture.answer("frame()"), words({42, 1, kSecondFrame.timestamp_us}));
    const auto block = fixture.executor().finish({}, std::vector<Withdrawal>{});
    ASSERT_TRUE(block.has_value());
    const auto& change = block->changes.accounts.at(kFrameContract);
    EXPECT_EQ(change.account->nonce, 1u);
    EXPECT_EQ(change.storage.at(kFrameSlot), pack(kSecondFrame));
    EXPECT_TRUE(equal(block->changes.code.at(change.account->code_hash), frame_contract_code()));
}

TEST(Frames, FollowOnEachOther) {
    const auto refused = [](std::initializer_list<FrameContext> frames) {
        Fixture fixture;
        write_frame(fixture.state(), {40, 7, 999 * kSecond});
        std::size_t begun = 0;
        for (const FrameContext& frame : frames) {
            const FrameContext before = last_frame(fixture.state());
            const auto result = fixture.executor().begin_frame(frame);
            if (!result) {
                EXPECT_EQ(result.error().error, BlockError::InvalidFrames);
                EXPECT_EQ(last_frame(fixture.state()), before);
                return begun;
            }
            EXPECT_EQ(last_frame(fixture.state()), frame);
            ++begun;
        }
        return begun;
    };
    EXPECT_EQ(refused({kFirst, kSecondFrame}), 2u);
    EXPECT_EQ(refused({kFirst, kFirst}), 1u);
    EXPECT_EQ(refused({{42, 0, kFirst.timestamp_us}}), 0u);
    EXPECT_EQ(refused({{40, 0, kFirst.timestamp_us}}), 0u);
    EXPECT_EQ(refused({{41, 1, kFirst.timestamp_us}}), 0u);
    EXPECT_EQ(refused({{41, 0, 1000 * kSecond - 1}}), 0u);
    EXPECT_EQ(refused({kFirst, {42, 1, kFirst.timestamp_us - 1}}), 1u);
    EXPECT_EQ(refused({kFirst, {42, 1, kFirst.timestamp_us}}), 2u);
}

TEST(Frames, AreNothingOnOtherChains) {
    Fixture fixture;
    fixture.config.frames_time = 1001;
    EXPECT_TRUE(fixture.executor().begin_frame(kFirst).has_value());
    EXPECT_TRUE(fixture.state().changes().accounts.empty());
    EXPECT_FALSE(fixture.state().exists(kFrameContract));
}

// --- whole blocks -----------------------------------------------------------------------------------------

// A deposit that stores nothing but calls the contract; deposits need no signature.
Transaction deposit() {
    Transaction txn;
    txn.type = TxnType::Deposit;
    txn.from = kSender;
    txn.to = kContract;
    txn.gas_limit = 200000;
    return txn;
}

// Stores what frame() gives at the next free slot: slot 0 counts the calls.
Bytes recorder() {
    Bytes code = {0x63, 0x5a, 0x11, 0x06, 0xd2, 0x5f, 0x52,         // selector at byte 28
                  0x60, 0x60, 0x5f, 0x60, 0x04, 0x60, 0x1c, 0x73};  // out, in
    append(code, kFrameContract);
    append(code, Bytes{0x5a, 0xfa, 0x50,                                // STATICCALL
                       0x5f, 0x54, 0x60, 0x01, 0x01, 0x80, 0x5f, 0x55,  // count it
                       0x5f, 0x51, 0x90, 0x55, 0x00});                  // number at that slot
    return code;
}

struct WholeBlock {
    WholeBlock() : config(ChainConfig::all_from_genesis(Revision::Cancun)) {
        config.frames_time = 0;
        config.op = OpConfig{};
        config.op->regolith_time = 0;
        state.set_code(kContract, recorder());
        parent.gas_limit = 30000000;
        parent.base_fee = u256{10};
        parent.timestamp = 998;
        parent.blob_gas_used = parent.excess_blob_gas = 0;
        Header& header = block.header;
        header.number = 1;
        header.timestamp = 1000;
        header.gas_limit = parent.gas_limit;
        header.parent_hash = header_hash(parent);
        header.base_fee = next_base_fee(config, parent, header.timestamp);
        header.blob_gas_used = header.excess_blob_gas = 0;
        header.parent_beacon_block_root = Hash{};
        header.withdrawals_root = withdrawals_root({});
        block.withdrawals.emplace();
        block.transactions.assign(3, deposit());
        header.transactions_root = transactions_root(block.transactions);
    }

    // Fills in what execution gives, so that the second execution is accepted.
    Result<BlockOutcome, BlockFailure> execute(std::span<const FrameBoundary> frames) {
        evm::CodeCache cache;
        NoHashes hashes;
        const ExecutionEnvironment environment{cache, hashes};
        const BlockInput input{.parent = parent, .block = block, .frames = frames};
        auto outcome = execute_block(config, input, state, environment);
        if (outcome || outcome.error().error != BlockError::InvalidGasUsed)
            return outcome;
        state::State scratch(state);
        BlockExecutor executor(config, block.header, scratch, environment);
        EXPECT_TRUE(executor.start().has_value());
        std::size_t next = 0;
        for (std::size_t i = 0; i <= block.transactions.size(); ++i) {
            for (; next < frames.size() && frames[next].first_txn == i; ++next)
                EXPECT_TRUE(executor.begin_frame(frames[next].frame).has_value());
            if (i == block.transactions.size())
                break;
            EXPECT_TRUE(executor.execute(block.transactions[i], kSender).has_value());
        }
        const auto built = executor.finish({}, block.withdrawals);
        EXPECT_TRUE(built.has_value());
        block.header.gas_used = built->gas_used;
        block.header.bloom = built->bloom;
        block.header.receipts_root = receipts_root(built->receipts);
        return execute_block(config, input, state, environment);
    }

    ChainConfig config;
    Header parent;
    Block block;
    state::MemoryState state;
};

TEST(Frames, BlockIsVerifiedWithItsFrames) {
    WholeBlock whole;
    const FrameBoundary frames[] = {{0, kFirst}, {2, kSecondFrame}, {3, {43, 2, kSecondFrame.timestamp_us}}};
    const auto outcome = whole.execute(frames);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    const auto& recorded = outcome->changes.accounts.at(kContract).storage;
    EXPECT_EQ(recorded.at(1), u256{41});
    EXPECT_EQ(recorded.at(2), u256{41});
    EXPECT_EQ(recorded.at(3), u256{42});
    EXPECT_EQ(outcome->changes.accounts.at(kFrameContract).storage.at(kFrameSlot),
              pack({43, 2, kSecondFrame.timestamp_us}));
}

TEST(Frames, BlockIsRefusedWithOtherFrames) {
    const auto error_of = [](std::vector<FrameBoundary> frames, bool active = true) {
        WholeBlock whole;
        if (!active)
            whole.config.frames_time.reset();
        const auto outcome = whole.execute(frames);
        EXPECT_FALSE(outcome.has_value());
        return outcome ? BlockError::IncorrectBlockFormat : outcome.error().error;
    };
    EXPECT_EQ(error_of({}), BlockError::InvalidFrames);
    EXPECT_EQ(error_of({{1, kFirst}}), BlockError::InvalidFrames);
    EXPECT_EQ(error_of({{0, kFirst}, {4, kSecondFrame}}), BlockError::InvalidFrames);
    EXPECT_EQ(error_of({{0, kFirst}, {2, kSecondFrame}, {1, {43, 2, kSecondFrame.timestamp_us}}}),
              BlockError::InvalidFrames);
    EXPECT_EQ(error_of({{0, kFirst}, {2, kFirst}}), BlockError::InvalidFrames);
    EXPECT_EQ(error_of({{0, kFirst}}, false), BlockError::InvalidFrames);
}

}  // namespace
}  // namespace meridian::chain
