// The exchange once more, of maps that are searched from end to end: no lists of what is open, no keys, no
// heaps, and what a fill does to an account is found out by doing it to a copy. The tests and the fuzzer give
// both the same commands and compare everything.
#pragma once

#include <meridian/modules/exchange/exchange_margin_model.hpp>

namespace meridian::modules::exchange::testing {

class NaiveExchange : public NaiveMargin {
public:
    // --- fills --------------------------------------------------------------------------------------
    Money fee(MarketId market, bool is_taker, Money value) const {
        const FeeTier& tier = s.markets[market].terms.fees[0];
        return ceil(value * (is_taker ? tier.taker_ppm : tier.maker_ppm), 1'000'000);
    }
    void pay(MarketId market, AccountId account, Money amount) {
        Holding& holding = held(market, account);
        (holding.isolated ? holding.margin : s.cash[account]) += amount;
    }
    void settle(MarketId market, AccountId account) {
        const Money amount = due(market, holding(market, account));
        held(market, account).index = s.markets[market].index;
        s.markets[market].pot += amount;
        pay(market, account, -amount);
    }
    // Lot by lot would be simplest; a part is closed first, then the rest opened.
    void fill(MarketId market, AccountId account, std::int64_t lots, Price price, Money fee,
              bool keeps_margin) {
        settle(market, account);
        const Holding before = holding(market, account);
        const bool opposes = before.size != 0 && (before.size > 0) != (lots > 0);
        const std::int64_t closed = opposes ? std::min(std::abs(lots), std::abs(before.size)) : 0;
        const std::int64_t sign = lots > 0 ? 1 : -1;
        const std::int64_t opened = lots - sign * closed;
        const Money equity = total({account, market}).equity;
        if (opened == 0)
            pay(market, account, -fee);
        if (closed > 0) {
            const Money cost = before.cost * closed / std::abs(before.size);
            pay(market, account, -worth(market, sign * closed, price) - cost);
            Holding& now = held(market, account);
            now.size += sign * closed;
            now.cost -= cost;
            Money freed = keeps_margin ? 0 : std::max<Money>(equity, 0) * closed / std::abs(before.size);
            if (now.size == 0) {
                freed = now.margin;
                now.partial_until_ms = 0;
            }
            freed = std::min(std::max<Money>(freed, 0), std::max<Money>(now.margin, 0));
            if (now.isolated) {
                now.margin -= freed;
                s.cash[account] += freed;
            }
        }
        if (opened != 0) {
            Holding& now = held(market, account);
            const Money value = worth(market, opened, price);
            if (now.isolated) {
                const Money margin = ceil(value < 0 ? -value : value, now.leverage) + fee;
                s.cash[account] -= margin;
                now.margin += margin;
            }
            now.size += opened;
            now.cost += value;
            pay(market, account, -fee);
        }
    }
    void use_order(MarketId market, OrderId id, Size lots) {
        const auto at = s.live.find({market, id});
        at->second.left -= lots;
        if (at->second.left == 0)
            s.live.erase(at);
    }

