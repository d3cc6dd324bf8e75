// A book of lists and maps that is easy to see through, and a world in which it and the real one get the
// same commands, with nested checkpoints: what the tests and the fuzzer have in common.
#pragma once

#include <meridian/module/containers_test_model.hpp>
#include <meridian/modules/exchange/book.hpp>

#include <list>
#include <map>
#include <optional>
#include <vector>

namespace meridian::modules::exchange::testing {

using module::testing::Choices;

// Answers by nothing but the fill, so that both books hear the same.
class TestVenue final : public Venue {
public:
    Admission admit(const Fill& fill) noexcept override {
        if (!strict)
            return {fill.size};
        const std::uint64_t mood = module::mix_bits(fill.maker_id * 31 + fill.taker_id * 17 + fill.size) % 16;
        switch (mood) {
            case 0:
                return {0, true, false};
            case 1:
                return {0, false, true};
            case 2:
                return {fill.size / 2, true, false};
            case 3:
                return {fill.size / 2, false, true};
            case 4:
                return {fill.size / 2, true, true};
            case 5:
                return {0};
            case 6:
                return {fill.size, true, true};
            default:
                return {fill.size};
        }
    }
    void on_event(const Event& event) noexcept override { events.push_back(event); }

    bool strict = false;
    std::vector<Event> events;
};

// What both books answer to a command.
struct Answer {
    Error error = Error::None;
    Placed placed{};
    std::uint64_t number = 0;

    friend bool operator==(const Answer& a, const Answer& b) {
        return a.error == b.error && a.placed.id == b.placed.id && a.placed.filled == b.placed.filled &&
               a.placed.resting == b.placed.resting && a.number == b.number;
    }
};

// The reference. Orders of a side by price, each price a list.
struct ModelOrder {
    OrderId id;
    NewOrder order;
    Size left;
    std::uint64_t rested;
};

class Model {
public:
    // Books that share ids name the place of the last one.
    explicit Model(const MarketRules& rules, OrderId* last_id = nullptr)
        : m_rules(rules), m_shared_id(last_id) {}

    Answer place(const NewOrder& order, Venue& venue) {
        const Error refused = refusal(order);
        if (refused != Error::None)
            return rejected(order, refused, venue);
        ModelOrder incoming{last_id() + 1, order, std::min(order.size, order.size_cap), 0};
        const bool whole = order.time_in_force == TimeInForce::FillOrKill;
        if (whole && !enough(incoming))
            return rejected(order, Error::FillOrKill, venue);
        const Model before = *this;
        set_last_id(incoming.id);
        venue.on_event(event(EventKind::Accepted, incoming, incoming.left, incoming.left));
        Placed placed{incoming.id, 0, 0};
        CancelReason reason = m_collecting ? CancelReason::None : trade(incoming, placed.filled, venue);
        if (whole && incoming.left > 0) {
            *this = before;
            set_last_id(incoming.id - 1);
            return rejected(order, Error::FillOrKill, venue);
        }
        if (reason == CancelReason::None && order.time_in_force == TimeInForce::ImmediateOrCancel)
            reason = CancelReason::ImmediateOrCancel;
        return finish(incoming, reason, placed, venue);
    }

    Answer amend(Owner owner, OrderId id, Price price, Size size, Venue& venue) {
        ModelOrder* found = find(id);
        if (found == nullptr)
            return {Error::UnknownOrder};
        if (found->order.owner != owner)
            return {Error::NotOwner};
        NewOrder changed = found->order;
        changed.price = price;
        changed.size = size;
        if (const Error bad = bad_numbers(changed); bad != Error::None)
            return {bad};
        if (price == found->order.price && size == found->left)
            return {Error::Unchanged};
        const bool post_only = changed.time_in_force == TimeInForce::PostOnly;
        if (post_only && !m_collecting && touches(changed))
            return {Error::WouldCross};
        ModelOrder incoming{id, changed, size, 0};
        venue.on_event(event(EventKind::Amended, incoming, size, size));
        if (price == found->order.price && size < found->left) {
            found->left = size;
            return {Error::None, {id, 0, size}};
        }
        take_out(id);
        Placed placed{id, 0, 0};
        const CancelReason reason = m_collecting ? CancelReason::None : trade(incoming, placed.filled, venue);
        return finish(incoming, reason, placed, venue);
    }

