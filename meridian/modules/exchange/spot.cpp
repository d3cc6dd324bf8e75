// The spot half of the venue: holds, and what a fill moves.
#include <meridian/modules/exchange/clearing.hpp>

namespace meridian::modules::exchange {

SpotHold spot_hold(const MarketTerms& terms, Side side, Price price, Size lots) noexcept {
    if (side == Side::Buy)
        return {terms.quote_asset, static_cast<std::uint64_t>(value_of(price, lots, terms.unit))};
    return {terms.base_asset, lots * terms.lot_units};
}

// The command has looked: what is to be held is there.
void Clearing::hold_for_order(AccountId account, Side side, Price price, Size lots) noexcept {
    const SpotHold held = spot_hold(market().terms, side, price, lots);
    static_cast<void>(m_ledger.hold(account, held.asset, held.amount));
}

void Clearing::release_for_order(AccountId account, Side side, Price price, Size lots) noexcept {
    const SpotHold held = spot_hold(market().terms, side, price, lots);
    m_ledger.release(account, held.asset, held.amount);
}

// Fees are of what is received, so that they are there: rounded up, and the builder gets what is left at
// most.
Clearing::Cost Clearing::spot_cost(AccountId account, bool is_taker, std::uint32_t tag,
                                   Money received) const noexcept {
    Cost cost = cost_of(account, is_taker, tag, received);
    cost.fee = std::max<Money>(cost.fee, 0);
    cost.builder_fee = std::min(cost.builder_fee, received - cost.fee);
    return cost;
}

void Clearing::settle_spot(const Event& event) noexcept {
    const MarketTerms terms = market().terms;
    const Side maker_side = opposite(event.side);
    release_for_order(event.owner, event.side, m_taker_price, event.size);
    release_for_order(event.maker_owner, maker_side, event.price, event.size);
    const SpotHold taker_gives = spot_hold(terms, event.side, event.price, event.size);
    const SpotHold maker_gives = spot_hold(terms, maker_side, event.price, event.size);
    static_cast<void>(m_ledger.debit(event.owner, taker_gives.asset, taker_gives.amount));
    static_cast<void>(m_ledger.debit(event.maker_owner, maker_gives.asset, maker_gives.amount));
    const auto taker_gets = static_cast<Money>(maker_gives.amount);
    const auto maker_gets = static_cast<Money>(taker_gives.amount);
    Cost taker = spot_cost(event.owner, true, event.tag, taker_gets);
    const Cost maker = spot_cost(event.maker_owner, false, event.maker_tag, maker_gets);
    receive(event, true, taker_gets, taker);
    receive(event, false, maker_gets, maker);
    // A rebate is a part of the taker's fee, in the asset in which that is paid.
    const std::int32_t maker_ppm = Fees(m_ledger).tier(event.maker_owner, terms).maker_ppm;
    const Money rebate = maker_ppm < 0 ? std::min(-fee_of(taker_gets, maker_ppm), taker.fee) : 0;
    if (rebate > 0)
        static_cast<void>(
            m_ledger.credit(event.maker_owner, maker_gives.asset, static_cast<std::uint64_t>(rebate)));
    m_ledger.add_fees(maker_gives.asset, static_cast<std::uint64_t>(taker.fee - rebate));
    m_ledger.add_fees(taker_gives.asset, static_cast<std::uint64_t>(maker.fee));
    if (terms.quote_asset == kCollateral) {
        const Money value = value_of(event.price, event.size, terms.unit);
        Fees(m_ledger).add_volume(event.owner, value);
        Fees(m_ledger).add_volume(event.maker_owner, value);
    }
}

void Clearing::receive(const Event& event, bool is_taker, Money amount, const Cost& cost) noexcept {
    const AccountId account = is_taker ? event.owner : event.maker_owner;
    const Side side = is_taker ? event.side : opposite(event.side);
    const MarketTerms& terms = market().terms;
    const AssetId asset = side == Side::Buy ? terms.base_asset : terms.quote_asset;
    const Money net = amount - cost.sum();
    if (net > 0)
        static_cast<void>(m_ledger.credit(account, asset, static_cast<std::uint64_t>(net)));
    if (cost.builder_fee > 0)
        static_cast<void>(m_ledger.credit(cost.builder, asset, static_cast<std::uint64_t>(cost.builder_fee)));
    const auto lots = static_cast<std::int64_t>(event.size);
    m_ledger.tell({.kind = ReportKind::Trade,
                   .is_taker = is_taker,
                   .price = event.price,
                   .account = account,
                   .other = is_taker ? event.maker_owner : event.owner,
                   .market = m_market,
                   .asset = asset,
                   .id = is_taker ? event.id : event.maker_id,
                   .lots = side == Side::Buy ? lots : -lots,
                   .amount = cost.sum()});
}

}  // namespace meridian::modules::exchange
