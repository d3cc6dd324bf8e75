// Accounts, balances, markets and positions as they lie in the arena, and how money moves between them. It
// knows no margin: whoever calls has asked.
//
// Amounts of assets stay below kSupplyMax, as what is deposited does. Every function here that moves money
// takes it from one place and gives it to another.
#pragma once

#include <meridian/modules/exchange/events.hpp>

namespace meridian::modules::exchange {

class Ledger {
public:
    using PositionPtr = module::Ptr<Position>;

    Ledger(module::Arena& arena, module::Place<ExchangeState> state, ExchangeEvents& events) noexcept
        : m_arena(arena), m_state(state), m_events(events) {}

    module::Arena& arena() const noexcept { return m_arena; }
    module::Place<ExchangeState> place() const noexcept { return m_state; }
    const ExchangeState& state() const noexcept { return m_arena.at(m_state); }
    template <module::Storable M>
    M& edit(M ExchangeState::* member) const noexcept {
        return m_arena.edit(m_arena.place(m_state, member));
    }
    ExchangeEvents& events() const noexcept { return m_events; }
    std::uint64_t now_ms() const noexcept { return state().now_ms; }
    void tell(const Report& report) const noexcept { m_events.on_report(report); }

    // --- accounts -----------------------------------------------------------------------------------
    static AccountKey key_of(const Address& owner, std::uint32_t sub) noexcept;
    std::uint32_t account_count() const noexcept { return accounts().size(); }
    bool has_account(AccountId account) const noexcept {
        return account != kNoAccount && account <= accounts().size();
    }
    // kNoAccount if there is none.
    AccountId find_account(const Address& owner, std::uint32_t sub) const noexcept;
    // Makes it if need be. Errors: TooManyAccounts, ArenaFailed.
    Result<AccountId, Error> open_account(const Address& owner, std::uint32_t sub);
    // Precondition for these: has_account.
    module::Place<Account> account_place(AccountId account) const noexcept {
        return accounts().place(account - 1);
    }
    const Account& account(AccountId account) const noexcept { return m_arena.at(account_place(account)); }
    template <module::Storable M>
    M& edit_account(AccountId account, M Account::* member) const noexcept {
        return m_arena.edit(m_arena.place(account_place(account), member));
    }

    // --- assets and balances ------------------------------------------------------------------------
    std::uint32_t asset_count() const noexcept { return assets().size(); }
    const Asset& asset(AssetId asset) const noexcept { return assets().at(asset); }
    module::Place<Asset> asset_place(AssetId asset) const noexcept { return assets().place(asset); }
    // Error: TooMany.
    Result<AssetId, Error> add_asset();
    Balance balance(AccountId account, AssetId asset) const noexcept;
    // Errors: ArenaFailed; of debit and hold InsufficientBalance (of what is not held). `debit_held` takes
    // what is held, which is there.
    Result<void, Error> credit(AccountId account, AssetId asset, std::uint64_t amount);
    Result<void, Error> debit(AccountId account, AssetId asset, std::uint64_t amount);
    Result<void, Error> hold(AccountId account, AssetId asset, std::uint64_t amount);
    void release(AccountId account, AssetId asset, std::uint64_t amount);
    void debit_held(AccountId account, AssetId asset, std::uint64_t amount);
    void add_fees(AssetId asset, std::uint64_t amount) const noexcept;

    // --- markets ------------------------------------------------------------------------------------
    std::uint32_t market_count() const noexcept { return markets().size(); }
    module::Place<Market> market_place(MarketId market) const noexcept { return markets().place(market); }
    const Market& market(MarketId market) const noexcept { return m_arena.at(market_place(market)); }
    template <module::Storable M>
    M& edit_market(MarketId market, M Market::* member) const noexcept {
        return m_arena.edit(m_arena.place(market_place(market), member));
    }
    Book book(MarketId market) const noexcept {
        return {m_arena, m_arena.place(market_place(market), &Market::book)};
    }
    // Errors: TooMany, BadTerms, BadRules, UnknownAsset, ArenaFailed.
    Result<MarketId, Error> add_market(const MarketTerms& terms, const Address& guardian);

    // --- positions ----------------------------------------------------------------------------------
    // Null if the account was never in the market.
    PositionPtr find_position(AccountId account, MarketId market) const noexcept;
    const Position& position(PositionPtr position) const noexcept { return m_arena.at(position); }
    // Error: ArenaFailed.
    Result<PositionPtr, Error> open_position(AccountId account, MarketId market);
    // Puts it into the account's list. Error: TooManyPositions.
    Result<void, Error> activate(PositionPtr position);
    // Takes it out of the list if nothing of it is open.
    void deactivate_if_idle(PositionPtr position);

    // What the position's gains and losses go to: its own margin or the cross balance.
    Money cash(const Position& position) const noexcept;
    void add_cash(PositionPtr position, Money amount) const noexcept;

    // --- the exchange's own -------------------------------------------------------------------------
    // Income goes to what is owed first.
    void insurance_income(Money amount, Money Insurance::* source) const noexcept;
    // What the insurance pays of an amount, which is owed to it otherwise. Returns what it had.
    Money insurance_pay(Money amount) const noexcept;

    module::OrderedMap<std::uint64_t, Balance> balances() const noexcept {
        return {m_arena, m_arena.place(m_state, &ExchangeState::balances)};
    }
    Result<void, Error> usable() const noexcept {
        return m_arena.failure() ? fail(Error::ArenaFailed) : Result<void, Error>{};
    }

private:
    module::Vector<Account> accounts() const noexcept {
        return {m_arena, m_arena.place(m_state, &ExchangeState::accounts)};
    }
    module::Vector<Asset> assets() const noexcept {
        return {m_arena, m_arena.place(m_state, &ExchangeState::assets)};
    }
    module::Vector<Market> markets() const noexcept {
        return {m_arena, m_arena.place(m_state, &ExchangeState::markets)};
    }

    module::Arena& m_arena;
    module::Place<ExchangeState> m_state;
    ExchangeEvents& m_events;
};

constexpr std::uint64_t pair_key(std::uint32_t high, std::uint32_t low) noexcept {
    return std::uint64_t{high} << 32 | low;
}

// Errors: BadRules, BadTerms.
Result<void, Error> check_terms(const MarketTerms& terms) noexcept;

}  // namespace meridian::modules::exchange
