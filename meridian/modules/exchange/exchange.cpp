#include <meridian/modules/exchange/exchange.hpp>

namespace meridian::modules::exchange {

using module::Arena;
using module::Place;

// A command or another thing that happens whole or not at all.
template <class F>
auto Exchange::step(F&& command) -> decltype(command()) {
    m_ledger.events().on_step_begin();
    module::Transaction transaction(m_ledger.arena());
    auto result = command();
    if (result && !transaction.commit())
        result = fail(Error::ArenaFailed);
    m_ledger.events().on_step_end(result.has_value());
    return result;
}

Result<void, Error> Exchange::create(Arena& arena, Place<ExchangeState> state, const Address& operator_key) {
    arena.edit(arena.place(state, &ExchangeState::operator_key)) = operator_key;
    return arena.failure() ? fail(Error::ArenaFailed) : Result<void, Error>{};
}

// --- the operator ----------------------------------------------------------------------------------------

Result<AssetId, Error> Exchange::add_asset(const Address& caller) {
    if (!is_operator(caller))
        return fail(Error::NotOperator);
    return step([&] { return m_ledger.add_asset(); });
}

Result<MarketId, Error> Exchange::add_market(const Address& caller, const MarketTerms& terms,
                                             const Address& guardian) {
    if (!is_operator(caller))
        return fail(Error::NotOperator);
    return step([&] { return m_ledger.add_market(terms, guardian); });
}

Result<void, Error> Exchange::set_publishers(const Address& caller, std::span<const Address> publishers) {
    if (!is_operator(caller))
        return fail(Error::NotOperator);
    if (publishers.size() > kPublishersMax)
        return fail(Error::TooMany);
    return step([&]() -> Result<void, Error> {
        ExchangeState& state = m_ledger.arena().edit(m_ledger.place());
        state.publisher_count = static_cast<std::uint32_t>(publishers.size());
        for (std::size_t i = 0; i < kPublishersMax; ++i)
            state.publishers[i].key = i < publishers.size() ? publishers[i] : Address{};
        for (MarketId id = 0; id < m_ledger.market_count(); ++id) {
            const Place<Market> market = m_ledger.market_place(id);
            m_ledger.arena().zero(m_ledger.arena().place(market, &Market::prices).offset,
                                  sizeof(Market::prices));
        }
        return m_ledger.usable();
    });
}

Result<void, Error> Exchange::set_backstop(const Address& caller, AccountId account) {
    if (!is_operator(caller))
        return fail(Error::NotOperator);
    if (account != kNoAccount && !m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    return step([&] {
        m_ledger.edit(&ExchangeState::backstop) = account;
        return m_ledger.usable();
    });
}

Result<void, Error> Exchange::set_halted(const Address& caller, MarketId market, bool halted) {
    if (market >= m_ledger.market_count())
        return fail(Error::UnknownMarket);
    if (!is_operator(caller) && m_ledger.market(market).guardian != caller)
        return fail(Error::NotOperator);
    return step([&] {
        std::uint32_t& flags = m_ledger.edit_market(market, &Market::flags);
        flags = halted ? flags | Market::kHalted : flags & ~Market::kHalted;
        return m_ledger.usable();
    });
}

Result<void, Error> Exchange::collect_fees(const Address& caller, AssetId asset, AccountId to,
                                           std::uint64_t amount) {
    if (!is_operator(caller))
        return fail(Error::NotOperator);
    if (const auto valid = check(to, asset, amount); !valid)
        return valid;
    if (amount > m_ledger.asset(asset).fees)
        return fail(Error::InsufficientBalance);
    return step([&] {
        Arena& arena = m_ledger.arena();
        arena.edit(arena.place(m_ledger.asset_place(asset), &Asset::fees)) -= amount;
        return m_ledger.credit(to, asset, amount);
    });
}

// --- money -----------------------------------------------------------------------------------------------

Result<void, Error> Exchange::check(AccountId account, AssetId asset, std::uint64_t amount) const noexcept {
    if (!m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    if (asset >= m_ledger.asset_count())
        return fail(Error::UnknownAsset);
    if (amount == 0)
        return fail(Error::ZeroAmount);
    return {};
}

Result<AccountId, Error> Exchange::deposit(const Address& owner, std::uint32_t sub, AssetId asset,
                                           std::uint64_t amount) {
    if (asset >= m_ledger.asset_count())
        return fail(Error::UnknownAsset);
    if (amount == 0)
        return fail(Error::ZeroAmount);
    if (amount > kSupplyMax - m_ledger.asset(asset).supply)
        return fail(Error::SupplyBounds);
    return step([&]() -> Result<AccountId, Error> {
        const auto account = m_ledger.open_account(owner, sub);
        if (!account)
            return account;
        Arena& arena = m_ledger.arena();
        arena.edit(arena.place(m_ledger.asset_place(asset), &Asset::supply)) += amount;
        if (const auto credited = m_ledger.credit(*account, asset, amount); !credited)
            return fail(credited.error());
        m_ledger.tell({.kind = ReportKind::Deposit, .account = *account, .asset = asset, .amount = amount});
        return account;
    });
}

Result<void, Error> Exchange::withdraw(AccountId account, AssetId asset, std::uint64_t amount) {
    if (const auto valid = check(account, asset, amount); !valid)
        return valid;
    return step([&]() -> Result<void, Error> {
        if (const auto taken = m_ledger.debit(account, asset, amount); !taken)
            return taken;
        // What the insurance still owes cannot be withdrawn by anybody.
        Arena& arena = m_ledger.arena();
        if (amount > m_ledger.asset(asset).supply)
            return fail(Error::InsufficientBalance);
        arena.edit(arena.place(m_ledger.asset_place(asset), &Asset::supply)) -= amount;
        m_ledger.tell({.kind = ReportKind::Withdrawal, .account = account, .asset = asset, .amount = amount});
        return m_ledger.usable();
    });
}

Result<void, Error> Exchange::transfer(AccountId from, AccountId to, AssetId asset, std::uint64_t amount) {
    if (const auto valid = check(from, asset, amount); !valid)
        return valid;
    if (!m_ledger.has_account(to))
        return fail(Error::UnknownAccount);
    return step([&]() -> Result<void, Error> {
        if (const auto taken = m_ledger.debit(from, asset, amount); !taken)
            return taken;
        m_ledger.tell(
            {.kind = ReportKind::Transfer, .account = from, .other = to, .asset = asset, .amount = amount});
        return m_ledger.credit(to, asset, amount);
    });
}

Result<void, Error> Exchange::add_collateral(AccountId account, std::uint64_t amount) {
    if (const auto valid = check(account, kCollateral, amount); !valid)
        return valid;
    return step([&]() -> Result<void, Error> {
        if (const auto taken = m_ledger.debit(account, kCollateral, amount); !taken)
            return taken;
        m_ledger.edit_account(account, &Account::balance) += amount;
        m_ledger.tell({.kind = ReportKind::Transfer, .account = account, .other = account, .amount = amount});
        Risk(m_ledger).refresh(account);
        return m_ledger.usable();
    });
}

Result<void, Error> Exchange::remove_collateral(AccountId account, std::uint64_t amount) {
    if (const auto valid = check(account, kCollateral, amount); !valid)
        return valid;
    return step([&]() -> Result<void, Error> {
        if (Margin(m_ledger).withdrawable(account) < Money{amount})
            return fail(Error::InsufficientMargin);
        m_ledger.edit_account(account, &Account::balance) -= amount;
        m_ledger.tell(
            {.kind = ReportKind::Transfer, .account = account, .other = account, .amount = -Money{amount}});
        Risk(m_ledger).refresh(account);
        return m_ledger.credit(account, kCollateral, amount);
    });
}

Result<void, Error> Exchange::fund_insurance(AccountId account, std::uint64_t amount) {
    if (const auto valid = check(account, kCollateral, amount); !valid)
        return valid;
    return step([&]() -> Result<void, Error> {
        if (const auto taken = m_ledger.debit(account, kCollateral, amount); !taken)
            return taken;
        m_ledger.insurance_income(amount, &Insurance::funded);
        m_ledger.tell({.kind = ReportKind::Transfer, .account = account, .amount = amount});
        return m_ledger.usable();
    });
}

// --- trading ---------------------------------------------------------------------------------------------

// A step that may trade: what waits for orders that it has filled or cancelled goes with them.
template <class F>
auto Exchange::trade(F&& command)
    -> decltype(command(std::declval<Orders&>(), std::declval<Conditionals&>())) {
    return step([&] {
        Orders orders(m_ledger);
        Conditionals conditionals(m_ledger, orders);
        auto result = command(orders, conditionals);
        if (result) {
            if (const auto dropped = conditionals.drop_partners(); !dropped)
                result = fail(dropped.error());
        }
        return result;
    });
}

Result<Placed, Error> Exchange::place(const PlaceOrder& order) {
    return trade([&](Orders& orders, Conditionals&) { return orders.place(order); });
}

Result<Placed, Error> Exchange::amend(const AmendOrder& amendment) {
    return trade([&](Orders& orders, Conditionals&) { return orders.amend(amendment); });
}

Result<void, Error> Exchange::cancel(AccountId account, MarketId market, OrderId order) {
    return trade([&](Orders& orders, Conditionals&) { return orders.cancel(account, market, order); });
}

Result<void, Error> Exchange::cancel_client_id(AccountId account, const ClientId& id) {
    return trade([&](Orders& orders, Conditionals&) { return orders.cancel_client_id(account, id); });
}

Result<std::uint32_t, Error> Exchange::cancel_market(AccountId account, MarketId market) {
    return trade([&](Orders& orders, Conditionals&) { return orders.cancel_market(account, market); });
}

Result<std::uint32_t, Error> Exchange::cancel_all(AccountId account) {
    return trade([&](Orders& orders, Conditionals&) { return orders.cancel_all(account); });
}

std::uint32_t rank_in_frame(const OrderCommand& command) noexcept {
    if (const auto* order = std::get_if<PlaceOrder>(&command))
        return order->time_in_force == TimeInForce::PostOnly ? 1 : 2;
    return std::holds_alternative<AmendOrder>(command) ? 2 : 0;
}

Outcome Exchange::run_one(const OrderCommand& command) {
    Result<Placed, Error> placed = Placed{};
    if (const auto* order = std::get_if<PlaceOrder>(&command)) {
        placed = place(*order);
    } else if (const auto* amendment = std::get_if<AmendOrder>(&command)) {
        placed = amend(*amendment);
    } else {
        const auto* by_order = std::get_if<CancelOrder>(&command);
        const auto* by_client = std::get_if<CancelClientId>(&command);
        const auto cancelled = by_order != nullptr
                                   ? cancel(by_order->account, by_order->market, by_order->order)
                                   : cancel_client_id(by_client->account, by_client->client_id);
        if (!cancelled)
            placed = fail(cancelled.error());
    }
    return placed ? Outcome{Error::None, *placed} : Outcome{placed.error(), {}};
}

Result<std::vector<Outcome>, Error> Exchange::run(std::span<const OrderCommand> batch) {
    if (batch.size() > kBatchMax)
        return fail(Error::TooMany);
    std::vector<Outcome> out;
    for (const OrderCommand& command : batch)
        out.push_back(run_one(command));
    return out;
}

Result<std::uint64_t, Error> Exchange::place_trigger(const PlaceTrigger& trigger) {
    return trade([&](Orders&, Conditionals& conditionals) { return conditionals.place(trigger); });
}

Result<std::uint64_t, Error> Exchange::place_trigger_pair(const PlaceTrigger& first,
                                                          const PlaceTrigger& second) {
    return trade([&](Orders&, Conditionals& conditionals) { return conditionals.place_pair(first, second); });
}

Result<Placed, Error> Exchange::place_with_trigger(const PlaceOrder& order, const PlaceTrigger& trigger) {
    return trade(
        [&](Orders&, Conditionals& conditionals) { return conditionals.place_with_order(order, trigger); });
}

Result<std::uint64_t, Error> Exchange::place_twap(const PlaceTwap& twap) {
    return trade([&](Orders&, Conditionals& conditionals) { return conditionals.place_twap(twap); });
}

Result<void, Error> Exchange::cancel_conditional(AccountId account, std::uint64_t id) {
    return trade([&](Orders&, Conditionals& conditionals) { return conditionals.cancel(account, id); });
}

Result<void, Error> Exchange::schedule_cancel(AccountId account, std::uint64_t time_ms) {
    return trade(
        [&](Orders&, Conditionals& conditionals) { return conditionals.schedule_cancel(account, time_ms); });
}

Result<Ledger::PositionPtr, Error> Exchange::perpetual_position(AccountId account, MarketId market) {
    if (!m_ledger.has_account(account))
        return fail(Error::UnknownAccount);
    if (market >= m_ledger.market_count())
        return fail(Error::UnknownMarket);
    if (m_ledger.market(market).spot())
        return fail(Error::WrongMarket);
    return m_ledger.open_position(account, market);
}

Result<void, Error> Exchange::set_leverage(AccountId account, MarketId market, std::uint32_t leverage,
                                           bool isolated) {
    return step([&] { return change_leverage(account, market, leverage, isolated); });
}

Result<void, Error> Exchange::change_leverage(AccountId account, MarketId market, std::uint32_t leverage,
                                              bool isolated) {
    const auto at = perpetual_position(account, market);
    if (!at)
        return fail(at.error());
    if (leverage == 0 || leverage > m_ledger.market(market).terms.margins[0].leverage_max)
        return fail(Error::BadLeverage);
    const Position before = m_ledger.position(*at);
    if (before.isolated() != isolated && (before.size != 0 || before.order_count != 0))
        return fail(Error::PositionOpen);
    if (isolated && account == m_ledger.state().backstop)
        return fail(Error::BadCommand);
    Position& position = m_ledger.arena().edit(*at);
    position.leverage = leverage;
    position.flags = (position.flags & ~Position::kIsolated) | (isolated ? Position::kIsolated : 0);
    if (leverage < before.leverage && before.active()) {
        const Margin margin(m_ledger);
        const Health cross = margin.cross(account);
        const Health own = margin.of(m_ledger.position(*at));
        if (cross.equity < cross.initial || own.equity < own.initial)
            return fail(Error::InsufficientMargin);
    }
    return m_ledger.usable();
}

Result<void, Error> Exchange::move_margin(AccountId account, MarketId market, std::int64_t amount) {
    return step([&] { return change_margin(account, market, amount); });
}

Result<void, Error> Exchange::change_margin(AccountId account, MarketId market, std::int64_t amount) {
    const auto at = perpetual_position(account, market);
    if (!at)
        return fail(at.error());
    if (amount == 0)
        return fail(Error::ZeroAmount);
    const Position& position = m_ledger.position(*at);
    if (!position.isolated() || position.size == 0)
        return fail(Error::WrongMarket);
    const Margin margin(m_ledger);
    if (amount > 0) {
        if (margin.withdrawable(account) < amount)
            return fail(Error::InsufficientMargin);
    } else {
        // As for what is withdrawn: profit that is not realised stays.
        const Health own = margin.isolated(position);
        const Money kept = std::max(own.initial, div_up(own.exposure, 10));
        if (position.margin + own.losses + amount < kept)
            return fail(Error::InsufficientMargin);
    }
    m_ledger.add_cash(*at, amount);
    m_ledger.edit_account(account, &Account::balance) -= amount;
    Risk(m_ledger).refresh(account);
    return m_ledger.usable();
}

Result<void, Error> Exchange::approve_builder(AccountId account, AccountId builder,
                                              std::uint32_t rate_ppm_max) {
    if (!m_ledger.has_account(account) || !m_ledger.has_account(builder))
        return fail(Error::UnknownAccount);
    return step([&] { return Fees(m_ledger).approve_builder(account, builder, rate_ppm_max); });
}

// --- the oracle and blocks -------------------------------------------------------------------------------

Result<void, Error> Exchange::publish(const Address& publisher, MarketId market, Price price,
                                      std::uint64_t time_ms) {
    return step([&] { return Oracle(m_ledger).publish(publisher, market, price, time_ms); });
}

Result<void, Error> Exchange::begin_block(std::uint64_t now_ms) {
    return step([&] {
        ++m_ledger.edit(&ExchangeState::turn);
        if (now_ms > m_ledger.now_ms())
            m_ledger.edit(&ExchangeState::now_ms) = now_ms;
        return m_ledger.usable();
    });
}

Result<void, Error> Exchange::end_block(std::uint32_t lines_stop) {
    const auto priced = step([&] {
        for (MarketId market = 0; market < m_ledger.market_count(); ++market) {
            if (m_ledger.market(market).spot())
                continue;
            Oracle(m_ledger).update(market);
            Funding(m_ledger).update(market);
        }
        Risk(m_ledger).sweep();
        return m_ledger.usable();
    });
    if (!priced)
        return priced;
    if (const auto fired = fire_due(lines_stop); !fired)
        return fired;
    return liquidate(lines_stop);
}

// Each of what is due is a step of its own.
Result<void, Error> Exchange::fire_due(std::uint32_t lines_stop) {
    const auto up_to = [&](std::uint32_t& budget, auto&& fire) -> Result<void, Error> {
        while (budget > 0 && has_room(lines_stop)) {
            const auto fired = trade([&](Orders&, Conditionals& conditionals) { return fire(conditionals); });
            if (!fired)
                return fail(fired.error());
            if (!*fired)
                break;
            --budget;
        }
        return {};
    };
    std::uint32_t switches = kSwitchesFiredMax;
    if (const auto done = up_to(switches, [](Conditionals& all) { return all.fire_switch(); }); !done)
        return done;
    std::uint32_t triggers = kTriggersFiredMax;
    const std::uint32_t markets = m_ledger.market_count();
    for (std::uint32_t i = 0; i < markets; ++i) {
        // Where it begins changes, so that no market is always the last.
        const auto market = static_cast<MarketId>((m_ledger.state().turn + i) % markets);
        const auto done = up_to(triggers, [market](Conditionals& all) { return all.fire_trigger(market); });
        if (!done)
            return done;
    }
    std::uint32_t slices = kSlicesMax;
    return up_to(slices, [](Conditionals& all) { return all.trade_slice(); });
}

Result<void, Error> Exchange::liquidate(std::uint32_t lines_stop) {
    std::vector<Unit> endangered;
    const auto looked = step([&] {
        endangered = Risk(m_ledger).take_endangered();
        return m_ledger.usable();
    });
    if (!looked)
        return looked;
    for (const Unit& unit : endangered) {
        if (!has_room(lines_stop))
            break;
        const auto done =
            trade([&](Orders& orders, Conditionals&) { return Liquidation(m_ledger, orders).run(unit); });
        if (!done)
            return done;
    }
    return {};
}

}  // namespace meridian::modules::exchange
