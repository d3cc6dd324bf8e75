// Recorded order flow through the matching core.
//
// What the venue did is done: an execution or cancellation takes lots from the order that the recording
// names. While the venue's book is crossed, as before its opening, the book collects; otherwise it would
// match what crosses, so that a recording which does not fit is noticed.
#pragma once

#include <meridian/modules/exchange/book.hpp>
#include <meridian/orderflow/recording.hpp>

namespace meridian::orderflow {

enum class CommandKind : std::uint8_t { None, Add, Take, Amend, Clear };

// A message in the book's terms: prices in ticks, its own ids.
struct Command {
    CommandKind kind = CommandKind::None;
    modules::exchange::Side side = modules::exchange::Side::Buy;
    // The last of its message, which completes an event.
    bool completes = false;
    modules::exchange::Price price = 0;
    modules::exchange::OrderId id = 0;
    modules::exchange::Size size = 0;
    std::uint64_t sequence = 0;
};

struct CommandList {
    std::vector<Command> commands;
    // What a tick is in the recording's unit of price: the largest that divides all prices.
    std::uint64_t tick = 1;
    unsigned price_decimals = 0;
    std::uint64_t messages = 0;
    std::uint64_t orders = 0;
    // Messages about orders that the recording did not show before, or for more lots than an order has.
    std::uint64_t unknown = 0;
    // By the book's id, from 1: the venue's.
    std::vector<std::uint64_t> venue_ids;
};

// Errors, as text that names the message: a price that is not above zero or above kPriceMax ticks, a size out
// of bounds, an order that is there already.
Result<CommandList, std::string> to_commands(const Recording& recording);

// The rules of a market that takes all of a list's commands.
modules::exchange::MarketRules rules_of(const CommandList& list);

// Does a command. Its error is ArenaFailed, or what does not fit the recording.
Result<void, modules::exchange::Error> apply(modules::exchange::Book& book, const Command& command,
                                             modules::exchange::Venue& venue);

// A price in the venue's decimal notation, without trailing zeros.
std::string price_text(const CommandList& list, modules::exchange::Price price);

struct ReplayReport {
    std::uint64_t events = 0;
    // Events that left the book crossed.
    std::uint64_t crossed = 0;
    // Trades that the book made by itself: none, if the recording fits.
    std::uint64_t fills = 0;
};

// Where the best bid and offer go after each event; zeros where a side is empty.
struct Quote {
    std::uint64_t sequence = 0;
    modules::exchange::Price bid = 0;
    modules::exchange::Size bid_size = 0;
    modules::exchange::Price ask = 0;
    modules::exchange::Size ask_size = 0;

    friend bool operator==(const Quote&, const Quote&) = default;
};
class QuoteSink {
public:
    virtual ~QuoteSink() = default;
    virtual void on_quote(const Quote& quote) = 0;
};

// Does all commands, each as a transaction of the arena. Error, as text: which command failed, and why.
Result<ReplayReport, std::string> replay(module::Arena& arena,
                                         module::Place<modules::exchange::BookState> state,
                                         const CommandList& list, QuoteSink& quotes);

}  // namespace meridian::orderflow