    // Whether an account can bear a fill of one of its orders: does it, looks, and goes back.
    bool bears(MarketId market, AccountId account, OrderId order, std::int64_t lots, Price price, Money fee,
               bool liquidates) {
        const Holding before = holding(market, account);
        const Unit unit = unit_of(market, account);
        const Total was = total(unit);
        const State saved = s;
        const std::int64_t after = before.size + lots;
        const bool closes = (before.size > 0) != (lots > 0) && std::abs(lots) <= std::abs(before.size);
        const bool turns = before.size != 0 && !closes && (before.size > 0) != (after > 0);
        frozen_interest = long_lots(market);
        frozen_market = market;
        use_order(market, order, static_cast<Size>(std::abs(lots)));
        fill(market, account, lots, price, fee, liquidates);
        Total now = total(unit);
        const Money cross_left =
            total({account, Unit::kCross}).equity - total({account, Unit::kCross}).initial;
        frozen_market = ~MarketId{0};
        s = saved;
        const Price mark = s.markets[market].mark;
        if (closes && before.isolated) {
            // What is given back of the margin does not count, though the account has it.
            now.equity = was.equity + worth(market, lots, mark) - worth(market, lots, price) - fee;
            if (after != 0 && !liquidates)
                now.equity -= std::max<Money>(was.equity, 0) * std::abs(lots) / std::abs(before.size);
        }
        if (closes) {
            const bool no_debt = now.equity >= std::min<Money>(0, was.equity);
            if (liquidates)
                return no_debt;
            const bool better = now.equity - now.maintenance >= was.equity - was.maintenance;
            return now.equity >= now.maintenance || (no_debt && better);
        }
        if (!before.isolated)
            return now.equity >= now.initial;
        if (turns) {
            // What the closed part gives back does not count for the new one.
            const std::int64_t gone = -before.size;
            const Money rest = was.equity + worth(market, gone, mark) - worth(market, gone, price);
            const Money freed = std::max<Money>(
                0, before.margin - due(market, before) - worth(market, gone, price) - before.cost);
            return rest >= 0 && cross_left - freed >= 0 && now.equity >= now.maintenance;
        }
        return cross_left >= 0 && now.equity >= now.maintenance;
    }

    Admission admit(MarketId market, const Fill& fill, bool liquidates) {
        if (s.markets[market].terms.kind == MarketKind::Spot)
            return {fill.size};
        const bool buys = fill.taker_side == Side::Buy;
        const auto room = [&](AccountId account, bool selling, bool reduce_only) {
            const std::int64_t size = holding(market, account).size;
            const Size most = selling ? static_cast<Size>(std::max<std::int64_t>(0, size))
                                      : static_cast<Size>(std::max<std::int64_t>(0, -size));
            return reduce_only ? std::min(fill.size, most) : fill.size;
        };
        const Size maker_room = room(fill.maker, buys, fill.maker_reduce_only);
        const Size taker_room = room(fill.taker, !buys, fill.taker_reduce_only);
        const Size size = std::min(maker_room, taker_room);
        if (size == 0)
            return {0, maker_room == 0, taker_room == 0};
        const auto lots = static_cast<std::int64_t>(size) * (buys ? 1 : -1);
        const auto longer = [&](AccountId account, std::int64_t by) {
            const std::int64_t now = holding(market, account).size;
            return std::max<std::int64_t>(now + by, 0) - std::max<std::int64_t>(now, 0);
        };
        const std::int64_t more = longer(fill.maker, -lots) + longer(fill.taker, lots);
        const auto most = static_cast<std::int64_t>(s.markets[market].terms.open_interest_max);
        if (more > 0 && long_lots(market) + more > most)
            return {0, false, true};
        const Money value = worth(market, std::abs(lots), fill.price);
        if (!bears(market, fill.maker, fill.maker_id, -lots, fill.price, fee(market, false, value), false))
            return {0, true, false};
        if (!bears(market, fill.taker, fill.taker_id, lots, fill.price, fee(market, true, value), liquidates))
            return {0, false, true};
        return {size, maker_room < fill.size, taker_room < fill.size};
    }

    void traded(MarketId market, const Event& event, bool liquidates) {
        s.markets[market].last = event.price;
        use_order(market, event.id, event.size);
        use_order(market, event.maker_id, event.size);
        const MarketTerms& terms = s.markets[market].terms;
        const bool buys = event.side == Side::Buy;
        const auto lots = static_cast<std::int64_t>(event.size) * (buys ? 1 : -1);
        const Money value = worth(market, std::abs(lots), event.price);
        if (terms.kind == MarketKind::Perpetual) {
            const Money maker_fee = fee(market, false, value);
            const Money taker_fee = fee(market, true, value);
            fill(market, event.maker_owner, -lots, event.price, maker_fee, false);
            fill(market, event.owner, lots, event.price, taker_fee, liquidates);
            s.fees[kCollateral] += maker_fee + taker_fee;
            return;
        }
        const Money base = static_cast<Money>(event.size) * static_cast<Money>(terms.lot_units);
        const AssetId taker_asset = buys ? terms.base_asset : terms.quote_asset;
        const AssetId maker_asset = buys ? terms.quote_asset : terms.base_asset;
        const Money taker_gets = buys ? base : value;
        const Money maker_gets = buys ? value : base;
        const Money taker_fee = fee(market, true, taker_gets);
        const Money maker_fee = std::max<Money>(0, fee(market, false, maker_gets));
        const Money rebate = std::min(taker_fee, std::max<Money>(0, -fee(market, false, taker_gets)));
        s.spot[{event.owner, maker_asset}] -= maker_gets;
        s.spot[{event.maker_owner, taker_asset}] -= taker_gets - rebate;
        s.spot[{event.owner, taker_asset}] += taker_gets - taker_fee;
        s.spot[{event.maker_owner, maker_asset}] += maker_gets - maker_fee;
        s.fees[taker_asset] += taker_fee - rebate;
        s.fees[maker_asset] += maker_fee;
    }

