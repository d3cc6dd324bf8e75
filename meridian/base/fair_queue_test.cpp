#include <meridian/base/client_shares.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace meridian {
namespace {

std::vector<int> drain(FairQueue<int>& queue) {
    std::vector<int> out;
    while (const auto item = queue.pop())
        out.push_back(*item);
    return out;
}

TEST(FairQueue, GivesEachClientATurnBeforeTheSecondOfAny) {
    FairQueue<int> queue;
    for (int i = 10; i < 14; ++i)
        queue.push(1, i);
    queue.push(2, 20);
    queue.push(3, 30);
    queue.push(2, 21);
    EXPECT_EQ(queue.size(), 7u);
    EXPECT_EQ(queue.size_of(1), 4u);
    EXPECT_EQ(queue.size_of(9), 0u);
    EXPECT_EQ(drain(queue), (std::vector{10, 20, 30, 11, 21, 12, 13}));
    EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, ANewcomerWaitsForOneOfEachOther) {
    FairQueue<int> queue;
    for (int i = 0; i < 1'000; ++i)
        queue.push(1, i);
    EXPECT_EQ(queue.pop(), 0);
    queue.push(2, -1);
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_EQ(queue.pop(), -1);
    EXPECT_EQ(queue.pop(), 2);
}

TEST(FairQueue, PassesOverWhoMayNotTakeATurn) {
    FairQueue<int> queue;
    queue.push(1, 10);
    queue.push(2, 20);
    const auto not_first = [](ClientId client) { return client != 1; };
    EXPECT_EQ(queue.pop_if(not_first), 20);
    EXPECT_EQ(queue.pop_if(not_first), std::nullopt);
    EXPECT_EQ(queue.size(), 1u);
    EXPECT_EQ(queue.pop(), 10);
}

TEST(ClientId, IsAnAddressOrTheNetworkOfOne) {
    const std::array<std::uint8_t, 4> v4{127, 0, 0, 2};
    std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 2};
    EXPECT_EQ(client_id(v4), client_id(mapped));
    EXPECT_NE(client_id(v4), kNobody);
    std::array<std::uint8_t, 16> v6{0x20, 0x01, 0x0d, 0xb8};
    const ClientId network = client_id(v6);
    v6[15] = 7;
    EXPECT_EQ(client_id(v6), network);
    v6[7] = 1;
    EXPECT_NE(client_id(v6), network);
    EXPECT_EQ(client_id(std::span(v6).first(5)), kNobody);
}

TEST(ClientShares, AClientMayHaveAsMuchAsIsStillFree) {
    ClientShares shares(8);
    std::size_t of_one = 0;
    while (shares.take(1))
        ++of_one;
    EXPECT_EQ(of_one, 4u);
    std::size_t of_two = 0;
    while (shares.take(2))
        ++of_two;
    EXPECT_EQ(of_two, 2u);
    EXPECT_TRUE(shares.take(3));
    EXPECT_FALSE(shares.take(1));
    EXPECT_EQ(shares.total(), 7u);
    shares.give_back(1, 4);
    EXPECT_EQ(shares.of(1), 0u);
    EXPECT_TRUE(shares.take(1));
}

TEST(ClientShares, WhatIsRefusedTakesNothing) {
    ClientShares shares(100);
    EXPECT_FALSE(shares.take(1, 101));
    EXPECT_TRUE(shares.take(1, 100));  // the first thing of a client needs only be there
    EXPECT_FALSE(shares.take(2));
    shares.give_back(1, 100);
    EXPECT_EQ(shares.total(), 0u);
    EXPECT_TRUE(shares.take(2, 40));
    EXPECT_FALSE(shares.take(2, 40));
    EXPECT_TRUE(shares.take(1, 40));
}

}  // namespace
}  // namespace meridian
