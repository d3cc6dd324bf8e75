// The oracle's prices, and the mark price that positions are valued at.
//
// The oracle price is the median of the publishers' prices that are not stale, if a quorum is not; of an even
// number the lower middle and the upper one's mean, down. Whoever calls has verified who publishes.
//
// The mark price is the median of three: the oracle plus the moving average (150 s) of what the middle of the
// book is above it; the median of best buy, best sell and last trade; the oracle. So the book alone cannot
// move it: what is done to the book for a moment changes one of three, and for minutes two, of which the one
// with the average follows slowly. Without both sides in the book the second falls back to the first. While
// the oracle is stale the mark stays, and what adds risk is refused.
#pragma once

#include <meridian/modules/exchange/ledger.hpp>

namespace meridian::modules::exchange {

// A publisher's clock may be ahead of the block's by this much.
inline constexpr std::uint64_t kPublishAheadMs = 5'000;
inline constexpr std::uint64_t kAverageMs = 150'000;

// e^(-t / 150 s) in parts of 2^63, down: the product over the bits of t of constants that are rounded to
// the nearest, each product truncated. Off by less than 23 parts; 0 from 2^23 ms.
std::uint64_t decay(std::uint64_t time_ms) noexcept;

class Oracle {
public:
    explicit Oracle(Ledger& ledger) noexcept : m_ledger(ledger) {}

    // Errors: UnknownMarket, WrongMarket, NotPublisher, ZeroPrice, PriceBounds, BadTime (ahead of the block),
    // OldPrice.
    Result<void, Error> publish(const Address& publisher, MarketId market, Price price,
                                std::uint64_t time_ms);
    // Takes the median, and the mark price anew. Work: the publishers; nothing of spot markets.
    void update(MarketId market) noexcept;

private:
    Price median(const Market& market) const noexcept;
    std::int64_t average_premium(MarketId id) noexcept;

    Ledger& m_ledger;
};

// The middle one.
Price median_of(Price a, Price b, Price c) noexcept;

}  // namespace meridian::modules::exchange
