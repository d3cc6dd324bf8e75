#include <meridian/sequencer/pool.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian::sequencer {
namespace {

Address sender(std::uint8_t number) {
    Address out;
    out.bytes[19] = number;
    return out;
}

PooledTxnPtr txn(std::uint8_t from, std::uint64_t nonce, std::uint64_t fee = 100, std::uint64_t at_us = 0) {
    auto out = std::make_shared<PooledTxn>();
    out->sender = sender(from);
    out->txn.nonce = nonce;
    out->txn.max_fee_per_gas = fee;
    out->txn.max_priority_fee_per_gas = fee;
    out->envelope.assign(100, from);
    out->hash.bytes[0] = from;
    out->hash.bytes[1] = static_cast<std::uint8_t>(nonce);
    out->hash.bytes[2] = static_cast<std::uint8_t>(nonce >> 8);
    out->hash.bytes[3] = static_cast<std::uint8_t>(fee);
    out->hash.bytes[4] = static_cast<std::uint8_t>(fee >> 8);
    out->arrived_us = at_us;
    return out;
}

std::vector<std::uint64_t> nonces(const std::vector<PooledTxnPtr>& txns) {
    std::vector<std::uint64_t> out;
    for (const PooledTxnPtr& one : txns)
        out.push_back(one->txn.nonce);
    return out;
}

using Nonces = std::vector<std::uint64_t>;

TEST(Pool, GivesEachSendersTransactionsByNonceWhateverTheirArrival) {
    Pool pool;
    const auto gapped = pool.add(txn(1, 2), 0);
    ASSERT_TRUE(gapped);
    EXPECT_EQ(gapped->missing_nonce, 0u);
    EXPECT_TRUE(pool.take(10, 0).empty());
    ASSERT_TRUE(pool.add(txn(1, 1), 0));
    const auto closing = pool.add(txn(1, 0), 0);
    ASSERT_TRUE(closing);
    EXPECT_FALSE(closing->missing_nonce);
    EXPECT_EQ(pool.next_nonce(sender(1), 0), 3u);
    EXPECT_EQ(nonces(pool.take(10, 0)), (Nonces{0, 1, 2}));
    EXPECT_EQ(pool.size(), 0u);
}

TEST(Pool, ServesSendersInOrderOfArrival) {
    Pool pool;
    for (const std::uint8_t from : std::initializer_list<std::uint8_t>{3, 1, 2})
        ASSERT_TRUE(pool.add(txn(from, 0), 0));
    const auto taken = pool.take(2, 0);
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_EQ(taken[0]->sender, sender(3));
    EXPECT_EQ(taken[1]->sender, sender(1));
    EXPECT_EQ(pool.executable(), 1u);
}

TEST(Pool, RefusesWhatCannotBeExecutedEver) {
    Pool pool({.nonce_gap = 5});
    EXPECT_EQ(pool.add(txn(1, 3), 4).error().error, PoolError::NonceTooLow);
    const auto ahead = pool.add(txn(1, 10), 4);
    ASSERT_FALSE(ahead);
    EXPECT_EQ(ahead.error().error, PoolError::NonceTooHigh);
    EXPECT_EQ(ahead.error().expected_nonce, 4u);
    ASSERT_TRUE(pool.add(txn(1, 9), 4));
    EXPECT_EQ(pool.add(txn(1, 9), 4).error().error, PoolError::AlreadyKnown);
}

// An ingress reads the state, then a frame with the sender's transactions appears and the pool forgets him:
// what was read would put the next transaction behind a gap that nobody ever fills.
TEST(Pool, TakesNoNonceFromBeforeItForgotTheSender) {
    Pool pool;
    ASSERT_TRUE(pool.add(txn(1, 0), 0, 6));
    pool.settle(pool.take(1, 0), 7);
    const auto outdated = pool.add(txn(1, 1), 0, 6);
    ASSERT_FALSE(outdated);
    EXPECT_EQ(outdated.error().error, PoolError::Outdated);
    const auto added = pool.add(txn(1, 1), 1, 7);
    ASSERT_TRUE(added);
    EXPECT_FALSE(added->missing_nonce);
    // Of one that the pool knows, it knows enough.
    EXPECT_TRUE(pool.add(txn(1, 2), 0, 6));
    EXPECT_EQ(nonces(pool.take(10, 0)), (Nonces{1, 2}));
}

TEST(Pool, ReplacesForTenPercentMoreInPlace) {
    Pool pool;
    ASSERT_TRUE(pool.add(txn(1, 0, 100), 0));
    ASSERT_TRUE(pool.add(txn(1, 1, 100), 0));
    EXPECT_EQ(pool.add(txn(1, 0, 109), 0).error().error, PoolError::ReplacementUnderpriced);
    const auto replaced = pool.add(txn(1, 0, 110), 0);
    ASSERT_TRUE(replaced);
    ASSERT_TRUE(replaced->replaced);
    EXPECT_FALSE(replaced->missing_nonce);
    EXPECT_EQ(pool.find(txn(1, 0, 100)->hash), nullptr);
    const auto taken = pool.take(10, 0);
    EXPECT_EQ(nonces(taken), (Nonces{0, 1}));
    EXPECT_EQ(taken[0]->txn.max_fee_per_gas, 110u);
}

TEST(Pool, KeepsWhatIsInFlightKnownUntilItIsSettled) {
    Pool pool;
    const auto first = txn(1, 0);
    ASSERT_TRUE(pool.add(first, 0));
    const auto taken = pool.take(10, 0);
    EXPECT_EQ(pool.add(first, 0).error().error, PoolError::AlreadyKnown);
    // Readers still see nonce 0, but the executor is past it.
    EXPECT_FALSE(pool.add(txn(1, 1), 0)->missing_nonce);
    EXPECT_EQ(nonces(pool.take(10, 0)), (Nonces{1}));
    pool.settle(taken, 1);
    EXPECT_EQ(pool.find(first->hash), nullptr);
}

TEST(Pool, GivesBackToTheHeadOfTheQueue) {
    Pool pool;
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce)
        ASSERT_TRUE(pool.add(txn(1, nonce), 0));
    ASSERT_TRUE(pool.add(txn(2, 0), 0));
    const auto taken = pool.take(3, 0);
    pool.give_back(std::span(taken).subspan(1));
    EXPECT_EQ(pool.size(), 3u);
    const auto again = pool.take(10, 0);
    EXPECT_EQ(nonces(again), (Nonces{1, 2, 0}));
}