    Answer cancel(Owner owner, OrderId id, Venue& venue) {
        ModelOrder* found = find(id);
        if (found == nullptr)
            return {Error::UnknownOrder};
        if (found->order.owner != owner)
            return {Error::NotOwner};
        drop(id, CancelReason::Requested, venue);
        return {};
    }

    Answer cancel_all(Owner owner, std::uint32_t count_max, Venue& venue) {
        Answer answer;
        for (; answer.number < count_max; ++answer.number) {
            const ModelOrder* newest = nullptr;
            for (const auto& side : m_sides)
                for (const auto& [price, orders] : side)
                    for (const ModelOrder& order : orders)
                        if (order.order.owner == owner && (!newest || order.rested > newest->rested))
                            newest = &order;
            if (!newest)
                break;
            drop(newest->id, CancelReason::OwnerCleared, venue);
        }
        return answer;
    }

    Answer reduce(OrderId id, Size lots, Venue& venue) {
        ModelOrder* found = find(id);
        if (found == nullptr)
            return {Error::UnknownOrder};
        const Size taken = std::min(lots, found->left);
        if (taken == found->left) {
            drop(id, CancelReason::Reduced, venue);
        } else if (taken > 0) {
            found->left -= taken;
            Event told = event(EventKind::Reduced, *found, taken, found->left);
            told.reason = CancelReason::Reduced;
            venue.on_event(told);
        }
        return {Error::None, {}, taken};
    }

    Answer set_collecting(bool collecting) {
        if (!collecting && !m_sides[0].empty() && !m_sides[1].empty() &&
            m_sides[0].rbegin()->first >= m_sides[1].begin()->first)
            return {Error::StillCrossed};
        m_collecting = collecting;
        return {};
    }

    bool collecting() const { return m_collecting; }
    OrderId last_id() const { return m_shared_id != nullptr ? *m_shared_id : m_last_id; }
    const std::map<Price, std::list<ModelOrder>>& side(Side side) const {
        return m_sides[static_cast<std::size_t>(side)];
    }

private:
    void set_last_id(OrderId id) { (m_shared_id != nullptr ? *m_shared_id : m_last_id) = id; }
    static Event event(EventKind kind, const ModelOrder& order, Size size, Size remaining) {
        Event out{kind};
        out.side = order.order.side;
        out.owner = order.order.owner;
        out.price = order.order.price;
        out.id = order.id;
        out.size = size;
        out.remaining = remaining;
        out.tag = order.order.tag;
        return out;
    }
    static Answer rejected(const NewOrder& order, Error error, Venue& venue) {
        Event out{EventKind::Rejected};
        out.error = error;
        out.side = order.side;
        out.owner = order.owner;
        out.price = order.price;
        out.size = order.size;
        out.tag = order.tag;
        venue.on_event(out);
        return {error};
    }

    Error bad_numbers(const NewOrder& order) const {
        if (order.price == 0)
            return Error::ZeroPrice;
        if (order.price > m_rules.price_max)
            return Error::PriceBounds;
        if (order.size == 0)
            return Error::ZeroSize;
        if (order.size > m_rules.size_max || (order.size < m_rules.size_min && !order.reduce_only))
            return Error::SizeBounds;
        return Error::None;
    }
    Error refusal(const NewOrder& order) const {
        if (const Error bad = bad_numbers(order); bad != Error::None)
            return bad;
        if (order.size_cap == 0)
            return Error::ReduceOnly;
        const bool rests = order.time_in_force == TimeInForce::GoodTillCancelled ||
                           order.time_in_force == TimeInForce::PostOnly;
        if (rests && order.type == OrderType::Market)
            return Error::BadCommand;
        if (m_collecting)
            return rests ? Error::None : Error::Collecting;
        if (order.time_in_force == TimeInForce::PostOnly && touches(order))
            return Error::WouldCross;
        if (order.type == OrderType::Market && !touches(order))
            return Error::NoLiquidity;
        return Error::None;
    }
    // The oldest order at the best price of the other side if it is within the order's price.
    const ModelOrder* counterpart(const NewOrder& order) const {
        const auto& others = m_sides[order.side == Side::Buy ? 1 : 0];
        if (others.empty())
            return nullptr;
        const auto& [price, orders] = order.side == Side::Buy ? *others.begin() : *others.rbegin();
        const bool within = order.side == Side::Buy ? price <= order.price : price >= order.price;
        return within ? &orders.front() : nullptr;
    }
    bool touches(const NewOrder& order) const { return counterpart(order) != nullptr; }

