#include <meridian/modules/exchange/conditional.hpp>

namespace meridian::modules::exchange {

using module::Arena;
using module::OrderedMap;
using module::Place;

namespace {

using ById = OrderedMap<PairKey, module::Ptr<Conditional>>;
using Switches = OrderedMap<PairKey, std::uint32_t>;

Place<module::OrderedMapState> member(const Ledger& ledger,
                                      module::OrderedMapState ExchangeState::* map) noexcept {
    return ledger.arena().place(ledger.place(), map);
}

}  // namespace

// --- what there is ---------------------------------------------------------------------------------------

Conditionals::Ptr Conditionals::find(AccountId account, std::uint64_t id) const noexcept {
    const ById all(m_ledger.arena(), member(m_ledger, &ExchangeState::conditionals));
    const auto at = all.find({account, id});
    return at ? all.value(at) : Ptr{};
}

ById Conditionals::queue(const Conditional& conditional) const noexcept {
    Arena& arena = m_ledger.arena();
    if (conditional.kind == ConditionKind::Twap)
        return {arena, member(m_ledger, &ExchangeState::twaps)};
    const Place<module::OrderedMapState> first(
        arena.place(m_ledger.market_place(conditional.market), &Market::triggers).offset);
    const bool below = conditional.kind == ConditionKind::Below;
    return {arena,
            Place<module::OrderedMapState>(first.offset + (below ? sizeof(module::OrderedMapState) : 0))};
}

PairKey Conditionals::queue_key(const Conditional& conditional) noexcept {
    switch (conditional.kind) {
        case ConditionKind::Above:
            return {conditional.at, conditional.id};
        case ConditionKind::Below:
            return {~std::uint64_t{conditional.at}, conditional.id};
        case ConditionKind::Twap:
            break;
    }
    return {conditional.due_ms, conditional.id};
}

void Conditionals::remove(Ptr at) noexcept {
    const Conditional content = m_ledger.arena().at(at);
    queue(content).erase(queue_key(content));
    ById(m_ledger.arena(), member(m_ledger, &ExchangeState::conditionals))
        .erase({content.account, content.id});
    --m_ledger.edit_account(content.account, &Account::conditional_count);
    module::Pool<Conditional>(m_ledger.arena(),
                              m_ledger.arena().place(m_ledger.place(), &ExchangeState::conditional_pool))
        .free(at);
}

// Its partners go too. What goes because an order did is for drop_partners.
Result<void, Error> Conditionals::remove_with_partner(Ptr at) {
    const Conditional content = m_ledger.arena().at(at);
    remove(at);
    if (content.partner != 0) {
        if (const Ptr partner = find(content.account, content.partner))
            remove(partner);
    }
    const Order* order =
        content.partner_order != 0 ? m_ledger.book(content.market).find(content.partner_order) : nullptr;
    if (order != nullptr && order->owner == content.account) {
        if (const auto gone = m_orders.cancel(content.account, content.market, content.partner_order); !gone)
            return gone;
    }
    return m_ledger.usable();
}

// --- making them -----------------------------------------------------------------------------------------

Result<void, Error> Conditionals::check(const PlaceTrigger& trigger) const noexcept {
    const PlaceOrder& order = trigger.order;
    if (!m_ledger.has_account(order.account))
        return fail(Error::UnknownAccount);
    if (order.market >= m_ledger.market_count())
        return fail(Error::UnknownMarket);
    const Market& market = m_ledger.market(order.market);
    const MarketRules& rules = market.terms.rules;
    if (trigger.at == 0 || order.price == 0)
        return fail(Error::ZeroPrice);
    if (trigger.at > rules.price_max || order.price > rules.price_max)
        return fail(Error::PriceBounds);
    if (order.size == 0)
        return fail(Error::ZeroSize);
    if (order.size > rules.size_max)
        return fail(Error::SizeBounds);
    const bool rests =
        order.time_in_force == TimeInForce::GoodTillCancelled || order.time_in_force == TimeInForce::PostOnly;
    if (!order.client_id.is_zero() || order.builder != kNoAccount ||
        order.self_trade != SelfTrade::CancelResting || (order.type == OrderType::Market && rests))
        return fail(Error::BadCommand);
    if (market.spot() && order.reduce_only)
        return fail(Error::WrongMarket);
    return {};
}

// An empty one that counts, but is in no queue yet.
Result<Conditionals::Ptr, Error> Conditionals::make(AccountId account, MarketId market, ConditionKind kind) {
    if (m_ledger.account(account).conditional_count >= kConditionalsMax)
        return fail(Error::TooManyTriggers);
    Arena& arena = m_ledger.arena();
    const auto made =
        module::Pool<Conditional>(arena, arena.place(m_ledger.place(), &ExchangeState::conditional_pool))
            .allocate();
    if (!made)
        return fail(Error::ArenaFailed);
    const std::uint64_t id = ++m_ledger.edit(&ExchangeState::last_conditional_id);
    Conditional& content = arena.edit(*made);
    content.id = id;
    content.account = account;
    content.market = market;
    content.kind = kind;
    ++m_ledger.edit_account(account, &Account::conditional_count);
    if (!ById(arena, member(m_ledger, &ExchangeState::conditionals)).put({account, id}, *made))
        return fail(Error::ArenaFailed);
    return *made;
}

Result<std::uint64_t, Error> Conditionals::add_trigger(const PlaceTrigger& trigger) {
    if (const auto valid = check(trigger); !valid)
        return fail(valid.error());
    const PlaceOrder& order = trigger.order;
    const auto made =
        make(order.account, order.market, trigger.above ? ConditionKind::Above : ConditionKind::Below);
    if (!made)
        return fail(made.error());
    Conditional& content = m_ledger.arena().edit(*made);
    content.at = trigger.at;
    content.price = order.price;
    content.size = order.size;
    content.flags = (order.side == Side::Sell ? Conditional::kSell : 0) |
                    (order.reduce_only ? Conditional::kReduceOnly : 0) |
                    (order.type == OrderType::Market ? Conditional::kMarket : 0) |
                    static_cast<std::uint32_t>(order.time_in_force) << Conditional::kForceShift;
    const Conditional added = content;
    if (!queue(added).put(queue_key(added), *made))
        return fail(Error::ArenaFailed);
    m_ledger.tell({.kind = ReportKind::TriggerPlaced,
                   .price = trigger.at,
                   .account = order.account,
                   .market = order.market,
                   .id = added.id});
    return added.id;
}

Result<std::uint64_t, Error> Conditionals::place(const PlaceTrigger& trigger) {
    return add_trigger(trigger);
}

Result<std::uint64_t, Error> Conditionals::place_pair(const PlaceTrigger& first, const PlaceTrigger& second) {
    if (first.order.account != second.order.account || first.order.market != second.order.market)
        return fail(Error::BadCommand);
    const auto one = add_trigger(first);
    if (!one)
        return one;
    const auto other = add_trigger(second);
    if (!other)
        return other;
    Arena& arena = m_ledger.arena();
    arena.edit(find(first.order.account, *one), &Conditional::partner) = *other;
    arena.edit(find(first.order.account, *other), &Conditional::partner) = *one;
    return one;
}

Result<Placed, Error> Conditionals::place_with_order(const PlaceOrder& order, const PlaceTrigger& trigger) {
    if (order.account != trigger.order.account || order.market != trigger.order.market)
        return fail(Error::BadCommand);
    const auto id = add_trigger(trigger);
    if (!id)
        return fail(id.error());
    const auto placed = m_orders.place(order, *id);
    if (!placed)
        return placed;
    if (placed->resting != 0)
        m_ledger.arena().edit(find(order.account, *id), &Conditional::partner_order) = placed->id;
    if (const auto dropped = drop_partners(); !dropped)
        return fail(dropped.error());
    return placed;
}

Result<std::uint64_t, Error> Conditionals::place_twap(const PlaceTwap& twap) {
    // The numbers' bounds are those of a trigger's order.
    PlaceTrigger same{.above = true, .at = 1, .order = {}};
    same.order.account = twap.account;
    same.order.market = twap.market;
    same.order.reduce_only = twap.reduce_only;
    same.order.price = 1;
    same.order.size = twap.size;
    if (const auto valid = check(same); !valid)
        return fail(valid.error());
    if (twap.duration_ms < kTwapMsMin || twap.duration_ms > kTwapMsMax)
        return fail(Error::BadTime);
    const auto made = make(twap.account, twap.market, ConditionKind::Twap);
    if (!made)
        return fail(made.error());
    Conditional& content = m_ledger.arena().edit(*made);
    content.size = twap.size;
    content.slices_left = static_cast<std::uint32_t>(twap.duration_ms / kSliceMs) + 1;
    content.slice_max = kCatchUpMax * ((twap.size + content.slices_left - 1) / content.slices_left);
    content.due_ms = m_ledger.now_ms();
    content.flags = (twap.side == Side::Sell ? Conditional::kSell : 0) |
                    (twap.reduce_only ? Conditional::kReduceOnly : 0);
    const Conditional added = content;
    if (!queue(added).put(queue_key(added), *made))
        return fail(Error::ArenaFailed);
    return added.id;
}

// --- taking them back ------------------------------------------------------------------------------------

Result<void, Error> Conditionals::cancel(AccountId account, std::uint64_t id) {
    if (!m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    const Ptr at = find(account, id);
    if (!at)
        return fail(Error::UnknownTrigger);
    const Conditional content = m_ledger.arena().at(at);
    if (const auto removed = remove_with_partner(at); !removed)
        return removed;
    const bool twap = content.kind == ConditionKind::Twap;
    m_ledger.tell({.kind = twap ? ReportKind::TwapGone : ReportKind::TriggerGone,
                   .account = account,
                   .market = content.market,
                   .id = id});
    return drop_partners();
}

Result<std::uint32_t, Error> Conditionals::cancel_all(AccountId account) {
    if (!m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    const ById all(m_ledger.arena(), member(m_ledger, &ExchangeState::conditionals));
    std::uint32_t count = 0;
    for (; count < kConditionalsMax; ++count) {
        const auto at = all.lower_bound({account, 0});
        if (!at || all.key(at).first != account)
            break;
        if (const auto cancelled = cancel(account, all.key(at).second); !cancelled)
            return fail(cancelled.error());
    }
    return count;
}

Result<void, Error> Conditionals::drop_partners() {
    for (const PairKey partner : m_orders.take_partners()) {
        const Ptr at = find(static_cast<AccountId>(partner.first), partner.second);
        if (!at)
            continue;
        const Conditional content = m_ledger.arena().at(at);
        remove(at);
        m_ledger.tell({.kind = ReportKind::TriggerGone,
                       .account = content.account,
                       .market = content.market,
                       .id = content.id});
        // An order that has traded in part goes on without its trigger.
    }
    return m_ledger.usable();
}

Result<void, Error> Conditionals::schedule_cancel(AccountId account, std::uint64_t time_ms) {
    if (!m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    const Account content = m_ledger.account(account);
    const auto today = static_cast<std::uint32_t>(m_ledger.now_ms() / kDayMs);
    if (time_ms != 0 && time_ms < m_ledger.now_ms() + kSwitchAheadMs)
        return fail(Error::BadTime);
    if (time_ms != 0 && content.cancel_day == today && content.cancel_fires >= kSwitchesPerDay)
        return fail(Error::TooMany);
    Switches switches(m_ledger.arena(), member(m_ledger, &ExchangeState::cancels));
    if (content.cancel_at_ms != 0)
        switches.erase({content.cancel_at_ms, account});
    m_ledger.edit_account(account, &Account::cancel_at_ms) = time_ms;
    if (time_ms != 0 && !switches.put({time_ms, account}, 0))
        return fail(Error::ArenaFailed);
    return m_ledger.usable();
}

// --- what is due -----------------------------------------------------------------------------------------

Result<bool, Error> Conditionals::fire_switch() {
    Switches switches(m_ledger.arena(), member(m_ledger, &ExchangeState::cancels));
    const auto first = switches.first();
    if (!first || switches.key(first).first > m_ledger.now_ms())
        return false;
    const PairKey key = switches.key(first);
    const auto account = static_cast<AccountId>(key.second);
    switches.erase(key);
    Account& content = m_ledger.arena().edit(m_ledger.account_place(account));
    const auto today = static_cast<std::uint32_t>(m_ledger.now_ms() / kDayMs);
    content.cancel_fires = content.cancel_day == today ? content.cancel_fires + 1 : 1;
    content.cancel_day = today;
    content.cancel_at_ms = 0;
    const auto orders = m_orders.cancel_all(account);
    if (!orders)
        return fail(orders.error());
    if (const auto conditionals = cancel_all(account); !conditionals)
        return fail(conditionals.error());
    m_ledger.tell({.kind = ReportKind::CancelsFired, .account = account, .lots = *orders});
    if (const auto dropped = drop_partners(); !dropped)
        return fail(dropped.error());
    return true;
}

// What triggers and TWAPs go by; 0: nothing now.
Price Conditionals::reference(MarketId id) const noexcept {
    const Market& market = m_ledger.market(id);
    if (market.spot())
        return market.last;
    return market.fresh() ? market.mark : 0;
}

// An order that is refused leaves nothing, and what is around it stands.
Result<Placed, Error> Conditionals::try_place(const PlaceOrder& order) {
    const std::vector<PairKey> partners = m_orders.partners();
    module::Transaction attempt(m_ledger.arena());
    m_ledger.events().on_step_begin();
    auto placed = m_orders.place(order);
    if (placed && !attempt.commit())
        placed = fail(Error::ArenaFailed);
    m_ledger.events().on_step_end(placed.has_value());
    if (!placed)
        m_orders.set_partners(partners);
    return placed;
}

PlaceOrder Conditionals::order_of(const Conditional& conditional) noexcept {
    PlaceOrder order;
    order.account = conditional.account;
    order.market = conditional.market;
    order.side = (conditional.flags & Conditional::kSell) != 0 ? Side::Sell : Side::Buy;
    order.type = (conditional.flags & Conditional::kMarket) != 0 ? OrderType::Market : OrderType::Limit;
    order.time_in_force = static_cast<TimeInForce>(conditional.flags >> Conditional::kForceShift & 0xff);
    order.reduce_only = (conditional.flags & Conditional::kReduceOnly) != 0;
    order.price = conditional.price;
    order.size = conditional.size;
    return order;
}

Result<bool, Error> Conditionals::fire_trigger(MarketId market) {
    const Price now = reference(market);
    Ptr found;
    for (const ConditionKind kind : {ConditionKind::Above, ConditionKind::Below}) {
        Conditional sample{};
        sample.market = market;
        sample.kind = kind;
        const ById waiting = queue(sample);
        const auto first = now != 0 ? waiting.first() : ById::Cursor{};
        if (!first)
            continue;
        const Price at = m_ledger.arena().at(waiting.value(first)).at;
        if (kind == ConditionKind::Above ? at <= now : at >= now) {
            found = waiting.value(first);
            break;
        }
    }
    if (!found)
        return false;
    const Conditional fired = m_ledger.arena().at(found);
    if (const auto removed = remove_with_partner(found); !removed)
        return fail(removed.error());
    const auto placed = try_place(order_of(fired));
    if (!placed && placed.error() == Error::ArenaFailed)
        return fail(placed.error());
    m_ledger.tell({.kind = placed ? ReportKind::TriggerFired : ReportKind::TriggerGone,
                   .error = placed ? Error::None : placed.error(),
                   .price = now,
                   .account = fired.account,
                   .market = market,
                   .id = fired.id});
    if (const auto dropped = drop_partners(); !dropped)
        return fail(dropped.error());
    return true;
}

PlaceOrder Conditionals::slice_of(const Conditional& twap, Size lots) const noexcept {
    PlaceOrder order = order_of(twap);
    order.time_in_force = TimeInForce::ImmediateOrCancel;
    order.size = lots;
    const std::uint64_t now = reference(twap.market);
    const std::uint64_t price_max = m_ledger.market(twap.market).terms.rules.price_max;
    const std::uint64_t worst = order.side == Side::Buy ? now * (100 + kSlippagePercent) / 100
                                                        : (now * (100 - kSlippagePercent) + 99) / 100;
    order.price = static_cast<Price>(std::min(worst, price_max));
    return order;
}

Result<bool, Error> Conditionals::trade_slice() {
    ById twaps(m_ledger.arena(), member(m_ledger, &ExchangeState::twaps));
    const auto first = twaps.first();
    if (!first || twaps.key(first).first > m_ledger.now_ms())
        return false;
    const Ptr at = twaps.value(first);
    const Conditional twap = m_ledger.arena().at(at);
    const Size share = (twap.size + twap.slices_left - 1) / std::max(twap.slices_left, 1u);
    const auto placed = reference(twap.market) != 0
                            ? try_place(slice_of(twap, std::min(share, twap.slice_max)))
                            : Result<Placed, Error>(fail(Error::NoMark));
    if (!placed && placed.error() == Error::ArenaFailed)
        return fail(placed.error());
    const Size filled = placed ? placed->filled : 0;
    m_ledger.tell({.kind = ReportKind::TwapSlice,
                   .error = placed ? Error::None : placed.error(),
                   .account = twap.account,
                   .market = twap.market,
                   .id = twap.id,
                   .lots = static_cast<std::int64_t>(filled)});
    Conditional next = twap;
    next.size -= filled;
    --next.slices_left;
    // One slice in a block, however long there was none.
    next.due_ms = std::max(twap.due_ms + kSliceMs, m_ledger.now_ms() + 1);
    if (next.size == 0 || next.slices_left == 0) {
        remove(at);
        m_ledger.tell({.kind = ReportKind::TwapGone,
                       .account = twap.account,
                       .market = twap.market,
                       .id = twap.id,
                       .lots = static_cast<std::int64_t>(next.size)});
    } else {
        twaps.erase(queue_key(twap));
        m_ledger.arena().edit(at) = next;
        if (!twaps.put(queue_key(next), at))
            return fail(Error::ArenaFailed);
    }
    if (const auto dropped = drop_partners(); !dropped)
        return fail(dropped.error());
    return true;
}

}  // namespace meridian::modules::exchange
