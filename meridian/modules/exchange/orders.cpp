#include <meridian/modules/exchange/orders.hpp>

namespace meridian::modules::exchange {

using module::Ptr;
using ClientIds = module::OrderedMap<ClientKey, Ptr<OrderExtra>>;

Result<void, Error> Orders::check_names(AccountId account, MarketId market) const noexcept {
    if (!m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    if (market >= m_ledger.market_count())
        return fail(Error::UnknownMarket);
    return {};
}

Result<void, Error> Orders::check_access(const PlaceOrder& order) const noexcept {
    if (const auto named = check_names(order.account, order.market); !named)
        return named;
    const Market& market = m_ledger.market(order.market);
    if (market.spot() && order.reduce_only)
        return fail(Error::WrongMarket);
    if (order.self_trade == SelfTrade::Allow)
        return fail(Error::BadCommand);
    if (market.halted() && !order.reduce_only)
        return fail(Error::Halted);
    if (!market.spot() && !market.fresh() && !order.reduce_only)
        return fail(Error::NoMark);
    if (m_ledger.account(order.account).order_count >= kOrdersPerAccountMax)
        return fail(Error::TooManyOrders);
    if (order.builder != kNoAccount &&
        (!m_ledger.has_account(order.builder) ||
         order.builder_ppm > Fees(m_ledger).approved(order.account, order.builder)))
        return fail(Error::BuilderFee);
    return {};
}

// Numbers that the book is going to refuse are let through, so that it names what is wrong; those it takes
// are within bounds.
Result<void, Error> Orders::check_funds(const PlaceOrder& order, Ledger::PositionPtr at,
                                        const Clearing& clearing) const noexcept {
    const MarketTerms& terms = m_ledger.market(order.market).terms;
    const bool refused = order.price == 0 || order.price > terms.rules.price_max || order.size == 0 ||
                         order.size > terms.rules.size_max;
    if (refused || order.reduce_only)
        return {};
    if (terms.kind == MarketKind::Perpetual)
        return clearing.check_orders(m_ledger.position(at), order.side,
                                     static_cast<std::int64_t>(order.size));
    const SpotHold needed = spot_hold(terms, order.side, order.price, order.size);
    const Balance has = m_ledger.balance(order.account, needed.asset);
    if (needed.amount > has.total - has.held)
        return fail(Error::InsufficientBalance);
    return {};
}

// The granule of what is to be known of the order, 0 if nothing is.
Result<std::uint32_t, Error> Orders::make_extra(const PlaceOrder& order, Ledger::PositionPtr at,
                                                std::uint64_t partner) {
    const bool named = !order.client_id.is_zero();
    if (!named && !order.reduce_only && order.builder == kNoAccount && partner == 0)
        return 0;
    if (order.reduce_only && m_ledger.position(at).reduce_only_count >= kReduceOnlyMax)
        return fail(Error::TooManyOrders);
    module::Arena& arena = m_ledger.arena();
    const auto made =
        module::Pool<OrderExtra>(arena, arena.place(m_ledger.place(), &ExchangeState::extra_pool)).allocate();
    if (!made)
        return fail(Error::ArenaFailed);
    OrderExtra& extra = arena.edit(*made);
    extra.client_id = order.client_id;
    extra.market = order.market;
    extra.account = order.account;
    extra.builder = order.builder;
    extra.builder_ppm = order.builder_ppm;
    extra.partner = partner;
    extra.flags = (order.reduce_only ? OrderExtra::kReduceOnly : 0) | (named ? OrderExtra::kClientId : 0);
    if (!named)
        return made->granule;
    ClientIds ids(arena, arena.place(m_ledger.place(), &ExchangeState::client_ids));
    const ClientKey key = client_key(order.account, order.client_id);
    if (ids.find(key))
        return fail(Error::ClientIdUsed);
    if (!ids.put(key, *made))
        return fail(Error::ArenaFailed);
    return made->granule;
}

Result<void, Error> Orders::finish(Clearing& clearing) {
    const auto done = clearing.finish();
    for (const PairKey partner : clearing.take_partners())
        m_partners.push_back(partner);
    return done;
}

Result<Placed, Error> Orders::place(const PlaceOrder& order, std::uint64_t partner) {
    if (const auto allowed = check_access(order); !allowed)
        return fail(allowed.error());
    const auto at = m_ledger.open_position(order.account, order.market);
    if (!at)
        return fail(at.error());
    Clearing clearing(m_ledger, order.market);
    if (const auto carried = check_funds(order, *at, clearing); !carried)
        return fail(carried.error());
    const auto tag = make_extra(order, *at, partner);
    if (!tag)
        return fail(tag.error());
    if (const auto listed = m_ledger.activate(*at); !listed)
        return fail(listed.error());
    const NewOrder incoming{.owner = order.account,
                            .side = order.side,
                            .type = order.type,
                            .time_in_force = order.time_in_force,
                            .self_trade = order.self_trade,
                            .reduce_only = order.reduce_only,
                            .price = order.price,
                            .size = order.size,
                            .size_cap = order.reduce_only
                                            ? static_cast<Size>(m_ledger.position(*at).reducible(order.side))
                                            : kSizeMax,
                            .tag = *tag};
    const auto placed = m_ledger.book(order.market).place(incoming, clearing);
    if (!placed)
        return placed;
    if (const auto done = finish(clearing); !done)
        return fail(done.error());
    return placed;
}

Result<Placed, Error> Orders::amend(const AmendOrder& amendment) {
    if (const auto named = check_names(amendment.account, amendment.market); !named)
        return fail(named.error());
    Book book = m_ledger.book(amendment.market);
    const Order* found = book.find(amendment.order);
    if (found == nullptr)
        return fail(Error::UnknownOrder);
    if (found->owner != amendment.account)
        return fail(Error::NotOwner);
    const Order before = *found;
    PlaceOrder as_new{.account = amendment.account, .market = amendment.market};
    as_new.side = before.side();
    as_new.reduce_only = (before.flags & Order::kReduceOnly) != 0;
    as_new.price = amendment.price;
    as_new.size = amendment.size;
    const Market& market = m_ledger.market(amendment.market);
    const bool shrinks = amendment.price == before.price && amendment.size < before.remaining;
    if (!shrinks && !as_new.reduce_only) {
        if (market.halted())
            return fail(Error::Halted);
        if (!market.spot() && !market.fresh())
            return fail(Error::NoMark);
    }
    const Ledger::PositionPtr at = m_ledger.find_position(amendment.account, amendment.market);
    if (as_new.reduce_only &&
        amendment.size > static_cast<Size>(m_ledger.position(at).reducible(as_new.side)))
        return fail(Error::ReduceOnly);
    Clearing clearing(m_ledger, amendment.market);
    clearing.set_amended(before.remaining, before.price);
    // What the order has is its account's again, for the check only.
    if (market.spot()) {
        const SpotHold held = spot_hold(market.terms, before.side(), before.price, before.remaining);
        m_ledger.release(amendment.account, held.asset, held.amount);
        const auto carried = check_funds(as_new, at, clearing);
        static_cast<void>(m_ledger.hold(amendment.account, held.asset, held.amount));
        if (!carried)
            return fail(carried.error());
    } else if (amendment.size > before.remaining) {
        as_new.size = amendment.size - before.remaining;
        if (const auto carried = check_funds(as_new, at, clearing); !carried)
            return fail(carried.error());
    }
    const auto placed =
        book.amend(amendment.account, amendment.order, amendment.price, amendment.size, clearing);
    if (!placed)
        return placed;
    if (const auto done = finish(clearing); !done)
        return fail(done.error());
    return placed;
}

Result<void, Error> Orders::cancel(AccountId account, MarketId market, OrderId order) {
    if (const auto named = check_names(account, market); !named)
        return named;
    Clearing clearing(m_ledger, market);
    if (const auto cancelled = m_ledger.book(market).cancel(account, order, clearing); !cancelled)
        return cancelled;
    return finish(clearing);
}

Result<OrderName, Error> Orders::find_client_id(AccountId account, const ClientId& id) const noexcept {
    const ClientIds ids(m_ledger.arena(),
                        m_ledger.arena().place(m_ledger.place(), &ExchangeState::client_ids));
    const auto at = ids.find(client_key(account, id));
    if (!at)
        return fail(Error::UnknownOrder);
    const OrderExtra& extra = m_ledger.arena().at(ids.value(at));
    return OrderName{extra.market, extra.order};
}

Result<void, Error> Orders::cancel_client_id(AccountId account, const ClientId& id) {
    const auto name = find_client_id(account, id);
    if (!name)
        return fail(name.error());
    return cancel(account, name->market, name->order);
}

Result<std::uint32_t, Error> Orders::cancel_market(AccountId account, MarketId market) {
    if (const auto named = check_names(account, market); !named)
        return fail(named.error());
    Clearing clearing(m_ledger, market);
    const auto cancelled = m_ledger.book(market).cancel_all(account, kOrdersPerAccountMax, clearing);
    if (!cancelled)
        return cancelled;
    if (const auto done = finish(clearing); !done)
        return fail(done.error());
    return cancelled;
}

Result<std::uint32_t, Error> Orders::cancel_all(AccountId account) {
    if (!m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    std::vector<MarketId> markets;
    for (auto at = m_ledger.account(account).positions.first; at; at = m_ledger.position(at).siblings.next) {
        if (m_ledger.position(at).order_count != 0)
            markets.push_back(m_ledger.position(at).market);
    }
    std::uint32_t count = 0;
    for (const MarketId market : markets) {
        const auto cancelled = cancel_market(account, market);
        if (!cancelled)
            return cancelled;
        count += *cancelled;
    }
    return count;
}

}  // namespace meridian::modules::exchange
