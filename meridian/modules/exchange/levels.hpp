// The price levels of one side of a book, best first.
//
// Levels do not move while they exist, so orders refer to theirs; only finding a level by price, making one
// and dropping one use the index. Work: the best level is at hand; an index operation is one of OrderedMap.
#pragma once

#include <meridian/module/ordered_map.hpp>
#include <meridian/modules/exchange/order.hpp>

namespace meridian::modules::exchange {

// Zero is a side without levels.
struct SideState {
    // From the price, for buys its complement, to the level.
    module::OrderedMapState index;
    module::Ptr<Level> best;
    std::uint32_t reserved[3];
};
static_assert(module::Storable<SideState> && sizeof(SideState) == module::kLineSize);

class Levels {
public:
    // The pool is of both sides.
    Levels(module::Arena& arena, module::Place<SideState> state, module::Place<module::PoolState> pool,
           Side side) noexcept
        : m_arena(arena), m_state(state), m_pool(pool), m_flip(side == Side::Buy ? ~Price{0} : 0) {}

    // Null if there is none.
    module::Ptr<Level> best() const noexcept { return m_arena.at(m_state).best; }
    module::Ptr<Level> find(Price price) const noexcept;
    // The best one that is worse than a price.
    module::Ptr<Level> worse(Price price) const noexcept;
    std::uint32_t size() const noexcept { return index().size(); }

    // Error: ArenaFailed.
    Result<module::Ptr<Level>, Error> find_or_add(Price price);
    // Precondition: the level has no orders.
    void remove(module::Ptr<Level> level);

private:
    using Index = module::OrderedMap<Price, module::Ptr<Level>>;
    Index index() const noexcept { return {m_arena, m_arena.place(m_state, &SideState::index)}; }

    module::Arena& m_arena;
    module::Place<SideState> m_state;
    module::Place<module::PoolState> m_pool;
    Price m_flip;
};

}  // namespace meridian::modules::exchange