    class MarketVenue final : public Venue {
    public:
        MarketVenue(NaiveExchange& exchange, MarketId market, bool reduce_only, bool liquidates)
            : m_exchange(exchange), m_market(market), m_reduce_only(reduce_only), m_liquidates(liquidates) {}
        Admission admit(const Fill& fill) noexcept override {
            return m_exchange.admit(m_market, fill, m_liquidates);
        }
        void on_event(const Event& event) noexcept override {
            auto& live = m_exchange.s.live;
            if (event.kind == EventKind::Accepted)
                live[{m_market, event.id}] = {event.owner, event.side, event.price, event.size,
                                              m_reduce_only};
            else if (event.kind == EventKind::Amended)
                live[{m_market, event.id}].price = event.price, live[{m_market, event.id}].left = event.size;
            else if (event.kind == EventKind::Filled)
                m_exchange.traded(m_market, event, m_liquidates);
            else if (event.kind == EventKind::Cancelled || event.kind == EventKind::Reduced)
                m_exchange.use_order(m_market, event.id, event.size);
        }

    private:
        NaiveExchange& m_exchange;
        MarketId m_market;
        bool m_reduce_only;
        bool m_liquidates;
    };

    // --- after trades -------------------------------------------------------------------------------
    void tidy(MarketId market) {
        const auto orders = s.live;
        for (const auto& [key, order] : orders) {
            if (key.first != market || !order.reduce_only)
                continue;
            const std::int64_t size = holding(market, order.account).size;
            const auto most =
                static_cast<Size>(std::max<std::int64_t>(0, order.side == Side::Sell ? size : -size));
            MarketVenue venue(*this, market, true, false);
            if (order.left > most)
                static_cast<void>(books[market].reduce(key.second, order.left - most, venue));
        }
        const auto holdings = s.holdings;
        for (const auto& [key, was] : holdings) {
            const Holding now = holding(key.first, key.second);
            Money& purse = now.isolated ? held(key.first, key.second).margin : s.cash[key.second];
            const bool bare = now.isolated ? now.size == 0 : total({key.second, Unit::kCross}).count == 0;
            if (bare && purse < 0) {
                insurance_pays(-purse);
                purse = 0;
            }
        }
    }
    void insurance_pays(Money amount) {
        const Money had = std::min(amount, s.insured);
        s.insured -= had;
        s.owed += amount - had;
    }
    void insurance_gets(Money amount) {
        const Money back = std::min(amount, s.owed);
        s.owed -= back;
        s.insured += amount - back;
    }

