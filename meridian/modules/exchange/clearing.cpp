#include <meridian/modules/exchange/clearing.hpp>

namespace meridian::modules::exchange {

using module::List;
using module::Ptr;

namespace {

using ReduceOnly = List<OrderExtra, &OrderExtra::reduce_only>;
using ClientIds = module::OrderedMap<ClientKey, Ptr<OrderExtra>>;

// What a seller or a buyer of lots gains at once when the mark price is `mark`.
Money gain_at(Price mark, Price price, std::int64_t lots, std::uint64_t unit) noexcept {
    return signed_value(mark, lots, unit) - signed_value(price, lots, unit);
}

constexpr std::int64_t signed_lots(Side side, Size size) noexcept {
    return side == Side::Buy ? static_cast<std::int64_t>(size) : -static_cast<std::int64_t>(size);
}

bool only_closes(std::int64_t size, std::int64_t lots) noexcept {
    return (size < 0) != (lots < 0) && magnitude(lots) <= magnitude(size);
}

// The position after a fill of one of its orders.
Position after_fill(Position position, std::int64_t lots, bool reduce_only) noexcept {
    position.size += lots;
    if (!reduce_only)
        (lots > 0 ? position.open_buy : position.open_sell) -= magnitude(lots);
    return position;
}

}  // namespace

ClientKey client_key(AccountId account, const ClientId& id) noexcept {
    ClientKey key;
    for (std::size_t i = 0; i < 4; ++i)
        key[i] = static_cast<std::uint8_t>(account >> (24 - 8 * i));
    std::copy(id.begin(), id.end(), key.bytes.begin() + 4);
    return key;
}

const OrderExtra* Clearing::extra_of(std::uint32_t tag) const noexcept {
    return tag != 0 ? &m_ledger.arena().at(Ptr<OrderExtra>{tag}) : nullptr;
}

// --- what may be filled ----------------------------------------------------------------------------------

Clearing::Cost Clearing::cost_of(AccountId account, bool is_taker, std::uint32_t tag,
                                 Money value) const noexcept {
    const FeeTier& tier = Fees(m_ledger).tier(account, market().terms);
    Cost cost{fee_of(value, is_taker ? tier.taker_ppm : tier.maker_ppm), 0, kNoAccount};
    if (const OrderExtra* extra = extra_of(tag); extra != nullptr && extra->builder != kNoAccount) {
        cost.builder = extra->builder;
        cost.builder_fee = fee_of(value, static_cast<std::int32_t>(extra->builder_ppm));
    }
    return cost;
}

bool Clearing::within_open_interest(const Part& a, const Part& b) const noexcept {
    std::int64_t change = 0;
    for (const Part* part : {&a, &b}) {
        const std::int64_t size = m_ledger.position(part->position).size;
        change += std::max<std::int64_t>(size + part->lots, 0) - std::max<std::int64_t>(size, 0);
    }
    return change <= 0 || static_cast<std::int64_t>(market().open_interest) + change <=
                              static_cast<std::int64_t>(market().terms.open_interest_max);
}

Admission Clearing::admit(const Fill& fill) noexcept {
    if (market().spot())
        return {fill.size};
    const Ledger::PositionPtr maker = m_ledger.find_position(fill.maker, m_market);
    const Ledger::PositionPtr taker = m_ledger.find_position(fill.taker, m_market);
    if (!maker || !taker)
        return {0};
    const auto cap = [&](Ledger::PositionPtr position, Side side, bool reduce_only) {
        const auto reducible = static_cast<Size>(m_ledger.position(position).reducible(side));
        return reduce_only ? std::min(fill.size, reducible) : fill.size;
    };
    const Size maker_cap = cap(maker, opposite(fill.taker_side), fill.maker_reduce_only);
    const Size taker_cap = cap(taker, fill.taker_side, fill.taker_reduce_only);
    const Size lots = std::min(maker_cap, taker_cap);
    if (lots == 0)
        return {0, maker_cap == 0, taker_cap == 0};
    const Money value = value_of(fill.price, lots, market().terms.unit);
    const std::int64_t bought = signed_lots(fill.taker_side, lots);
    const Part made{maker,
                    -bought,
                    fill.price,
                    cost_of(fill.maker, false, fill.maker_tag, value).sum(),
                    fill.maker_reduce_only,
                    false};
    const Part taken{taker,
                     bought,
                     fill.price,
                     cost_of(fill.taker, true, fill.taker_tag, value).sum(),
                     fill.taker_reduce_only,
                     m_liquidates};
    if (!within_open_interest(made, taken))
        return {0, false, true};
    if (!bears(made))
        return {0, true, false};
    if (!bears(taken))
        return {0, false, true};
    return {lots, maker_cap < fill.size, taker_cap < fill.size};
}

bool Clearing::bears(const Part& part) const noexcept {
    const Position& position = m_ledger.position(part.position);
    if (only_closes(position.size, part.lots))
        return bears_less(part, position);
    return position.isolated() ? bears_more_isolated(part, position) : bears_more_cross(part, position);
}

bool Clearing::bears_less(const Part& part, const Position& position) const noexcept {
    const Health before = m_margin.of(position);
    const std::int64_t after = position.size + part.lots;
    Money equity =
        before.equity - part.fee + gain_at(market().mark, part.price, part.lots, market().terms.unit);
    if (position.isolated() && after != 0 && !part.liquidates)
        equity -= part_of(std::max<Money>(before.equity, 0), magnitude(part.lots), magnitude(position.size));
    const Money maintenance = before.maintenance - m_margin.maintenance(market(), magnitude(position.size)) +
                              m_margin.maintenance(market(), magnitude(after));
    const bool no_new_debt = equity >= std::min<Money>(before.equity, 0);
    if (part.liquidates)
        return no_new_debt;
    return equity >= maintenance || (no_new_debt && equity - maintenance >= before.slack());
}

bool Clearing::bears_more_cross(const Part& part, const Position& position) const noexcept {
    const Health before = m_margin.cross(position.account);
    const Money equity =
        before.equity - part.fee + gain_at(market().mark, part.price, part.lots, market().terms.unit);
    const Position after = after_fill(position, part.lots, part.reduce_only);
    const Money initial =
        before.initial - m_margin.initial_of(market(), position) + m_margin.initial_of(market(), after);
    return equity >= initial;
}

// The margin comes from the cross balance; with it the position has to have its maintenance margin.
bool Clearing::bears_more_isolated(const Part& part, const Position& position) const noexcept {
    const std::uint64_t unit = market().terms.unit;
    const Position after = after_fill(position, part.lots, part.reduce_only);
    const bool turns = position.size != 0 && (position.size < 0) != (after.size < 0);
    const std::int64_t opened = turns ? after.size : part.lots;
    const Money margin =
        div_up(magnitude(signed_value(part.price, opened, unit)), std::max(position.leverage, 1u));
    const Health cross = m_margin.cross(position.account);
    const Money initial =
        cross.initial - m_margin.initial_of(market(), position) + m_margin.initial_of(market(), after);
    if (cross.equity - margin - part.fee < initial)
        return false;
    Money equity = m_margin.isolated(position).equity;
    if (turns) {
        if (equity + gain_at(market().mark, part.price, -position.size, unit) < 0)
            return false;
        equity = 0;
    }
    return equity + margin + gain_at(market().mark, part.price, opened, unit) >=
           m_margin.maintenance(market(), magnitude(after.size));
}

Result<void, Error> Clearing::check_orders(const Position& position, Side side,
                                           std::int64_t lots) const noexcept {
    Position after = position;
    (side == Side::Buy ? after.open_buy : after.open_sell) += lots;
    if (after.worst() <= position.worst())
        return {};
    if (after.worst() > static_cast<std::int64_t>(market().terms.open_interest_max))
        return fail(Error::OpenInterest);
    const Health health = m_margin.cross(position.account);
    const Money more = m_margin.initial_of(market(), after) - m_margin.initial_of(market(), position);
    if (health.equity < health.initial + more)
        return fail(Error::InsufficientMargin);
    return {};
}

// --- events ----------------------------------------------------------------------------------------------

void Clearing::on_event(const Event& event) noexcept {
    m_ledger.events().on_order(m_market, event);
    switch (event.kind) {
        case EventKind::Accepted:
            return on_accepted(event);
        case EventKind::Filled:
            return on_filled(event);
        case EventKind::Amended:
            return on_amended(event);
        case EventKind::Cancelled:
        case EventKind::Reduced:
            return on_less(event);
        case EventKind::Rejected:
            return;
    }
}

// Lots of orders that are not reduce-only.
void Clearing::count_lots(AccountId account, Side side, std::uint32_t tag, std::int64_t lots) noexcept {
    if (const OrderExtra* extra = extra_of(tag); extra && (extra->flags & OrderExtra::kReduceOnly) != 0)
        return;
    const Ledger::PositionPtr position = m_ledger.find_position(account, m_market);
    if (position)
        m_ledger.arena().edit(position, side == Side::Buy ? &Position::open_buy : &Position::open_sell) +=
            lots;
}

void Clearing::on_accepted(const Event& event) noexcept {
    m_taker_price = event.price;
    const Ledger::PositionPtr position = m_ledger.find_position(event.owner, m_market);
    ++m_ledger.edit_account(event.owner, &Account::order_count);
    ++m_ledger.arena().edit(position, &Position::order_count);
    if (market().spot())
        hold_for_order(event.owner, event.side, event.price, event.size);
    else
        count_lots(event.owner, event.side, event.tag, static_cast<std::int64_t>(event.size));
    const OrderExtra* extra = extra_of(event.tag);
    if (extra == nullptr)
        return;
    const Ptr<OrderExtra> at{event.tag};
    const bool reduces = (extra->flags & OrderExtra::kReduceOnly) != 0;
    m_ledger.arena().edit(at, &OrderExtra::order) = event.id;
    if (reduces) {
        ReduceOnly(m_ledger.arena(), m_ledger.arena().place(position, &Position::reduce_only)).push_back(at);
        ++m_ledger.arena().edit(position, &Position::reduce_only_count);
    }
}

void Clearing::on_filled(const Event& event) noexcept {
    m_ledger.edit_market(m_market, &Market::last) = event.price;
    if (market().spot()) {
        settle_spot(event);
    } else {
        const auto lots = static_cast<std::int64_t>(event.size);
        count_lots(event.owner, event.side, event.tag, -lots);
        count_lots(event.maker_owner, opposite(event.side), event.maker_tag, -lots);
        settle_perpetual(event);
    }
    for (const std::uint32_t tag : {event.tag, event.maker_tag}) {
        if (const OrderExtra* extra = extra_of(tag); extra != nullptr && extra->partner != 0)
            m_partners.push_back({extra->account, extra->partner});
    }
    if (event.maker_remaining == 0)
        order_gone(event.maker_owner, event.maker_tag);
    if (event.remaining == 0)
        order_gone(event.owner, event.tag);
}

void Clearing::on_amended(const Event& event) noexcept {
    m_taker_price = event.price;
    if (!market().spot()) {
        const std::int64_t more =
            static_cast<std::int64_t>(event.size) - static_cast<std::int64_t>(m_before_size);
        return count_lots(event.owner, event.side, event.tag, more);
    }
    release_for_order(event.owner, event.side, m_before_price, m_before_size);
    hold_for_order(event.owner, event.side, event.price, event.size);
}

void Clearing::on_less(const Event& event) noexcept {
    if (market().spot())
        release_for_order(event.owner, event.side, event.price, event.size);
    else
        count_lots(event.owner, event.side, event.tag, -static_cast<std::int64_t>(event.size));
    if (event.kind == EventKind::Cancelled || event.remaining == 0)
        order_gone(event.owner, event.tag);
}

void Clearing::order_gone(AccountId account, std::uint32_t tag) noexcept {
    const Ledger::PositionPtr position = m_ledger.find_position(account, m_market);
    --m_ledger.edit_account(account, &Account::order_count);
    --m_ledger.arena().edit(position, &Position::order_count);
    release_extra(position, tag);
    touch(position);
}

void Clearing::release_extra(Ledger::PositionPtr position, std::uint32_t tag) noexcept {
    module::Arena& arena = m_ledger.arena();
    if (tag == 0)
        return;
    const Ptr<OrderExtra> at{tag};
    const OrderExtra extra = arena.at(at);
    if ((extra.flags & OrderExtra::kReduceOnly) != 0) {
        ReduceOnly(arena, arena.place(position, &Position::reduce_only)).remove(at);
        --arena.edit(position, &Position::reduce_only_count);
    }
    if ((extra.flags & OrderExtra::kClientId) != 0)
        ClientIds(arena, arena.place(m_ledger.place(), &ExchangeState::client_ids))
            .erase(client_key(extra.account, extra.client_id));
    if (extra.partner != 0)
        m_partners.push_back({extra.account, extra.partner});
    module::Pool<OrderExtra>(arena, arena.place(m_ledger.place(), &ExchangeState::extra_pool)).free(at);
}

// --- settling perpetuals ---------------------------------------------------------------------------------

void Clearing::settle_perpetual(const Event& event) noexcept {
    const Money value = value_of(event.price, event.size, market().terms.unit);
    const Cost taker = cost_of(event.owner, true, event.tag, value);
    const Cost maker = cost_of(event.maker_owner, false, event.maker_tag, value);
    settle_part(event, false, maker);
    settle_part(event, true, taker);
    m_ledger.add_fees(kCollateral, static_cast<std::uint64_t>(taker.fee + maker.fee));
    Fees fees(m_ledger);
    fees.add_volume(event.owner, value);
    fees.add_volume(event.maker_owner, value);
}

void Clearing::settle_part(const Event& event, bool is_taker, const Cost& cost) noexcept {
    const AccountId account = is_taker ? event.owner : event.maker_owner;
    const Part part{.position = m_ledger.find_position(account, m_market),
                    .lots = signed_lots(is_taker ? event.side : opposite(event.side), event.size),
                    .price = event.price,
                    .fee = cost.sum(),
                    .reduce_only = false,
                    .liquidates = is_taker && m_liquidates};
    const Money realised = apply(part);
    if (cost.builder_fee != 0)
        m_ledger.edit_account(cost.builder, &Account::balance) += cost.builder_fee;
    m_ledger.tell({.kind = ReportKind::Trade,
                   .is_taker = is_taker,
                   .price = event.price,
                   .account = account,
                   .other = is_taker ? event.maker_owner : event.owner,
                   .market = m_market,
                   .id = is_taker ? event.id : event.maker_id,
                   .lots = part.lots,
                   .amount = part.fee,
                   .realised = realised});
    touch(part.position);
}

// What was realised, without the fee.
Money Clearing::apply(const Part& part) noexcept {
    Funding(m_ledger).settle(part.position);
    const Position before = m_ledger.position(part.position);
    const bool opposes = before.size != 0 && (before.size < 0) != (part.lots < 0);
    const std::int64_t closed = opposes ? std::min(magnitude(part.lots), magnitude(before.size)) : 0;
    const std::int64_t opened = magnitude(part.lots) - closed;
    const std::int64_t sign = part.lots < 0 ? -1 : 1;
    Money realised = 0;
    if (opened == 0)
        m_ledger.add_cash(part.position, -part.fee);
    if (closed != 0) {
        Money freed = 0;
        if (before.isolated() && !part.liquidates)
            freed =
                part_of(std::max<Money>(m_margin.isolated(before).equity, 0), closed, magnitude(before.size));
        realised = close(part.position, sign * closed, part.price, freed);
    }
    if (opened != 0) {
        open(part, sign * opened);
        m_ledger.add_cash(part.position, -part.fee);
    }
    return realised;
}

// An isolated position gives back `freed` of its margin as far as it has it, and all when it is closed.
Money Clearing::close(Ledger::PositionPtr at, std::int64_t lots, Price price, Money freed) noexcept {
    const Position before = m_ledger.position(at);
    const Money cost = part_of(before.cost, magnitude(lots), magnitude(before.size));
    const Money realised = -signed_value(price, lots, market().terms.unit) - cost;
    change_size(at, lots, -cost);
    m_ledger.add_cash(at, realised);
    if (before.isolated()) {
        const Money margin = std::max<Money>(m_ledger.position(at).margin, 0);
        const Money given = before.size + lots == 0 ? margin : std::min(freed, margin);
        m_ledger.add_cash(at, -given);
        m_ledger.edit_account(before.account, &Account::balance) += given;
    }
    return realised;
}

void Clearing::open(const Part& part, std::int64_t lots) noexcept {
    const Position& position = m_ledger.position(part.position);
    const Money value = signed_value(part.price, lots, market().terms.unit);
    if (position.isolated()) {
        const Money margin = div_up(magnitude(value), std::max(position.leverage, 1u)) + part.fee;
        m_ledger.edit_account(position.account, &Account::balance) -= margin;
        m_ledger.add_cash(part.position, margin);
    }
    change_size(part.position, lots, value);
}

void Clearing::change_size(Ledger::PositionPtr at, std::int64_t lots, Money cost) noexcept {
    const std::int64_t before = m_ledger.position(at).size;
    const std::int64_t after = before + lots;
    m_ledger.edit_market(m_market, &Market::open_interest) +=
        static_cast<std::uint64_t>(std::max<std::int64_t>(after, 0) - std::max<std::int64_t>(before, 0));
    Funding(m_ledger).note_lots(m_market, lots);
    Position& position = m_ledger.arena().edit(at);
    position.size = after;
    position.cost += cost;
    if (after == 0)
        position.partial_until_ms = 0;
}

void Clearing::exchange_lots(Ledger::PositionPtr a, Ledger::PositionPtr b, Price price,
                             std::int64_t lots) noexcept {
    apply({a, lots, price, 0, false, true});
    apply({b, -lots, price, 0, false, true});
    touch(a);
    touch(b);
}

void Clearing::hand_over(Ledger::PositionPtr from, Ledger::PositionPtr to) noexcept {
    Funding funding(m_ledger);
    funding.settle(from);
    funding.settle(to);
    const Position given = m_ledger.position(from);
    const Position had = m_ledger.position(to);
    change_size(from, -given.size, -given.cost);
    // Where the two oppose each other, the smaller is closed against as much of the larger: the larger keeps
    // its own share of cost for what is left, and what remains of the two costs is realised.
    const bool opposes = had.size != 0 && (had.size < 0) != (given.size < 0);
    change_size(to, given.size, given.cost);
    if (opposes) {
        const Position merged = m_ledger.position(to);
        const bool had_more = magnitude(had.size) >= magnitude(given.size);
        const Position& larger = had_more ? had : given;
        const Money kept = part_of(larger.cost, magnitude(merged.size), magnitude(larger.size));
        m_ledger.arena().edit(to, &Position::cost) = kept;
        m_ledger.add_cash(to, kept - merged.cost);
    }
    touch(from);
    touch(to);
}

// --- after the book --------------------------------------------------------------------------------------

void Clearing::trim(Ledger::PositionPtr at) {
    const Position& position = m_ledger.position(at);
    OrderId orders[kReduceOnlyMax];
    std::uint32_t count = 0;
    for (Ptr<OrderExtra> extra = position.reduce_only.first; extra && count < kReduceOnlyMax;
         extra = m_ledger.arena().at(extra).reduce_only.next)
        orders[count++] = m_ledger.arena().at(extra).order;
    Book book = m_ledger.book(m_market);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Order* order = book.find(orders[i]);
        if (order == nullptr)
            continue;
        const auto allowed = static_cast<Size>(position.reducible(order->side()));
        // It is there; that the arena has failed is found out in the end.
        if (order->remaining > allowed && !book.reduce(orders[i], order->remaining - allowed, *this))
            return;
    }
}

