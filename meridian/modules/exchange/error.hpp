// Why a command to a book, or to the exchange around it, was refused.
#pragma once

#include <meridian/base/result.hpp>

#include <cstdint>
#include <string_view>

namespace meridian::modules::exchange {

enum class [[nodiscard]] Error : std::uint8_t {
    None,  // of events that say nothing of an error
    // Of the market's rules.
    BadRules,     // a market with a tick, lot or bound of zero, or bounds that are out of order
    ZeroPrice,    // a limit order needs a price, a market order a protection price
    PriceBounds,  // above the market's highest price
    OffTick,      // no multiple of the tick
    ZeroSize,     // nothing to trade
    SizeBounds,   // outside of the market's smallest and largest size
    OffLot,       // no multiple of the lot
    // Of the order.
    BadCommand,    // a market order that is neither immediate-or-cancel nor fill-or-kill
    WouldCross,    // post-only, and the other side has that price
    FillOrKill,    // cannot be filled whole, or not within the market's bound on fills
    ReduceOnly,    // there is no position left to reduce
    NoLiquidity,   // a market order, and nothing on the other side within its protection price
    UnknownOrder,  // no resting order has this id
    NotOwner,      // the order is somebody else's
    Unchanged,     // an amendment to what the order is already
    // Of the book.
    Collecting,    // the market matches nothing now: only orders that rest are taken
    StillCrossed,  // the book cannot begin to match while it is crossed
    BookFull,      // the book has as many orders as it may have
    // Of the exchange: who and what.
    UnknownAccount,
    UnknownMarket,
    UnknownAsset,
    UnknownTrigger,  // no trigger, or TWAP, of the account has this id
    WrongMarket,     // a perpetual is needed, or a spot market
    NotOperator,     // only the exchange's or the market's operator may
    NotPublisher,    // the key is not among the oracle's publishers
    BadTerms,        // a market's terms are out of order, or its values could overflow
    BadTime,         // in the past, too soon, or too far ahead
    OldPrice,        // the publisher has given a younger one
    // Money.
    ZeroAmount,
    InsufficientBalance,  // not so much that is not held for orders
    InsufficientMargin,   // the account's equity does not carry it
    SupplyBounds,         // more of an asset than can be kept account of
    OpenInterest,         // the market's open interest would be above its bound
    Halted,               // the market takes only what reduces positions
    NoMark,               // the oracle's prices are stale: nothing that adds risk is taken
    BadLeverage,          // zero, or above the market's highest
    PositionOpen,         // the margin mode changes only without position and orders
    BuilderFee,           // above what the account has approved
    ClientIdUsed,         // an open order of the account has this client id
    // Bounds.
    TooManyAccounts,
    TooManyPositions,
    TooManyOrders,
    TooManyTriggers,
    TooMany,  // markets, assets, publishers, scheduled cancellations in a day
    // The arena has no room, or is not usable: revert what was begun.
    ArenaFailed,
};

// A sentence without its full stop.
std::string_view describe(Error error) noexcept;
// The enumerator's name.
std::string_view name(Error error) noexcept;

}  // namespace meridian::modules::exchange
