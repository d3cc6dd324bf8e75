// What becomes of a margin unit that is below its maintenance margin.
//
// Its orders are cancelled. Its positions go to the book as market orders: of one that is worth more than the
// market's partial_value a fifth, then nothing for 30 s, then the rest; others whole. Such an order trades as
// long as that leaves no debt. Below two thirds of the maintenance margin the backstop vault takes over all
// positions at their cost with all that is left, if its own margin carries them; a debt is paid by the
// insurance then. If that cannot be the book is tried again, and the positions of a unit in debt are closed
// against the highest ranked ones of the other side at the previous mark price, and what the insurance does
// not have of the debt is given up by those, as far as their equity goes, each by its share of the lots. What
// is still missing then is the insurance's debt; nobody without a position is asked.
//
// Positions in markets whose oracle is stale are not traded.
#pragma once

#include <meridian/modules/exchange/orders.hpp>

namespace meridian::modules::exchange {

inline constexpr std::uint32_t kDeleveragesMax = 64;  // positions that one unit is closed against in a block
inline constexpr std::uint64_t kCooldownMs = 30'000;
inline constexpr std::uint64_t kPartialMemoryMs = 600'000;  // after that a partial liquidation is forgotten

class Liquidation {
public:
    Liquidation(Ledger& ledger, Orders& orders) noexcept
        : m_ledger(ledger), m_margin(ledger), m_orders(orders) {}

    // Does for a unit what can be done in this block. Error: ArenaFailed.
    Result<void, Error> run(const Unit& unit);

private:
    struct Shortfall {
        Money debt;   // still to be given up
        Money value;  // of the positions that are still to be closed
        std::uint32_t budget = kDeleveragesMax;
    };

    Health health(const Unit& unit, Valuation valuation = Valuation::Mark) const noexcept;
    std::vector<Ledger::PositionPtr> positions(const Unit& unit) const;
    Result<void, Error> cancel_orders(const Unit& unit);
    Result<void, Error> trade_all(const Unit& unit, bool is_last_resort);
    Result<void, Error> trade(Ledger::PositionPtr position, bool whole);
    std::int64_t lots_to_close(Ledger::PositionPtr position);
    Result<bool, Error> hand_to_backstop(const Unit& unit);
    Result<bool, Error> hand_over(const Unit& unit);
    Result<void, Error> deleverage(const Unit& unit);
    Result<void, Error> deleverage(Ledger::PositionPtr position, Shortfall& shortfall);
    void give_up(Ledger::PositionPtr from, Ledger::PositionPtr to, Money amount) noexcept;

    Ledger& m_ledger;
    Margin m_margin;
    Orders& m_orders;
};

}  // namespace meridian::modules::exchange
