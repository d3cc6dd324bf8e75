#include <meridian/modules/exchange/levels.hpp>

namespace meridian::modules::exchange {

using module::Ptr;

Ptr<Level> Levels::find(Price price) const noexcept {
    const Index map = index();
    const Index::Cursor at = map.find(price ^ m_flip);
    return at ? map.value(at) : Ptr<Level>{};
}

Ptr<Level> Levels::worse(Price price) const noexcept {
    const Index map = index();
    // No key is the largest number, as kPriceMax is below it and a price is above zero.
    const Index::Cursor at = map.lower_bound((price ^ m_flip) + 1);
    return at ? map.value(at) : Ptr<Level>{};
}

Result<Ptr<Level>, Error> Levels::find_or_add(Price price) {
    if (const Ptr<Level> there = find(price))
        return there;
    const auto level = module::Pool<Level>(m_arena, m_place.levels).allocate();
    if (!level)
        return fail(Error::ArenaFailed);
    m_arena.edit(*level, &Level::price) = price;
    Index map = index();
    if (!map.put(price ^ m_flip, *level))
        return fail(Error::ArenaFailed);
    const Ptr<Level> best = m_arena.at(m_place.best);
    if (!best || (price ^ m_flip) < (m_arena.at(best).price ^ m_flip))
        m_arena.edit(m_place.best) = *level;
    return *level;
}

void Levels::remove(Ptr<Level> level) {
    Index map = index();
    map.erase(m_arena.at(level).price ^ m_flip);
    if (m_arena.at(m_place.best) == level) {
        const Index::Cursor first = map.first();
        m_arena.edit(m_place.best) = first ? map.value(first) : Ptr<Level>{};
    }
    module::Pool<Level>(m_arena, m_place.levels).free(level);
}

}  // namespace meridian::modules::exchange
