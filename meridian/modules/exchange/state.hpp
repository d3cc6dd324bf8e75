// The exchange as it lies in the arena: accounts, markets, positions, and what bounds their numbers.
//
// Who owns what: an account has a cross collateral balance, isolated margins in positions, and balances of
// assets for spot markets. A position is a size in lots and its cost, what was paid for it (less than zero
// for shorts); its profit is its value less its cost. As every trade adds to one cost what it takes from
// another, balances less costs change only by deposits and withdrawals: collateral is conserved to the unit,
// however parts of costs are rounded.
#pragma once

#include <meridian/module/heap.hpp>
#include <meridian/module/ordered_map.hpp>
#include <meridian/modules/exchange/book.hpp>
#include <meridian/modules/exchange/money.hpp>

namespace meridian::modules::exchange {

using AccountId = Owner;
using MarketId = std::uint32_t;
using AssetId = std::uint32_t;
using ClientId = FixedBytes<16>;

inline constexpr AccountId kNoAccount = 0;
// What perpetuals are settled in.
inline constexpr AssetId kCollateral = 0;

// Bounds, each on the work of something that walks over what it counts.
inline constexpr std::uint32_t kAccountsMax = 1u << 26;
inline constexpr std::uint32_t kSubAccountsMax = 32;  // of an owner
inline constexpr std::uint32_t kMarketsMax = 256;     // each block looks at all
inline constexpr std::uint32_t kAssetsMax = 256;
inline constexpr std::uint32_t kActiveMax = 32;  // markets in which an account has anything open
inline constexpr std::uint32_t kOrdersPerAccountMax = 1000;
inline constexpr std::uint32_t kConditionalsMax = 64;  // of an account
inline constexpr std::uint32_t kReduceOnlyMax = 16;    // resting reduce-only orders of a position
inline constexpr std::uint32_t kFillsMax = 256;        // highest MarketRules::fills_max
inline constexpr std::uint32_t kPublishersMax = 16;
inline constexpr std::uint32_t kFeeTiersMax = 4;
inline constexpr std::uint32_t kMarginTiersMax = 4;
inline constexpr std::uint32_t kVolumeDays = 14;

inline constexpr std::uint64_t kDayMs = 86'400'000;
inline constexpr std::uint64_t kHourMs = 3'600'000;

// Fees by the volume of the 14 days before today, in base units of the collateral.
struct FeeTier {
    std::uint64_t volume_min;
    std::int32_t taker_ppm;
    std::int32_t maker_ppm;  // below zero: a rebate, out of the taker's fee
};
// Value beyond lower_bound needs an initial margin of 1 / leverage_max.
struct MarginTier {
    std::uint64_t lower_bound;
    std::uint32_t leverage_max;
    std::uint32_t reserved;
};

enum class MarketKind : std::uint32_t { Perpetual, Spot };

// What a market's operator decides. Values are in base units of the quote asset.
struct MarketTerms {
    MarketKind kind;
    AssetId base_asset;   // of spot
    AssetId quote_asset;  // of perpetuals kCollateral
    std::uint32_t reserved;
    std::uint64_t unit;               // what a tick times a lot is worth
    std::uint64_t lot_units;          // of spot: base units of the base asset in a lot
    std::uint64_t open_interest_max;  // lots
    // Between these two values of the open interest the initial margin rises to the whole value; upper 0:
    // it does not.
    std::uint64_t scale_lower;
    std::uint64_t scale_upper;
    std::uint64_t impact_value;   // what funding takes the prices of buying and selling for
    std::uint64_t partial_value;  // a position worth more is liquidated in part at first
    std::uint32_t fee_tier_count;
    std::uint32_t margin_tier_count;
    FeeTier fees[kFeeTiersMax];
    MarginTier margins[kMarginTiersMax];
    MarketRules rules;
    std::uint32_t staleness_ms;  // a publisher's price counts so long
    std::uint32_t quorum;        // so many have to count
};
static_assert(module::Storable<MarketTerms> && sizeof(MarketTerms) == 4 * module::kLineSize);

struct PublishedPrice {
    std::uint64_t time_ms;
    Price price;
    std::uint32_t reserved;
};

// When a margin unit has to be looked at again (risk.hpp): the block's number at which it was last breaks
// ties, so that all have their turn.
struct DueEntry {
    std::uint64_t at_movement;
    std::uint32_t turn;
    AccountId account;
    friend bool operator<(const DueEntry& a, const DueEntry& b) {
        if (a.at_movement != b.at_movement)
            return a.at_movement < b.at_movement;
        return a.turn != b.turn ? a.turn < b.turn : a.account < b.account;
    }
};
// Who is deleveraged first: the complement of the score.
struct RankEntry {
    std::uint64_t rank;
    AccountId account;
    std::uint32_t reserved;
    friend bool operator<(const RankEntry& a, const RankEntry& b) {
        return a.rank != b.rank ? a.rank < b.rank : a.account < b.account;
    }
};

struct Market {
    MarketTerms terms;
    BookState book;
    // In ticks; 0: there is none yet.
    Price oracle;
    Price mark;
    Price previous_mark;
    Price last;
    // The moving average of half ticks that the book's middle is above the oracle (oracle.hpp).
    Money premium_sum;
    std::uint64_t premium_weight;
    std::uint64_t priced_ms;
    // How far the mark price and funding have moved since the beginning, all moves added up (risk.hpp).
    std::uint64_t movement;
    std::uint64_t open_interest;  // lots, of all longs
    // What a lot that is long has paid since the beginning, in 1e-9 base units; every position's lots times
    // its own index; what payers have paid and receivers not received (funding.hpp).
    Money funding_index;
    Money funding_weight;
    Money funding_pot;
    std::int64_t sample_sum;  // premiums, parts per billion
    std::uint32_t sample_count;
    std::uint32_t flags;
    std::uint64_t next_sample_ms;
    std::uint64_t next_funding_ms;
    std::int64_t funding_rate;  // the last hour's, parts per billion
    std::uint64_t reserved;
    module::HeapState due;
    module::HeapState ranks[2];
    // Triggers by price and id, those from below by the price's complement: the next to fire first.
    module::OrderedMapState triggers[2];
    PublishedPrice prices[kPublishersMax];
    // May halt it.
    Address guardian;
    std::uint32_t reserved_too[11];