    // --- commands -----------------------------------------------------------------------------------
    Money free_balance(AccountId account, AssetId asset) const {
        const auto at = s.spot.find({account, asset});
        Money sum = at != s.spot.end() ? at->second : 0;
        for (const auto& [key, order] : s.live) {
            const MarketTerms& terms = s.markets[key.first].terms;
            if (order.account != account || terms.kind != MarketKind::Spot)
                continue;
            if (order.side == Side::Buy && asset == terms.quote_asset)
                sum -= worth(key.first, static_cast<std::int64_t>(order.left), order.price);
            if (order.side == Side::Sell && asset == terms.base_asset)
                sum -= static_cast<Money>(order.left * terms.lot_units);
        }
        return sum;
    }
    // Of `lots` more of a side, at a price that the book takes.
    Error lacks(MarketId market, AccountId account, Side side, Price price, Size size) {
        const MarketTerms& terms = s.markets[market].terms;
        if (price == 0 || price > terms.rules.price_max || size == 0 || size > terms.rules.size_max)
            return Error::None;
        if (terms.kind == MarketKind::Spot) {
            const Money needed = side == Side::Buy ? worth(market, static_cast<std::int64_t>(size), price)
                                                   : static_cast<Money>(size * terms.lot_units);
            return needed > free_balance(account, side == Side::Buy ? terms.quote_asset : terms.base_asset)
                       ? Error::InsufficientBalance
                       : Error::None;
        }
        const std::int64_t before = worst(market, account);
        const std::pair<MarketId, OrderId> made{market, ~OrderId{0}};
        s.live[made] = {account, side, price, size, false};
        const std::int64_t after = worst(market, account);
        const Total now = total({account, Unit::kCross});
        s.live.erase(made);
        if (after <= before)
            return Error::None;
        if (after > static_cast<std::int64_t>(terms.open_interest_max))
            return Error::OpenInterest;
        return now.equity < now.initial ? Error::InsufficientMargin : Error::None;
    }
    Answer place(const PlaceOrder& order) {
        const Pricing& pricing = s.markets[order.market];
        const bool spot = pricing.terms.kind == MarketKind::Spot;
        if (spot && order.reduce_only)
            return {Error::WrongMarket};
        if (order.self_trade == SelfTrade::Allow)
            return {Error::BadCommand};
        if (pricing.halted && !order.reduce_only)
            return {Error::Halted};
        if (!spot && !pricing.fresh && !order.reduce_only)
            return {Error::NoMark};
        if (!order.reduce_only) {
            const Error lack = lacks(order.market, order.account, order.side, order.price, order.size);
            if (lack != Error::None)
                return {lack};
        }
        NewOrder incoming;
        incoming.owner = order.account;
        incoming.side = order.side;
        incoming.type = order.type;
        incoming.time_in_force = order.time_in_force;
        incoming.self_trade = order.self_trade;
        incoming.price = order.price;
        incoming.size = order.size;
        incoming.reduce_only = order.reduce_only;
        if (order.reduce_only) {
            const std::int64_t size = holding(order.market, order.account).size;
            int resting = 0;
            for (const auto& [key, live] : s.live)
                resting += key.first == order.market && live.account == order.account && live.reduce_only;
            if (resting >= static_cast<int>(kReduceOnlyMax))
                return {Error::TooManyOrders};
            incoming.size_cap =
                static_cast<Size>(std::max<std::int64_t>(0, order.side == Side::Sell ? size : -size));
        }
        MarketVenue venue(*this, order.market, order.reduce_only, false);
        const State saved = s;
        const Model saved_book = books[order.market];
        const Answer answer = books[order.market].place(incoming, venue);
        if (answer.error != Error::None) {
            s = saved;
            books[order.market] = saved_book;
        } else {
            tidy(order.market);
        }
        return answer;
    }
    Answer amend(const AmendOrder& amendment) {
        const auto at = s.live.find({amendment.market, amendment.order});
        if (at == s.live.end())
            return {Error::UnknownOrder};
        const Live before = at->second;
        if (before.account != amendment.account)
            return {Error::NotOwner};
        const Pricing& pricing = s.markets[amendment.market];
        const bool spot = pricing.terms.kind == MarketKind::Spot;
        const bool shrinks = amendment.price == before.price && amendment.size < before.left;
        if (!shrinks && !before.reduce_only && pricing.halted)
            return {Error::Halted};
        if (!shrinks && !before.reduce_only && !spot && !pricing.fresh)
            return {Error::NoMark};
        if (before.reduce_only) {
            const std::int64_t size = holding(amendment.market, amendment.account).size;
            if (amendment.size >
                static_cast<Size>(std::max<std::int64_t>(0, before.side == Side::Sell ? size : -size)))
                return {Error::ReduceOnly};
        } else {
            Error lack = Error::None;
            if (spot) {
                s.live.erase(at);
                lack =
                    lacks(amendment.market, amendment.account, before.side, amendment.price, amendment.size);
                s.live[{amendment.market, amendment.order}] = before;
            } else if (amendment.size > before.left) {
                lack = lacks(amendment.market, amendment.account, before.side, amendment.price,
                             amendment.size - before.left);
            }
            if (lack != Error::None)
                return {lack};
        }
        MarketVenue venue(*this, amendment.market, before.reduce_only, false);
        const Answer answer = books[amendment.market].amend(amendment.account, amendment.order,
                                                            amendment.price, amendment.size, venue);
        if (answer.error == Error::None)
            tidy(amendment.market);
        return answer;
    }
    Answer cancel_market(AccountId account, MarketId market) {
        MarketVenue venue(*this, market, false, false);
        return books[market].cancel_all(account, kOrdersPerAccountMax, venue);
    }
    Error set_leverage(AccountId account, MarketId market, std::uint32_t leverage, bool isolated) {
        if (s.markets[market].terms.kind == MarketKind::Spot)
            return Error::WrongMarket;
        if (leverage == 0 || leverage > s.markets[market].terms.margins[0].leverage_max)
            return Error::BadLeverage;
        const State saved = s;
        bool open = holding(market, account).size != 0;
        for (const auto& [key, order] : s.live)
            open = open || (key.first == market && order.account == account);
        Holding& holding = held(market, account);
        if (holding.isolated != isolated && open)
            return Error::PositionOpen;
        if (isolated && account == vault)
            return Error::BadCommand;
        const bool less = leverage < holding.leverage;
        holding.leverage = leverage;
        holding.isolated = isolated;
        for (const Unit& unit : {Unit{account, Unit::kCross}, unit_of(market, account)}) {
            const Total now = total(unit);
            if (less && open && now.equity < now.initial) {
                s = saved;
                return Error::InsufficientMargin;
            }
        }
        return Error::None;
    }
    Error move_margin(AccountId account, MarketId market, std::int64_t amount) {
        if (s.markets[market].terms.kind == MarketKind::Spot)
            return Error::WrongMarket;
        if (amount == 0)
            return Error::ZeroAmount;
        const Holding now = holding(market, account);
        if (!now.isolated || now.size == 0)
            return Error::WrongMarket;
        const Total own = total({account, market});
        const bool lacking =
            amount > 0 ? withdrawable(account) < amount
                       : now.margin + own.losses + amount < std::max(own.initial, ceil(own.exposure, 10));
        if (lacking)
            return Error::InsufficientMargin;
        held(market, account).margin += amount;
        s.cash[account] -= amount;
        return Error::None;
    }

