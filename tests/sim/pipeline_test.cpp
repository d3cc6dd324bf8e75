// The pipeline as a whole, in simulated time: what a sender, a reader and an operator may rely on.
#include <meridian/base/hex.hpp>

#include "testkit/world.hpp"

#include <gtest/gtest.h>

namespace meridian {
namespace {

using sequencer::SubmitError;
using testkit::World;
using testkit::WorldOptions;

constexpr std::uint64_t kMs = 1'000;
constexpr std::uint64_t kSecond = 1'000'000;

TEST(Pipeline, ShowsATransferInAFrameAtOnceAndInABlockAfterTheSecond) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(10 * kMs);
    const auto before = world.node().status();
    EXPECT_EQ(before.block, 1u);
    const auto result = world.submit(world.transfer(0, 1, 0));
    world.run_for(kMs);
    ASSERT_TRUE(result->has_value());
    ASSERT_TRUE((*result)->has_value()) << (**result).error().message;
    const Hash hash = (**result)->hash;
    ASSERT_TRUE(world.promises.txns.contains(hash));
    const auto head = world.node().live().head();
    EXPECT_EQ(head->version, before.frame + 1);
    const auto place = world.node().live().find_transaction(*head, hash);
    ASSERT_TRUE(place && *place);
    EXPECT_EQ((*place)->block, 1u);
    EXPECT_FALSE((*world.node().live().block(*head, 1))->sealed());
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 1u);
    world.run_for(2 * kSecond, 10 * kMs);
    const auto later = world.node().live().head();
    EXPECT_TRUE((*world.node().live().block(*later, 1))->sealed());
    EXPECT_GE(world.node().status().stored_block, 1u);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, SealsABlockASecondEvenWithoutWork) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(5 * kSecond, 10 * kMs);
    const auto status = world.node().status();
    EXPECT_GE(status.sealed_block, 4u);
    EXPECT_EQ(status.frame, status.block);  // the opening frames, nothing else
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, ExecutesChainsOfNoncesWhateverTheirArrival) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    for (const std::uint64_t nonce : {3, 1, 2})
        (void)world.submit(world.transfer(0, 1, nonce));
    world.run_for(20 * kMs);
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 0u);
    const auto last = world.submit(world.transfer(0, 1, 0));
    world.run_for(20 * kMs);
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 4u);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, SaysWhichNonceIsMissing) {
    World world;
    ASSERT_EQ(world.start(), "");
    const auto result = world.submit(world.transfer(0, 1, 2));
    world.settle();
    ASSERT_TRUE(result->has_value() && (*result)->has_value());
    EXPECT_EQ((**result)->missing_nonce, 0u);
}

TEST(Pipeline, RefusesWithWordsWhatIsInvalid) {
    World world;
    ASSERT_EQ(world.start(), "");
    const auto garbage = world.submit(Bytes{0x02, 0x01});
    chain::Transaction poor;
    poor.type = chain::TxnType::DynamicFee;
    poor.gas_limit = 21'000;
    poor.max_fee_per_gas = 10'000'000'000;
    poor.to = world.account(1);
    poor.value = u256{1} << 200;
    const auto broke = world.submit(world.sign(poor, 0));
    world.settle();
    ASSERT_TRUE(garbage->has_value() && broke->has_value());
    EXPECT_EQ((*garbage)->error().error, SubmitError::Malformed);
    EXPECT_EQ((*broke)->error().error, SubmitError::InsufficientFunds);
}

// Whoever submits more than can be checked is told so, and waits for himself.
TEST(Pipeline, AClientThatFloodsTheIngressLeavesRoomAndTurnsToOthers) {
    constexpr ClientId kGreedy = 1, kOther = 2;
    WorldOptions options;
    options.pipeline.ingress.queue_max = 100;
    options.pipeline.ingress.batch = 16;
    World world(options);
    ASSERT_EQ(world.start(), "");
    std::size_t busy = 0, checked = 0;
    for (int i = 0; i < 200; ++i)
        world.node().submit(
            Bytes{0x02, 0x01},
            [&](const sequencer::SubmitResult& result) {
                ++(result.error().error == SubmitError::Busy ? busy : checked);
            },
            kGreedy);
    EXPECT_EQ(busy, 150u);
    std::optional<sequencer::SubmitResult> other;
    world.node().submit(
        world.transfer(0, 1, 0), [&](sequencer::SubmitResult result) { other = std::move(result); }, kOther);
    EXPECT_FALSE(other);
    ASSERT_TRUE(world.step(0));
    ASSERT_TRUE(other);
    EXPECT_TRUE(other->has_value());
    EXPECT_EQ(checked, 2u) << "of one that is not alone, an eighth of a batch";
    world.settle();
    EXPECT_EQ(checked, 50u);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, AClientThatIsAloneHasWholeBatches) {
    WorldOptions options;
    options.pipeline.ingress.batch = 16;
    World world(options);
    ASSERT_EQ(world.start(), "");
    world.run_for(2 * kSecond);
    std::size_t checked = 0;
    const auto flood = [&] {
        for (int i = 0; i < 32; ++i)
            world.node().submit(Bytes{0x02, 0x01}, [&](const sequencer::SubmitResult&) { ++checked; }, 1);
    };
    flood();
    world.run_for(2 * kSecond);
    EXPECT_EQ(checked, 32u);
    flood();
    ASSERT_TRUE(world.step(0));
    EXPECT_EQ(checked, 48u);
}

