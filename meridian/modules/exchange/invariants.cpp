// What must hold between commands, found out by looking at everything.
#include <meridian/modules/exchange/exchange.hpp>

namespace meridian::modules::exchange {

namespace {

using Balances = module::OrderedMap<std::uint64_t, Balance>;

std::string at_market(const char* what, MarketId market) {
    return std::string(what) + " in market " + std::to_string(market);
}

// Sums over the positions of a market.
struct Totals {
    std::int64_t longs = 0;
    std::int64_t lots = 0;
    Money weight = 0;
    Money funding = 0;  // still to be paid in, less what is still to be paid out
    Money cost = 0;
    Money margin = 0;
};

Totals totals_of(const Ledger& ledger, MarketId id) {
    Totals out;
    const Market& market = ledger.market(id);
    for (AccountId account = 1; account <= ledger.account_count(); ++account) {
        const Ledger::PositionPtr at = ledger.find_position(account, id);
        if (!at)
            continue;
        const Position& position = ledger.position(at);
        out.longs += std::max<std::int64_t>(position.size, 0);
        out.lots += position.size;
        out.weight += position.size * position.funding_index;
        out.funding += Margin::funding_due(market, position);
        out.cost += position.cost;
        out.margin += position.margin;
    }
    return out;
}

std::string check_market(const Ledger& ledger, MarketId id) {
    const Market& market = ledger.market(id);
    const Book book = ledger.book(id);
    const Level* buy = book.best(Side::Buy);
    const Level* sell = book.best(Side::Sell);
    if (buy != nullptr && sell != nullptr && !book.collecting() && buy->price >= sell->price)
        return at_market("the book is crossed", id);
    const Totals totals = totals_of(ledger, id);
    if (totals.lots != 0)
        return at_market("longs and shorts differ", id);
    if (static_cast<std::uint64_t>(totals.longs) != market.open_interest)
        return at_market("the open interest is not that of the positions", id);
    if (totals.weight != market.funding_weight)
        return at_market("the funding weight is not that of the positions", id);
    if (market.funding_pot + totals.funding < 0)
        return at_market("funding is owed that nobody pays", id);
    return {};
}

// What an account's orders in a market come to.
struct Open {
    std::uint32_t count = 0;
    std::int64_t buy = 0;
    std::int64_t sell = 0;
    std::uint32_t reduce_only = 0;
    bool beyond = false;  // a reduce-only order of more lots than the position
};

Open open_of(const Ledger& ledger, AccountId account, MarketId id, const Position& position) {
    Open out;
    const Book book = ledger.book(id);
    for (const Side side : {Side::Buy, Side::Sell}) {
        for (const Level* level = book.best(side); level != nullptr; level = book.worse(side, *level)) {
            for (const Order* order = book.first(*level); order != nullptr; order = book.next(*order)) {
                if (order->owner != account)
                    continue;
                ++out.count;
                const auto lots = static_cast<std::int64_t>(order->remaining);
                if ((order->flags & Order::kReduceOnly) != 0) {
                    ++out.reduce_only;
                    out.beyond = out.beyond || lots > position.reducible(side);
                } else {
                    (side == Side::Buy ? out.buy : out.sell) += lots;
                }
            }
        }
    }
    return out;
}

std::string check_account(const Ledger& ledger, AccountId id) {
    const Account& account = ledger.account(id);
    std::uint32_t orders = 0;
    std::uint32_t active = 0;
    bool exposed = false;
    for (MarketId market = 0; market < ledger.market_count(); ++market) {
        const Ledger::PositionPtr at = ledger.find_position(id, market);
        if (!at)
            continue;
        const Position& position = ledger.position(at);
        const Open open = open_of(ledger, id, market, position);
        const bool spot = ledger.market(market).spot();
        if (open.count != position.order_count || open.reduce_only != position.reduce_only_count)
            return at_market("an account's number of orders is wrong", market);
        if (!spot && (open.buy != position.open_buy || open.sell != position.open_sell))
            return at_market("an account's lots in orders are wrong", market);
        if (open.beyond)
            return at_market("a reduce-only order is larger than its position", market);
        if (position.active() != (position.size != 0 || position.order_count != 0))
            return at_market("an account's list of markets is wrong", market);
        if ((position.due != 0) != (position.size != 0) || (position.rank != 0) != (position.size != 0))
            return at_market("a position is not watched", market);
        if (position.size == 0 && (position.cost != 0 || position.margin != 0))
            return at_market("a closed position has a cost or a margin", market);
        orders += position.order_count;
        active += position.active() ? 1 : 0;
        exposed = exposed || (position.size != 0 && !position.isolated());
    }
    if (orders != account.order_count || active != account.active_count)
        return "account " + std::to_string(id) + " miscounts its orders or markets";
    if (!exposed && account.balance < 0)
        return "account " + std::to_string(id) + " owes without a position";
    return {};
}

// What the accounts and the exchange have of an asset, beside what perpetuals come to.
Money held_of(const Ledger& ledger, AssetId asset, std::string& wrong) {
    Money sum = ledger.asset(asset).fees;
    const Balances balances = ledger.balances();
    for (auto at = balances.first(); at; at = balances.next(at)) {
        if (static_cast<AssetId>(balances.key(at)) != asset)
            continue;
        const Balance& balance = balances.value(at);
        if (balance.held > balance.total)
            wrong = "more is held for orders than an account has of asset " + std::to_string(asset);
        sum += balance.total;
    }
    return sum;
}

Money held_for_orders(const Ledger& ledger, AssetId asset) {
    Money sum = 0;
    for (MarketId id = 0; id < ledger.market_count(); ++id) {
        const Market& market = ledger.market(id);
        const Book book = ledger.book(id);
        for (const Side side : {Side::Buy, Side::Sell}) {
            for (const Level* level = market.spot() ? book.best(side) : nullptr; level != nullptr;
                 level = book.worse(side, *level)) {
                const SpotHold held = spot_hold(market.terms, side, level->price, level->total);
                sum += held.asset == asset ? held.amount : 0;
            }
        }
    }
    const Balances balances = ledger.balances();
    for (auto at = balances.first(); at; at = balances.next(at))
        sum -= static_cast<AssetId>(balances.key(at)) == asset ? balances.value(at).held : 0;
    return sum;
}

Money collateral_of(const Ledger& ledger) {
    const Insurance& insurance = ledger.state().insurance;
    Money sum = insurance.balance - insurance.debt;
    for (AccountId account = 1; account <= ledger.account_count(); ++account)
        sum += ledger.account(account).balance;
    for (MarketId id = 0; id < ledger.market_count(); ++id) {
        const Totals totals = totals_of(ledger, id);
        sum += ledger.market(id).funding_pot + totals.margin - totals.cost;
    }
    return sum;
}

// Each conditional waits in one queue, and is counted by its account.
std::string check_conditionals(const Ledger& ledger) {
    const ExchangeState& state = ledger.state();
    std::uint32_t counted = 0;
    for (AccountId account = 1; account <= ledger.account_count(); ++account)
        counted += ledger.account(account).conditional_count;
    std::uint32_t waiting = state.twaps.size;
    for (MarketId id = 0; id < ledger.market_count(); ++id)
        waiting += ledger.market(id).triggers[0].size + ledger.market(id).triggers[1].size;
    if (counted != state.conditionals.size || waiting != counted || state.conditional_pool.size != counted)
        return "conditionals are miscounted";
    return {};
}

}  // namespace

std::string Exchange::check_invariants() const {
    std::string wrong;
    for (AssetId asset = 0; asset < m_ledger.asset_count(); ++asset) {
        Money sum = held_of(m_ledger, asset, wrong);
        if (asset == kCollateral)
            sum += collateral_of(m_ledger);
        if (sum != Money{m_ledger.asset(asset).supply})
            wrong = "asset " + std::to_string(asset) + " is not conserved";
        if (held_for_orders(m_ledger, asset) != 0)
            wrong = "what is held of asset " + std::to_string(asset) + " is not what orders need";
    }
    const Insurance& insurance = m_ledger.state().insurance;
    const bool one_sided =
        insurance.balance >= 0 && insurance.debt >= 0 && (insurance.balance == 0 || insurance.debt == 0);
    if (!one_sided ||
        insurance.balance - insurance.debt != insurance.funded + insurance.remainder - insurance.paid)
        wrong = "the insurance's accounts do not close";
    for (MarketId id = 0; id < m_ledger.market_count() && wrong.empty(); ++id)
        wrong = check_market(m_ledger, id);
    for (AccountId id = 1; id <= m_ledger.account_count() && wrong.empty(); ++id)
        wrong = check_account(m_ledger, id);
    if (wrong.empty())
        wrong = check_conditionals(m_ledger);
    return wrong;
}

}  // namespace meridian::modules::exchange