    // Tries it on a copy whose venue admits everything.
    bool enough(const ModelOrder& incoming) const {
        Model copy = *this;
        ModelOrder order = incoming;
        TestVenue easy;
        Size filled = 0;
        copy.trade(order, filled, easy);
        return filled == incoming.left;
    }

    CancelReason trade(ModelOrder& incoming, Size& filled, Venue& venue) {
        for (std::uint32_t steps = 0; incoming.left > 0; ++steps) {
            const ModelOrder* resting = counterpart(incoming.order);
            if (resting == nullptr)
                return CancelReason::None;
            if (steps == m_rules.fills_max)
                return CancelReason::FillsMax;
            const bool own =
                resting->order.owner == incoming.order.owner && incoming.order.self_trade != SelfTrade::Allow;
            const CancelReason reason =
                own ? meet_own(incoming, resting->id, venue) : fill(incoming, resting->id, filled, venue);
            if (reason != CancelReason::None)
                return reason;
        }
        return CancelReason::None;
    }

    CancelReason meet_own(ModelOrder& incoming, OrderId id, Venue& venue) {
        const SelfTrade mode = incoming.order.self_trade;
        if (mode == SelfTrade::CancelResting || mode == SelfTrade::CancelBoth)
            drop(id, CancelReason::SelfTrade, venue);
        if (mode == SelfTrade::Decrement) {
            ModelOrder& resting = *find(id);
            const Size lots = std::min(resting.left, incoming.left);
            if (lots == resting.left) {
                drop(id, CancelReason::SelfTrade, venue);
            } else {
                resting.left -= lots;
                tell_less(resting, lots, venue);
            }
            incoming.left -= lots;
            tell_less(incoming, lots, venue);
        }
        return mode == SelfTrade::CancelBoth || mode == SelfTrade::CancelIncoming ? CancelReason::SelfTrade
                                                                                  : CancelReason::None;
    }
    static void tell_less(const ModelOrder& order, Size lots, Venue& venue) {
        Event told = event(EventKind::Reduced, order, lots, order.left);
        told.reason = CancelReason::SelfTrade;
        venue.on_event(told);
    }

    CancelReason fill(ModelOrder& incoming, OrderId id, Size& filled, Venue& venue) {
        ModelOrder& resting = *find(id);
        const Size lots = std::min(resting.left, incoming.left);
        const Fill proposed{incoming.order.side,
                            resting.order.reduce_only,
                            incoming.order.reduce_only,
                            resting.order.price,
                            lots,
                            id,
                            incoming.id,
                            resting.order.owner,
                            incoming.order.owner,
                            resting.order.tag,
                            incoming.order.tag};
        const Admission says = venue.admit(proposed);
        if (says.size > 0) {
            incoming.left -= says.size;
            filled += says.size;
            resting.left -= says.size;
            Event told = event(EventKind::Filled, incoming, says.size, incoming.left);
            told.price = resting.order.price;
            told.maker_id = id;
            told.maker_owner = resting.order.owner;
            told.maker_remaining = resting.left;
            told.maker_tag = resting.order.tag;
            venue.on_event(told);
        }
        if (resting.left == 0)
            take_out(id);
        else if (says.cancel_maker)
            drop(id, CancelReason::MakerRefused, venue);
        if (says.cancel_taker || (says.size < lots && !says.cancel_maker))
            return CancelReason::TakerRefused;
        return CancelReason::None;
    }

    Answer finish(ModelOrder& incoming, CancelReason reason, Placed placed, Venue& venue) {
        if (incoming.left > 0 && reason == CancelReason::None) {
            incoming.rested = ++m_rested;
            placed.resting = incoming.left;
            m_sides[static_cast<std::size_t>(incoming.order.side)][incoming.order.price].push_back(incoming);
        } else if (incoming.left > 0) {
            Event told = event(EventKind::Cancelled, incoming, incoming.left, 0);
            told.reason = reason;
            venue.on_event(told);
        }
        return {Error::None, placed};
    }

