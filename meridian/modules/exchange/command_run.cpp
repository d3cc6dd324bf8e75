#include <meridian/modules/exchange/command_run.hpp>

#include <type_traits>

namespace meridian::modules::exchange {
namespace {

Run given(const Result<Placed, Error>& placed) {
    if (!placed)
        return fail(reason_of(placed.error()));
    return Given{placed->id, placed->filled, placed->resting};
}
Run given(const Result<void, Error>& done) {
    if (!done)
        return fail(reason_of(done.error()));
    return Given{};
}
template <class T>
    requires std::is_unsigned_v<T>
Run given(const Result<T, Error>& number) {
    if (!number)
        return fail(reason_of(number.error()));
    return Given{.first = *number};
}

PlaceTrigger with_account(PlaceTrigger trigger, AccountId account) {
    trigger.order.account = account;
    return trigger;
}
template <class T>
T with_account(T body, AccountId account) {
    body.account = account;
    return body;
}

}  // namespace

std::string reason_of(Error error) {
    return std::string(name(error)) + ": " + std::string(describe(error));
}

Work::Work(module::Context& context, module::Ptr<ModuleRoot> root) noexcept
    : m_context(context),
      m_exchange(context.arena(), context.arena().place(root, &ModuleRoot::exchange), m_logs),
      m_tokens(context, context.arena().place(root, &ModuleRoot::tokens)) {}

AccountId Work::account(std::uint32_t sub) const noexcept {
    return m_exchange.ledger().find_account(m_context.caller().sender, sub);
}

Run Work::command(const Command& command) {
    return std::visit([&](const auto& body) { return run(command.sub, body); }, command.body);
}

template <class T>
Run Work::run(std::uint32_t sub, const T& body) {
    const Address& caller = m_context.caller().sender;
    const AccountId from = account(sub);
    if constexpr (std::is_same_v<T, PlaceOrder>)
        return given(m_exchange.place(with_account(body, from)));
    else if constexpr (std::is_same_v<T, AmendOrder>)
        return given(m_exchange.amend(with_account(body, from)));
    else if constexpr (std::is_same_v<T, CancelOrder>)
        return given(m_exchange.cancel(from, body.market, body.order));
    else if constexpr (std::is_same_v<T, CancelClientId>)
        return given(m_exchange.cancel_client_id(from, body.client_id));
    else if constexpr (std::is_same_v<T, CancelMarket>)
        return given(m_exchange.cancel_market(from, body.market));
    else if constexpr (std::is_same_v<T, CancelAll>)
        return given(m_exchange.cancel_all(from));
    else if constexpr (std::is_same_v<T, PlaceTrigger>)
        return given(m_exchange.place_trigger(with_account(body, from)));
    else if constexpr (std::is_same_v<T, TriggerPair>)
        return given(
            m_exchange.place_trigger_pair(with_account(body.first, from), with_account(body.second, from)));
    else if constexpr (std::is_same_v<T, OrderWithTrigger>)
        return given(
            m_exchange.place_with_trigger(with_account(body.order, from), with_account(body.trigger, from)));
    else if constexpr (std::is_same_v<T, PlaceTwap>)
        return given(m_exchange.place_twap(with_account(body, from)));
    else if constexpr (std::is_same_v<T, CancelConditional>)
        return given(m_exchange.cancel_conditional(from, body.id));
    else if constexpr (std::is_same_v<T, ScheduleCancel>)
        return given(m_exchange.schedule_cancel(from, body.time_ms));
    else if constexpr (std::is_same_v<T, SetLeverage>)
        return given(m_exchange.set_leverage(from, body.market, body.leverage, body.isolated));
    else if constexpr (std::is_same_v<T, MoveMargin>)
        return given(m_exchange.move_margin(from, body.market, body.amount));
    else if constexpr (std::is_same_v<T, AddCollateral>)
        return given(m_exchange.add_collateral(from, body.amount));
    else if constexpr (std::is_same_v<T, RemoveCollateral>)
        return given(m_exchange.remove_collateral(from, body.amount));
    else if constexpr (std::is_same_v<T, ApproveBuilder>)
        return given(m_exchange.approve_builder(from, body.builder, body.rate_ppm_max));
    else if constexpr (std::is_same_v<T, TransferTo>)
        return given(m_exchange.transfer(from, body.to, body.asset, body.amount));
    else if constexpr (std::is_same_v<T, WithdrawAsset>)
        return withdraw_units(sub, body.asset, body.amount);
    else if constexpr (std::is_same_v<T, FundInsurance>)
        return given(m_exchange.fund_insurance(from, body.amount));
    else if constexpr (std::is_same_v<T, PublishPrices>)
        return publish(body);
    else if constexpr (std::is_same_v<T, AddAsset>)
        return add_asset(body);
    else if constexpr (std::is_same_v<T, AddMarket>)
        return given(m_exchange.add_market(caller, body.terms, body.guardian));
    else if constexpr (std::is_same_v<T, SetPublishers>)
        return given(m_exchange.set_publishers(caller, body.keys));
    else if constexpr (std::is_same_v<T, SetBackstop>)
        return given(m_exchange.set_backstop(caller, body.account));
    else if constexpr (std::is_same_v<T, SetHalted>)
        return given(m_exchange.set_halted(caller, body.market, body.halted));
    else {
        static_assert(std::is_same_v<T, CollectFees>);
        return given(m_exchange.collect_fees(caller, body.asset, body.to, body.amount));
    }
}

Run Work::deposit(std::uint32_t sub, const Address& token, const u256& wei) {
    const auto asset = m_tokens.find(token);
    if (!asset)
        return fail(asset.error());
    const auto units = m_tokens.to_units(*asset, wei);
    if (!units)
        return fail(units.error());
    const Address& owner = m_context.caller().sender;
    // What the engine refuses needs no token's answer.
    const auto account = m_exchange.deposit(owner, sub, *asset, *units);
    if (!account)
        return fail(reason_of(account.error()));
    if (auto pulled = m_tokens.pull(*asset, owner, *units); !pulled)
        return fail(std::move(pulled.error()));
    log_deposit(m_context, owner, sub, token, *account, wei);
    return Given{.first = *account};
}

Run Work::withdraw(std::uint32_t sub, const Address& token, const u256& wei) {
    const auto asset = m_tokens.find(token);
    if (!asset)
        return fail(asset.error());
    const auto units = m_tokens.to_units(*asset, wei);
    return units ? withdraw_units(sub, *asset, *units) : Run(fail(units.error()));
}

Run Work::withdraw_units(std::uint32_t sub, AssetId asset, std::uint64_t units) {
    const AccountId from = account(sub);
    if (const auto taken = m_exchange.withdraw(from, asset, units); !taken)
        return fail(reason_of(taken.error()));
    const Address& owner = m_context.caller().sender;
    if (auto pushed = m_tokens.push(asset, owner, units); !pushed)
        return fail(std::move(pushed.error()));
    log_withdrawal(m_context, owner, sub, m_tokens.token(asset).address, from, m_tokens.to_wei(asset, units));
    return Given{};
}

Run Work::publish(const PublishPrices& prices) {
    for (const MarketPrice& each : prices.prices)
        if (const auto taken =
                m_exchange.publish(m_context.caller().sender, each.market, each.price, prices.time_ms);
            !taken)
            return fail(reason_of(taken.error()));
    return Given{};
}

Run Work::add_asset(const AddAsset& asset) {
    const auto added = m_exchange.add_asset(m_context.caller().sender);
    if (!added)
        return fail(reason_of(added.error()));
    if (auto known = m_tokens.add(asset.token, asset.wei_per_unit); !known)
        return fail(std::move(known.error()));
    return Given{.first = *added};
}

}  // namespace meridian::modules::exchange
