#include <meridian/base/hex.hpp>
#include <meridian/node/pool.hpp>

#include <gtest/gtest.h>

namespace meridian::node {
namespace {

PooledTxn make(std::uint8_t sender, std::uint64_t nonce, std::uint64_t fee, std::uint64_t tip) {
    PooledTxn out;
    out.sender[19] = sender;
    out.txn.nonce = nonce;
    out.txn.max_fee_per_gas = fee;
    out.txn.max_priority_fee_per_gas = tip;
    out.hash[0] = sender;
    out.hash[1] = static_cast<std::uint8_t>(nonce);
    out.hash[2] = static_cast<std::uint8_t>(fee);
    out.hash[3] = static_cast<std::uint8_t>(fee >> 8);
    return out;
}

std::uint64_t zero(const Address&) {
    return 0;
}

TEST(TxnPool, OrdersByTipAndThenByNonce) {
    TxnPool pool;
    ASSERT_TRUE(pool.add(make(1, 1, 100, 90)));
    ASSERT_TRUE(pool.add(make(1, 0, 100, 1)));
    ASSERT_TRUE(pool.add(make(2, 0, 100, 5)));
    const auto ready = pool.ready(zero, 10);
    ASSERT_EQ(ready.size(), 3u);
    EXPECT_EQ(ready[0]->sender[19], 2);
    EXPECT_EQ(ready[1]->txn.nonce, 0u);
    EXPECT_EQ(ready[2]->txn.nonce, 1u);
}

TEST(TxnPool, EqualTipsKeepTheOrderOfArrival) {
    TxnPool pool;
    for (std::uint8_t sender = 9; sender > 0; --sender)
        ASSERT_TRUE(pool.add(make(sender, 0, 100, 5)));
    const auto ready = pool.ready(zero, 10);
    ASSERT_EQ(ready.size(), 9u);
    EXPECT_EQ(ready.front()->sender[19], 9);
    EXPECT_EQ(ready.back()->sender[19], 1);
}

TEST(TxnPool, AGapOrALowFeeHoldsBack) {
    TxnPool pool;
    ASSERT_TRUE(pool.add(make(1, 1, 100, 1)));
    ASSERT_TRUE(pool.add(make(2, 0, 9, 1)));
    EXPECT_TRUE(pool.ready(zero, 10).empty());
    EXPECT_EQ(pool.next_nonce(make(1, 0, 0, 0).sender, 0), 0u);
    EXPECT_EQ(pool.next_nonce(make(1, 0, 0, 0).sender, 1), 2u);
}

TEST(TxnPool, ReplacementNeedsTenPercentOfBothFees) {
    TxnPool pool;
    ASSERT_TRUE(pool.add(make(1, 0, 100, 100)));
    EXPECT_EQ(pool.add(make(1, 0, 100, 100)).error(), PoolError::AlreadyKnown);
    EXPECT_EQ(pool.add(make(1, 0, 109, 109)).error(), PoolError::ReplacementUnderpriced);
    EXPECT_EQ(pool.add(make(1, 0, 120, 100)).error(), PoolError::ReplacementUnderpriced);
    const auto replaced = pool.add(make(1, 0, 110, 110));
    ASSERT_TRUE(replaced);
    EXPECT_EQ((*replaced)->txn.max_fee_per_gas, u256{100});
    EXPECT_EQ(pool.size(), 1u);
    EXPECT_EQ(pool.find((*replaced)->hash), nullptr);
}

TEST(TxnPool, IsBounded) {
    TxnPool pool({.total = 3, .per_sender = 2});
    ASSERT_TRUE(pool.add(make(1, 0, 1, 1)));
    ASSERT_TRUE(pool.add(make(1, 1, 1, 1)));
    EXPECT_EQ(pool.add(make(1, 2, 1, 1)).error(), PoolError::SenderFull);
    ASSERT_TRUE(pool.add(make(2, 0, 1, 1)));
    EXPECT_EQ(pool.add(make(3, 0, 1, 1)).error(), PoolError::PoolFull);
}

TEST(TxnPool, ForgetsWhatTheStateHasPassed) {
    TxnPool pool;
    for (std::uint64_t nonce = 0; nonce < 5; ++nonce)
        ASSERT_TRUE(pool.add(make(1, nonce, 1, 1)));
    pool.remove_below(make(1, 0, 0, 0).sender, 3);
    EXPECT_EQ(pool.size(), 2u);
    EXPECT_TRUE(pool.remove(make(1, 3, 1, 1).hash));
    EXPECT_FALSE(pool.remove(make(1, 3, 1, 1).hash));
    pool.remove_sender(make(1, 0, 0, 0).sender);
    EXPECT_EQ(pool.size(), 0u);
}

}  // namespace
}  // namespace meridian::node
