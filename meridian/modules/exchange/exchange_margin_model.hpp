// What the naive exchange has, and what margin comes to: sums over everything there is.
#pragma once

#include <meridian/modules/exchange/book_test_model.hpp>
#include <meridian/modules/exchange/exchange_fixture.hpp>

namespace meridian::modules::exchange::testing {

// One fee tier, no builders, no client ids.
class NaiveMargin {
public:
    struct Holding {
        std::int64_t size = 0;
        Money cost = 0;
        Money margin = 0;
        Money index = 0;
        std::int64_t leverage = 0;
        bool isolated = false;
        std::uint64_t partial_until_ms = 0;
    };
    struct Live {
        AccountId account;
        Side side;
        Price price;
        Size left;
        bool reduce_only;
    };
    struct Pricing {
        MarketTerms terms;
        std::map<std::uint32_t, std::pair<Price, std::uint64_t>> published;
        Price oracle = 0, mark = 0, previous = 0, last = 0;
        Money premium_sum = 0, premium_weight = 0;
        std::uint64_t priced_ms = 0, next_sample_ms = 0, next_funding_ms = 0;
        Money index = 0, pot = 0;
        std::vector<std::int64_t> samples;
        bool fresh = false, halted = false;
    };
    struct Total {
        Money equity = 0, initial = 0, maintenance = 0, exposure = 0, losses = 0;
        int count = 0;
    };
    using Key = std::pair<MarketId, AccountId>;

    // All that is undone with a command.
    struct State {
        std::map<AccountId, Money> cash;
        std::map<std::pair<AccountId, AssetId>, Money> spot;
        std::map<Key, Holding> holdings;
        std::map<std::pair<MarketId, OrderId>, Live> live;
        std::map<AssetId, Money> fees;
        std::vector<Pricing> markets;
        Money insured = 0, owed = 0;
        OrderId last_id = 0;
    };

    State s;
    std::vector<Model> books;
    AccountId vault = kNoAccount;
    std::uint64_t now_ms = 0;
    // While a fill is tried the open interest counts as before it.
    MarketId frozen_market = ~MarketId{0};
    std::int64_t frozen_interest = 0;

    void add_market(const MarketTerms& terms) {
        Pricing pricing;
        pricing.terms = terms;
        pricing.priced_ms = now_ms;
        s.markets.push_back(pricing);
        books.emplace_back(terms.rules, &s.last_id);
    }

    // --- margin -------------------------------------------------------------------------------------
    Holding holding(MarketId market, AccountId account) const {
        const auto found = s.holdings.find({market, account});
        if (found != s.holdings.end())
            return found->second;
        Holding none;
        none.leverage = s.markets[market].terms.margins[0].leverage_max;
        return none;
    }
    Holding& held(MarketId market, AccountId account) {
        return s.holdings.emplace(Key{market, account}, holding(market, account)).first->second;
    }
    Money worth(MarketId market, std::int64_t lots, Price price) const {
        return Money{lots} * price * static_cast<Money>(s.markets[market].terms.unit);
    }
    static Money ceil(Money a, Money b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
    static Money tiers(const MarketTerms& terms, Money value) {
        Money sum = 0;
        for (std::uint32_t i = terms.margin_tier_count; i-- > 0;) {
            const Money lower = terms.margins[i].lower_bound;
            if (value > lower) {
                sum += ceil(value - lower, terms.margins[i].leverage_max);
                value = lower;
            }
        }
        return sum;
    }
    std::int64_t long_lots(MarketId market) const {
        std::int64_t sum = 0;
        for (const auto& [key, holding] : s.holdings)
            sum += key.first == market && holding.size > 0 ? holding.size : 0;
        return sum;
    }
    Money initial(MarketId market, std::int64_t lots, std::int64_t leverage) const {
        const MarketTerms& terms = s.markets[market].terms;
        const Money value = worth(market, lots, s.markets[market].mark);
        Money least = tiers(terms, value);
        if (terms.scale_upper > 0) {
            const std::int64_t lots_long = market == frozen_market ? frozen_interest : long_lots(market);
            const Money interest = worth(market, lots_long, s.markets[market].mark);
            const Money lower = terms.scale_lower;
            const Money upper = terms.scale_upper;
            if (interest >= upper)
                least = value;
            else if (interest > lower)
                least += ceil((value - least) * (interest - lower), upper - lower);
        }
        return std::max(ceil(value, leverage), least);
    }
    // Lots of orders of a side, without reduce-only ones.
    std::int64_t ordered(MarketId market, AccountId account, Side side) const {
        std::int64_t sum = 0;
        for (const auto& [key, order] : s.live) {
            if (key.first == market && order.account == account && order.side == side && !order.reduce_only)
                sum += static_cast<std::int64_t>(order.left);
        }
        return sum;
    }
    std::int64_t worst(MarketId market, AccountId account) const {
        const std::int64_t size = holding(market, account).size;
        return std::max({size < 0 ? -size : size, size + ordered(market, account, Side::Buy),
                         ordered(market, account, Side::Sell) - size});
    }
    Money due(MarketId market, const Holding& holding) const {
        return ceil(holding.size * (s.markets[market].index - holding.index), 1'000'000'000);
    }
    void add(Total& total, MarketId market, const Holding& holding, Price price) const {
        if (holding.size == 0)
            return;
        const Money gained = worth(market, holding.size, price) - holding.cost - due(market, holding);
        const Money value = worth(market, std::abs(holding.size), price);
        total.equity += gained;
        total.losses += gained < 0 ? gained : 0;
        total.maintenance += ceil(tiers(s.markets[market].terms, value), 2);
        total.exposure += value;
        ++total.count;
    }
    Price price_of(MarketId market, bool previous) const {
        const Pricing& pricing = s.markets[market];
        return previous && pricing.previous != 0 ? pricing.previous : pricing.mark;
    }
    Total total(const Unit& unit, bool previous = false) const {
        Total out;
        out.equity =
            unit.market == Unit::kCross ? s.cash.at(unit.account) : holding(unit.market, unit.account).margin;
        for (MarketId market = 0; market < s.markets.size(); ++market) {
            if (s.markets[market].terms.kind == MarketKind::Spot)
                continue;
            const Holding now = holding(market, unit.account);
            const std::int64_t size = std::abs(now.size);
            if (unit.market == Unit::kCross) {
                out.initial += initial(market, worst(market, unit.account), now.leverage);
                if (now.isolated)
                    out.initial -= initial(market, size, now.leverage);
                else
                    add(out, market, now, price_of(market, previous));
            } else if (unit.market == market) {
                out.initial = initial(market, size, now.leverage);
                add(out, market, now, price_of(market, previous));
            }
        }
        return out;
    }
    Unit unit_of(MarketId market, AccountId account) const {
        return {account, holding(market, account).isolated ? market : Unit::kCross};
    }
    Money withdrawable(AccountId account) const {
        const Total now = total({account, Unit::kCross});
        return std::max<Money>(
            0, s.cash.at(account) + now.losses - std::max(now.initial, ceil(now.exposure, 10)));
    }
};

}  // namespace meridian::modules::exchange::testing