TEST(Pool, HoldsBackWhatFollowsARefusedTransaction) {
    Pool pool;
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce)
        ASSERT_TRUE(pool.add(txn(1, nonce), 0));
    const auto taken = pool.take(2, 0);
    pool.reject(taken[0], 0);
    pool.give_back(std::span(taken).subspan(1));
    EXPECT_TRUE(pool.take(10, 0).empty());
    EXPECT_EQ(pool.size(), 2u);
    ASSERT_TRUE(pool.add(txn(1, 0, 200), 0));
    EXPECT_EQ(nonces(pool.take(10, 0)), (Nonces{0, 1, 2}));
}

TEST(Pool, ParksWhatDoesNotPayTheBaseFee) {
    Pool pool;
    ASSERT_TRUE(pool.add(txn(1, 0, 50), 0));
    ASSERT_TRUE(pool.add(txn(1, 1, 500), 0));
    ASSERT_TRUE(pool.add(txn(2, 0, 500), 0));
    EXPECT_EQ(pool.take(10, 100).size(), 1u);
    EXPECT_TRUE(pool.take(10, 100).empty());
    pool.unpark(51);
    EXPECT_TRUE(pool.take(10, 51).empty());
    pool.unpark(50);
    EXPECT_EQ(nonces(pool.take(10, 50)), (Nonces{0, 1}));
}