    static constexpr std::uint32_t kHalted = 1;
    static constexpr std::uint32_t kFresh = 2;  // the oracle's price is not stale
    bool halted() const noexcept { return (flags & kHalted) != 0; }
    bool fresh() const noexcept { return (flags & kFresh) != 0; }
    bool spot() const noexcept { return terms.kind == MarketKind::Spot; }
};
static_assert(module::Storable<Market> && sizeof(Market) == 19 * module::kLineSize);

// What the exchange knows of an order beside the book, where it needs to; the order's tag leads to it.
struct OrderExtra {
    ClientId client_id;
    module::ListLink<OrderExtra> reduce_only;
    OrderId order;
    MarketId market;
    AccountId account;
    AccountId builder;
    std::uint32_t builder_ppm;
    std::uint32_t flags;
    std::uint32_t reserved;
    std::uint64_t partner;  // a trigger that goes when the order trades or goes, and the other way round

    static constexpr std::uint32_t kReduceOnly = 1;
    static constexpr std::uint32_t kClientId = 2;
};
static_assert(module::Storable<OrderExtra> && sizeof(OrderExtra) == module::kLineSize);

// An account in a market: what it holds (perpetuals), and what it has open. Once made it stays, as it keeps
// the leverage.
struct Position {
    AccountId account;
    MarketId market;
    std::int64_t size;  // lots, below zero: short
    Money cost;
    Money funding_index;
    Money margin;  // isolated
    // Lots of resting orders that are not reduce-only.
    std::int64_t open_buy;
    std::int64_t open_sell;
    std::uint32_t leverage;
    std::uint32_t flags;
    // Handles in the market's heaps, 0: none.
    std::uint32_t due;
    std::uint32_t rank;
    std::uint64_t partial_until_ms;  // a partial liquidation was, the next is not before
    module::ListLink<Position> siblings;
    module::ListState<OrderExtra> reduce_only;
    std::uint32_t order_count;
    std::uint32_t reduce_only_count;

