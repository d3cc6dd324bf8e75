#include <meridian/modules/exchange/order.hpp>

namespace meridian::modules::exchange {

Result<Price, Error> to_ticks(const MarketRules& rules, std::uint64_t price) noexcept {
    if (price == 0)
        return fail(Error::ZeroPrice);
    if (price % rules.tick != 0)
        return fail(Error::OffTick);
    if (price / rules.tick > rules.price_max)
        return fail(Error::PriceBounds);
    return static_cast<Price>(price / rules.tick);
}

Result<Size, Error> to_lots(const MarketRules& rules, std::uint64_t size) noexcept {
    if (size == 0)
        return fail(Error::ZeroSize);
    if (size % rules.lot != 0)
        return fail(Error::OffLot);
    if (size / rules.lot > rules.size_max)
        return fail(Error::SizeBounds);
    return size / rules.lot;
}

Result<void, Error> check_rules(const MarketRules& rules) noexcept {
    if (rules.tick == 0 || rules.lot == 0 || rules.fills_max == 0)
        return fail(Error::BadRules);
    if (rules.size_min == 0 || rules.size_min > rules.size_max || rules.size_max > kSizeMax)
        return fail(Error::BadRules);
    if (rules.price_max == 0 || rules.price_max > kPriceMax)
        return fail(Error::BadRules);
    return {};
}

}  // namespace meridian::modules::exchange
