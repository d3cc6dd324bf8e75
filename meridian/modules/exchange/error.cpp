#include <meridian/modules/exchange/error.hpp>

#include <array>

namespace meridian::modules::exchange {

namespace {

struct Text {
    std::string_view name;
    std::string_view sentence;
};

// By the enumerator's number.
constexpr std::array kTexts{
    Text{"None", "no error"},
    Text{"BadRules", "the market's tick, lot, bounds and number of fills have to be above zero and in order"},
    Text{"ZeroPrice", "the price is zero; give a limit, or a protection price for a market order"},
    Text{"PriceBounds", "the price is above the market's highest"},
    Text{"OffTick", "the price is no multiple of the market's tick"},
    Text{"ZeroSize", "the size is zero"},
    Text{"SizeBounds", "the size is below the market's smallest or above its largest"},
    Text{"OffLot", "the size is no multiple of the market's lot"},
    Text{"BadCommand", "a market order cannot rest; make it immediate-or-cancel or fill-or-kill"},
    Text{"WouldCross", "the post-only order would trade at once; move its price away from the other side"},
    Text{"FillOrKill", "the order cannot be filled whole within the market's bound on fills"},
    Text{"ReduceOnly", "the reduce-only order has no position to reduce"},
    Text{"NoLiquidity", "nothing rests on the other side within the protection price"},
    Text{"UnknownOrder", "no resting order has this id"},
    Text{"NotOwner", "the order belongs to another account"},
    Text{"Unchanged", "the order has this price and size already"},
    Text{"Collecting", "the market is not matching; only good-till-cancelled limit orders are taken"},
    Text{"StillCrossed", "the book is crossed; cancel or amend before matching begins"},
    Text{"BookFull", "the book has as many resting orders as it may have"},
    Text{"UnknownAccount", "there is no such account; it is made by the first deposit"},
    Text{"UnknownMarket", "there is no such market"},
    Text{"UnknownAsset", "there is no such asset"},
    Text{"UnknownTrigger", "the account has no trigger or TWAP with this id"},
    Text{"WrongMarket", "the market is not of the kind that the command needs"},
    Text{"NotOperator", "the command is the operator's"},
    Text{"NotPublisher", "the key is not one of the oracle's publishers"},
    Text{"BadTerms", "the terms are out of order, or values within them could overflow"},
    Text{"BadTime", "the time is in the past, too soon or too far ahead"},
    Text{"OldPrice", "the publisher has given a price of this time or a later one"},
    Text{"ZeroAmount", "the amount is zero"},
    Text{"InsufficientBalance", "the balance, without what is held for orders, is too small"},
    Text{"InsufficientMargin", "the equity is below the margin that this needs; reduce, or add collateral"},
    Text{"SupplyBounds", "more of the asset than the exchange can keep account of"},
    Text{"OpenInterest", "the market's open interest would be above its bound"},
    Text{"Halted", "the market is halted; only reduce-only orders and cancellations are taken"},
    Text{"NoMark", "the oracle's prices are stale; only reduce-only orders and cancellations are taken"},
    Text{"BadLeverage", "the leverage is zero or above the market's highest"},
    Text{"PositionOpen", "close the position and cancel its orders before changing the margin mode"},
    Text{"BuilderFee", "the builder's fee is above what the account has approved"},
    Text{"ClientIdUsed", "an open order of the account has this client id"},
    Text{"TooManyAccounts", "there is no room for another account"},
    Text{"TooManyPositions", "the account has positions or orders in as many markets as it may"},
    Text{"TooManyOrders", "the account has as many open orders as it may"},
    Text{"TooManyTriggers", "there are as many triggers as there may be"},
    Text{"TooMany", "there are as many as there may be"},
    Text{"ArenaFailed", "the module's memory is full or damaged; revert the transaction"},
};
static_assert(kTexts.size() == static_cast<std::size_t>(Error::ArenaFailed) + 1);

const Text& text_of(Error error) noexcept {
    const auto index = static_cast<std::size_t>(error);
    return kTexts[index < kTexts.size() ? index : 0];
}

}  // namespace

std::string_view describe(Error error) noexcept {
    return text_of(error).sentence;
}

std::string_view name(Error error) noexcept {
    return text_of(error).name;
}

}  // namespace meridian::modules::exchange
