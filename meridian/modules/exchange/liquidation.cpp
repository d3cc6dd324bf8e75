#include <meridian/modules/exchange/liquidation.hpp>

namespace meridian::modules::exchange {

namespace {

bool below_backstop(const Health& health) noexcept {
    return 3 * health.equity < 2 * health.maintenance;
}

}  // namespace

Health Liquidation::health(const Unit& unit, Valuation valuation) const noexcept {
    if (unit.market == Unit::kCross)
        return m_margin.cross(unit.account, valuation);
    const Ledger::PositionPtr at = m_ledger.find_position(unit.account, unit.market);
    return at ? m_margin.isolated(m_ledger.position(at), valuation) : Health{};
}

std::vector<Ledger::PositionPtr> Liquidation::positions(const Unit& unit) const {
    std::vector<Ledger::PositionPtr> out;
    for (auto at = m_ledger.account(unit.account).positions.first; at;
         at = m_ledger.position(at).siblings.next) {
        const Position& position = m_ledger.position(at);
        const bool in_unit =
            unit.market == Unit::kCross ? !position.isolated() : position.market == unit.market;
        if (in_unit && position.size != 0)
            out.push_back(at);
    }
    return out;
}

Result<void, Error> Liquidation::run(const Unit& unit) {
    if (health(unit).slack() >= 0)
        return {};
    if (const auto cancelled = cancel_orders(unit); !cancelled)
        return cancelled;
    if (const auto traded = trade_all(unit, false); !traded)
        return traded;
    if (const Health now = health(unit); now.positions == 0 || !below_backstop(now))
        return {};
    const auto taken = hand_to_backstop(unit);
    if (!taken)
        return fail(taken.error());
    if (*taken)
        return {};
    if (const auto traded = trade_all(unit, true); !traded)
        return traded;
    return health(unit).equity < 0 ? deleverage(unit) : Result<void, Error>{};
}

// Until the margin is enough, or so little that the backstop is due, unless that has declined.
Result<void, Error> Liquidation::trade_all(const Unit& unit, bool is_last_resort) {
    for (const Ledger::PositionPtr at : positions(unit)) {
        const Health now = health(unit);
        if (now.slack() >= 0 || (!is_last_resort && below_backstop(now)))
            break;
        if (const auto traded = trade(at, is_last_resort); !traded)
            return traded;
    }
    return {};
}

Result<void, Error> Liquidation::cancel_orders(const Unit& unit) {
    std::vector<MarketId> markets;
    for (auto at = m_ledger.account(unit.account).positions.first; at;
         at = m_ledger.position(at).siblings.next) {
        const Position& position = m_ledger.position(at);
        const bool in_unit =
            unit.market == Unit::kCross ? !position.isolated() : position.market == unit.market;
        if (in_unit && position.order_count != 0 && !m_ledger.market(position.market).spot())
            markets.push_back(position.market);
    }
    for (const MarketId market : markets) {
        if (const auto cancelled = m_orders.cancel_market(unit.account, market); !cancelled)
            return fail(cancelled.error());
    }
    return {};
}

// --- on the book -----------------------------------------------------------------------------------------

// 0: it has to wait.
std::int64_t Liquidation::lots_to_close(Ledger::PositionPtr at) {
    const Position& position = m_ledger.position(at);
    const Market& market = m_ledger.market(position.market);
    const std::int64_t all = magnitude(position.size);
    if (signed_value(market.mark, all, market.terms.unit) <= Money{market.terms.partial_value})
        return all;
    const std::uint64_t now_ms = m_ledger.now_ms();
    if (now_ms < position.partial_until_ms)
        return 0;
    if (position.partial_until_ms != 0 && now_ms < position.partial_until_ms + kPartialMemoryMs)
        return all;
    m_ledger.arena().edit(at, &Position::partial_until_ms) = now_ms + kCooldownMs;
    return (all + 4) / 5;
}

Result<void, Error> Liquidation::trade(Ledger::PositionPtr at, bool whole) {
    const Position position = m_ledger.position(at);
    const Market& market = m_ledger.market(position.market);
    if (!market.fresh())
        return {};
    const std::int64_t lots = whole ? magnitude(position.size) : lots_to_close(at);
    if (lots == 0)
        return {};
    const MarketRules& rules = market.terms.rules;
    m_ledger.tell({.kind = ReportKind::Liquidation,
                   .price = market.mark,
                   .account = position.account,
                   .market = position.market,
                   .lots = position.size > 0 ? -lots : lots});
    const auto size = std::min(static_cast<Size>(lots), rules.size_max);
    const NewOrder order{.owner = position.account,
                         .side = position.size > 0 ? Side::Sell : Side::Buy,
                         .type = OrderType::Market,
                         .time_in_force = TimeInForce::ImmediateOrCancel,
                         .reduce_only = true,
                         .price = position.size > 0 ? 1 : rules.price_max,
                         .size = size,
                         .size_cap = size};
    Clearing clearing(m_ledger, position.market, true);
    const auto placed = m_ledger.book(position.market).place(order, clearing);
    // That nobody buys is no error: the next block tries again, or the backstop comes.
    if (!placed && placed.error() == Error::ArenaFailed)
        return fail(placed.error());
    return m_orders.finish(clearing);
}

// --- the backstop ----------------------------------------------------------------------------------------

// Whether the vault has taken over; if not nothing has happened.
Result<bool, Error> Liquidation::hand_to_backstop(const Unit& unit) {
    const AccountId vault = m_ledger.state().backstop;
    const Health now = health(unit);
    const Money debt = std::max<Money>(-now.equity, 0);
    if (vault == kNoAccount || vault == unit.account || debt > m_ledger.state().insurance.balance)
        return false;
    const std::vector<PairKey> partners = m_orders.partners();
    module::Transaction attempt(m_ledger.arena());
    m_ledger.events().on_step_begin();
    const auto taken = hand_over(unit);
    const bool kept = taken && *taken && attempt.commit();
    m_ledger.events().on_step_end(kept);
    if (!kept)
        m_orders.set_partners(partners);
    if (m_ledger.arena().failure())
        return fail(Error::ArenaFailed);
    return kept;
}

Result<bool, Error> Liquidation::hand_over(const Unit& unit) {
    const AccountId vault = m_ledger.state().backstop;
    const std::vector<Ledger::PositionPtr> given = positions(unit);
    // Funding first, so that what is left is exact.
    for (const Ledger::PositionPtr at : given)
        Funding(m_ledger).settle(at);
    const Health now = health(unit);
    if (now.equity < 0) {
        const Money paid = m_ledger.insurance_pay(-now.equity);
        m_ledger.add_cash(given.front(), paid);
        m_ledger.tell({.kind = ReportKind::Insurance, .account = unit.account, .amount = paid});
    }
    const Money left = m_ledger.cash(m_ledger.position(given.front()));
    m_ledger.add_cash(given.front(), -left);
    m_ledger.edit_account(vault, &Account::balance) += left;
    for (const Ledger::PositionPtr from : given) {
        const Position position = m_ledger.position(from);
        const auto to = m_ledger.open_position(vault, position.market);
        if (!to)
            return fail(to.error());
        if (m_ledger.position(*to).isolated() || !m_ledger.activate(*to))
            return false;
        Clearing clearing(m_ledger, position.market);
        clearing.hand_over(from, *to);
        m_ledger.tell({.kind = ReportKind::Backstop,
                       .price = m_ledger.market(position.market).mark,
                       .account = unit.account,
                       .other = vault,
                       .market = position.market,
                       .lots = position.size});
        if (const auto done = m_orders.finish(clearing); !done)
            return fail(done.error());
    }
    const Health after = m_margin.cross(vault);
    return after.equity >= after.initial;
}

// --- deleveraging ----------------------------------------------------------------------------------------

Result<void, Error> Liquidation::deleverage(const Unit& unit) {
    for (const Ledger::PositionPtr at : positions(unit))
        Funding(m_ledger).settle(at);
    const Health previous = health(unit, Valuation::PreviousMark);
    const Money debt = std::max<Money>(-previous.equity, 0);
    Shortfall shortfall{std::max<Money>(debt - m_ledger.state().insurance.balance, 0), previous.exposure};
    for (const Ledger::PositionPtr at : positions(unit)) {
        if (!m_ledger.market(m_ledger.position(at).market).fresh())
            continue;
        if (const auto done = deleverage(at, shortfall); !done)
            return done;
    }
    return {};
}

Result<void, Error> Liquidation::deleverage(Ledger::PositionPtr at, Shortfall& shortfall) {
    const Position whole = m_ledger.position(at);
    const Market& market = m_ledger.market(whole.market);
    const Price price = m_margin.price(market, Valuation::PreviousMark);
    const Money value = signed_value(price, magnitude(whole.size), market.terms.unit);
    // The position's share of the debt.
    Money debt = shortfall.value > 0 ? div_up(shortfall.debt * value, shortfall.value) : 0;
    shortfall.value -= value;
    while (m_ledger.position(at).size != 0 && shortfall.budget > 0) {
        --shortfall.budget;
        const Ledger::PositionPtr other = Risk(m_ledger).first_ranked(whole.market, whole.size > 0);
        if (!other)
            break;
        const Position against = m_ledger.position(other);
        const std::int64_t left = m_ledger.position(at).size;
        const std::int64_t lots = std::min(magnitude(left), magnitude(against.size));
        const Money equity = std::max<Money>(m_margin.of(against, Valuation::PreviousMark).equity, 0);
        const Money given = std::min(div_up(debt * lots, magnitude(left)), equity);
        Clearing clearing(m_ledger, whole.market);
        clearing.exchange_lots(at, other, price, left > 0 ? -lots : lots);
        give_up(other, at, given);
        debt -= given;
        shortfall.debt -= given;
        m_ledger.tell({.kind = ReportKind::Deleveraged,
                       .price = price,
                       .account = against.account,
                       .other = whole.account,
                       .market = whole.market,
                       .lots = left > 0 ? lots : -lots,
                       .amount = given});
        if (const auto done = m_orders.finish(clearing); !done)
            return done;
    }
    return {};
}

// From where the position's money is now: a closed isolated one has given its margin back.
void Liquidation::give_up(Ledger::PositionPtr from, Ledger::PositionPtr to, Money amount) noexcept {
    const Position giver = m_ledger.position(from);
    if (giver.isolated() && giver.size == 0)
        m_ledger.edit_account(giver.account, &Account::balance) -= amount;
    else
        m_ledger.add_cash(from, -amount);
    m_ledger.add_cash(to, amount);
    const Position taker = m_ledger.position(to);
    if (taker.isolated() && taker.size == 0 && taker.margin > 0) {
        m_ledger.add_cash(to, -taker.margin);
        m_ledger.edit_account(taker.account, &Account::balance) += taker.margin;
    }
}

}  // namespace meridian::modules::exchange