    static constexpr std::uint32_t kIsolated = 1;
    static constexpr std::uint32_t kActive = 2;     // in the account's list
    static constexpr std::uint32_t kRankShort = 4;  // the handle is of the shorts' heap
    bool isolated() const noexcept { return (flags & kIsolated) != 0; }
    bool active() const noexcept { return (flags & kActive) != 0; }
    // What a reduce-only order of that side can take.
    std::int64_t reducible(Side side) const noexcept {
        return side == Side::Sell ? std::max<std::int64_t>(size, 0) : std::max<std::int64_t>(-size, 0);
    }
    // The largest position that filling all orders of one side could make.
    std::int64_t worst() const noexcept {
        return std::max({magnitude(size), size + open_buy, open_sell - size});
    }
};
static_assert(module::Storable<Position> && sizeof(Position) == 2 * module::kLineSize);

struct Account {
    Address owner;
    std::uint32_t sub;
    std::uint32_t active_count;
    std::uint32_t order_count;
    Money balance;                          // cross collateral
    module::ListState<Position> positions;  // the active ones
    std::uint32_t conditional_count;
    std::uint32_t cancel_fires;              // of the dead man's switch, on cancel_day
    std::uint64_t volumes[kVolumeDays + 1];  // by the day's number modulo 15
    std::uint32_t volume_day;
    std::uint32_t cancel_day;
    std::uint64_t cancel_at_ms;  // 0: no dead man's switch
    std::uint64_t reserved[7];
};
static_assert(module::Storable<Account> && sizeof(Account) == 4 * module::kLineSize);

// Of an asset in an account, for spot.
struct Balance {
    std::uint64_t total;
    std::uint64_t held;  // for resting orders
};

struct Asset {
    std::uint64_t supply;  // deposited and not withdrawn
    std::uint64_t fees;    // the exchange's own
};

// balance - debt is what came in less what was paid; one of the two is zero.
struct Insurance {
    Money balance;
    Money debt;
    Money funded;     // by the operator
    Money remainder;  // of funding
    Money paid;       // for what bankrupt accounts owed
};

// An account's address: the owner and the number of the sub-account, big-endian.
using AccountKey = FixedBytes<24>;
// The account's number, big-endian, and the order's name.
using ClientKey = FixedBytes<20>;

struct Publisher {
    Address key;
};

// A time or a price and an id; an account and an id.
struct PairKey {
    std::uint64_t first;
    std::uint64_t second;
    friend bool operator<(const PairKey& a, const PairKey& b) {
        return a.first != b.first ? a.first < b.first : a.second < b.second;
    }
};

enum class ConditionKind : std::uint32_t { Above, Below, Twap };

// An order that waits for a price, or is given in slices over time (conditional.hpp).
struct Conditional {
    std::uint64_t id;
    AccountId account;
    MarketId market;
    ConditionKind kind;
    std::uint32_t flags;
    Price at;     // what it waits for
    Price price;  // of the order
    Size size;    // a TWAP's: what is left
    Size slice_max;
    std::uint64_t due_ms;  // of a TWAP's next slice
    std::uint32_t slices_left;
    std::uint32_t reserved;
    // What goes when this goes or fires: another conditional of the account, an order in this market.
    std::uint64_t partner;
    OrderId partner_order;
    std::uint64_t reserved_too[2];

    static constexpr std::uint32_t kSell = 1;
    static constexpr std::uint32_t kReduceOnly = 2;
    static constexpr std::uint32_t kMarket = 4;
    static constexpr std::uint32_t kForceShift = 8;
};
static_assert(module::Storable<Conditional> && sizeof(Conditional) == 6 * module::kGranule);

struct ExchangeState {
    Address operator_key;
    AccountId backstop;  // the vault that takes over positions; 0: none
    std::uint32_t publisher_count;
    std::uint32_t sweep_next;  // the account that is ranked anew next
    std::uint64_t now_ms;      // the block's time
    std::uint64_t last_conditional_id;
    module::VectorState accounts;
    module::OrderedMapState account_index;
    module::VectorState assets;
    module::OrderedMapState balances;  // by account << 32 | asset
    module::VectorState markets;
    BooksState books;
    module::HashMapState positions;  // by account << 32 | market
    module::PoolState position_pool;
    module::PoolState extra_pool;
    module::OrderedMapState client_ids;    // to the order's extra
    module::OrderedMapState approvals;     // by account << 32 | builder: the highest fee, ppm
    module::OrderedMapState cancels;       // dead man's switches by time and account
    module::OrderedMapState conditionals;  // by account and id
    module::OrderedMapState twaps;         // by time and id
    module::PoolState conditional_pool;
    Insurance insurance;
    Publisher publishers[kPublishersMax];
    std::uint64_t turn;  // blocks so far
    std::uint64_t reserved[7];
};
static_assert(module::Storable<ExchangeState>);

}  // namespace meridian::modules::exchange
