#include <meridian/modules/exchange/margin.hpp>

namespace meridian::modules::exchange {

Money tier_margin(const MarketTerms& terms, Money value) noexcept {
    Money margin = 0;
    const std::uint32_t count = std::min(terms.margin_tier_count, kMarginTiersMax);
    for (std::uint32_t i = 0; i < count; ++i) {
        const MarginTier& tier = terms.margins[i];
        const Money lower = tier.lower_bound;
        const Money upper = i + 1 < count ? std::min<Money>(value, terms.margins[i + 1].lower_bound) : value;
        if (upper > lower)
            margin += div_up(upper - lower, std::max(tier.leverage_max, 1u));
    }
    return margin;
}

Money maintenance_margin(const MarketTerms& terms, Money value) noexcept {
    return div_up(tier_margin(terms, value), 2);
}

namespace {

// The tiers' margin, raised towards the whole value by the open interest.
Money scaled_margin(const Market& market, Money value) noexcept {
    const MarketTerms& terms = market.terms;
    const Money margin = tier_margin(terms, value);
    if (terms.scale_upper <= terms.scale_lower)
        return margin;
    const Money range = Money{terms.scale_upper} - Money{terms.scale_lower};
    const Money interest = value_of(market.mark, market.open_interest, terms.unit);
    const Money above = std::clamp<Money>(interest - Money{terms.scale_lower}, 0, range);
    return margin + div_up((value - margin) * above, range);
}

}  // namespace

Money Margin::initial(const Market& market, std::int64_t lots, std::uint32_t leverage) const noexcept {
    const Money value = signed_value(market.mark, lots, market.terms.unit);
    return std::max(div_up(value, std::max(leverage, 1u)), scaled_margin(market, value));
}

Money Margin::maintenance(const Market& market, std::int64_t lots) const noexcept {
    return maintenance_margin(market.terms, signed_value(market.mark, lots, market.terms.unit));
}

Money Margin::funding_due(const Market& market, const Position& position) noexcept {
    return div_up(position.size * (market.funding_index - position.funding_index), kPartsPerBillion);
}

Money Margin::profit(const Market& market, const Position& position, Valuation valuation) const noexcept {
    return signed_value(price(market, valuation), position.size, market.terms.unit) - position.cost -
           funding_due(market, position);
}

Money Margin::initial_of(const Market& market, const Position& position) const noexcept {
    const Money whole = initial(market, position.worst(), position.leverage);
    return position.isolated() ? whole - initial(market, magnitude(position.size), position.leverage) : whole;
}

void Margin::add(Health& health, const Market& market, const Position& position,
                 Valuation valuation) const noexcept {
    if (position.size == 0)
        return;
    const Money value = signed_value(price(market, valuation), magnitude(position.size), market.terms.unit);
    const Money gained = profit(market, position, valuation);
    health.equity += gained;
    health.losses += std::min<Money>(gained, 0);
    health.maintenance += maintenance_margin(market.terms, value);
    health.exposure += value;
    ++health.positions;
}

Health Margin::cross(AccountId account, Valuation valuation) const noexcept {
    const module::Arena& arena = m_ledger.arena();
    Health health;
    const Account& content = m_ledger.account(account);
    health.equity = content.balance;
    for (auto at = content.positions.first; at; at = arena.at(at).siblings.next) {
        const Position& position = arena.at(at);
        const Market& market = m_ledger.market(position.market);
        if (market.spot())
            continue;
        health.initial += initial_of(market, position);
        if (!position.isolated())
            add(health, market, position, valuation);
    }
    return health;
}

Health Margin::isolated(const Position& position, Valuation valuation) const noexcept {
    Health health;
    const Market& market = m_ledger.market(position.market);
    health.equity = position.margin;
    health.initial = initial(market, magnitude(position.size), position.leverage);
    add(health, market, position, valuation);
    return health;
}

Money Margin::withdrawable(AccountId account) const noexcept {
    const Health health = cross(account);
    const Money equity = m_ledger.account(account).balance + health.losses;
    const Money kept = std::max(health.initial, div_up(health.exposure, 10));
    return std::max<Money>(equity - kept, 0);
}

}  // namespace meridian::modules::exchange
