#include <meridian/modules/exchange/risk.hpp>

namespace meridian::modules::exchange {

using module::Arena;

namespace {

// A key that no market reaches.
constexpr std::uint64_t kParked = ~std::uint64_t{0};
// What roundings of a position's margin and funding can come to.
constexpr Money kRounding = 8;

void add_movement(const Ledger& ledger, MarketId market, Money moved) noexcept {
    // A move by the whole price or more makes all keys due, however much it is.
    ledger.edit_market(market, &Market::movement) +=
        static_cast<std::uint64_t>(std::min<Money>(moved, kMovementOne));
}

}  // namespace

void Risk::note_move(const Ledger& ledger, MarketId market, Price from, Price to) noexcept {
    if (from == 0 || from == to)
        return;
    const Money by = from < to ? to - from : from - to;
    add_movement(ledger, market, div_up(by * Money{kMovementOne}, from));
}

void Risk::note_funding(const Ledger& ledger, MarketId id, std::int64_t rate_ppb) noexcept {
    const Market& market = ledger.market(id);
    const Money paid = Money{magnitude(rate_ppb)} * Money{market.oracle};
    add_movement(ledger, id, div_up(paid * (kMovementOne / kPartsPerBillion), std::max(market.mark, 1u)));
}

std::uint64_t deleverage_score(Money value, Money cost, Money equity, bool is_long) noexcept {
    if (equity <= 0)
        return 0;
    constexpr Money kOne = 1 << 20;
    constexpr Money kFactorMax = Money{1} << 31;
    const Money entry = std::max<Money>(magnitude(cost), 1);
    const Money mark = std::max<Money>(value, 1);
    const Money gained = std::min(is_long ? mark * kOne / entry : entry * kOne / mark, kFactorMax);
    const Money leverage = std::min(value * kOne / equity, kFactorMax);
    return static_cast<std::uint64_t>(gained * leverage);
}

Risk::Due Risk::due(MarketId market) const noexcept {
    return {m_ledger.arena(), m_ledger.arena().place(m_ledger.market_place(market), &Market::due)};
}

Risk::Ranks Risk::ranks(MarketId market, bool shorts) const noexcept {
    const module::Place<module::HeapState> first(
        m_ledger.arena().place(m_ledger.market_place(market), &Market::ranks).offset);
    return {m_ledger.arena(),
            module::Place<module::HeapState>(first.offset + (shorts ? 1 : 0) * sizeof(module::HeapState))};
}

void Risk::set_due(Ledger::PositionPtr at, const Health& health) {
    Arena& arena = m_ledger.arena();
    const Position position = m_ledger.position(at);
    Due heap = due(position.market);
    if (position.size == 0) {
        if (position.due != 0) {
            heap.remove(position.due);
            arena.edit(at, &Position::due) = 0;
        }
        return;
    }
    const Money slack = health.slack() - kRounding * health.positions;
    // What is due at once comes behind what has been due: nobody can keep others from their turn.
    std::uint64_t key = m_ledger.market(position.market).movement;
    if (slack > 0)
        key += static_cast<std::uint64_t>(slack * Money{kMovementOne} / (2 * health.exposure + slack));
    const DueEntry entry{key, static_cast<std::uint32_t>(m_ledger.state().turn), position.account};
    if (position.due != 0)
        heap.update(position.due, entry);
    else if (const auto handle = heap.push(entry))
        arena.edit(at, &Position::due) = *handle;
}

void Risk::set_rank(Ledger::PositionPtr at, const Health& health) {
    Arena& arena = m_ledger.arena();
    Position position = m_ledger.position(at);
    const bool ranked_short = (position.flags & Position::kRankShort) != 0;
    if (position.rank != 0 && (position.size == 0 || (position.size < 0) != ranked_short)) {
        ranks(position.market, ranked_short).remove(position.rank);
        position.rank = 0;
        arena.edit(at, &Position::rank) = 0;
    }
    if (position.size == 0)
        return;
    const Market& market = m_ledger.market(position.market);
    const Money value = signed_value(m_margin.price(market, Valuation::PreviousMark),
                                     magnitude(position.size), market.terms.unit);
    const bool is_long = position.size > 0;
    const RankEntry entry{~deleverage_score(value, position.cost, health.equity, is_long), position.account,
                          0};
    Ranks heap = ranks(position.market, !is_long);
    if (position.rank != 0) {
        heap.update(position.rank, entry);
        return;
    }
    if (const auto handle = heap.push(entry)) {
        Position& content = arena.edit(at);
        content.rank = *handle;
        content.flags = (content.flags & ~Position::kRankShort) | (is_long ? 0 : Position::kRankShort);
    }
}

void Risk::refresh(AccountId account) {
    const Health cross = m_margin.cross(account);
    for (auto at = m_ledger.account(account).positions.first; at; at = m_ledger.position(at).siblings.next) {
        const Position& position = m_ledger.position(at);
        if (!m_ledger.market(position.market).spot())
            set_due(at, position.isolated() ? m_margin.isolated(position) : cross);
    }
    rank(account);
}

void Risk::rank(AccountId account) {
    const Health cross = m_margin.cross(account, Valuation::PreviousMark);
    for (auto at = m_ledger.account(account).positions.first; at; at = m_ledger.position(at).siblings.next) {
        const Position& position = m_ledger.position(at);
        if (!m_ledger.market(position.market).spot())
            set_rank(at, position.isolated() ? m_margin.isolated(position, Valuation::PreviousMark) : cross);
    }
}

Ledger::PositionPtr Risk::first_ranked(MarketId market, bool against_long) const noexcept {
    const Ranks heap = ranks(market, against_long);
    if (heap.empty() || heap.value(heap.top()).rank == ~std::uint64_t{0})
        return {};
    return m_ledger.find_position(heap.value(heap.top()).account, market);
}

void Risk::sweep() {
    const std::uint32_t count = m_ledger.account_count();
    for (std::uint32_t i = 0; i < std::min(kSweepMax, count); ++i) {
        const std::uint32_t next = m_ledger.state().sweep_next % count;
        m_ledger.edit(&ExchangeState::sweep_next) = (next + 1) % count;
        if (m_ledger.account(next + 1).active_count != 0)
            rank(next + 1);
    }
}

std::vector<Unit> Risk::take_endangered() {
    std::vector<Unit> endangered;
    std::vector<AccountId> seen;
    std::uint32_t looked_at = 0;  // positions
    const std::uint32_t markets = m_ledger.market_count();
    for (std::uint32_t i = 0; i < markets; ++i) {
        // Where it begins changes, so that no market is always the last.
        const auto id = static_cast<MarketId>((m_ledger.state().turn + i) % markets);
        const std::uint64_t reached = m_ledger.market(id).movement;
        Due heap = due(id);
        while (looked_at < kEvaluationsMax && endangered.size() < kEndangeredMax && !heap.empty()) {
            const DueEntry entry = heap.value(heap.top());
            const Ledger::PositionPtr at = m_ledger.find_position(entry.account, id);
            if (entry.at_movement > reached || !at)
                break;
            const Position& position = m_ledger.position(at);
            seen.push_back(entry.account);
            looked_at += m_ledger.account(entry.account).active_count;
            if (m_margin.of(position).slack() < 0)
                endangered.push_back({entry.account, position.isolated() ? id : Unit::kCross});
            heap.update(heap.top(), {kParked, 0, entry.account});
        }
    }
    // Those that are still near come up again in the next block, whatever the market does, but last.
    for (const AccountId account : seen)
        refresh(account);
    std::sort(endangered.begin(), endangered.end());
    endangered.erase(std::unique(endangered.begin(), endangered.end()), endangered.end());
    return endangered;
}

}  // namespace meridian::modules::exchange
