// The venue around a market's book: what may be filled, and what is settled when it is.
//
// Spot: a resting order holds what it can cost at its limit price (buys: quote; sells: base). A fill takes it
// from what is held; fees and builders' fees are taken of what each side receives, so nothing else is needed.
//
// Perpetuals: a fill that opens lots needs equity of at least the initial margin behind it, one that only
// closes lots must leave equity above maintenance margin, or not worsen what is missing and leave no debt.
// If the maker cannot bear it, the maker's order goes, else the taker's.
//
// One object serves one command on one market; finish() does what may not be done while the book matches.
#pragma once

#include <meridian/modules/exchange/fees.hpp>
#include <meridian/modules/exchange/funding.hpp>
#include <meridian/modules/exchange/risk.hpp>

namespace meridian::modules::exchange {

// What an order of a spot market holds: what it can cost, or sells.
struct SpotHold {
    AssetId asset;
    std::uint64_t amount;
};
SpotHold spot_hold(const MarketTerms& terms, Side side, Price price, Size lots) noexcept;
ClientKey client_key(AccountId account, const ClientId& id) noexcept;

class Clearing final : public Venue {
public:
    // A taker that is being liquidated may trade as long as that leaves it without debt.
    Clearing(Ledger& ledger, MarketId market, bool liquidates = false) noexcept
        : m_ledger(ledger), m_margin(ledger), m_market(market), m_liquidates(liquidates) {}

    Admission admit(const Fill& fill) noexcept override;
    void on_event(const Event& event) noexcept override;

    // Before an amendment: what the order had.
    void set_amended(Size remaining, Price price) noexcept {
        m_before_size = remaining;
        m_before_price = price;
    }
    // Whether an account's cross balance carries so many more lots of orders on a side. Errors:
    // InsufficientMargin, OpenInterest.
    Result<void, Error> check_orders(const Position& position, Side side, std::int64_t lots) const noexcept;

    // Moves lots between two positions at a price, without fees or questions: deleveraging. `lots` are
    // the first one's, below zero: sold. The margin that an isolated one frees stays with it.
    void exchange_lots(Ledger::PositionPtr a, Ledger::PositionPtr b, Price price, std::int64_t lots) noexcept;
    // Gives a position, settled, to another account's cross position: lots, cost, and with it the profit.
    void hand_over(Ledger::PositionPtr from, Ledger::PositionPtr to) noexcept;

    // Shrinks reduce-only orders to the positions as they are, covers the debts of accounts that have no
    // position any more, and looks at the accounts again. Work: of the accounts touched, two a fill, each
    // with kReduceOnlyMax orders and kActiveMax positions. Error: ArenaFailed.
    Result<void, Error> finish();
    void touch(Ledger::PositionPtr position) { m_touched.push_back(position); }
    // Conditionals, by account and id, whose orders have traded or gone (OCO); to be cancelled.
    std::vector<PairKey> take_partners() { return std::move(m_partners); }

private:
    // A side of a fill. Lots below zero: sold.
    struct Part {
        Ledger::PositionPtr position;
        std::int64_t lots;
        Price price;
        Money fee;
        bool reduce_only;
        bool liquidates;
    };
    // What an account pays for a fill.
    struct Cost {
        Money fee;
        Money builder_fee;
        AccountId builder;
        Money sum() const noexcept { return fee + builder_fee; }
    };

    const Market& market() const noexcept { return m_ledger.market(m_market); }
    const OrderExtra* extra_of(std::uint32_t tag) const noexcept;
    Cost cost_of(AccountId account, bool is_taker, std::uint32_t tag, Money value) const noexcept;

    bool bears(const Part& part) const noexcept;
    bool bears_less(const Part& part, const Position& position) const noexcept;
    bool bears_more_isolated(const Part& part, const Position& position) const noexcept;
    bool bears_more_cross(const Part& part, const Position& position) const noexcept;
    bool within_open_interest(const Part& a, const Part& b) const noexcept;

    void on_accepted(const Event& event) noexcept;
    void on_filled(const Event& event) noexcept;
    void on_amended(const Event& event) noexcept;
    void on_less(const Event& event) noexcept;
    void count_lots(AccountId account, Side side, std::uint32_t tag, std::int64_t lots) noexcept;
    void order_gone(AccountId account, std::uint32_t tag) noexcept;
    void release_extra(Ledger::PositionPtr position, std::uint32_t tag) noexcept;

    void settle_perpetual(const Event& event) noexcept;
    void settle_part(const Event& event, bool is_taker, const Cost& cost) noexcept;
    Money apply(const Part& part) noexcept;
    Money close(Ledger::PositionPtr position, std::int64_t lots, Price price, Money freed) noexcept;
    void open(const Part& part, std::int64_t lots) noexcept;
    void change_size(Ledger::PositionPtr position, std::int64_t lots, Money cost) noexcept;

    void hold_for_order(AccountId account, Side side, Price price, Size lots) noexcept;
    void release_for_order(AccountId account, Side side, Price price, Size lots) noexcept;
    void settle_spot(const Event& event) noexcept;
    void receive(const Event& event, bool is_taker, Money amount, const Cost& cost) noexcept;
    Cost spot_cost(AccountId account, bool is_taker, std::uint32_t tag, Money received) const noexcept;

    void trim(Ledger::PositionPtr position);
    void cover_debt(Ledger::PositionPtr position);

    Ledger& m_ledger;
    Margin m_margin;
    MarketId m_market;
    bool m_liquidates;
    Price m_taker_price = 0;
    Size m_before_size = 0;
    Price m_before_price = 0;
    std::vector<Ledger::PositionPtr> m_touched;
    std::vector<PairKey> m_partners;
};

}  // namespace meridian::modules::exchange
