#include <meridian/gateway/rate_limit.hpp>

#include <gtest/gtest.h>

namespace meridian::gateway {
namespace {

constexpr std::uint64_t kSecond_us = 1'000'000;

TEST(RateLimit, SavedUpThenEven) {
    RateLimit limit(10, 5);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(limit.take("a", 1, 0), 0u);
    EXPECT_EQ(limit.take("a", 1, 0), 100u);
    EXPECT_EQ(limit.take("a", 1, 99'000), 1u);
    EXPECT_EQ(limit.take("a", 1, 100'000), 0u);
    EXPECT_EQ(limit.take("a", 1, 100'000), 100u);
    // A pause of any length saves up no more than the burst.
    EXPECT_EQ(limit.take("a", 5, 1'000 * kSecond_us), 0u);
    EXPECT_NE(limit.take("a", 1, 1'000 * kSecond_us), 0u);
}

TEST(RateLimit, AddressesDoNotShare) {
    RateLimit limit(1, 1);
    EXPECT_EQ(limit.take("a", 1, 0), 0u);
    EXPECT_EQ(limit.take("a", 1, 0), 1'000u);
    EXPECT_EQ(limit.take("b", 1, 0), 0u);
}

TEST(RateLimit, RefusedCostsNothing) {
    RateLimit limit(1, 10);
    EXPECT_EQ(limit.take("a", 8, 0), 0u);
    EXPECT_EQ(limit.take("a", 4, 0), 2'000u);
    EXPECT_EQ(limit.take("a", 2, 0), 0u);
}

TEST(RateLimit, MoreThanABucketPassesAFullOne) {
    RateLimit limit(1, 10);
    EXPECT_EQ(limit.take("a", 1'000, 0), 0u);
    EXPECT_EQ(limit.take("a", 1'000, 0), 10'000u);
    EXPECT_EQ(limit.take("a", 1'000, 10 * kSecond_us), 0u);
}

TEST(RateLimit, ZeroIsNoLimit) {
    RateLimit limit(0, 1);
    for (int i = 0; i < 1'000; ++i)
        EXPECT_EQ(limit.take("a", 1'000, 0), 0u);
    EXPECT_EQ(limit.addresses(), 0u);
}

TEST(RateLimit, RemembersABoundedNumberOfAddresses) {
    RateLimit limit(1, 1);
    for (std::size_t i = 0; i < RateLimit::kAddressesMax; ++i)
        EXPECT_EQ(limit.take(std::to_string(i), 1, 0), 0u);
    // All of them are short: newcomers share.
    EXPECT_EQ(limit.take("new", 1, kSecond_us / 2), 500u);
    EXPECT_EQ(limit.addresses(), RateLimit::kAddressesMax);
    // A second later their buckets are full, and need not be remembered.
    EXPECT_EQ(limit.take("newer", 1, 2 * kSecond_us), 0u);
    EXPECT_EQ(limit.addresses(), 1u);
}

TEST(RateLimit, ClientsByNetwork) {
    EXPECT_EQ(client_of("127.0.0.1"), "127.0.0.1");
    EXPECT_EQ(client_of("::ffff:10.1.2.3"), "10.1.2.3");
    EXPECT_EQ(client_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    EXPECT_EQ(client_of("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
}

}  // namespace
}  // namespace meridian::gateway
