#include <meridian/orderflow/replay.hpp>

#include <numeric>
#include <unordered_map>

namespace meridian::orderflow {

using namespace modules::exchange;

namespace {

// All of a recording's orders are one account's.
constexpr Owner kOwner = 0;
constexpr std::uint32_t kClearedAtOnce = 4096;

bool has_price(Action action) {
    return action == Action::Add || action == Action::Amend || action == Action::Replace;
}

std::string at_message(std::size_t index, const std::string& text) {
    return "message " + std::to_string(index + 1) + ": " + text;
}

Result<std::uint64_t, std::string> common_tick(const Recording& recording) {
    std::uint64_t tick = 0;
    std::int64_t highest = 0;
    for (std::size_t i = 0; i < recording.messages.size(); ++i) {
        const Message& message = recording.messages[i];
        if (!has_price(message.action))
            continue;
        if (message.price <= 0)
            return fail(at_message(i, "a price that is not above zero"));
        tick = std::gcd(tick, static_cast<std::uint64_t>(message.price));
        highest = std::max(highest, message.price);
    }
    if (tick == 0)
        return 1;
    if (static_cast<std::uint64_t>(highest) / tick > kPriceMax)
        return fail(std::string("the prices span more than 2^32 ticks: there is no common tick"));
    return tick;
}

// Keeps account of the venue's orders, as the book will have them.
class Translation {
public:
    explicit Translation(CommandList& out) : m_out(out) {}

    // The text is empty if all is well.
    std::string add(const Message& message) {
        switch (message.action) {
            case Action::None:
                put(CommandKind::None, message);
                return {};
            case Action::Add:
                return add_order(message.id, message);
            case Action::Take:
                take(message);
                return {};
            case Action::Amend:
                return amend(message);
            case Action::Replace:
                return replace(message);
            case Action::Clear:
                m_orders.clear();
                put(CommandKind::Clear, message);
                return {};
        }
        return {};
    }

private:
    struct Resting {
        OrderId id;
        Side side;
        Size left;
    };

    Command& put(CommandKind kind, const Message& message) {
        return m_out.commands.emplace_back(Command{.kind = kind,
                                                   .side = message.side,
                                                   .completes = message.completes,
                                                   .size = message.size,
                                                   .sequence = message.sequence});
    }
    Price ticks(const Message& message) const {
        return static_cast<Price>(static_cast<std::uint64_t>(message.price) / m_out.tick);
    }
    void unknown(const Message& message) {
        ++m_out.unknown;
        put(CommandKind::None, message);
    }

    std::string add_order(std::uint64_t venue_id, const Message& message) {
        if (message.size == 0 || message.size > kSizeMax)
            return "the size of an order is zero or above 2^38 lots";
        if (m_orders.contains(venue_id))
            return "order " + std::to_string(venue_id) + " is in the book already";
        Command& command = put(CommandKind::Add, message);
        command.price = ticks(message);
        command.id = ++m_out.orders;
        m_out.venue_ids.push_back(venue_id);
        m_orders[venue_id] = {command.id, message.side, message.size};
        return {};
    }
    void take(const Message& message) {
        const auto found = m_orders.find(message.id);
        if (found == m_orders.end())
            return unknown(message);
        Resting& order = found->second;
        if (message.size > order.left)
            ++m_out.unknown;
        Command& command = put(CommandKind::Take, message);
        command.id = order.id;
        command.size = message.size == 0 ? order.left : std::min(message.size, order.left);
        order.left -= command.size;
        if (order.left == 0)
            m_orders.erase(found);
    }
    std::string amend(const Message& message) {
        const auto found = m_orders.find(message.id);
        if (found == m_orders.end())
            return add_order(message.id, message);
        if (message.side != found->second.side)
            return "an order changes its side";
        if (message.size == 0 || message.size > kSizeMax)
            return "the size of an order is zero or above 2^38 lots";
        Command& command = put(CommandKind::Amend, message);
        command.id = found->second.id;
        command.price = ticks(message);
        found->second.left = message.size;
        return {};
    }
    std::string replace(const Message& message) {
        const auto found = m_orders.find(message.id);
        if (found == m_orders.end()) {
            unknown(message);
            return {};
        }
        Message half = message;
        half.side = found->second.side;
        half.completes = false;
        half.size = 0;
        take(half);
        half.completes = message.completes;
        half.size = message.size;
        return add_order(message.new_id, half);
    }

