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
