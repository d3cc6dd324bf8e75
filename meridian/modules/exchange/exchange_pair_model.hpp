// The exchange and the naive one with the same commands, compared after each: what the tests and the fuzzer
// have in common.
#pragma once

#include <meridian/modules/exchange/exchange_test_model.hpp>

namespace meridian::modules::exchange::testing {

// Two perpetuals of different terms and a spot market, six traders and a vault.
class ExchangePair {
public:
    explicit ExchangePair(Choices& choices) : m_real(first_terms(), pair_spot_terms(), 4096) {
        MERIDIAN_ASSERT(
            m_real.exchange().add_market(m_real.operator_key(), second_terms(), address_of(800)).has_value());
        m_naive.now_ms = m_real.now_ms();
        m_naive.add_market(first_terms());
        m_naive.add_market(pair_spot_terms());
        m_naive.add_market(second_terms());
        for (std::uint32_t i = 1; i <= kTraders; ++i)
            fund(i, 20'000 + choices.below(60'000));
        if (choices.below(4) != 0) {
            fund(kTraders, 100'000);
            MERIDIAN_ASSERT(m_real.exchange().set_backstop(m_real.operator_key(), kTraders).has_value());
            m_naive.vault = kTraders;
        }
    }

    void run(Choices& choices) {
        while (!choices.at_end()) {
            step(choices);
            ++m_steps;
            m_naive.note_markets();
            compare();
        }
    }

    const NaiveExchange& naive() const { return m_naive; }
    std::size_t told(ReportKind kind) { return m_real.events().of(kind).size(); }
    std::uint64_t steps() const { return m_steps; }
    TestExchange& real() { return m_real; }

private:
    static constexpr std::uint32_t kTraders = 7;