TEST(Pool, TakesWhatWasParkedOnceItsReplacementPays) {
    Pool pool({.gap_life_us = 1'000});
    ASSERT_TRUE(pool.add(txn(1, 0, 50), 0));
    ASSERT_TRUE(pool.add(txn(2, 0, 50), 0));
    EXPECT_TRUE(pool.take(10, 100).empty());
    ASSERT_TRUE(pool.add(txn(1, 0, 500), 0));
    EXPECT_EQ(nonces(pool.take(10, 100)), (Nonces{0}));
    EXPECT_EQ(pool.drop_expired(1'000), 1u);  // of sender 2
    pool.unpark(0);
    EXPECT_TRUE(pool.take(10, 0).empty());
    EXPECT_EQ(pool.size(), 0u);
}

TEST(Pool, DropsWhatHasWaitedBehindAGapForLongestToMakeRoom) {
    Pool pool({.total = 3});
    ASSERT_TRUE(pool.add(txn(1, 5, 900, 20), 0));
    ASSERT_TRUE(pool.add(txn(2, 5, 100, 10), 0));
    ASSERT_TRUE(pool.add(txn(3, 5, 500, 30), 0));
    ASSERT_TRUE(pool.add(txn(4, 0, 1), 0));
    EXPECT_EQ(pool.find(txn(2, 5, 100)->hash), nullptr);
    EXPECT_NE(pool.find(txn(1, 5, 900)->hash), nullptr);
    // One that is filled is behind no gap any more.
    for (std::uint64_t nonce = 0; nonce < 5; ++nonce) {
        const auto added = pool.add(txn(1, nonce, 1), 0);
        EXPECT_EQ(added.has_value(), nonce == 0);
    }
    EXPECT_EQ(pool.find(txn(3, 5, 500)->hash), nullptr);
    EXPECT_EQ(pool.size(), 3u);
}

TEST(Pool, WhenFullMakesRoomForWhoPaysMoreAndCanBeExecuted) {
    Pool pool({.total = 4, .per_sender = 4});
    for (std::uint8_t from = 1; from <= 3; ++from)
        ASSERT_TRUE(pool.add(txn(from, 0, 100u * from), 0));
    ASSERT_TRUE(pool.add(txn(4, 7, 900), 0));  // behind a gap: the first to go
    EXPECT_EQ(pool.add(txn(5, 9, 999), 0).error().error, PoolError::PoolFull);
    ASSERT_TRUE(pool.add(txn(6, 0, 50), 0));
    EXPECT_EQ(pool.find(txn(4, 7, 900)->hash), nullptr);
    EXPECT_EQ(pool.add(txn(7, 0, 50), 0).error().error, PoolError::PoolFull);
    ASSERT_TRUE(pool.add(txn(7, 0, 60), 0));
    EXPECT_EQ(pool.find(txn(6, 0, 50)->hash), nullptr);
    EXPECT_EQ(pool.size(), 4u);
}

TEST(Pool, BoundsASender) {
    Pool pool({.per_sender = 2});
    ASSERT_TRUE(pool.add(txn(1, 0), 0));
    ASSERT_TRUE(pool.add(txn(1, 1), 0));
    const auto refused = pool.add(txn(1, 2), 0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error, PoolError::SenderFull);
    EXPECT_EQ(refused.error().expected_nonce, 2u);
}

TEST(Pool, BoundsBytes) {
    Pool pool({.bytes = 250});
    ASSERT_TRUE(pool.add(txn(1, 0), 0));
    ASSERT_TRUE(pool.add(txn(2, 0), 0));
    EXPECT_EQ(pool.add(txn(3, 0), 0).error().error, PoolError::PoolFull);
}

TEST(Pool, DropsWhatWaitsBehindAGapForTooLong) {
    Pool pool({.gap_life_us = 1'000});
    ASSERT_TRUE(pool.add(txn(1, 0, 100, 0), 0));
    ASSERT_TRUE(pool.add(txn(1, 5, 100, 0), 0));
    ASSERT_TRUE(pool.add(txn(2, 5, 100, 500), 0));
    EXPECT_EQ(pool.drop_expired(1'000), 1u);
    EXPECT_EQ(pool.size(), 2u);
}

TEST(Pool, FollowsANonceThatTheStateRaised) {
    Pool pool;
    ASSERT_TRUE(pool.add(txn(1, 0), 0));
    ASSERT_TRUE(pool.add(txn(1, 2), 0));
    ASSERT_TRUE(pool.add(txn(1, 3), 2));  // an authorisation made nonces 0 and 1 obsolete
    EXPECT_EQ(nonces(pool.take(10, 0)), (Nonces{2, 3}));
    EXPECT_EQ(pool.size(), 0u);
}

// Against a simple model: per sender, whatever is added, taken, given back, rejected and settled, what is
// taken is each sender's next nonce, exactly once, and nothing that was accepted is lost.
TEST(Pool, NeverLosesOrRepeatsATransaction) {
    std::mt19937_64 random(42);
    Pool pool({.total = 1000, .per_sender = 64, .nonce_gap = 64});
    constexpr std::uint8_t kSenders = 5;
    std::array<std::uint64_t, kSenders> state{};  // nonces as executed
    std::array<std::map<std::uint64_t, bool>, kSenders> accepted;
    for (int round = 0; round < 20'000; ++round) {
        const auto who = static_cast<std::uint8_t>(random() % kSenders);
        if (random() % 3 != 0) {
            const std::uint64_t nonce = state[who] + random() % 12;
            if (pool.add(txn(who, nonce), state[who]))
                accepted[who][nonce] = true;
            continue;
        }
        const auto taken = pool.take(1 + random() % 6, 0);
        std::size_t used = 0;
        while (used < taken.size() && random() % 8 != 0) {
            const PooledTxnPtr& one = taken[used++];
            const std::uint8_t from = one->sender.bytes[19];
            ASSERT_EQ(one->txn.nonce, state[from]);
            ASSERT_TRUE(accepted[from].erase(one->txn.nonce));
            if (random() % 16 == 0) {
                pool.reject(one, state[from]);
                break;
            }
            ++state[from];
            pool.settle(std::span(&one, 1), 1);
        }
        pool.give_back(std::span(taken).subspan(used));
    }
    std::size_t waiting = 0;
    for (std::uint8_t who = 0; who < kSenders; ++who) {
        waiting += accepted[who].size();
        const auto held = pool.of_sender(sender(who));
        ASSERT_EQ(held.size(), accepted[who].size());
        for (const auto& [nonce, one] : held)
            EXPECT_TRUE(accepted[who].contains(nonce));
    }
    EXPECT_EQ(pool.size(), waiting);
}

}  // namespace
}  // namespace meridian::sequencer
