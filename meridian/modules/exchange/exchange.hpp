// The exchange: accounts, spot and perpetual markets with their books, margin, funding and liquidation, in an
// arena. Its methods are the commands; each is done whole, or is refused with the name of the rule and leaves
// everything as it was. Who signs for whom, and by which encoding, is for whoever calls.
//
// Time comes with blocks: begin_block() sets it, end_block() does what is due by then.
//
// Invariants, as check_invariants() has them: no book is crossed while it matches; the balances of an asset,
// its fees, and for collateral margins, profits not yet realised, funding on its way and the insurance, are
// what was deposited less what was withdrawn; the lots of longs are those of shorts; no account without a
// position owes; the insurance has what came in less what it paid.
#pragma once

#include <meridian/modules/exchange/conditional.hpp>
#include <meridian/modules/exchange/liquidation.hpp>
#include <meridian/modules/exchange/oracle.hpp>

#include <string>
#include <variant>

namespace meridian::modules::exchange {

struct CancelOrder {
    AccountId account = kNoAccount;
    MarketId market = 0;
    OrderId order = 0;
};
struct CancelClientId {
    AccountId account = kNoAccount;
    ClientId client_id{};
};
using OrderCommand = std::variant<CancelOrder, CancelClientId, AmendOrder, PlaceOrder>;
inline constexpr std::size_t kBatchMax = 1024;

// What became of one command of a batch.
struct Outcome {
    Error error = Error::None;
    Placed placed{};
};

// What goes first within a frame: 0 cancellations, 1 post-only orders, 2 the rest.
std::uint32_t rank_in_frame(const OrderCommand& command) noexcept;

class Exchange {
public:
    // The state has to be zero. Error: ArenaFailed.
    static Result<void, Error> create(module::Arena& arena, module::Place<ExchangeState> state,
                                      const Address& operator_key);
    // All three outlive the exchange.
    Exchange(module::Arena& arena, module::Place<ExchangeState> state, ExchangeEvents& events) noexcept
        : m_ledger(arena, state, events) {}

    // --- the operator's; error: NotOperator ---------------------------------------------------------
    // The first asset is the collateral.
    Result<AssetId, Error> add_asset(const Address& caller);
    // The guardian may halt the market, as the operator may. Errors: as Ledger::add_market.
    Result<MarketId, Error> add_market(const Address& caller, const MarketTerms& terms,
                                       const Address& guardian);
    // Replaces them all; their prices are forgotten. Error: TooMany.
    Result<void, Error> set_publishers(const Address& caller, std::span<const Address> publishers);
    // kNoAccount: none. Error: UnknownAccount.
    Result<void, Error> set_backstop(const Address& caller, AccountId account);
    // Errors: UnknownMarket, UnknownAsset, UnknownAccount, InsufficientBalance.
    Result<void, Error> set_halted(const Address& caller, MarketId market, bool halted);
    Result<void, Error> collect_fees(const Address& caller, AssetId asset, AccountId to,
                                     std::uint64_t amount);

    // --- money; errors: UnknownAccount, UnknownAsset, ZeroAmount, InsufficientBalance ----------------
    // Makes the account if need be. Errors: TooManyAccounts, SupplyBounds.
    Result<AccountId, Error> deposit(const Address& owner, std::uint32_t sub, AssetId asset,
                                     std::uint64_t amount);
    // Of what the account has of the asset and does not hold for orders; also while markets are halted.
    Result<void, Error> withdraw(AccountId account, AssetId asset, std::uint64_t amount);
    Result<void, Error> transfer(AccountId from, AccountId to, AssetId asset, std::uint64_t amount);
    // Between the balance of the collateral asset and the cross margin. Error: InsufficientMargin.
    Result<void, Error> add_collateral(AccountId account, std::uint64_t amount);
    Result<void, Error> remove_collateral(AccountId account, std::uint64_t amount);
    // From the account's balance of the collateral asset.
    Result<void, Error> fund_insurance(AccountId account, std::uint64_t amount);

