// Orders of accounts: what has to hold before one reaches the book, and taking them back.
#pragma once

#include <meridian/modules/exchange/clearing.hpp>

namespace meridian::modules::exchange {

// An order as an account gives it. size_cap and tag of the book's order are the exchange's.
struct PlaceOrder {
    AccountId account = kNoAccount;
    MarketId market = 0;
    Side side = Side::Buy;
    OrderType type = OrderType::Limit;
    TimeInForce time_in_force = TimeInForce::GoodTillCancelled;
    SelfTrade self_trade = SelfTrade::CancelResting;
    bool reduce_only = false;
    Price price = 0;
    Size size = 0;
    ClientId client_id{};  // zero: none
    AccountId builder = kNoAccount;
    std::uint32_t builder_ppm = 0;
};

struct AmendOrder {
    AccountId account = kNoAccount;
    MarketId market = 0;
    OrderId order = 0;
    Price price = 0;
    Size size = 0;
};

struct OrderName {
    MarketId market;
    OrderId order;
};

// Not undone by itself: after an error the caller reverts.
class Orders {
public:
    explicit Orders(Ledger& ledger) noexcept : m_ledger(ledger) {}

    // `partner`: a conditional of the account that goes when this order trades or goes. Errors:
    // UnknownAccount, UnknownMarket, Halted, NoMark, WrongMarket (reduce-only, spot), BadCommand (trading
    // with oneself), TooManyOrders, TooManyPositions, ClientIdUsed, BuilderFee, InsufficientMargin,
    // InsufficientBalance, OpenInterest, and the book's.
    Result<Placed, Error> place(const PlaceOrder& order, std::uint64_t partner = 0);
    // Errors: as of place, UnknownOrder, NotOwner, Unchanged.
    Result<Placed, Error> amend(const AmendOrder& amendment);
    // Errors: UnknownAccount, UnknownMarket, UnknownOrder, NotOwner.
    Result<void, Error> cancel(AccountId account, MarketId market, OrderId order);
    Result<void, Error> cancel_client_id(AccountId account, const ClientId& id);
    // The number cancelled: all there are.
    Result<std::uint32_t, Error> cancel_market(AccountId account, MarketId market);
    Result<std::uint32_t, Error> cancel_all(AccountId account);
    // An open order by its client id. Error: UnknownOrder.
    Result<OrderName, Error> find_client_id(AccountId account, const ClientId& id) const noexcept;

    // As Clearing's, and keeps what it has to tell of partners.
    Result<void, Error> finish(Clearing& clearing);
    // Conditionals whose orders traded or went since.
    std::vector<PairKey> take_partners() { return std::exchange(m_partners, {}); }
    // To go back to when what happened since is undone.
    const std::vector<PairKey>& partners() const noexcept { return m_partners; }
    void set_partners(std::vector<PairKey> partners) { m_partners = std::move(partners); }

private:
    Result<void, Error> check_names(AccountId account, MarketId market) const noexcept;
    Result<void, Error> check_access(const PlaceOrder& order) const noexcept;
    Result<void, Error> check_funds(const PlaceOrder& order, Ledger::PositionPtr position,
                                    const Clearing& clearing) const noexcept;
    Result<std::uint32_t, Error> make_extra(const PlaceOrder& order, Ledger::PositionPtr position,
                                            std::uint64_t partner);

    Ledger& m_ledger;
    std::vector<PairKey> m_partners;
};

}  // namespace meridian::modules::exchange
