#include <meridian/modules/exchange/book.hpp>

namespace meridian::modules::exchange {

using module::Arena;
using module::List;
using module::ListLink;
using module::ListState;
using module::Place;
using module::Pool;
using module::Ptr;

namespace {

using Queue = List<Order, &Order::queue>;
using Owners = module::HashMap<std::uint64_t, ListState<Order>>;

std::uint64_t hash_of_order(const Arena& arena, module::Offset order) {
    return module::hash_number(arena.at(Place<Order>(order)).id);
}

std::uint32_t flags_of(const NewOrder& order) noexcept {
    std::uint32_t flags = static_cast<std::uint32_t>(order.self_trade) << Order::kSelfTradeShift;
    if (order.side == Side::Sell)
        flags |= Order::kSell;
    if (order.reduce_only)
        flags |= Order::kReduceOnly;
    if (order.time_in_force == TimeInForce::PostOnly)
        flags |= Order::kPostOnly;
    return flags;
}

bool may_rest(TimeInForce time_in_force) noexcept {
    return time_in_force == TimeInForce::GoodTillCancelled || time_in_force == TimeInForce::PostOnly;
}

}  // namespace

Result<void, Error> Book::create(Arena& arena, Place<BooksState> shared, Place<BookState> state,
                                 const MarketRules& rules) {
    if (const auto valid = check_rules(rules); !valid)
        return valid;
    const std::uint32_t number = ++arena.edit(shared).book_count;
    BookState& book = arena.edit(state);
    book.rules = rules;
    book.shared = Ptr<BooksState>::to(shared.offset);
    book.number = number;
    return Book(arena, state).arena_state();
}

Result<Place<BookState>, Error> Book::create(Arena& arena, const MarketRules& rules) {
    if (const auto valid = check_rules(rules); !valid)
        return fail(valid.error());
    const auto page = arena.allocate_pages(1);
    if (!page)
        return fail(Error::ArenaFailed);
    const Place<BookState> state(module::offset_of_page(*page));
    if (const auto created = create(arena, Place<BooksState>(state.offset + sizeof(BookState)), state, rules);
        !created)
        return fail(created.error());
    return state;
}

// --- what is there ---------------------------------------------------------------------------------------

Levels Book::levels(Side side) const noexcept {
    const auto number = static_cast<std::size_t>(side);
    const Place<Ptr<Level>> best(m_state.offset + offsetof(BookState, best) + number * sizeof(Ptr<Level>));
    const Place<module::OrderedMapState> index(m_state.offset + offsetof(BookState, index) +
                                               number * sizeof(module::OrderedMapState));
    return {m_arena,
            {best, index, m_arena.place(m_shared, &BooksState::levels),
             m_arena.place(m_shared, &BooksState::nodes)},
            side};
}

std::uint64_t Book::owner_key(Owner owner) const noexcept {
    return std::uint64_t{m_arena.at(m_state).number} << 32 | owner;
}

Place<ListState<Order>> Book::owner_queue(Owner owner) const noexcept {
    return Owners(m_arena, m_arena.place(m_shared, &BooksState::owners)).find(owner_key(owner));
}

Book::OrderPtr Book::lookup(OrderId id) const noexcept {
    const module::Vector<std::uint32_t> heads(
        m_arena, Place<module::VectorState>(m_arena.place(m_shared, &BooksState::orders).offset));
    const std::uint32_t count = heads.size();
    if (count == 0)
        return {};
    OrderPtr order{m_arena.at(heads.place(module::bucket_of(module::hash_number(id), count)))};
    while (order && m_arena.at(order).id != id)
        order = m_arena.at(order).bucket_next;
    return order && m_arena.at(order).book == m_arena.at(m_state).number ? order : OrderPtr{};
}

Result<Book::OrderPtr, Error> Book::lookup(OrderId id, Owner owner) const noexcept {
    const OrderPtr order = lookup(id);
    if (!order)
        return fail(Error::UnknownOrder);
    if (m_arena.at(order).owner != owner)
        return fail(Error::NotOwner);
    return order;
}

const Order* Book::find(OrderId id) const noexcept {
    const OrderPtr order = lookup(id);
    return order ? &m_arena.at(order) : nullptr;
}

const Level* Book::best(Side side) const noexcept {
    const LevelPtr level = levels(side).best();
    return level ? &m_arena.at(level) : nullptr;
}

const Level* Book::worse(Side side, const Level& level) const noexcept {
    const LevelPtr next = levels(side).worse(level.price);
    return next ? &m_arena.at(next) : nullptr;
}

const Order* Book::first(const Level& level) const noexcept {
    return level.queue.first ? &m_arena.at(level.queue.first) : nullptr;
}

const Order* Book::next(const Order& order) const noexcept {
    return order.queue.next ? &m_arena.at(order.queue.next) : nullptr;
}

OrderId Book::newest_of(Owner owner) const noexcept {
    const Place<ListState<Order>> queue = owner_queue(owner);
    const OrderPtr newest = queue ? m_arena.at(queue).first : OrderPtr{};
    return newest ? m_arena.at(newest).id : 0;
}

Result<void, Error> Book::arena_state() const noexcept {
    if (m_arena.failure())
        return fail(Error::ArenaFailed);
    return {};
}

// --- checks ----------------------------------------------------------------------------------------------

Result<void, Error> Book::check_size(Size size, bool reduce_only) const noexcept {
    if (size == 0)
        return fail(Error::ZeroSize);
    // What closes a position may be dust.
    if (size > rules().size_max || (size < rules().size_min && !reduce_only))
        return fail(Error::SizeBounds);
    return {};
}

Result<void, Error> Book::check_price(Price price) const noexcept {
    if (price == 0)
        return fail(Error::ZeroPrice);
    if (price > rules().price_max)
        return fail(Error::PriceBounds);
    return {};
}

Result<void, Error> Book::check(const NewOrder& order) const noexcept {
    if (const auto valid = check_price(order.price); !valid)
        return valid;
    if (const auto valid = check_size(order.size, order.reduce_only); !valid)
        return valid;
    if (order.size_cap == 0)
        return fail(Error::ReduceOnly);
    const bool rests = may_rest(order.time_in_force);
    if (order.type == OrderType::Market && rests)
        return fail(Error::BadCommand);
    if (rests && order_count() >= kOrdersMax)
        return fail(Error::BookFull);
    if (collecting())
        return rests ? Result<void, Error>{} : fail(Error::Collecting);
    if (order.time_in_force == TimeInForce::PostOnly && crosses_best(order.side, order.price))
        return fail(Error::WouldCross);
    if (order.type == OrderType::Market && !crosses_best(order.side, order.price))
        return fail(Error::NoLiquidity);
    return {};
}

bool Book::crosses_best(Side side, Price price) const noexcept {
    const LevelPtr level = levels(opposite(side)).best();
    return level && crosses(side, price, m_arena.at(level).price);
}

// Whether the book has enough for all of an order without the owner's own, within the bound on fills.
bool Book::can_fill_whole(const Taker& taker) const noexcept {
    const Levels others = levels(opposite(taker.side));
    Size wanted = taker.remaining;
    std::uint32_t steps = taker.steps_left;
    for (LevelPtr level = others.best(); level; level = others.worse(m_arena.at(level).price)) {
        if (!crosses(taker.side, taker.price, m_arena.at(level).price))
            return false;
        for (OrderPtr at = m_arena.at(level).queue.first; at; at = m_arena.at(at).queue.next) {
            if (steps-- == 0)
                return false;
            const Order& maker = m_arena.at(at);
            if (maker.owner != taker.owner || taker.self_trade == SelfTrade::Allow) {
                if (maker.remaining >= wanted)
                    return true;
                wanted -= maker.remaining;
            } else if (taker.self_trade != SelfTrade::CancelResting) {
                return false;
            }
        }
    }
    return false;
}

// --- commands --------------------------------------------------------------------------------------------

Result<Placed, Error> Book::place(const NewOrder& order, Venue& venue) {
    const Result<Placed, Error> placed = execute(order, venue);
    if (!placed)
        venue.on_event({.kind = EventKind::Rejected,
                        .error = placed.error(),
                        .side = order.side,
                        .owner = order.owner,
                        .price = order.price,
                        .size = order.size,
                        .tag = order.tag});
    return placed;
}

Result<Placed, Error> Book::execute(const NewOrder& order, Venue& venue) {
    if (const auto valid = check(order); !valid)
        return fail(valid.error());
    Taker taker{.id = last_id() + 1,
                .owner = order.owner,
                .side = order.side,
                .self_trade = order.self_trade,
                .flags = flags_of(order),
                .tag = order.tag,
                .price = order.price,
                .remaining = std::min(order.size, order.size_cap),
                .steps_left = rules().fills_max};
    const bool whole = order.time_in_force == TimeInForce::FillOrKill;
    if (whole && !can_fill_whole(taker))
        return fail(Error::FillOrKill);
    if (whole)
        return execute_whole(taker, venue);
    accept(taker, venue);
    CancelReason reason = collecting() ? CancelReason::None : match(taker, venue);
    if (reason == CancelReason::None && !may_rest(order.time_in_force))
        reason = CancelReason::ImmediateOrCancel;
    return settle_rest(taker, reason, venue);
}

void Book::accept(const Taker& taker, Venue& venue) {
    m_arena.edit(m_arena.place(m_shared, &BooksState::last_id)) = taker.id;
    venue.on_event({.kind = EventKind::Accepted,
                    .side = taker.side,
                    .owner = taker.owner,
                    .price = taker.price,
                    .id = taker.id,
                    .size = taker.remaining,
                    .remaining = taker.remaining,
                    .tag = taker.tag});
}

// The book has enough, but the venue may refuse a fill.
Result<Placed, Error> Book::execute_whole(Taker& taker, Venue& venue) {
    const Arena::Checkpoint before = m_arena.checkpoint();
    accept(taker, venue);
    match(taker, venue);
    if (taker.remaining == 0 && m_arena.commit(before))
        return Placed{taker.id, taker.filled, 0};
    const bool refused = !m_arena.failure();
    m_arena.revert(before);
    return fail(refused ? Error::FillOrKill : Error::ArenaFailed);
}

// Cancels what is left for a reason, or lets it rest if there is none.
Result<Placed, Error> Book::settle_rest(const Taker& taker, CancelReason reason, Venue& venue) {
    Placed placed{taker.id, taker.filled, 0};
    if (taker.remaining > 0 && reason == CancelReason::None) {
        if (const auto rested = rest(taker); !rested)
            return fail(rested.error());
        placed.resting = taker.remaining;
    } else if (taker.remaining > 0) {
        venue.on_event({.kind = EventKind::Cancelled,
                        .reason = reason,
                        .side = taker.side,
                        .owner = taker.owner,
                        .price = taker.price,
                        .id = taker.id,
                        .size = taker.remaining,
                        .tag = taker.tag});
    }
    if (const auto usable = arena_state(); !usable)
        return fail(usable.error());
    return placed;
}

Result<Placed, Error> Book::amend(Owner owner, OrderId id, Price price, Size size, Venue& venue) {
    const Result<OrderPtr, Error> order = lookup(id, owner);
    if (!order)
        return fail(order.error());
    const Order before = m_arena.at(*order);
    if (const auto valid = check_price(price); !valid)
        return fail(valid.error());
    if (const auto valid = check_size(size, (before.flags & Order::kReduceOnly) != 0); !valid)
        return fail(valid.error());
    if (price == before.price && size == before.remaining)
        return fail(Error::Unchanged);
    const bool matches = !collecting() && crosses_best(before.side(), price);
    if (matches && (before.flags & Order::kPostOnly) != 0)
        return fail(Error::WouldCross);
    venue.on_event({.kind = EventKind::Amended,
                    .side = before.side(),
                    .owner = owner,
                    .price = price,
                    .id = id,
                    .size = size,
                    .remaining = size,
                    .tag = before.tag});
    if (price == before.price && size < before.remaining) {
        shrink(*order, before.remaining - size);
        if (const auto usable = arena_state(); !usable)
            return fail(usable.error());
        return Placed{id, 0, size};
    }
    remove(*order);
    Taker taker{.id = id,
                .owner = owner,
                .side = before.side(),
                .self_trade = static_cast<SelfTrade>(before.flags >> Order::kSelfTradeShift & 0xff),
                .flags = before.flags,
                .tag = before.tag,
                .price = price,
                .remaining = size,
                .steps_left = rules().fills_max};
    return settle_rest(taker, matches ? match(taker, venue) : CancelReason::None, venue);
}

Result<void, Error> Book::cancel(Owner owner, OrderId id, Venue& venue) {
    const Result<OrderPtr, Error> order = lookup(id, owner);
    if (!order)
        return fail(order.error());
    cancel(*order, CancelReason::Requested, venue);
    return arena_state();
}

Result<std::uint32_t, Error> Book::cancel_all(Owner owner, std::uint32_t count_max, Venue& venue) {
    std::uint32_t count = 0;
    if (const Place<ListState<Order>> queue = owner_queue(owner)) {
        for (; count < count_max; ++count) {
            const OrderPtr newest = m_arena.at(queue).first;
            if (!newest)
                break;
            cancel(newest, CancelReason::OwnerCleared, venue);
        }
    }
    if (const auto usable = arena_state(); !usable)
        return fail(usable.error());
    return count;
}

Result<Size, Error> Book::reduce(OrderId id, Size lots, Venue& venue) {
    const OrderPtr order = lookup(id);
    if (!order)
        return fail(Error::UnknownOrder);
    const Order before = m_arena.at(order);
    const Size taken = std::min(lots, before.remaining);
    if (taken == before.remaining) {
        cancel(order, CancelReason::Reduced, venue);
    } else if (taken > 0) {
        shrink(order, taken);
        tell_reduced(before, taken, CancelReason::Reduced, venue);
    }
    if (const auto usable = arena_state(); !usable)
        return fail(usable.error());
    return taken;
}

Result<void, Error> Book::set_collecting(bool collecting) {
    const LevelPtr buy = levels(Side::Buy).best();
    if (!collecting && buy && crosses_best(Side::Buy, m_arena.at(buy).price))
        return fail(Error::StillCrossed);
    m_arena.edit(m_arena.place(m_state, &BookState::collecting)) = collecting ? 1 : 0;
    return arena_state();
}

// --- matching --------------------------------------------------------------------------------------------

// Why what is left is to be cancelled; None if the order is filled or the other side has nothing for it.
CancelReason Book::match(Taker& taker, Venue& venue) {
    const Levels others = levels(opposite(taker.side));
    while (taker.remaining > 0) {
        const LevelPtr level = others.best();
        if (!level || !crosses(taker.side, taker.price, m_arena.at(level).price))
            return CancelReason::None;
        if (taker.steps_left == 0)
            return CancelReason::FillsMax;
        --taker.steps_left;
        const OrderPtr maker = m_arena.at(level).queue.first;
        const bool own = m_arena.at(maker).owner == taker.owner && taker.self_trade != SelfTrade::Allow;
        const CancelReason reason = own ? prevent_self_trade(taker, maker, venue) : fill(taker, maker, venue);
        if (reason != CancelReason::None)
            return reason;
    }
    return CancelReason::None;
}

CancelReason Book::prevent_self_trade(Taker& taker, OrderPtr maker, Venue& venue) {
    switch (taker.self_trade) {
        case SelfTrade::Allow:
        case SelfTrade::CancelIncoming:
            return CancelReason::SelfTrade;
        case SelfTrade::CancelResting:
            cancel(maker, CancelReason::SelfTrade, venue);
            return CancelReason::None;
        case SelfTrade::CancelBoth:
            cancel(maker, CancelReason::SelfTrade, venue);
            return CancelReason::SelfTrade;
        case SelfTrade::Decrement:
            break;
    }
    const Order before = m_arena.at(maker);
    const Size lots = std::min(taker.remaining, before.remaining);
    if (lots == before.remaining) {
        cancel(maker, CancelReason::SelfTrade, venue);
    } else {
        shrink(maker, lots);
        tell_reduced(before, lots, CancelReason::SelfTrade, venue);
    }
    taker.remaining -= lots;
    venue.on_event({.kind = EventKind::Reduced,
                    .reason = CancelReason::SelfTrade,
                    .side = taker.side,
                    .owner = taker.owner,
                    .price = taker.price,
                    .id = taker.id,
                    .size = lots,
                    .remaining = taker.remaining,
                    .tag = taker.tag});
    return CancelReason::None;
}

CancelReason Book::fill(Taker& taker, OrderPtr maker, Venue& venue) {
    const Order before = m_arena.at(maker);
    const Fill proposed{.taker_side = taker.side,
                        .maker_reduce_only = (before.flags & Order::kReduceOnly) != 0,
                        .taker_reduce_only = (taker.flags & Order::kReduceOnly) != 0,
                        .price = before.price,
                        .size = std::min(taker.remaining, before.remaining),
                        .maker_id = before.id,
                        .taker_id = taker.id,
                        .maker = before.owner,
                        .taker = taker.owner,
                        .maker_tag = before.tag,
                        .taker_tag = taker.tag};
    const Admission admission = venue.admit(proposed);
    const Size lots = std::min(admission.size, proposed.size);
    const Size left = before.remaining - lots;
    if (lots > 0) {
        taker.remaining -= lots;
        taker.filled += lots;
        if (left == 0)
            remove(maker);
        else
            shrink(maker, lots);
        venue.on_event({.kind = EventKind::Filled,
                        .side = taker.side,
                        .owner = taker.owner,
                        .price = before.price,
                        .id = taker.id,
                        .size = lots,
                        .remaining = taker.remaining,
                        .maker_id = before.id,
                        .maker_owner = before.owner,
                        .maker_remaining = left,
                        .tag = taker.tag,
                        .maker_tag = before.tag});
    }
    if (admission.cancel_maker && left > 0)
        cancel(maker, CancelReason::MakerRefused, venue);
    // One of the two goes, so that matching ends.
    const bool stuck = lots < proposed.size && !admission.cancel_maker;
    return admission.cancel_taker || stuck ? CancelReason::TakerRefused : CancelReason::None;
}

// --- orders in and out -----------------------------------------------------------------------------------

Result<void, Error> Book::rest(const Taker& taker) {
    const Result<LevelPtr, Error> level = levels(taker.side).find_or_add(taker.price);
    if (!level)
        return fail(level.error());
    const Result<OrderPtr, Error> added = add_to_table(taker.id);
    if (!added)
        return fail(added.error());
    Order& order = m_arena.edit(*added);
    order.flags = taker.flags;
    order.remaining = taker.remaining;
    order.level = *level;
    order.price = taker.price;
    order.owner = taker.owner;
    order.tag = taker.tag;
    order.book = m_arena.at(m_state).number;
    Level& to = m_arena.edit(*level);
    to.total += taker.remaining;
    ++to.count;
    Queue(m_arena, m_arena.place(*level, &Level::queue)).push_back(*added);
    return add_to_owner(*added, taker.owner);
}

Result<Book::OrderPtr, Error> Book::add_to_table(OrderId id) {
    const Place<module::HashMapState> table = m_arena.place(m_shared, &BooksState::orders);
    module::Vector<std::uint32_t> heads(m_arena, m_arena.place(table, &module::HashMapState::buckets));
    if (heads.size() == 0 && !heads.push_back(0))
        return fail(Error::ArenaFailed);
    const auto slot =
        module::allocate_slot(m_arena, m_arena.place(table, &module::HashMapState::entries), sizeof(Order));
    if (!slot)
        return fail(Error::ArenaFailed);
    const auto order = OrderPtr::to(*slot);
    const std::uint32_t count = heads.size();
    const Place<std::uint32_t> head =
        heads.place(module::bucket_of(module::hash_number(id), std::max(count, 1u)));
    Order& content = m_arena.edit(order);
    content.id = id;
    content.bucket_next = {m_arena.at(head)};
    m_arena.edit(head) = order.granule;
    if (m_arena.at(table).entries.size > count)
        module::add_bucket(m_arena, table, hash_of_order);
    return order;
}

Result<void, Error> Book::add_to_owner(OrderPtr order, Owner owner) {
    Owners owners(m_arena, m_arena.place(m_shared, &BooksState::owners));
    const std::uint64_t key = owner_key(owner);
    Place<ListState<Order>> queue = owners.find(key);
    if (!queue) {
        const auto added = owners.put(key, {});
        if (!added)
            return fail(Error::ArenaFailed);
        queue = *added;
    }
    List<Order, &Order::siblings>(m_arena, queue).push_front(order);
    return {};
}

void Book::shrink(OrderPtr order, Size lots) noexcept {
    m_arena.edit(order, &Order::remaining) -= lots;
    m_arena.edit(m_arena.at(order).level, &Level::total) -= lots;
}

void Book::remove(OrderPtr order) {
    const Order content = m_arena.at(order);
    Level& level = m_arena.edit(content.level);
    level.total -= content.remaining;
    --level.count;
    const bool last = level.count == 0;
    Queue(m_arena, m_arena.place(content.level, &Level::queue)).remove(order);
    if (last)
        levels(content.side()).remove(content.level);
    // Only an order at an end of its owner's queue needs to know where that is.
    const bool inner = content.siblings.next && content.siblings.previous;
    List<Order, &Order::siblings>(m_arena, inner ? Place<ListState<Order>>{} : owner_queue(content.owner))
        .remove(order);
    unlink_from_table(order);
    module::free_slot(m_arena,
                      Place<module::PoolState>(m_arena.place(m_shared, &BooksState::orders).offset +
                                               offsetof(module::HashMapState, entries)),
                      sizeof(Order), order.offset());
}

void Book::unlink_from_table(OrderPtr order) noexcept {
    const Place<module::HashMapState> table = m_arena.place(m_shared, &BooksState::orders);
    const module::Vector<std::uint32_t> heads(m_arena, m_arena.place(table, &module::HashMapState::buckets));
    const std::uint32_t bucket =
        module::bucket_of(module::hash_number(m_arena.at(order).id), std::max(heads.size(), 1u));
    // A bucket's head and an order's link are the same four bytes.
    Place<std::uint32_t> link = heads.place(bucket);
    while (m_arena.at(link) != order.granule && m_arena.at(link) != 0)
        link = Place<std::uint32_t>(module::Ptr<void>{m_arena.at(link)}.offset());
    m_arena.edit(link) = m_arena.at(order).bucket_next.granule;
}

void Book::cancel(OrderPtr order, CancelReason reason, Venue& venue) {
    const Order content = m_arena.at(order);
    remove(order);
    venue.on_event({.kind = EventKind::Cancelled,
                    .reason = reason,
                    .side = content.side(),
                    .owner = content.owner,
                    .price = content.price,
                    .id = content.id,
                    .size = content.remaining,
                    .tag = content.tag});
}

void Book::tell_reduced(const Order& before, Size lots, CancelReason reason, Venue& venue) {
    venue.on_event({.kind = EventKind::Reduced,
                    .reason = reason,
                    .side = before.side(),
                    .owner = before.owner,
                    .price = before.price,
                    .id = before.id,
                    .size = lots,
                    .remaining = before.remaining - lots,
                    .tag = before.tag});
}

}  // namespace meridian::modules::exchange
