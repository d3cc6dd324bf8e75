// The price levels of one side of a book, best first.
//
// Levels do not move while they exist, so orders refer to theirs; only finding a level by price, making one
// and dropping one use the index. Work: the best level is at hand; an index operation is one of OrderedMap.
#pragma once

#include <meridian/module/ordered_map.hpp>
#include <meridian/modules/exchange/order.hpp>

namespace meridian::modules::exchange {

// Where one side of a book has its levels; the pools are of both sides, and of all books that share them.
struct LevelsPlace {
    // Zero is a side without levels.
    module::Place<module::Ptr<Level>> best;
    // From the price, for buys its complement, to the level. Zero is empty.
    module::Place<module::OrderedMapState> index;
    module::Place<module::PoolState> levels;
    module::Place<module::PoolState> nodes;  // of the index
};

class Levels {
public:
    Levels(module::Arena& arena, const LevelsPlace& place, Side side) noexcept
        : m_arena(arena), m_place(place), m_flip(side == Side::Buy ? ~Price{0} : 0) {}

    // Null if there is none.
    module::Ptr<Level> best() const noexcept { return m_arena.at(m_place.best); }
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
    Index index() const noexcept { return {m_arena, m_place.index, m_place.nodes}; }

    module::Arena& m_arena;
    LevelsPlace m_place;
    Price m_flip;
};

}  // namespace meridian::modules::exchange
