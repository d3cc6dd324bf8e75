// Orders that wait: triggers (stop and take-profit), pairs of which one cancels the other, TWAPs, and the
// dead man's switch.
//
// A trigger waits for the mark price, in spot markets for the last trade's, to reach its price from below or
// from above, and fires at the end of the block in which it has: those from below by ascending price, then
// those from above by descending price, equal prices by id. Its order is an ordinary one then; if it is
// refused the trigger is gone. While a market's oracle is stale nothing fires.
//
// A TWAP gives an immediate-or-cancel order every 30 s for as much of what is left as the slices left come
// to, three times the even share at most, within 3 % of the price that triggers go by.
//
// Work of a block: the bounds below, each an order or what cancelling all of an account's takes.
#pragma once

#include <meridian/modules/exchange/orders.hpp>

namespace meridian::modules::exchange {

inline constexpr std::uint32_t kTriggersFiredMax = 64;  // in a block
inline constexpr std::uint32_t kSlicesMax = 32;         // of TWAPs, in a block
inline constexpr std::uint32_t kSwitchesFiredMax = 8;   // in a block
inline constexpr std::uint32_t kSwitchesPerDay = 10;    // of an account
inline constexpr std::uint64_t kSwitchAheadMs = 5'000;
inline constexpr std::uint64_t kSliceMs = 30'000;
inline constexpr std::uint64_t kTwapMsMin = 5 * 60'000;
inline constexpr std::uint64_t kTwapMsMax = kDayMs;
inline constexpr std::uint32_t kSlippagePercent = 3;
inline constexpr std::uint32_t kCatchUpMax = 3;

struct PlaceTrigger {
    bool above = false;  // fires when the price is at or above `at`, else at or below
    Price at = 0;
    // Without client id and builder.
    PlaceOrder order;
};

struct PlaceTwap {
    AccountId account = kNoAccount;
    MarketId market = 0;
    Side side = Side::Buy;
    bool reduce_only = false;
    Size size = 0;
    std::uint64_t duration_ms = 0;
};

// Not undone by itself: after an error the caller reverts.
class Conditionals {
public:
    Conditionals(Ledger& ledger, Orders& orders) noexcept : m_ledger(ledger), m_orders(orders) {}

    // The id. Errors: UnknownAccount, UnknownMarket, ZeroPrice, PriceBounds (trigger's and order's),
    // ZeroSize, SizeBounds, BadCommand (a client id or builder, or a market order that rests), WrongMarket,
    // TooManyTriggers.
    Result<std::uint64_t, Error> place(const PlaceTrigger& trigger);
    // Both are of one account and market, else BadCommand.
    Result<std::uint64_t, Error> place_pair(const PlaceTrigger& first, const PlaceTrigger& second);
    // An order that rests, and the trigger that goes when it trades or goes, and the other way round. If
    // nothing of the order rests there is no trigger. Errors also: as Orders::place.
    Result<Placed, Error> place_with_order(const PlaceOrder& order, const PlaceTrigger& trigger);
    // Errors also: BadTime (the duration).
    Result<std::uint64_t, Error> place_twap(const PlaceTwap& twap);
    // A trigger or a TWAP, and its partner. Errors: UnknownAccount, UnknownTrigger.
    Result<void, Error> cancel(AccountId account, std::uint64_t id);
    // All of an account, as many as kConditionalsMax.
    Result<std::uint32_t, Error> cancel_all(AccountId account);
    // Cancels all orders and conditionals at a time, 0: not any more. Errors: UnknownAccount, BadTime (less
    // than 5 s ahead), TooMany (it has fired 10 times today).
    Result<void, Error> schedule_cancel(AccountId account, std::uint64_t time_ms);
    // Cancels those whose orders have traded or gone.
    Result<void, Error> drop_partners();

    // What is due now; each of these does one thing, whole. False: there is nothing more.
    Result<bool, Error> fire_switch();
    Result<bool, Error> fire_trigger(MarketId market);
    Result<bool, Error> trade_slice();

private:
    using Ptr = module::Ptr<Conditional>;
    Result<void, Error> check(const PlaceTrigger& trigger) const noexcept;
    Result<Ptr, Error> make(AccountId account, MarketId market, ConditionKind kind);
    Result<std::uint64_t, Error> add_trigger(const PlaceTrigger& trigger);
    Ptr find(AccountId account, std::uint64_t id) const noexcept;
    module::OrderedMap<PairKey, Ptr> queue(const Conditional& conditional) const noexcept;
    static PairKey queue_key(const Conditional& conditional) noexcept;
    void remove(Ptr conditional) noexcept;
    Result<void, Error> remove_with_partner(Ptr conditional);
    Price reference(MarketId market) const noexcept;
    Result<Placed, Error> try_place(const PlaceOrder& order);
    static PlaceOrder order_of(const Conditional& conditional) noexcept;
    PlaceOrder slice_of(const Conditional& twap, Size lots) const noexcept;

    Ledger& m_ledger;
    Orders& m_orders;
};

}  // namespace meridian::modules::exchange
