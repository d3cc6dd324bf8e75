// Funding: what longs and shorts pay each other each hour, so that a perpetual follows its oracle.
//
// Every 5 s the premium is sampled: (max(0, impact buy - oracle) - max(0, oracle - impact sell)) / oracle, in
// parts per billion, towards zero; the impact prices are the average prices of trading `impact_value` at
// once. The rate of 8 hours is the hour's mean plus the interest less the mean, which is clamped to 0.05 %;
// an hour pays an eighth of it, 4 % at most, of the lots' value at the oracle price.
//
// A lot's payments are summed in the market's index. A position pays when it is touched next: rounded up, and
// what it is paid rounded down, so that the pot never lacks what is owed. What is left over is known without
// looking at any position: the pot less what the sum of lots times index says; it goes to the insurance.
#pragma once

#include <meridian/modules/exchange/margin.hpp>

namespace meridian::modules::exchange {

inline constexpr std::uint64_t kSampleMs = 5'000;
inline constexpr std::int64_t kInterestPpb = 100'000;  // of 8 hours
inline constexpr std::int64_t kClampPpb = 500'000;     // of 8 hours
inline constexpr std::int64_t kHourlyRateMaxPpb = 40'000'000;
inline constexpr std::uint32_t kImpactLevelsMax = 32;  // deeper than that a book counts as empty

// Of an hour, from the mean premium of 8 hours; parts per billion, towards zero.
std::int64_t hourly_rate(std::int64_t mean_premium) noexcept;

class Funding {
public:
    explicit Funding(Ledger& ledger) noexcept : m_ledger(ledger) {}

    // Samples, and ends hours. An hour that ended while the oracle was stale, or while the chain stood, pays
    // nothing. Work: two walks over at most kImpactLevelsMax levels. Precondition: a perpetual.
    void update(MarketId market) noexcept;
    // Brings a position to the market's index. Every change of its size begins with it.
    void settle(Ledger::PositionPtr position) noexcept;
    // Tells the market that the lots of a position, which is settled, change by so many.
    void note_lots(MarketId market, std::int64_t lots) noexcept;

private:
    Price impact_price(MarketId market, Side side) const noexcept;
    std::int64_t premium(MarketId market) const noexcept;
    void end_hour(MarketId market) noexcept;

    Ledger& m_ledger;
};

}  // namespace meridian::modules::exchange