    ModelOrder* find(OrderId id) {
        for (auto& side : m_sides)
            for (auto& [price, orders] : side)
                for (ModelOrder& order : orders)
                    if (order.id == id)
                        return &order;
        return nullptr;
    }
    void take_out(OrderId id) {
        for (auto& side : m_sides)
            for (auto& [price, orders] : side)
                std::erase_if(orders, [id](const ModelOrder& order) { return order.id == id; });
        for (auto& side : m_sides)
            std::erase_if(side, [](const auto& level) { return level.second.empty(); });
    }
    void drop(OrderId id, CancelReason reason, Venue& venue) {
        const ModelOrder order = *find(id);
        take_out(id);
        Event told = event(EventKind::Cancelled, order, order.left, 0);
        told.reason = reason;
        venue.on_event(told);
    }

    MarketRules m_rules;
    std::map<Price, std::list<ModelOrder>> m_sides[2];
    OrderId m_last_id = 0;
    OrderId* m_shared_id;
    std::uint64_t m_rested = 0;
    bool m_collecting = false;
};

inline constexpr MarketRules kTestRules{
    .tick = 5, .lot = 10, .size_min = 2, .size_max = 40, .price_max = 30, .fills_max = 6};

// Both books, and the commands that a stream of bytes stands for.
class World {
public:
    explicit World(module::Arena& arena, const MarketRules& rules = kTestRules)
        : m_arena(arena), m_model(rules), m_rules(rules) {
        m_place = *Book::create(arena, rules);
        m_venue.strict = m_model_venue.strict = true;
    }

    Book book() { return {m_arena, m_place}; }

    void run(Choices choices) {
        while (!choices.at_end())
            step(choices);
        while (!m_open.empty())
            end(choices.below(2) == 0);
    }

    void step(Choices& choices) {
        const std::uint32_t kind = choices.below(64);
        if (kind == 0 && m_open.size() < 4)
            m_open.push_back({m_arena.checkpoint(), m_model});
        else if (kind <= 2 && !m_open.empty())
            end(kind == 1);
        else
            command(kind, choices);
    }

    // The two are the same to the last order.
    void check() {
        Book ours = book();
        MERIDIAN_ASSERT(ours.last_id() == m_model.last_id() && ours.collecting() == m_model.collecting());
        std::uint32_t count = 0;
        for (const Side side : {Side::Buy, Side::Sell})
            count += check_side(ours, side);
        MERIDIAN_ASSERT(ours.order_count() == count);
        const Level* buy = ours.best(Side::Buy);
        const Level* sell = ours.best(Side::Sell);
        MERIDIAN_ASSERT(!buy || !sell || ours.collecting() || buy->price < sell->price);
    }