TEST(Pipeline, GoesOnBehindTheLastFrameAfterAKill) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    for (std::uint64_t nonce = 0; nonce < 5; ++nonce) {
        (void)world.submit(world.transfer(0, 1, nonce));
        world.run_for(3 * kMs);
    }
    const auto before = world.node().live().head();
    world.kill();
    ASSERT_EQ(world.start(), "");
    const auto after = world.node().live().head();
    EXPECT_EQ(after->version, before->version);
    EXPECT_EQ(after->frame_hash, before->frame_hash);
    EXPECT_EQ(after->block_number(), before->block_number());
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 5u);
    EXPECT_EQ(world.check(), "");
    (void)world.submit(world.transfer(0, 1, 5));
    world.run_for(3 * kSecond, 10 * kMs);
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 6u);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, KeepsAcrossManyBlocksAndRestarts) {
    World world;
    std::uint64_t nonce = 0;
    for (int life = 0; life < 4; ++life) {
        ASSERT_EQ(world.start(), "");
        for (int i = 0; i < 20; ++i) {
            (void)world.submit(world.transfer(0, 1, nonce++));
            world.run_for(170 * kMs, 5 * kMs);
        }
        ASSERT_EQ(world.check(), "") << "life " << life;
        ASSERT_EQ(world.account_now(world.account(0)).nonce, nonce);
        world.kill();
    }
}

TEST(Pipeline, PublishesNothingThatTheDiskDoesNotHaveAndGoesOnWhenItCan) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    const std::uint64_t published = world.node().status().frame;
    world.disk.set_free_bytes(100);
    (void)world.submit(world.transfer(0, 1, 0));
    world.run_for(20 * kMs);
    EXPECT_EQ(world.node().status().frame, published);
    EXPECT_NE(world.node().status().fault, "");
    const auto refused = world.submit(world.transfer(1, 2, 0));
    world.settle();
    ASSERT_TRUE(refused->has_value());
    ASSERT_FALSE((*refused)->has_value());
    EXPECT_EQ((*refused)->error().error, SubmitError::Busy);
    EXPECT_NE((*refused)->error().message.find("disk"), std::string::npos) << (*refused)->error().message;
    world.disk.set_free_bytes(std::nullopt);
    world.run_for(500 * kMs, 10 * kMs);
    EXPECT_EQ(world.node().status().fault, "");
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 1u);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, KeepsEveryBlockWhenTheDiskIsFullForSeconds) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    world.disk.set_free_bytes(100);
    world.run_for(5 * kSecond, 10 * kMs);
    world.disk.set_free_bytes(std::nullopt);
    world.run_for(5 * kSecond, 10 * kMs);
    EXPECT_EQ(world.node().status().fault, "");
    EXPECT_GE(world.node().status().stored_block, 6u);
    EXPECT_EQ(world.check(), "");
    world.kill();
    ASSERT_EQ(world.start(), "");
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, HoldsTheExecutorBackWhenPublishingDoesNotKeepUp) {
    WorldOptions options;
    options.pipeline.publisher_frames_max = 4;
    options.pipeline.executor.frame_txns_max = 1;
    World world(options);
    ASSERT_EQ(world.start(), "");
    for (std::uint64_t nonce = 0; nonce < 20; ++nonce)
        (void)world.submit(world.transfer(0, 1, nonce));
    // Everything but the publisher works.
    for (int i = 0; i < 200; ++i) {
        world.clock.advance(kMs);
        for (const std::size_t stage : {0, 1, 3, 4})
            world.step(stage);
    }
    EXPECT_LE(world.node().status().publisher_waiting, 4u);
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 0u);
    world.run_for(100 * kMs);
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 20u);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, MakesBlocksAtTheSamePaceWhenTheClockIsSetBack) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(3 * kSecond, 10 * kMs);
    const std::uint64_t blocks = world.node().status().sealed_block;
    world.clock.jump(-3'600 * static_cast<std::int64_t>(kSecond));
    world.run_for(5 * kSecond, 10 * kMs);
    EXPECT_GE(world.node().status().sealed_block, blocks + 4);
    world.clock.jump(7'200 * static_cast<std::int64_t>(kSecond));
    world.run_for(3 * kSecond, 10 * kMs);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, CutsFramesAtTheirTimeAndCount) {
    WorldOptions options;
    options.pipeline.executor.frame_txns_max = 3;
    World world(options);
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    const std::uint64_t before = world.node().status().frame;
    for (std::uint64_t nonce = 0; nonce < 9; ++nonce)
        (void)world.submit(world.transfer(0, 1, nonce));
    world.run_for(20 * kMs);
    EXPECT_GE(world.node().status().frame, before + 3);
    EXPECT_EQ(world.check(), "");
}

TEST(Pipeline, ReportsWhatThePoolAcceptedAndTheExecutorRefuses) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    // Each passes alone, both together cost more than there is.
    const u256 most = u256{600'000'000'000'000'000};
    for (std::uint64_t nonce = 0; nonce < 2; ++nonce) {
        chain::Transaction txn;
        txn.type = chain::TxnType::DynamicFee;
        txn.nonce = nonce;
        txn.gas_limit = 21'000;
        txn.max_fee_per_gas = 10'000'000'000;
        txn.to = world.account(1);
        txn.value = most;
        (void)world.submit(world.sign(txn, 0));
    }
    world.run_for(20 * kMs);
    EXPECT_EQ(world.rejected, 1u);
    EXPECT_EQ(world.account_now(world.account(0)).nonce, 1u);
    EXPECT_EQ(world.node().pool().size(), 0u);
    EXPECT_EQ(world.check(), "");
}

}  // namespace
}  // namespace meridian
