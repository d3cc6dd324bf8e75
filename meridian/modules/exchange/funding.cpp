#include <meridian/modules/exchange/funding.hpp>
#include <meridian/modules/exchange/risk.hpp>

namespace meridian::modules::exchange {

std::int64_t hourly_rate(std::int64_t mean_premium) noexcept {
    const std::int64_t rate =
        mean_premium + std::clamp<std::int64_t>(kInterestPpb - mean_premium, -kClampPpb, kClampPpb);
    return std::clamp<std::int64_t>(rate / 8, -kHourlyRateMaxPpb, kHourlyRateMaxPpb);
}

// The average price of the orders of a side that are worth impact_value, rounded towards the oracle's side
// (down for buys, up for sells); 0 if there is not so much.
Price Funding::impact_price(MarketId market, Side side) const noexcept {
    const MarketTerms& terms = m_ledger.market(market).terms;
    const Book book = m_ledger.book(market);
    Money value = 0;
    Money lots = 0;
    const Level* level = book.best(side);
    for (std::uint32_t count = 0; level != nullptr && count < kImpactLevelsMax; ++count) {
        // A level's total may be of many orders of the largest size: what is beyond the value is left out.
        const Money lot_value = value_of(level->price, 1, terms.unit);
        const Money wanted = div_up(Money{terms.impact_value} - value, std::max<Money>(lot_value, 1));
        const Money taken = std::min<Money>(wanted, Money{level->total});
        value += taken * lot_value;
        lots += taken;
        if (value >= Money{terms.impact_value}) {
            const Money per_tick = std::max<Money>(lots * Money{terms.unit}, 1);
            return static_cast<Price>(side == Side::Buy ? div_down(value, per_tick)
                                                        : div_up(value, per_tick));
        }
        level = book.worse(side, *level);
    }
    return 0;
}

std::int64_t Funding::premium(MarketId market) const noexcept {
    const std::int64_t oracle = m_ledger.market(market).oracle;
    const std::int64_t buy = impact_price(market, Side::Buy);
    const std::int64_t sell = impact_price(market, Side::Sell);
    const std::int64_t above = buy != 0 ? std::max<std::int64_t>(buy - oracle, 0) : 0;
    const std::int64_t below = sell != 0 ? std::max<std::int64_t>(oracle - sell, 0) : 0;
    // 32 and 30 bits. More than ten times the oracle changes no rate, and an hour's sum stays below 2^44.
    const std::int64_t ppb = (above - below) * kPartsPerBillion / std::max<std::int64_t>(oracle, 1);
    return std::clamp<std::int64_t>(ppb, -10 * kPartsPerBillion, 10 * kPartsPerBillion);
}

void Funding::update(MarketId id) noexcept {
    const Market& market = m_ledger.market(id);
    const std::uint64_t now_ms = m_ledger.now_ms();
    if (market.fresh() && now_ms >= market.next_sample_ms) {
        const std::int64_t sample = premium(id);
        m_ledger.edit_market(id, &Market::sample_sum) += sample;
        ++m_ledger.edit_market(id, &Market::sample_count);
        m_ledger.edit_market(id, &Market::next_sample_ms) = (now_ms / kSampleMs + 1) * kSampleMs;
    }
    if (now_ms >= market.next_funding_ms)
        end_hour(id);
}

void Funding::end_hour(MarketId id) noexcept {
    const Market& market = m_ledger.market(id);
    const std::uint64_t now_ms = m_ledger.now_ms();
    if (market.next_funding_ms != 0 && market.fresh() && market.sample_count != 0) {
        const std::int64_t rate = hourly_rate(market.sample_sum / std::int64_t{market.sample_count});
        m_ledger.edit_market(id, &Market::funding_rate) = rate;
        m_ledger.edit_market(id, &Market::funding_index) +=
            value_of(market.oracle, 1, market.terms.unit) * Money{rate};
        Risk::note_funding(m_ledger, id, rate);
    }
    m_ledger.edit_market(id, &Market::sample_sum) = 0;
    m_ledger.edit_market(id, &Market::sample_count) = 0;
    m_ledger.edit_market(id, &Market::next_funding_ms) = (now_ms / kHourMs + 1) * kHourMs;
    // All lots together are zero, so what is still to come in is, rounding aside, less the weight.
    const Money over = market.funding_pot - div_up(market.funding_weight, kPartsPerBillion);
    if (over > 0) {
        m_ledger.edit_market(id, &Market::funding_pot) -= over;
        m_ledger.insurance_income(over, &Insurance::remainder);
    }
}

void Funding::settle(Ledger::PositionPtr at) noexcept {
    const Position position = m_ledger.position(at);
    const Market& market = m_ledger.market(position.market);
    const Money index = market.funding_index;
    if (position.funding_index == index)
        return;
    const Money due = Margin::funding_due(market, position);
    m_ledger.edit_market(position.market, &Market::funding_weight) +=
        position.size * (index - position.funding_index);
    m_ledger.arena().edit(at, &Position::funding_index) = index;
    if (due == 0)
        return;
    m_ledger.edit_market(position.market, &Market::funding_pot) += due;
    m_ledger.add_cash(at, -due);
    m_ledger.tell({.kind = ReportKind::Funding,
                   .account = position.account,
                   .market = position.market,
                   .lots = position.size,
                   .amount = due});
}

void Funding::note_lots(MarketId market, std::int64_t lots) noexcept {
    m_ledger.edit_market(market, &Market::funding_weight) += lots * m_ledger.market(market).funding_index;
}

}  // namespace meridian::modules::exchange
