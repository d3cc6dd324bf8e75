// Failed reads are counted for whoever answers, told once, and keep a node from being ready.
#include <meridian/operation/damage.hpp>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>
#include <thread>

namespace meridian::operation {
namespace {

class StandingClock final : public sequencer::Clock {
public:
    std::uint64_t wall_us() override { return now_us; }
    std::uint64_t steady_us() override { return now_us; }
    std::uint64_t now_us = 1'000'000;
};

class Damage : public ::testing::Test {
protected:
    Damage() {
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(m_text)));
    }
    ~Damage() override { spdlog::set_default_logger(m_before); }
    std::size_t lines() const {
        const std::string text = m_text.str();
        return static_cast<std::size_t>(std::ranges::count(text, '\n'));
    }

    std::ostringstream m_text;
    std::shared_ptr<spdlog::logger> m_before = spdlog::default_logger();
    StandingClock m_clock;
    DamageWatch m_watch{m_clock, "some-data"};
};

const frames::LogFailure kRot{frames::LogError::Corrupt, "frames-1.log", 120,
                              "frames-1.log, offset 120: the checksum differs", std::nullopt};

TEST_F(Damage, IsToldOnceAMinuteWithPlaceAndRemedy) {
    m_watch.on_log(kRot);
    m_watch.on_log(kRot);
    m_watch.on_log(kRot);
    EXPECT_EQ(lines(), 1u);
    EXPECT_NE(m_text.str().find("frames-1.log, offset 120"), std::string::npos);
    EXPECT_NE(m_text.str().find("`meridian db check some-data`"), std::string::npos);
    m_watch.on_store({store::StoreErrorKind::Corrupt, "store some-data/store: block checksum mismatch"});
    EXPECT_EQ(lines(), 2u) << "of another part";
    m_clock.now_us += 61'000'000;
    m_watch.on_log(kRot);
    EXPECT_EQ(lines(), 3u);
    EXPECT_NE(m_text.str().find("2 more reads failed"), std::string::npos);
}

TEST_F(Damage, KeepsTheNodeFromBeingReadyAndNamesNoFileToAnybody) {
    EXPECT_TRUE(m_watch.reasons().empty());
    m_watch.on_log(kRot);
    auto reasons = m_watch.reasons();
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_EQ(reasons[0].code, "damaged");
    EXPECT_EQ(reasons[0].message.find("some-data"), std::string::npos);
    m_watch.on_store({store::StoreErrorKind::Io, "store some-data/store: no such file"});
    reasons = m_watch.reasons();
    ASSERT_EQ(reasons.size(), 2u);
    EXPECT_EQ(reasons[0].message.find("some-data"), std::string::npos);
    EXPECT_EQ(m_watch.status()["frameLog"].at("first"), "frames-1.log, offset 120: the checksum differs");
}

TEST_F(Damage, IsNotWhatTheProcessRanOutOf) {
    m_watch.on_store({store::StoreErrorKind::Exhausted, "Too many open files"});
    m_watch.on_log(
        {frames::LogError::Io, "frames-1.log", 0, "too many open files", frames::IoCode::Exhausted});
    EXPECT_TRUE(m_watch.reasons().empty());
    EXPECT_EQ(lines(), 2u);
    m_watch.on_log(kRot);
    EXPECT_EQ(lines(), 3u) << "the first damage is told at once";
    EXPECT_EQ(m_watch.status()["frameLog"].at("failedReads"), 2);
    EXPECT_EQ(m_watch.status()["frameLog"].at("first"), "frames-1.log, offset 120: the checksum differs");
}

TEST_F(Damage, CountsForTheThreadThatRead) {
    const std::uint64_t before = DamageWatch::failed_reads();
    m_watch.on_log(kRot);
    EXPECT_EQ(DamageWatch::failed_reads(), before + 1);
    std::uint64_t others = 1;
    std::thread([&] { others = DamageWatch::failed_reads(); }).join();
    EXPECT_EQ(others, 0u);
}

}  // namespace
}  // namespace meridian::operation