void Clearing::cover_debt(Ledger::PositionPtr at) {
    const Position& position = m_ledger.position(at);
    if (position.size != 0)
        return;
    if (!position.isolated() && m_margin.cross(position.account).positions != 0)
        return;
    const Money debt = -m_ledger.cash(position);
    if (debt <= 0)
        return;
    const AccountId account = position.account;
    m_ledger.add_cash(at, debt);
    const Money paid = m_ledger.insurance_pay(debt);
    m_ledger.tell({.kind = ReportKind::Insurance, .account = account, .market = m_market, .amount = paid});
    if (paid < debt)
        m_ledger.tell(
            {.kind = ReportKind::Debt, .account = account, .market = m_market, .amount = debt - paid});
}

Result<void, Error> Clearing::finish() {
    const auto by_place = [](Ledger::PositionPtr a, Ledger::PositionPtr b) { return a.granule < b.granule; };
    const auto tidy = [&] {
        std::sort(m_touched.begin(), m_touched.end(), by_place);
        m_touched.erase(std::unique(m_touched.begin(), m_touched.end()), m_touched.end());
    };
    tidy();
    // Trimming touches positions anew, but none that is not among them.
    const std::vector<Ledger::PositionPtr> traded = m_touched;
    for (const Ledger::PositionPtr at : traded)
        trim(at);
    if (!market().spot()) {
        Risk risk(m_ledger);
        for (const Ledger::PositionPtr at : traded) {
            cover_debt(at);
            risk.refresh(m_ledger.position(at).account);
        }
    }
    for (const Ledger::PositionPtr at : traded)
        m_ledger.deactivate_if_idle(at);
    m_touched.clear();
    return m_ledger.usable();
}

}  // namespace meridian::modules::exchange
