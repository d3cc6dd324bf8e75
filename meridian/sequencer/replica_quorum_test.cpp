#include <meridian/sequencer/replica_quorum.hpp>

#include <gtest/gtest.h>

namespace meridian::sequencer {
namespace {

class TestClock final : public Clock {
public:
    std::uint64_t wall_us() override { return now_us; }
    std::uint64_t steady_us() override { return now_us; }
    std::uint64_t now_us = 5'000'000;
};

Address replica(std::uint8_t number) {
    Address out;
    out.bytes[19] = number;
    return out;
}

PublishedFramePtr frame(std::uint64_t number) {
    auto content = std::make_shared<SealedFrame>();
    content->number = number;
    return std::make_shared<const PublishedFrame>(content, frames::SignedHeader{}, nullptr);
}

class Quorum : public testing::Test {
protected:
    ReplicaQuorum make(std::size_t replicas, std::size_t min) {
        QuorumOptions options;
        for (std::size_t i = 0; i < replicas; ++i)
            options.replicas.push_back(replica(static_cast<std::uint8_t>(i + 1)));
        options.replicas_min = min;
        return {options, m_clock};
    }
    TestClock m_clock;
};

TEST_F(Quorum, ReleasesWhatEnoughReplicasHold) {
    ReplicaQuorum quorum = make(3, 2);
    std::vector<std::uint64_t> released;
    quorum.set_on_release([&] { released.push_back(quorum.released()); });
    for (std::size_t i = 0; i < 3; ++i)
        quorum.connect(i);
    quorum.acknowledge(0, 7);
    EXPECT_EQ(quorum.released(), 0u);
    quorum.acknowledge(1, 5);
    EXPECT_EQ(quorum.released(), 5u);
    quorum.acknowledge(0, 9);  // one replica is not two
    EXPECT_EQ(quorum.released(), 5u);
    quorum.acknowledge(2, 8);
    EXPECT_EQ(quorum.released(), 8u);
    EXPECT_EQ(released, (std::vector<std::uint64_t>{5, 8}));
}

TEST_F(Quorum, TakesNothingBackFromAReplicaThatLostItsDisk) {
    ReplicaQuorum quorum = make(2, 2);
    for (std::size_t i = 0; i < 2; ++i) {
        quorum.connect(i);
        quorum.acknowledge(i, 10);
    }
    quorum.disconnect(1);
    quorum.connect(1);
    quorum.acknowledge(1, 3);
    EXPECT_EQ(quorum.released(), 10u);
    // What it held does not count for frames that come later.
    quorum.acknowledge(0, 12);
    EXPECT_EQ(quorum.released(), 10u);
    quorum.acknowledge(1, 12);
    EXPECT_EQ(quorum.released(), 12u);
}

TEST_F(Quorum, CountsWhatAReplicaHeldThatIsGoneNow) {
    ReplicaQuorum quorum = make(2, 2);
    quorum.connect(0);
    quorum.acknowledge(0, 10);
    quorum.disconnect(0);
    quorum.connect(1);
    quorum.acknowledge(1, 10);
    EXPECT_EQ(quorum.released(), 10u);
}

TEST_F(Quorum, KnowsHowManyCannotAllHaveMissedAFrame) {
    EXPECT_EQ(make(1, 1).replicas_to_ask(), 1u);
    EXPECT_EQ(make(2, 1).replicas_to_ask(), 2u);
    EXPECT_EQ(make(2, 2).replicas_to_ask(), 1u);
    EXPECT_EQ(make(3, 2).replicas_to_ask(), 2u);
    EXPECT_EQ(make(5, 2).replicas_to_ask(), 4u);
    EXPECT_EQ(make(3, 2).find(replica(2)), 1u);
    EXPECT_FALSE(make(3, 2).find(replica(4)));
}

TEST_F(Quorum, SaysWhoIsMissing) {
    ReplicaQuorum quorum = make(2, 2);
    EXPECT_NE(
        quorum.fault().find("2 of 2 replicas have to hold a frame before it is shown, and 0 are connected"),
        std::string::npos)
        << quorum.fault();
    quorum.connect(0);
    quorum.connect(1);
    EXPECT_NE(quorum.fault(), "");  // who has not said what it holds is of no use yet
    quorum.acknowledge(0, 0);
    EXPECT_NE(quorum.fault().find("1 is connected; start 0x0000000000000000000000000000000000000002"),
              std::string::npos)
        << quorum.fault();
    quorum.acknowledge(1, 0);
    EXPECT_EQ(quorum.fault(), "");
    EXPECT_EQ(quorum.status().connected(), 2u);
    EXPECT_EQ(quorum.status().reported(), 2u);
    quorum.disconnect(0);
    EXPECT_NE(quorum.fault(), "");
    EXPECT_EQ(quorum.status().reported(), 1u);
}

TEST_F(Quorum, SaysWhenAFrameWaitsForLongAndHowLongFramesWaited) {
    ReplicaQuorum quorum = make(1, 1);
    quorum.connect(0);
    quorum.acknowledge(0, 0);
    quorum.on_logged(frame(1));
    m_clock.now_us += 1'000;
    quorum.on_logged(frame(2));
    m_clock.now_us += 500;
    quorum.acknowledge(0, 1);
    EXPECT_EQ(quorum.status().waits, 1u);
    EXPECT_EQ(quorum.status().wait_us, 1'500u);
    EXPECT_EQ(quorum.fault(), "");
    m_clock.now_us += 3'000'000;
    EXPECT_NE(quorum.fault().find("frame 2 has waited 3 s for 1 of 1 replicas"), std::string::npos)
        << quorum.fault();
    quorum.acknowledge(0, 3);  // faster than its being logged here
    EXPECT_EQ(quorum.fault(), "");
    quorum.on_logged(frame(3));
    m_clock.now_us += 9'000'000;
    EXPECT_EQ(quorum.fault(), "");
    EXPECT_EQ(quorum.status().waits, 3u);
    EXPECT_EQ(quorum.status().logged, 3u);
}

}  // namespace
}  // namespace meridian::sequencer
