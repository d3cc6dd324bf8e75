// Which accounts have to be looked at, without looking at all of them in each block.
//
// A market counts how far it has moved: the relative changes of its mark price, and the rates of funding, all
// added up without their signs. If a unit's markets have moved by S since it was looked at, its positions'
// value N has lost N * S / (1 - S) at most, and their maintenance margin, which is at most half of the value,
// has risen by half of that. So a unit with slack (equity less maintenance margin) cannot be below its
// maintenance margin before S * (2 N + slack) reaches slack in one of its markets. That S, from where the
// market is, is the key of the position in the market's heap; a block looks at those whose key is reached.
// What changes an account otherwise looks at it at once. Who was looked at goes behind those who were not, so
// that however many are close to their margin, or cannot be liquidated for want of bids, all have their turn.
//
// Deleveraging takes the highest score first: (mark / entry) * (value / equity), for shorts (entry / mark) *
// (value / equity), at the previous mark price. Scores are as of the position's last change, or of the sweep,
// which goes around all accounts, kSweepMax in a block.
#pragma once

#include <meridian/modules/exchange/margin.hpp>

#include <vector>

namespace meridian::modules::exchange {

inline constexpr std::uint64_t kMovementOne = 1'000'000'000'000;  // a price has doubled
inline constexpr std::uint32_t kEvaluationsMax = 1024;            // positions, in a block
inline constexpr std::uint32_t kEndangeredMax = 32;               // found, and acted on, in a block
inline constexpr std::uint32_t kSweepMax = 256;

// A margin unit: an account's cross positions, or its isolated position in a market.
struct Unit {
    static constexpr MarketId kCross = ~MarketId{0};
    AccountId account;
    MarketId market;
    friend auto operator<=>(const Unit&, const Unit&) = default;
};

class Risk {
public:
    explicit Risk(Ledger& ledger) noexcept : m_ledger(ledger), m_margin(ledger) {}

    // Of a market, both rounded up.
    static void note_move(const Ledger& ledger, MarketId market, Price from, Price to) noexcept;
    static void note_funding(const Ledger& ledger, MarketId market, std::int64_t rate_ppb) noexcept;

    // Keys and scores of an account's positions anew. Work: its active positions.
    void refresh(AccountId account);
    // The highest ranked position of the other side of a long or short one, null if none has a score.
    Ledger::PositionPtr first_ranked(MarketId market, bool against_long) const noexcept;
    void sweep();
    // The units below their maintenance margin among those whose key is reached, ascending. Work: at most
    // kEvaluationsMax positions and those of one account, and kEndangeredMax units; those beyond stay due,
    // and come first in the next block.
    std::vector<Unit> take_endangered();

private:
    using Due = module::Heap<DueEntry>;
    using Ranks = module::Heap<RankEntry>;
    Due due(MarketId market) const noexcept;
    Ranks ranks(MarketId market, bool shorts) const noexcept;
    void set_due(Ledger::PositionPtr position, const Health& health);
    void set_rank(Ledger::PositionPtr position, const Health& health);
    void rank(AccountId account);

    Ledger& m_ledger;
    Margin m_margin;
};

// The score at the previous mark, in parts of 2^20; 0 if the unit has no equity.
std::uint64_t deleverage_score(Money value, Money cost, Money equity, bool is_long) noexcept;

}  // namespace meridian::modules::exchange
