// What an account is worth, and what margin its positions and orders need.
//
// A margin unit is what stands or falls together: an account's cross positions with its balance, or one
// isolated position with its margin. Maintenance margin is half of the initial margin at the highest leverage
// of the value's tiers; initial margin is that of the leverage the account has chosen, and at least the
// tiers' own, which rises towards the whole value while the market's open interest is high.
//
// Orders need the initial margin of the largest position that filling one side of them could make. Margins
// are rounded up, funding against the account.
#pragma once

#include <meridian/modules/exchange/ledger.hpp>

namespace meridian::modules::exchange {

// Which of a market's marks values are taken at.
enum class Valuation : std::uint8_t { Mark, PreviousMark };

struct Health {
    Money equity = 0;
    Money initial = 0;
    Money maintenance = 0;
    Money exposure = 0;  // value of the positions
    Money losses = 0;    // of the positions, without gains; zero or less
    std::uint32_t positions = 0;

    Money slack() const noexcept { return equity - maintenance; }
};

// Of the tiers alone: initial margin at the highest leverage. Precondition: 0 <= value.
Money tier_margin(const MarketTerms& terms, Money value) noexcept;
Money maintenance_margin(const MarketTerms& terms, Money value) noexcept;

class Margin {
public:
    explicit Margin(const Ledger& ledger) noexcept : m_ledger(ledger) {}

    Price price(const Market& market, Valuation valuation) const noexcept {
        return valuation == Valuation::PreviousMark && market.previous_mark != 0 ? market.previous_mark
                                                                                 : market.mark;
    }
    // Of so many lots at the mark price, with the leverage of a position. Lots: zero or more.
    Money initial(const Market& market, std::int64_t lots, std::uint32_t leverage) const noexcept;
    Money maintenance(const Market& market, std::int64_t lots) const noexcept;
    // What a position owes for funding now, below zero: is owed. Up.
    static Money funding_due(const Market& market, const Position& position) noexcept;
    // Value less cost and funding.
    Money profit(const Market& market, const Position& position, Valuation valuation) const noexcept;
    // What a position's orders need of the cross balance: for cross its initial margin with orders, for
    // isolated ones what orders need beyond the position.
    Money initial_of(const Market& market, const Position& position) const noexcept;

    // Work: the account's active positions.
    Health cross(AccountId account, Valuation valuation = Valuation::Mark) const noexcept;
    Health isolated(const Position& position, Valuation valuation = Valuation::Mark) const noexcept;
    Health of(const Position& position, Valuation valuation = Valuation::Mark) const noexcept {
        return position.isolated() ? isolated(position, valuation) : cross(position.account, valuation);
    }
    // What can be taken from the cross balance: no profit that is not realised, and what stays is at least
    // the initial margin and a tenth of the positions' value.
    Money withdrawable(AccountId account) const noexcept;

private:
    void add(Health& health, const Market& market, const Position& position,
             Valuation valuation) const noexcept;

    const Ledger& m_ledger;
};

}  // namespace meridian::modules::exchange