    static MarketTerms first_terms() {
        MarketTerms terms = perpetual_terms();
        terms.rules.price_max = 5000;
        terms.rules.fills_max = 6;
        terms.rules.size_max = 200;
        terms.unit = 3;
        terms.open_interest_max = 600;
        terms.partial_value = 60'000;
        terms.fees[0] = {0, 450, -100};
        terms.margin_tier_count = 2;
        terms.margins[0] = {0, 20, 0};
        terms.margins[1] = {150'000, 5, 0};
        terms.scale_lower = 500'000;
        terms.scale_upper = 3'000'000;
        return terms;
    }
    static MarketTerms second_terms() {
        MarketTerms terms = first_terms();
        terms.unit = 7;
        terms.scale_lower = terms.scale_upper = 0;
        terms.fees[0] = {0, 700, 150};
        terms.partial_value = kSupplyMax;
        return terms;
    }
    static MarketTerms pair_spot_terms() {
        MarketTerms terms = spot_terms();
        terms.rules.price_max = 5000;
        terms.rules.fills_max = 6;
        terms.fees[0] = {0, 1300, -700};
        return terms;
    }

    void fund(std::uint32_t trader, std::uint64_t amount) {
        Exchange& exchange = m_real.exchange();
        const AccountId account = *exchange.deposit(address_of(trader), 0, kCollateral, 2 * amount);
        MERIDIAN_ASSERT(exchange.deposit(address_of(trader), 0, 1, amount) == account);
        MERIDIAN_ASSERT(exchange.add_collateral(account, amount).has_value());
        m_naive.s.spot[{account, 0}] += amount;
        m_naive.s.spot[{account, 1}] += amount;
        m_naive.s.cash[account] += amount;
    }

    template <class T>
    static Error error_of(const Result<T, Error>& result) {
        return result ? Error::None : result.error();
    }
    template <class T>
    static Answer answer_of(const Result<T, Error>& result) {
        Answer out;
        out.error = error_of(result);
        if constexpr (std::is_same_v<T, Placed>)
            out.placed = result ? *result : Placed{};
        return out;
    }
    static Answer plain(Answer answer) {
        if (answer.error != Error::None)
            answer.placed = {};
        return answer;
    }

    AccountId trader(Choices& choices) { return 1 + choices.below(kTraders); }
    MarketId market(Choices& choices) {
        const std::uint32_t pick = choices.below(8);
        return pick < 4 ? 0 : pick < 6 ? 2 : 1;
    }

    void step(Choices& choices) {
        const std::uint32_t kind = choices.below(32);
        if (kind < 16)
            place(choices);
        else if (kind < 23)
            block(choices);
        else if (kind < 26)
            change_order(choices);
        else
            change_account(kind, choices);
    }

    void place(Choices& choices) {
        PlaceOrder order;
        order.account = trader(choices);
        order.market = market(choices);
        const std::uint32_t bits = choices.below(256);
        order.side = (bits & 1) != 0 ? Side::Sell : Side::Buy;
        order.reduce_only = (bits & 14) == 14;
        order.self_trade = static_cast<SelfTrade>((bits >> 4) % 5);
        const std::uint32_t force = choices.below(16);
        order.time_in_force = static_cast<TimeInForce>(force < 4 ? force : 0);
        order.type = force == 4 ? OrderType::Market : OrderType::Limit;
        if (force == 4)
            order.time_in_force = TimeInForce::ImmediateOrCancel;
        const Price near = std::max<Price>(m_price[order.market], 30);
        order.price = choices.below(32) == 0 ? choices.below(6000) : near - 24 + choices.below(48);
        order.size = choices.below(32) == 0 ? choices.below(256) : 1 + choices.below(60);
        const Answer expected = plain(m_naive.place(order));
        const Answer got = answer_of(m_real.exchange().place(order));
        MERIDIAN_ASSERT(got == expected);
    }

    void change_order(Choices& choices) {
        const MarketId in = market(choices);
        const OrderId last = m_real.exchange().ledger().book(in).last_id();
        const OrderId id = last - std::min<OrderId>(last, choices.below(24));
        const auto live = m_naive.s.live.find({in, id});
        const bool own = live != m_naive.s.live.end() && choices.below(8) != 0;
        const AccountId account = own ? live->second.account : trader(choices);
        if (choices.below(3) == 0) {
            NaiveExchange::MarketVenue venue(m_naive, in, false, false);
            const Error expected = m_naive.books[in].cancel(account, id, venue).error;
            MERIDIAN_ASSERT(error_of(m_real.exchange().cancel(account, in, id)) == expected);
            return;
        }
        const Price near = std::max<Price>(m_price[in], 30);
        const AmendOrder amendment{account, in, id, near - 24 + choices.below(48), choices.below(64)};
        const Answer expected = plain(m_naive.amend(amendment));
        MERIDIAN_ASSERT(answer_of(m_real.exchange().amend(amendment)) == expected);
    }

    void change_account(std::uint32_t kind, Choices& choices) {
        Exchange& exchange = m_real.exchange();
        const AccountId account = trader(choices);
        const std::uint64_t amount = 1 + choices.below(40'000);
        if (kind == 26) {
            const MarketId in = market(choices);
            const Answer expected = m_naive.cancel_market(account, in);
            MERIDIAN_ASSERT(exchange.cancel_market(account, in) ==
                            static_cast<std::uint32_t>(expected.number));
        } else if (kind == 27) {
            const Money free = m_naive.free_balance(account, kCollateral);
            const auto added = exchange.add_collateral(account, amount);
            MERIDIAN_ASSERT(added.has_value() == (free >= Money{amount}));
            if (added) {
                m_naive.s.spot[{account, kCollateral}] -= amount;
                m_naive.s.cash[account] += amount;
            }
        } else if (kind == 28) {
            const Money free = m_naive.withdrawable(account);
            const auto removed = exchange.remove_collateral(account, amount);
            MERIDIAN_ASSERT(removed.has_value() == (free >= Money{amount}));
            if (removed) {
                m_naive.s.spot[{account, kCollateral}] += amount;
                m_naive.s.cash[account] -= amount;
            }
        } else if (kind == 29) {
            const MarketId in = market(choices);
            const std::uint32_t leverage = choices.below(22);
            const bool isolated = choices.below(2) != 0;
            const Error expected = m_naive.set_leverage(account, in, leverage, isolated);
            MERIDIAN_ASSERT(error_of(exchange.set_leverage(account, in, leverage, isolated)) == expected);
        } else if (kind == 30) {
            const MarketId in = market(choices);
            const auto moved = static_cast<std::int64_t>(choices.below(4000)) - 1000;
            const Error expected = m_naive.move_margin(account, in, moved);
            MERIDIAN_ASSERT(error_of(exchange.move_margin(account, in, moved)) == expected);
        } else {
            change_exchange(account, amount, choices);
        }
    }

    void change_exchange(AccountId account, std::uint64_t amount, Choices& choices) {
        Exchange& exchange = m_real.exchange();
        if (choices.below(3) == 0) {
            const MarketId in = market(choices);
            const bool halted = choices.below(2) != 0;
            MERIDIAN_ASSERT(exchange.set_halted(address_of(800), in, halted).has_value());
            m_naive.s.markets[in].halted = halted;
            return;
        }
        const Money free = m_naive.free_balance(account, kCollateral);
        amount = 1 + amount / 16;
        const auto funded = exchange.fund_insurance(account, amount);
        MERIDIAN_ASSERT(funded.has_value() == (free >= Money{amount}));
        if (funded) {
            m_naive.s.spot[{account, kCollateral}] -= amount;
            m_naive.insurance_gets(amount);
        }
    }

    void block(Choices& choices) {
        static constexpr std::uint64_t kTimesMs[] = {1, 400, 1000, 1000, 5000, 5000, 31'000, kHourMs};
        m_naive.now_ms += kTimesMs[choices.below(8)];
        Exchange& exchange = m_real.exchange();
        MERIDIAN_ASSERT(exchange.begin_block(m_naive.now_ms).has_value());
        for (const MarketId in : {0u, 2u}) {
            const std::uint32_t move = choices.below(64);
            // Mostly a few ticks, at times a tenth.
            const std::int64_t by = move < 60 ? std::int64_t{move} - 30 : (std::int64_t{move} - 61) * 110;
            m_price[in] = static_cast<Price>(std::clamp<std::int64_t>(m_price[in] + by, 40, 4900));
            const std::uint32_t publishers = choices.below(16) == 0 ? choices.below(4) : 3;
            for (std::uint32_t i = 0; i < publishers; ++i) {
                const Price price = m_price[in] + i;
                if (exchange.publish(address_of(900 + i), in, price, m_naive.now_ms))
                    m_naive.s.markets[in].published[i] = {price, m_naive.now_ms};
            }
        }
        m_naive.end_block();
        MERIDIAN_ASSERT(exchange.end_block().has_value());
    }

    // --- what both have -----------------------------------------------------------------------------
    void compare() {
        const Ledger& ledger = m_real.exchange().ledger();
        const Insurance& insurance = ledger.state().insurance;
        MERIDIAN_ASSERT(insurance.balance == m_naive.s.insured && insurance.debt == m_naive.s.owed);
        for (AssetId asset = 0; asset < 2; ++asset)
            MERIDIAN_ASSERT(Money{ledger.asset(asset).fees} == m_naive.s.fees[asset]);
        for (AccountId account = 1; account <= kTraders; ++account)
            compare_account(ledger, account);
        for (MarketId in = 0; in < 3; ++in)
            compare_market(ledger, in);
        const std::string wrong = m_real.exchange().check_invariants();
        MERIDIAN_ASSERT(wrong.empty());
    }
    void compare_account(const Ledger& ledger, AccountId account) {
        MERIDIAN_ASSERT(ledger.account(account).balance == m_naive.s.cash[account]);
        for (AssetId asset = 0; asset < 2; ++asset) {
            const Balance balance = ledger.balance(account, asset);
            const Money total = m_naive.s.spot[{account, asset}];
            MERIDIAN_ASSERT(Money{balance.total} == total);
            MERIDIAN_ASSERT(Money{balance.total - balance.held} == m_naive.free_balance(account, asset));
        }
        for (const MarketId in : {0u, 2u}) {
            const Position position = m_real.position(account, in);
            const NaiveExchange::Holding expected = m_naive.holding(in, account);
            MERIDIAN_ASSERT(position.size == expected.size && position.cost == expected.cost);
            MERIDIAN_ASSERT(position.margin == expected.margin && position.isolated() == expected.isolated);
            MERIDIAN_ASSERT(position.size == 0 || position.funding_index == expected.index);
            MERIDIAN_ASSERT(position.partial_until_ms == expected.partial_until_ms);
        }
    }
    void compare_market(const Ledger& ledger, MarketId in) {
        const Market& market = ledger.market(in);
        const NaiveExchange::Pricing& expected = m_naive.s.markets[in];
        MERIDIAN_ASSERT(market.oracle == expected.oracle && market.mark == expected.mark);
        MERIDIAN_ASSERT(market.funding_index == expected.index && market.funding_pot == expected.pot);
        for (const auto& [key, order] : m_naive.s.live) {
            if (key.first != in)
                continue;
            const Order* real = ledger.book(in).find(key.second);
            MERIDIAN_ASSERT(real != nullptr && real->owner == order.account && real->price == order.price);
            MERIDIAN_ASSERT(real->remaining == order.left && real->side() == order.side);
        }
        MERIDIAN_ASSERT(ledger.book(in).order_count() == m_naive.s.live.size());
    }

    TestExchange m_real;
    NaiveExchange m_naive;
    std::map<MarketId, Price> m_price{{0, 1000}, {1, 1000}, {2, 600}};
    std::uint64_t m_steps = 0;
};

}  // namespace meridian::modules::exchange::testing