    // --- trading; errors: as in Orders --------------------------------------------------------------
    Result<Placed, Error> place(const PlaceOrder& order);
    Result<Placed, Error> amend(const AmendOrder& amendment);
    Result<void, Error> cancel(AccountId account, MarketId market, OrderId order);
    Result<void, Error> cancel_client_id(AccountId account, const ClientId& id);
    Result<std::uint32_t, Error> cancel_market(AccountId account, MarketId market);
    Result<std::uint32_t, Error> cancel_all(AccountId account);
    // One after the other; what is refused leaves the others as they are. An outcome each. Error: TooMany.
    Result<std::vector<Outcome>, Error> run(std::span<const OrderCommand> batch);

    // --- orders that wait; errors: as in Conditionals -----------------------------------------------
    Result<std::uint64_t, Error> place_trigger(const PlaceTrigger& trigger);
    Result<std::uint64_t, Error> place_trigger_pair(const PlaceTrigger& first, const PlaceTrigger& second);
    Result<Placed, Error> place_with_trigger(const PlaceOrder& order, const PlaceTrigger& trigger);
    Result<std::uint64_t, Error> place_twap(const PlaceTwap& twap);
    Result<void, Error> cancel_conditional(AccountId account, std::uint64_t id);
    Result<void, Error> schedule_cancel(AccountId account, std::uint64_t time_ms);

    // --- margin -------------------------------------------------------------------------------------
    // Errors: WrongMarket, BadLeverage, PositionOpen (another mode with a position or orders),
    // InsufficientMargin.
    Result<void, Error> set_leverage(AccountId account, MarketId market, std::uint32_t leverage,
                                     bool isolated);
    // Moves cross collateral into an isolated position's margin, or back (below zero), down to its initial
    // margin. Errors: WrongMarket (not isolated, no position), InsufficientMargin.
    Result<void, Error> move_margin(AccountId account, MarketId market, std::int64_t amount);
    // Error: BuilderFee.
    Result<void, Error> approve_builder(AccountId account, AccountId builder, std::uint32_t rate_ppm_max);

    // --- the oracle and blocks ----------------------------------------------------------------------
    // Errors: as Oracle::publish.
    Result<void, Error> publish(const Address& publisher, MarketId market, Price price,
                                std::uint64_t time_ms);
    // Time does not go back: an earlier one counts as the last.
    Result<void, Error> begin_block(std::uint64_t now_ms);
    // Marks and funding, dead man's switches, triggers, TWAPs, liquidations. Work: the markets, and the
    // bounds of conditional.hpp, risk.hpp and liquidation.hpp; and what waits or is to be liquidated is begun
    // only while the arena can undo fewer lines than `lines_stop`: the rest stays due.
    Result<void, Error> end_block(std::uint32_t lines_stop = ~std::uint32_t{0});

    const Ledger& ledger() const noexcept { return m_ledger; }
    Health cross_health(AccountId account) const noexcept { return Margin(m_ledger).cross(account); }
    // What is wrong, in words; empty: nothing. Looks at everything, for tests.
    std::string check_invariants() const;

private:
    template <class F>
    auto step(F&& command) -> decltype(command());
    bool is_operator(const Address& caller) const noexcept { return m_ledger.state().operator_key == caller; }
    Result<void, Error> check(AccountId account, AssetId asset, std::uint64_t amount) const noexcept;
    Result<Ledger::PositionPtr, Error> perpetual_position(AccountId account, MarketId market);
    Result<void, Error> change_leverage(AccountId account, MarketId market, std::uint32_t leverage,
                                        bool isolated);
    Result<void, Error> change_margin(AccountId account, MarketId market, std::int64_t amount);
    template <class F>
    auto trade(F&& command) -> decltype(command(std::declval<Orders&>(), std::declval<Conditionals&>()));
    Outcome run_one(const OrderCommand& command);
    bool has_room(std::uint32_t lines_stop) const noexcept {
        return m_ledger.arena().undo_lines() < lines_stop;
    }
    Result<void, Error> fire_due(std::uint32_t lines_stop);
    Result<void, Error> liquidate(std::uint32_t lines_stop);

    Ledger m_ledger;
};

}  // namespace meridian::modules::exchange