    CommandList& m_out;
    std::unordered_map<std::uint64_t, Resting> m_orders;
};

class CountingVenue final : public Venue {
public:
    void on_event(const Event& event) noexcept override { fills += event.kind == EventKind::Filled ? 1 : 0; }
    std::uint64_t fills = 0;
};

bool would_cross(const Book& book, Side side, Price price) {
    const Level* level = book.best(opposite(side));
    return level != nullptr && crosses(side, price, level->price);
}

Result<void, Error> clear(Book& book, Venue& venue) {
    for (;;) {
        const auto cleared = book.cancel_all(kOwner, kClearedAtOnce, venue);
        if (!cleared)
            return fail(cleared.error());
        if (*cleared < kClearedAtOnce)
            return {};
    }
}

Quote quote_of(const Book& book, std::uint64_t sequence) {
    Quote out{.sequence = sequence};
    if (const Level* bid = book.best(Side::Buy)) {
        out.bid = bid->price;
        out.bid_size = bid->total;
    }
    if (const Level* ask = book.best(Side::Sell)) {
        out.ask = ask->price;
        out.ask_size = ask->total;
    }
    return out;
}

}  // namespace

Result<CommandList, std::string> to_commands(const Recording& recording) {
    const auto tick = common_tick(recording);
    if (!tick)
        return fail(tick.error());
    CommandList out;
    out.tick = *tick;
    out.price_decimals = recording.price_decimals;
    out.messages = recording.messages.size();
    out.commands.reserve(recording.messages.size());
    Translation translation(out);
    for (std::size_t i = 0; i < recording.messages.size(); ++i) {
        if (const std::string wrong = translation.add(recording.messages[i]); !wrong.empty())
            return fail(at_message(i, wrong));
    }
    return out;
}

MarketRules rules_of(const CommandList& list) {
    return {.tick = list.tick,
            .lot = 1,
            .size_min = 1,
            .size_max = kSizeMax,
            .price_max = kPriceMax,
            .fills_max = 1000};
}

Result<void, Error> apply(Book& book, const Command& command, Venue& venue) {
    const bool prices = command.kind == CommandKind::Add || command.kind == CommandKind::Amend;
    if (prices && !book.collecting() && would_cross(book, command.side, command.price)) {
        if (const auto begun = book.set_collecting(true); !begun)
            return begun;
    }
    switch (command.kind) {
        case CommandKind::None:
            return {};
        case CommandKind::Clear:
            return clear(book, venue);
        case CommandKind::Take: {
            const auto taken = book.reduce(command.id, command.size, venue);
            return taken ? Result<void, Error>{} : fail(taken.error());
        }
        case CommandKind::Amend: {
            const auto amended = book.amend(kOwner, command.id, command.price, command.size, venue);
            return amended || amended.error() == Error::Unchanged ? Result<void, Error>{}
                                                                  : fail(amended.error());
        }
        case CommandKind::Add:
            break;
    }
    NewOrder order;
    order.owner = kOwner;
    order.side = command.side;
    order.self_trade = SelfTrade::Allow;
    order.price = command.price;
    order.size = command.size;
    const auto placed = book.place(order, venue);
    return placed ? Result<void, Error>{} : fail(placed.error());
}

std::string price_text(const CommandList& list, Price price) {
    // The product is a price of the recording, which fits.
    std::string out = std::to_string(std::uint64_t{price} * list.tick);
    if (list.price_decimals == 0)
        return out;
    if (out.size() <= list.price_decimals)
        out.insert(0, list.price_decimals + 1 - out.size(), '0');
    out.insert(out.size() - list.price_decimals, 1, '.');
    out.erase(out.find_last_not_of('0') + 1);
    if (out.ends_with('.'))
        out.pop_back();
    return out;
}

Result<ReplayReport, std::string> replay(module::Arena& arena, module::Place<BookState> state,
                                         const CommandList& list, QuoteSink& quotes) {
    Book book(arena, state);
    CountingVenue venue;
    ReplayReport report;
    for (std::size_t i = 0; i < list.commands.size(); ++i) {
        const Command& command = list.commands[i];
        module::Transaction transaction(arena);
        Result<void, Error> done = apply(book, command, venue);
        if (done && command.completes) {
            // A book that is crossed goes on collecting.
            if (book.collecting() && !book.set_collecting(false))
                ++report.crossed;
            ++report.events;
            quotes.on_quote(quote_of(book, command.sequence));
        }
        if (done && !transaction.commit())
            done = fail(Error::ArenaFailed);
        if (!done)
            return fail("command " + std::to_string(i + 1) + " of sequence " +
                        std::to_string(command.sequence) + ": " + std::string(describe(done.error())));
    }
    report.fills = venue.fills;
    return report;
}

}  // namespace meridian::orderflow
