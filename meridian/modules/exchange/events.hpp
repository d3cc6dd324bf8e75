// What the exchange tells of what happens in it.
#pragma once

#include <meridian/modules/exchange/state.hpp>

namespace meridian::modules::exchange {

enum class ReportKind : std::uint8_t {
    Deposit,
    Withdrawal,
    Transfer,     // between accounts, or an account's spot balance and its collateral
    Trade,        // an account's side of a fill
    Funding,      // amount paid, below zero: received
    Liquidation,  // an account goes to the market: lots to close
    Backstop,     // the vault has taken over a position
    Deleveraged,  // a position was closed against a bankrupt one; amount: what it gave up for the deficit
    Insurance,    // paid for what a bankrupt account owed
    Debt,         // the part of it that the insurance did not have
    TriggerPlaced,
    TriggerFired,
    TriggerGone,   // cancelled, or its order was refused (error)
    CancelsFired,  // the dead man's switch
    TwapSlice,     // lots traded; error: why none
    TwapGone,
};

// Fields that a kind does not name are zero.
struct Report {
    ReportKind kind;
    bool is_taker = false;
    Error error = Error::None;
    Price price = 0;
    AccountId account = kNoAccount;
    AccountId other = kNoAccount;
    MarketId market = 0;
    AssetId asset = kCollateral;
    std::uint64_t id = 0;   // of the order, trigger or TWAP
    std::int64_t lots = 0;  // below zero: sold
    Money amount = 0;       // of a trade: the fee, in `asset`
    Money realised = 0;     // of a trade: profit that is balance now

    friend bool operator==(const Report&, const Report&) = default;
};

// Told in order. It must not call the exchange.
class ExchangeEvents {
public:
    virtual ~ExchangeEvents() = default;
    // A step is a command, or one thing that a block does by itself. If it is not kept, what was told since
    // it began has not happened. Steps may lie within steps.
    virtual void on_step_begin() noexcept {}
    virtual void on_step_end(bool kept) noexcept { static_cast<void>(kept); }
    // An order in a market's book; market data come from these.
    virtual void on_order(MarketId market, const Event& event) noexcept = 0;
    virtual void on_report(const Report& report) noexcept = 0;
};

}  // namespace meridian::modules::exchange
