// One market's order book in an arena: price-time priority, every command with bounded work.
//
// Invariants: while the market matches, the best buy is below the best sell. A level's total and count are
// those of its orders. Orders at a price leave in the order in which they came, or came back by an amendment
// that loses priority. Ids go up by one, over all books that share, and are never used again.
//
// Who owns what, margin and fees are not the book's: it asks a Venue before each fill, and tells it
// everything. Both may write to the same arena; what they wrote is undone together.
//
// Work of a command: at most MarketRules::fills_max resting orders are filled, cancelled or looked at, each
// with a constant number of container operations. When that is reached, what is left of the incoming order is
// cancelled (CancelReason::FillsMax): it cannot rest, as it would cross the book.
//
// Errors leave the book as it was, except ArenaFailed: after it the caller reverts its transaction.
#pragma once

#include <meridian/module/hash_map.hpp>
#include <meridian/modules/exchange/levels.hpp>

namespace meridian::modules::exchange {

enum class TimeInForce : std::uint8_t {
    GoodTillCancelled,
    ImmediateOrCancel,
    FillOrKill,
    PostOnly,  // refused if it would trade
};

enum class OrderType : std::uint8_t {
    Limit,
    Market,  // the price protects: nothing worse is traded
};

// What happens when an order meets one of the same owner; the incoming order's choice counts.
enum class SelfTrade : std::uint8_t {
    Allow,
    CancelIncoming,
    CancelResting,
    CancelBoth,
    Decrement,  // both shrink by the smaller one's size, and nothing is traded
};

struct NewOrder {
    Owner owner = 0;
    Side side = Side::Buy;
    OrderType type = OrderType::Limit;
    TimeInForce time_in_force = TimeInForce::GoodTillCancelled;
    SelfTrade self_trade = SelfTrade::CancelResting;
    // The order is cut to size_cap: what the position allows at this moment, as the caller knows it.
    bool reduce_only = false;
    Price price = 0;
    Size size = 0;
    Size size_cap = kSizeMax;
    // The venue's: told with the order's events.
    std::uint32_t tag = 0;
};

enum class CancelReason : std::uint8_t {
    None,
    Requested,
    ImmediateOrCancel,  // what was not filled at once
    SelfTrade,
    FillsMax,
    MakerRefused,  // the venue refused a fill, on account of the resting order
    TakerRefused,  // or of the incoming one
    OwnerCleared,  // cancel_all
    Reduced,       // reduce, down to nothing
};

enum class EventKind : std::uint8_t {
    Accepted,
    Filled,
    Cancelled,
    Amended,
    Reduced,  // part of a resting order has gone without a trade
    Rejected,
};

// What happened to an order. Fields that a kind does not name are zero.
struct Event {
    EventKind kind;
    CancelReason reason = CancelReason::None;
    Error error = Error::None;
    // Of the order, for a fill of the taker.
    Side side = Side::Buy;
    Owner owner = 0;
    Price price = 0;  // for a fill the maker's
    OrderId id = 0;
    // Accepted, Amended: the order's; Filled: traded; Cancelled, Reduced: what has gone.
    Size size = 0;
    // What the order has left; for a fill the taker's.
    Size remaining = 0;
    // Filled only.
    OrderId maker_id = 0;
    Owner maker_owner = 0;
    Size maker_remaining = 0;
    // The tags of the order and of the maker.
    std::uint32_t tag = 0;
    std::uint32_t maker_tag = 0;

    friend bool operator==(const Event&, const Event&) = default;
};

// A fill about to happen.
struct Fill {
    Side taker_side;
    bool maker_reduce_only;
    bool taker_reduce_only;
    Price price;
    Size size;
    OrderId maker_id;
    OrderId taker_id;
    Owner maker;
    Owner taker;
    std::uint32_t maker_tag;
    std::uint32_t taker_tag;
};

// What the venue says: first as many lots as it admits are filled, then these orders go.
struct Admission {
    Size size;
    bool cancel_maker = false;
    bool cancel_taker = false;
};

// Whoever stands around the book: margin, reduce-only, settlement, market data.
class Venue {
public:
    virtual ~Venue() = default;
    // Asked before each fill. If it admits less than the fill without naming who is to go, the taker goes.
    // It must not call the book.
    virtual Admission admit(const Fill& fill) noexcept { return {fill.size}; }
    // Told in order. A Rejected event makes those of the same command before it void: a fill-or-kill order
    // of which the venue refused a part is undone with all that it did, also in the arena. It must not call
    // the book.
    virtual void on_event(const Event& event) noexcept = 0;
};

// What became of a new or amended order.
struct Placed {
    OrderId id;
    Size filled;
    // What rests now; the rest of the order's size was cancelled.
    Size resting;
};

// What the books of an exchange share, so that thousands of small ones lie side by side: the table of orders
// by id, ids, and the memory of levels. Zero has no books.
struct BooksState {
    module::HashMapState orders;  // its entries are the orders
    module::HashMapState owners;  // by book << 32 | owner: the owner's orders there, for cancel_all
    module::PoolState levels;
    module::PoolState nodes;  // of the indexes by price
    OrderId last_id;
    std::uint32_t book_count;
    std::uint32_t reserved;
};
static_assert(module::Storable<BooksState>);

struct BookState {
    MarketRules rules;
    module::Ptr<BooksState> shared;
    std::uint32_t number;  // among those that share; the first is 1
    std::uint32_t collecting;
    std::uint32_t reserved;
    // Of each side.
    module::Ptr<Level> best[2];
    module::OrderedMapState index[2];
    std::uint32_t reserved_too[8];
};
static_assert(module::Storable<BookState> && sizeof(BookState) == 3 * module::kLineSize);

class Book {
public:
    // Precondition: made with create().
    Book(module::Arena& arena, module::Place<BookState> state) noexcept
        : m_arena(arena), m_state(state), m_shared(arena.at(state).shared.offset()) {}

