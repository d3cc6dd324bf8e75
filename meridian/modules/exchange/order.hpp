// What a market trades in: prices in ticks, sizes in lots, and the orders as they lie in the arena.
//
// Nothing overflows: a size is below 2^38 and a book has at most 2^26 orders, so that the lots of a side, or
// of one price, fit 64 bits. Price times size needs 70 bits: whoever settles has to use more than 64.
#pragma once

#include <meridian/module/list.hpp>
#include <meridian/modules/exchange/error.hpp>

namespace meridian::modules::exchange {

using OrderId = std::uint64_t;
// The number of an account in the module, handed out by it.
using Owner = std::uint32_t;
using Price = std::uint32_t;
using Size = std::uint64_t;

inline constexpr Price kPriceMax = 0xffff'fffe;
inline constexpr Size kSizeMax = (Size{1} << 38) - 1;
inline constexpr std::uint32_t kOrdersMax = 1u << 26;
static_assert(kSizeMax <= ~Size{0} / kOrdersMax);

enum class Side : std::uint8_t { Buy, Sell };

constexpr Side opposite(Side side) noexcept {
    return side == Side::Buy ? Side::Sell : Side::Buy;
}

// Whether an order of this side at `price` trades with one of the other side at `other`.
constexpr bool crosses(Side side, Price price, Price other) noexcept {
    return side == Side::Buy ? price >= other : price <= other;
}

// What users' numbers are measured by, and the bounds on a command.
struct MarketRules {
    // The price and the size that one tick and one lot stand for, in the units of whoever calls to_ticks.
    std::uint64_t tick;
    std::uint64_t lot;
    Size size_min;
    Size size_max;
    Price price_max;
    // How many resting orders one command may fill, cancel or look at.
    std::uint32_t fills_max;
};
static_assert(module::Storable<MarketRules> && sizeof(MarketRules) == 40);

// Errors: ZeroPrice, OffTick, PriceBounds; ZeroSize, OffLot, SizeBounds (above; too small a size is refused
// where an order is placed, as a remainder may be smaller).
Result<Price, Error> to_ticks(const MarketRules& rules, std::uint64_t price) noexcept;
Result<Size, Error> to_lots(const MarketRules& rules, std::uint64_t size) noexcept;
// Error: BadRules.
Result<void, Error> check_rules(const MarketRules& rules) noexcept;

struct Level;

// A resting order: one line of the arena.
struct Order {
    // The next in the bucket of the table by id; first, as the table of module/hash_map.hpp has it.
    module::Ptr<Order> bucket_next;
    std::uint32_t flags;
    OrderId id;
    Size remaining;
    module::Ptr<Level> level;
    Price price;
    // Orders at the price, the oldest first.
    module::ListLink<Order> queue;
    Owner owner;
    // Orders of the owner in this market.
    module::ListLink<Order> siblings;
    // The venue's, carried along.
    std::uint32_t tag;
    std::uint32_t book;  // its number
    std::uint32_t reserved;

    static constexpr std::uint32_t kSell = 1;
    static constexpr std::uint32_t kReduceOnly = 2;
    static constexpr std::uint32_t kPostOnly = 4;
    static constexpr std::uint32_t kSelfTradeShift = 8;

    Side side() const noexcept { return (flags & kSell) != 0 ? Side::Sell : Side::Buy; }
};
static_assert(module::Storable<Order> && sizeof(Order) == module::kLineSize);

// The orders of one side at one price.
struct Level {
    Size total;
    module::ListState<Order> queue;
    std::uint32_t count;
    Price price;
    std::uint32_t reserved[2];
};
static_assert(module::Storable<Level> && sizeof(Level) == 32);

}  // namespace meridian::modules::exchange