    std::uint64_t commands() const { return m_commands; }
    std::uint64_t fills() const { return m_fills; }

private:
    static constexpr Owner kOwners[] = {0, 1, 2, 70'000};
    struct Open {
        module::Arena::Checkpoint checkpoint;
        Model model;
    };

    void end(bool keep) {
        const Open open = m_open.back();
        m_open.pop_back();
        if (keep && m_arena.commit(open.checkpoint))
            return;
        m_arena.revert(open.checkpoint);
        m_model = open.model;
        check();
    }

    NewOrder order_of(Choices& choices) const {
        NewOrder order;
        const std::uint32_t bits = choices.below(256);
        order.owner = kOwners[bits % 4];
        order.tag = bits;
        order.side = (bits & 4) != 0 ? Side::Sell : Side::Buy;
        order.reduce_only = (bits & 0x38) == 0x38;
        const std::uint32_t more = choices.below(256);
        order.self_trade = static_cast<SelfTrade>(more % 5);
        const std::uint32_t force = more / 5 % 8;
        order.time_in_force = static_cast<TimeInForce>(force < 4 ? force : 0);
        order.type = more >= 240 ? OrderType::Market : OrderType::Limit;
        order.price = choices.below(m_rules.price_max + 2);
        order.size = choices.below(16) == 0 ? choices.below(60) : 2 + choices.below(8);
        if (order.reduce_only)
            order.size_cap = choices.below(6);
        return order;
    }

    template <class T>
    static Answer answer_of(const Result<T, Error>& result) {
        Answer out;
        if (!result)
            out.error = result.error();
        else if constexpr (std::is_same_v<T, Placed>)
            out.placed = *result;
        else if constexpr (!std::is_void_v<T>)
            out.number = *result;
        return out;
    }

    // One command to both; a command for which the arena has no room is undone in both.
    void command(std::uint32_t kind, Choices& choices) {
        const Model before = m_model;
        const module::Arena::Checkpoint checkpoint = m_arena.checkpoint();
        m_venue.events.clear();
        m_model_venue.events.clear();
        Answer expected;
        const Answer got = both(kind, choices, expected);
        ++m_commands;
        if (got.error == Error::ArenaFailed) {
            m_arena.revert(checkpoint);
            m_model = before;
        } else {
            MERIDIAN_ASSERT(m_arena.commit(checkpoint).has_value());
            MERIDIAN_ASSERT(got == expected);
            MERIDIAN_ASSERT(m_venue.events == m_model_venue.events);
            for (const Event& event : m_venue.events)
                m_fills += event.kind == EventKind::Filled ? 1 : 0;
        }
        check();
    }

    Answer both(std::uint32_t kind, Choices& choices, Answer& expected) {
        Book ours = book();
        // While it collects, the book is emptied often: it has to be uncrossed to end.
        const bool emptying = ours.collecting() && kind < 32;
        if (kind < 40 && !emptying) {
            const NewOrder order = order_of(choices);
            expected = m_model.place(order, m_model_venue);
            return answer_of(ours.place(order, m_venue));
        }
        if (kind == 40 || (emptying && kind < 8)) {
            const bool collect = !ours.collecting() && choices.below(8) == 0;
            expected = m_model.set_collecting(collect);
            return answer_of(ours.set_collecting(collect));
        }
        if (kind == 41 || (emptying && kind >= 8)) {
            const Owner owner = kOwners[choices.below(4)];
            const std::uint32_t count_max = choices.below(8);
            expected = m_model.cancel_all(owner, count_max, m_model_venue);
            return answer_of(ours.cancel_all(owner, count_max, m_venue));
        }
        // Mostly one of the last orders, and its owner.
        const OrderId last = m_model.last_id();
        const OrderId id = last - std::min<OrderId>(last, choices.below(48));
        const Order* order = ours.find(id);
        const Owner owner =
            order != nullptr && choices.below(16) != 0 ? order->owner : kOwners[choices.below(4)];
        if (kind < 48) {
            expected = m_model.cancel(owner, id, m_model_venue);
            return answer_of(ours.cancel(owner, id, m_venue));
        }
        if (kind < 54) {
            const Size lots = choices.below(8);
            expected = m_model.reduce(id, lots, m_model_venue);
            return answer_of(ours.reduce(id, lots, m_venue));
        }
        const bool same_price = order != nullptr && choices.below(2) == 0;
        const Price price = same_price ? order->price : choices.below(m_rules.price_max + 2);
        const Size size = choices.below(12);
        expected = m_model.amend(owner, id, price, size, m_model_venue);
        return answer_of(ours.amend(owner, id, price, size, m_venue));
    }

    // The number of orders of the side.
    std::uint32_t check_side(Book& ours, Side side) {
        std::uint32_t count = 0;
        const Level* level = ours.best(side);
        const auto compare = [&](const auto& entry) {
            MERIDIAN_ASSERT(level != nullptr && level->price == entry.first);
            const Order* order = ours.first(*level);
            Size total = 0;
            for (const ModelOrder& expected : entry.second) {
                MERIDIAN_ASSERT(order != nullptr && order->id == expected.id);
                MERIDIAN_ASSERT(ours.find(order->id) == order && order->side() == side);
                MERIDIAN_ASSERT(order->remaining == expected.left && order->price == entry.first);
                MERIDIAN_ASSERT(order->owner == expected.order.owner);
                total += order->remaining;
                order = ours.next(*order);
            }
            MERIDIAN_ASSERT(order == nullptr && level->total == total);
            MERIDIAN_ASSERT(level->count == entry.second.size());
            count += level->count;
            level = ours.worse(side, *level);
        };
        const auto& expected = m_model.side(side);
        if (side == Side::Sell)
            std::for_each(expected.begin(), expected.end(), compare);
        else
            std::for_each(expected.rbegin(), expected.rend(), compare);
        MERIDIAN_ASSERT(level == nullptr);
        return count;
    }

    module::Arena& m_arena;
    module::Place<BookState> m_place;
    Model m_model;
    MarketRules m_rules;
    TestVenue m_venue;
    TestVenue m_model_venue;
    std::vector<Open> m_open;
    std::uint64_t m_commands = 0;
    std::uint64_t m_fills = 0;
};

}  // namespace meridian::modules::exchange::testing