    // Precondition: the state is zero. Errors: BadRules, ArenaFailed.
    static Result<void, Error> create(module::Arena& arena, module::Place<BooksState> shared,
                                      module::Place<BookState> state, const MarketRules& rules);
    // The only book of an arena, on a page of its own.
    static Result<module::Place<BookState>, Error> create(module::Arena& arena, const MarketRules& rules);

    // Takes an order, matches it, and lets the rest of it rest if it may. Errors: ZeroPrice to NoLiquidity,
    // Collecting, BookFull, ArenaFailed; each is told as a Rejected event as well.
    Result<Placed, Error> place(const NewOrder& order, Venue& venue);
    // Gives a resting order another price and open size. Fewer lots at the same price keep its place in the
    // queue; otherwise it goes to the end, and trades first if it crosses (post-only orders are refused
    // instead, and stay as they were). Errors: UnknownOrder, NotOwner, Unchanged, WouldCross, those of the
    // price and size, Collecting, ArenaFailed.
    Result<Placed, Error> amend(Owner owner, OrderId id, Price price, Size size, Venue& venue);
    // Errors: UnknownOrder, NotOwner, ArenaFailed.
    Result<void, Error> cancel(Owner owner, OrderId id, Venue& venue);
    // Cancels the newest orders of an owner, at most `count_max` of them. The number cancelled: as many as
    // count_max means that there may be more. Error: ArenaFailed.
    Result<std::uint32_t, Error> cancel_all(Owner owner, std::uint32_t count_max, Venue& venue);
    // Takes lots from a resting order, all it has at most, whoever owns it: a position shrank, or a venue of
    // which this book is a copy executed it. The lots taken. Errors: UnknownOrder, ArenaFailed.
    Result<Size, Error> reduce(OrderId id, Size lots, Venue& venue);
    // Orders rest unmatched while the market collects. Error when it ends: StillCrossed.
    Result<void, Error> set_collecting(bool collecting);

    // Null if no order rests under this id; good until it leaves.
    const Order* find(OrderId id) const noexcept;
    bool collecting() const noexcept { return m_arena.at(m_state).collecting != 0; }
    const MarketRules& rules() const noexcept { return m_arena.at(m_state).rules; }
    // Of all books that share.
    std::uint32_t order_count() const noexcept { return m_arena.at(m_shared).orders.entries.size; }
    OrderId last_id() const noexcept { return m_arena.at(m_shared).last_id; }
    // The best level of a side, and the one after another; null at the end.
    const Level* best(Side side) const noexcept;
    const Level* worse(Side side, const Level& level) const noexcept;
    // The oldest order at a level, and the one behind another; null at the end.
    const Order* first(const Level& level) const noexcept;
    const Order* next(const Order& order) const noexcept;
    // The newest order of an owner, 0 if there is none.
    OrderId newest_of(Owner owner) const noexcept;

private:
    using OrderPtr = module::Ptr<Order>;
    using LevelPtr = module::Ptr<Level>;
    // An incoming order while it is matched.
    struct Taker {
        OrderId id;
        Owner owner;
        Side side;
        SelfTrade self_trade;
        // As in Order.
        std::uint32_t flags;
        std::uint32_t tag;
        Price price;
        Size remaining;
        Size filled = 0;
        std::uint32_t steps_left;
    };

    Levels levels(Side side) const noexcept;
    std::uint64_t owner_key(Owner owner) const noexcept;
    module::Place<module::ListState<Order>> owner_queue(Owner owner) const noexcept;
    OrderPtr lookup(OrderId id) const noexcept;
    Result<OrderPtr, Error> lookup(OrderId id, Owner owner) const noexcept;
    Result<void, Error> arena_state() const noexcept;

    Result<void, Error> check(const NewOrder& order) const noexcept;
    Result<void, Error> check_price(Price price) const noexcept;
    Result<void, Error> check_size(Size size, bool reduce_only) const noexcept;
    bool crosses_best(Side side, Price price) const noexcept;
    bool can_fill_whole(const Taker& taker) const noexcept;

    Result<Placed, Error> execute(const NewOrder& order, Venue& venue);
    Result<Placed, Error> execute_whole(Taker& taker, Venue& venue);
    void accept(const Taker& taker, Venue& venue);
    Result<Placed, Error> settle_rest(const Taker& taker, CancelReason reason, Venue& venue);
    CancelReason match(Taker& taker, Venue& venue);
    CancelReason prevent_self_trade(Taker& taker, OrderPtr maker, Venue& venue);
    CancelReason fill(Taker& taker, OrderPtr maker, Venue& venue);

    Result<void, Error> rest(const Taker& taker);
    Result<OrderPtr, Error> add_to_table(OrderId id);
    Result<void, Error> add_to_owner(OrderPtr order, Owner owner);
    void shrink(OrderPtr order, Size lots) noexcept;
    void remove(OrderPtr order);
    void unlink_from_table(OrderPtr order) noexcept;
    void cancel(OrderPtr order, CancelReason reason, Venue& venue);
    static void tell_reduced(const Order& before, Size lots, CancelReason reason, Venue& venue);

    module::Arena& m_arena;
    module::Place<BookState> m_state;
    module::Place<BooksState> m_shared;
};

}  // namespace meridian::modules::exchange