    // --- blocks -------------------------------------------------------------------------------------
    static std::int64_t best(const Model& book, Side side) {
        const auto& levels = book.side(side);
        if (levels.empty())
            return 0;
        return side == Side::Buy ? levels.rbegin()->first : levels.begin()->first;
    }
    static Price middle(std::vector<Price> three) {
        std::sort(three.begin(), three.end());
        return three[1];
    }
    void price(MarketId id) {
        Pricing& market = s.markets[id];
        std::vector<Price> fresh;
        for (const auto& [publisher, told] : market.published) {
            if (told.second + market.terms.staleness_ms >= now_ms)
                fresh.push_back(told.first);
        }
        std::sort(fresh.begin(), fresh.end());
        market.fresh = !fresh.empty() && fresh.size() >= market.terms.quorum;
        market.previous = market.mark;
        const std::uint64_t passed_ms = std::min<std::uint64_t>(now_ms - market.priced_ms, 3'600'000);
        market.priced_ms = now_ms;
        if (!market.fresh)
            return;
        market.oracle =
            static_cast<Price>((std::uint64_t{fresh[fresh.size() / 2]} + fresh[(fresh.size() - 1) / 2]) / 2);
        const std::int64_t buy = best(books[id], Side::Buy);
        const std::int64_t sell = best(books[id], Side::Sell);
        const std::int64_t oracle = market.oracle;
        if (buy != 0 && sell != 0 && passed_ms != 0) {
            const Money factor = decay(passed_ms);
            const Money kept = market.premium_sum * (factor / 65536);
            const Money one = Money{1} << 47;
            market.premium_sum = (kept >= 0 ? kept / one : -ceil(-kept, one)) +
                                 Money{buy + sell - 2 * oracle} * Money{passed_ms} * 65536;
            market.premium_weight =
                market.premium_weight * factor / (Money{1} << 63) + Money{passed_ms} * 65536;
        }
        const std::int64_t average =
            market.premium_weight != 0 ? static_cast<std::int64_t>(market.premium_sum / market.premium_weight)
                                       : 0;
        const auto smooth = static_cast<Price>(
            std::clamp<std::int64_t>((2 * oracle + average) / 2, 1, market.terms.rules.price_max));
        Price traded = smooth;
        if (buy != 0 && sell != 0)
            traded = middle({static_cast<Price>(buy), static_cast<Price>(sell),
                             market.last != 0 ? market.last : static_cast<Price>(buy)});
        market.mark = middle({smooth, traded, market.oracle});
    }
    // Lot by lot.
    std::int64_t impact(MarketId id, Side side) const {
        Money value = 0;
        Money lots = 0;
        std::vector<std::pair<Price, Size>> levels;
        for (const auto& [price, orders] : books[id].side(side)) {
            Size sum = 0;
            for (const ModelOrder& order : orders)
                sum += order.left;
            levels.emplace_back(price, sum);
        }
        if (side == Side::Buy)
            std::reverse(levels.begin(), levels.end());
        const MarketTerms& terms = s.markets[id].terms;
        const Money unit = static_cast<Money>(terms.unit);
        for (std::size_t i = 0; i < levels.size() && i < kImpactLevelsMax; ++i) {
            for (Size lot = 0; lot < levels[i].second; ++lot) {
                value += levels[i].first * unit;
                ++lots;
                if (value >= static_cast<Money>(terms.impact_value))
                    return static_cast<std::int64_t>(side == Side::Buy ? value / (lots * unit)
                                                                       : ceil(value, lots * unit));
            }
        }
        return 0;
    }
    void fund(MarketId id) {
        Pricing& market = s.markets[id];
        if (market.fresh && now_ms >= market.next_sample_ms) {
            const std::int64_t oracle = market.oracle;
            const std::int64_t buy = impact(id, Side::Buy);
            const std::int64_t sell = impact(id, Side::Sell);
            std::int64_t over = 0;
            if (buy > oracle)
                over += buy - oracle;
            if (sell != 0 && sell < oracle)
                over -= oracle - sell;
            market.samples.push_back(
                std::clamp<std::int64_t>(over * 1'000'000'000 / oracle, -10'000'000'000, 10'000'000'000));
            market.next_sample_ms = now_ms - now_ms % 5000 + 5000;
        }
        if (now_ms < market.next_funding_ms)
            return;
        if (market.next_funding_ms != 0 && market.fresh && !market.samples.empty()) {
            std::int64_t sum = 0;
            for (const std::int64_t sample : market.samples)
                sum += sample;
            market.index += worth(id, 1, market.oracle) *
                            hourly_rate(sum / static_cast<std::int64_t>(market.samples.size()));
        }
        market.samples.clear();
        market.next_funding_ms = now_ms - now_ms % 3'600'000 + 3'600'000;
        Money weight = 0;
        for (const auto& [key, holding] : s.holdings)
            weight += key.first == id ? holding.size * holding.index : 0;
        const Money over = market.pot - ceil(weight, 1'000'000'000);
        if (over > 0) {
            market.pot -= over;
            insurance_gets(over);
        }
    }
    void end_block() {
        for (MarketId market = 0; market < s.markets.size(); ++market) {
            if (s.markets[market].terms.kind == MarketKind::Spot)
                continue;
            price(market);
            fund(market);
        }
        std::vector<Unit> units;
        for (const auto& [account, balance] : s.cash) {
            for (MarketId market = 0; market < s.markets.size(); ++market) {
                const Holding now = holding(market, account);
                const Unit unit = unit_of(market, account);
                const Total health = total(unit);
                if (now.size != 0 && health.equity < health.maintenance)
                    units.push_back(unit);
            }
        }
        std::sort(units.begin(), units.end());
        units.erase(std::unique(units.begin(), units.end()), units.end());
        for (std::size_t i = 0; i < units.size() && i < kEndangeredMax; ++i)
            liquidate(units[i]);
        liquidations += units.size();
    }

    // --- liquidation --------------------------------------------------------------------------------
    // In the order in which the account opened them, as the real one's.
    std::vector<MarketId> markets_of(const Unit& unit) const {
        std::vector<MarketId> out;
        for (const MarketId market :
             order_of.count(unit.account) ? order_of.at(unit.account) : std::vector<MarketId>{}) {
            const Holding now = holding(market, unit.account);
            if (now.size != 0 && (unit.market == Unit::kCross ? !now.isolated : market == unit.market))
                out.push_back(market);
        }
        return out;
    }
    static bool bad(const Total& total) { return 3 * total.equity < 2 * total.maintenance; }
    void liquidate(const Unit& unit) {
        const Total now = total(unit);
        if (now.equity >= now.maintenance)
            return;
        for (MarketId market = 0; market < s.markets.size(); ++market) {
            const bool in_unit =
                unit.market == Unit::kCross ? !holding(market, unit.account).isolated : market == unit.market;
            if (in_unit && s.markets[market].terms.kind == MarketKind::Perpetual) {
                cancel_market(unit.account, market);
                note_markets();
            }
        }
        sell(unit, false);
        const Total then = total(unit);
        if (then.count == 0 || !bad(then) || hand_to_vault(unit))
            return;
        sell(unit, true);
        if (total(unit).equity < 0)
            deleverage(unit);
    }
    void sell(const Unit& unit, bool last_resort) {
        for (const MarketId market : markets_of(unit)) {
            const Total now = total(unit);
            if (now.equity >= now.maintenance || (!last_resort && bad(now)))
                return;
            if (!s.markets[market].fresh)
                continue;
            const Holding position = holding(market, unit.account);
            std::int64_t lots = std::abs(position.size);
            const Money value = worth(market, lots, s.markets[market].mark);
            if (!last_resort && value > static_cast<Money>(s.markets[market].terms.partial_value)) {
                if (now_ms < position.partial_until_ms)
                    continue;
                if (position.partial_until_ms == 0 || now_ms >= position.partial_until_ms + 600'000) {
                    lots = lots / 5 + (lots % 5 != 0 ? 1 : 0);
                    held(market, unit.account).partial_until_ms = now_ms + 30'000;
                }
            }
            const MarketRules& rules = s.markets[market].terms.rules;
            NewOrder order;
            order.owner = unit.account;
            order.side = position.size > 0 ? Side::Sell : Side::Buy;
            order.type = OrderType::Market;
            order.time_in_force = TimeInForce::ImmediateOrCancel;
            order.reduce_only = true;
            order.price = position.size > 0 ? 1 : rules.price_max;
            order.size = std::min(static_cast<Size>(lots), rules.size_max);
            order.size_cap = order.size;
            MarketVenue venue(*this, market, true, true);
            static_cast<void>(books[market].place(order, venue));
            tidy(market);
            note_markets();
        }
    }
    bool hand_to_vault(const Unit& unit) {
        const Money debt = -total(unit).equity;
        if (vault == kNoAccount || vault == unit.account || debt > s.insured)
            return false;
        const State saved = s;
        const std::vector<Model> saved_books = books;
        const auto saved_order = order_of;
        const std::vector<MarketId> markets = markets_of(unit);
        for (const MarketId market : markets)
            settle(market, unit.account);
        if (debt > 0)
            insurance_pays(debt);
        Money& purse =
            unit.market == Unit::kCross ? s.cash[unit.account] : held(unit.market, unit.account).margin;
        s.cash[vault] += purse + std::max<Money>(debt, 0);
        purse = 0;
        for (const MarketId market : markets) {
            settle(market, vault);
            Holding& from = held(market, unit.account);
            Holding& to = held(market, vault);
            const Holding given = from;
            const Holding had = to;
            from.size = 0;
            from.cost = 0;
            from.partial_until_ms = 0;
            to.size += given.size;
            to.cost += given.cost;
            if (to.size == 0)
                to.partial_until_ms = 0;
            if (had.size != 0 && (had.size > 0) != (given.size > 0)) {
                const Holding& larger = std::abs(had.size) >= std::abs(given.size) ? had : given;
                const Money kept = larger.cost * std::abs(to.size) / std::abs(larger.size);
                s.cash[vault] += kept - to.cost;
                to.cost = kept;
            }
            tidy(market);
            note_markets();
        }
        const Total after = total({vault, Unit::kCross});
        if (after.equity >= after.initial)
            return true;
        s = saved;
        books = saved_books;
        order_of = saved_order;
        return false;
    }
    void deleverage(const Unit& unit) {
        for (const MarketId market : markets_of(unit))
            settle(market, unit.account);
        const Total before = total(unit, true);
        Money debt_left = std::max<Money>(std::max<Money>(-before.equity, 0) - s.insured, 0);
        Money value_left = before.exposure;
        std::uint32_t budget = kDeleveragesMax;
        for (const MarketId market : markets_of(unit)) {
            if (!s.markets[market].fresh)
                continue;
            const Price price = price_of(market, true);
            const bool is_long = holding(market, unit.account).size > 0;
            const Money value = worth(market, std::abs(holding(market, unit.account).size), price);
            Money debt = value_left > 0 ? ceil(debt_left * value, value_left) : 0;
            value_left -= value;
            for (; holding(market, unit.account).size != 0 && budget > 0; --budget) {
                AccountId found = kNoAccount;
                std::uint64_t highest = 0;
                for (const auto& [key, other] : s.holdings) {
                    if (key.first != market || other.size == 0 || (other.size > 0) == is_long)
                        continue;
                    const std::uint64_t score =
                        deleverage_score(worth(market, std::abs(other.size), price), other.cost,
                                         total(unit_of(market, key.second), true).equity, other.size > 0);
                    if (score > highest) {
                        highest = score;
                        found = key.second;
                    }
                }
                if (found == kNoAccount)
                    break;
                const std::int64_t size = std::abs(holding(market, unit.account).size);
                const std::int64_t lots = std::min(size, std::abs(holding(market, found).size));
                const Money equity = std::max<Money>(0, total(unit_of(market, found), true).equity);
                const Money given = std::min(ceil(debt * lots, size), equity);
                fill(market, unit.account, is_long ? -lots : lots, price, 0, true);
                fill(market, found, is_long ? lots : -lots, price, 0, true);
                const Holding giver = holding(market, found);
                (giver.isolated && giver.size != 0 ? held(market, found).margin : s.cash[found]) -= given;
                pay(market, unit.account, given);
                Holding& mine = held(market, unit.account);
                if (mine.isolated && mine.size == 0 && mine.margin > 0) {
                    s.cash[unit.account] += mine.margin;
                    mine.margin = 0;
                }
                debt -= given;
                debt_left -= given;
                ++deleverages;
                tidy(market);
                note_markets();
            }
        }
    }

    // Which markets an account has something open in, in the order in which it began; asked after each step.
    std::map<AccountId, std::vector<MarketId>> order_of;
    void note_markets() {
        for (const auto& [account, balance] : s.cash) {
            std::vector<MarketId>& order = order_of[account];
            for (MarketId market = 0; market < s.markets.size(); ++market) {
                bool open = holding(market, account).size != 0;
                for (const auto& [key, live] : s.live)
                    open = open || (key.first == market && live.account == account);
                const auto at = std::find(order.begin(), order.end(), market);
                if (open && at == order.end())
                    order.push_back(market);
                else if (!open && at != order.end())
                    order.erase(at);
            }
        }
    }

    std::uint64_t liquidations = 0;
    std::uint64_t deleverages = 0;
};

}  // namespace meridian::modules::exchange::testing
