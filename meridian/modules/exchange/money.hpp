// Amounts, and how they are rounded: always in the protocol's favour, which each function states.
//
// Units: collateral and assets are counted in base units (the smallest that their token knows). A perpetual's
// or spot market's `unit` is what one tick times one lot is worth in base units of its quote, so that what is
// traded is worth price * size * unit exactly. Rates are parts per million, funding rates parts per billion.
//
// Bounds: check_terms (markets.hpp) demands price_max * open_interest_max * unit <= 2^58 (of a spot market:
// size_max), so that a position's value at any price that can occur is at most kValueMax, and an account's
// kActiveMax positions together are worth 2^63 at most. What is deposited is below 2^62. The largest products
// are a value times an amount (2^58 * 2^64) and funding's (a value times a rate below 2^26, times
// the hours since genesis, below 2^24): all fit Money.
#pragma once

#include <meridian/modules/exchange/order.hpp>

namespace meridian::modules::exchange {

__extension__ typedef __int128 Money;

inline constexpr Money kValueMax = Money{1} << 58;
// What can be deposited of an asset, over all accounts.
inline constexpr std::uint64_t kSupplyMax = std::uint64_t{1} << 62;
inline constexpr std::uint32_t kPartsPerMillion = 1'000'000;
inline constexpr std::int64_t kPartsPerBillion = 1'000'000'000;

// Precondition for these two: b > 0.
constexpr Money div_down(Money a, Money b) noexcept {
    return a / b - (a % b < 0 ? 1 : 0);
}
constexpr Money div_up(Money a, Money b) noexcept {
    return a / b + (a % b > 0 ? 1 : 0);
}

constexpr Money magnitude(Money a) noexcept {
    return a < 0 ? -a : a;
}
constexpr std::int64_t magnitude(std::int64_t a) noexcept {
    return a < 0 ? -a : a;
}

// Exact.
constexpr Money value_of(Price price, Size lots, std::uint64_t unit) noexcept {
    return Money{price} * static_cast<Money>(lots) * static_cast<Money>(unit);
}
constexpr Money signed_value(Price price, std::int64_t lots, std::uint64_t unit) noexcept {
    return Money{price} * lots * static_cast<Money>(unit);
}

// What is charged: rounded up. A negative rate is a rebate: its magnitude is rounded down, which is the same
// direction. Precondition: value >= 0.
constexpr Money fee_of(Money value, std::int32_t rate_ppm) noexcept {
    return div_up(value * rate_ppm, kPartsPerMillion);
}

// The part of a cost that goes with `closed` of `size` lots; towards zero. What a position has gained or lost
// in all does not depend on it. Precondition: 0 <= closed <= size, size > 0.
constexpr Money part_of(Money cost, std::int64_t closed, std::int64_t size) noexcept {
    return cost * closed / size;
}

}  // namespace meridian::modules::exchange
