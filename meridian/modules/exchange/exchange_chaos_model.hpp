// Any commands with any numbers, in an arena with little room: nothing may end the process, what is refused
// must leave every byte as it was, and the invariants hold after each command.
#pragma once

#include <meridian/module/containers_test_model.hpp>
#include <meridian/modules/exchange/exchange_fixture.hpp>

namespace meridian::modules::exchange::testing {

class Chaos {
public:
    using Choices = module::testing::Choices;

    // At most so many lines change in a step.
    Chaos(Choices& choices, std::uint32_t pages, std::uint32_t undo_lines_max)
        : m_world(terms(), spot_terms(), pages, undo_lines_max) {
        for (std::uint32_t i = 1; i <= kTraders; ++i) {
            m_world.trader(i, 5'000 + choices.below(100'000));
            MERIDIAN_ASSERT(m_world.exchange().deposit(address_of(i), 0, 1, 100'000).has_value());
            MERIDIAN_ASSERT(m_world.exchange().deposit(address_of(i), 0, 0, 50'000).has_value());
        }
        if (choices.below(2) != 0)
            MERIDIAN_ASSERT(m_world.exchange().set_backstop(m_world.operator_key(), kTraders).has_value());
    }

    // `compares_bytes`: after each command that is refused.
    void run(Choices& choices, bool compares_bytes) {
        while (!choices.at_end()) {
            const Bytes before = compares_bytes ? module::testing::bytes_of(m_world.arena()) : Bytes{};
            const bool done = step(choices);
            MERIDIAN_ASSERT(!m_world.arena().failure());
            if (!done && compares_bytes)
                MERIDIAN_ASSERT(same(before));
            const std::string wrong = m_world.exchange().check_invariants();
            MERIDIAN_ASSERT(wrong.empty());
            m_refused += done ? 0 : 1;
        }
    }

    std::size_t refused() const { return m_refused; }
    std::size_t without_room() const { return m_without_room; }
    TestExchange& world() { return m_world; }

private:
    static constexpr std::uint32_t kTraders = 5;

    static MarketTerms terms() {
        MarketTerms terms = perpetual_terms();
        terms.fees[0] = {0, 450, -100};
        terms.partial_value = 60'000;
        terms.rules.price_max = 5000;
        return terms;
    }
    // Pages may have been added, which are zero.
    bool same(const Bytes& before) const {
        const Bytes now = module::testing::bytes_of(const_cast<Chaos*>(this)->m_world.arena());
        return now.size() >= before.size() && std::equal(before.begin(), before.end(), now.begin());
    }
    template <class T>
    bool note(const Result<T, Error>& result) {
        m_without_room += !result && result.error() == Error::ArenaFailed ? 1 : 0;
        return result.has_value();
    }

    AccountId account(Choices& choices) { return choices.below(kTraders + 2); }
    // Mostly small, at times as large as can be.
    static std::uint64_t number(Choices& choices) {
        const std::uint32_t kind = choices.below(16);
        if (kind == 0)
            return ~std::uint64_t{0} >> choices.below(64);
        return kind < 4 ? choices.below(65'536) : choices.below(100);
    }
    Price price(Choices& choices) {
        return choices.below(16) == 0 ? static_cast<Price>(number(choices))
                                      : m_price - 30 + choices.below(60);
    }
    PlaceOrder order(Choices& choices) {
        // Arguments are evaluated in any order: what is chosen is chosen before.
        const AccountId who = account(choices);
        const auto side = static_cast<Side>(choices.below(2));
        const Price at = price(choices);
        const std::uint64_t size = number(choices);
        PlaceOrder out = TestExchange::order(who, side, at, size, choices.below(8) / 3);
        const std::uint32_t bits = choices.below(256);
        out.type = (bits & 15) == 0 ? OrderType::Market : OrderType::Limit;
        out.time_in_force = static_cast<TimeInForce>(bits >> 4 & 3);
        out.reduce_only = bits >> 6 == 3;
        out.self_trade = static_cast<SelfTrade>(choices.below(5));
        if (choices.below(4) == 0)
            out.client_id[0] = static_cast<std::uint8_t>(1 + choices.below(6));
        if (choices.below(8) == 0) {
            out.builder = account(choices);
            out.builder_ppm = choices.below(2000);
        }
        return out;
    }
    PlaceTrigger trigger(Choices& choices) {
        PlaceTrigger out;
        out.above = choices.below(2) != 0;
        out.at = price(choices);
        out.order = order(choices);
        out.order.self_trade = SelfTrade::CancelResting;
        if (choices.below(8) != 0) {
            out.order.client_id = {};
            out.order.builder = kNoAccount;
        }
        return out;
    }

    bool step(Choices& choices) {
        Exchange& exchange = m_world.exchange();
        const std::uint32_t kind = choices.below(32);
        if (kind < 10)
            return note(exchange.place(order(choices)));
        if (kind < 14)
            return block(choices);
        if (kind < 18)
            return wait(kind, choices);
        if (kind < 23)
            return cancel(kind, choices);
        return move(kind, choices);
    }
    bool wait(std::uint32_t kind, Choices& choices) {
        Exchange& exchange = m_world.exchange();
        if (kind == 14)
            return note(exchange.place_trigger(trigger(choices)));
        if (kind == 15) {
            const PlaceTrigger first = trigger(choices);
            PlaceTrigger second = trigger(choices);
            second.order.account = first.order.account;
            return note(exchange.place_trigger_pair(first, second));
        }
        if (kind == 16) {
            const PlaceOrder limit = order(choices);
            PlaceTrigger stop = trigger(choices);
            stop.order.account = limit.account;
            stop.order.market = limit.market;
            return note(exchange.place_with_trigger(limit, stop));
        }
        const AccountId who = account(choices);
        if (choices.below(2) != 0)
            return note(exchange.schedule_cancel(who, m_world.now_ms() + number(choices)));
        return note(
            exchange.place_twap({who, choices.below(3), static_cast<Side>(choices.below(2)),
                                 choices.below(2) != 0, number(choices), kTwapMsMin + number(choices)}));
    }
    bool cancel(std::uint32_t kind, Choices& choices) {
        Exchange& exchange = m_world.exchange();
        const AccountId who = account(choices);
        const std::uint32_t back = choices.below(16);
        if (kind == 18)
            return note(exchange.cancel_conditional(who, 1 + choices.below(40)));
        if (kind == 19) {
            ClientId id{};
            id[0] = static_cast<std::uint8_t>(1 + choices.below(6));
            return note(exchange.cancel_client_id(who, id));
        }
        const MarketId market = choices.below(2);
        const OrderId last = exchange.ledger().book(market).last_id();
        if (kind == 20)
            return note(exchange.cancel(who, market, last - std::min<OrderId>(last, back)));
        if (kind == 21)
            return note(exchange.amend(
                {who, market, last - std::min<OrderId>(last, back), price(choices), number(choices)}));
        return back < 8 ? note(exchange.cancel_market(who, choices.below(3)))
                        : note(exchange.cancel_all(who));
    }
    bool move(std::uint32_t kind, Choices& choices) {
        Exchange& exchange = m_world.exchange();
        const AccountId who = account(choices);
        const AccountId other = account(choices);
        const std::uint64_t amount = number(choices);
        const std::uint32_t which = choices.below(3);
        const std::uint32_t more = choices.below(2000);
        switch (kind) {
            case 23:
                return note(exchange.deposit(address_of(more % 12), more % 40, which, amount));
            case 24:
                return note(exchange.withdraw(who, which, amount));
            case 25:
                return note(exchange.transfer(who, other, which, amount));
            case 26:
                return note(exchange.add_collateral(who, amount));
            case 27:
                return note(exchange.remove_collateral(who, amount));
            case 28:
                return note(exchange.fund_insurance(who, amount));
            case 29:
                return note(exchange.set_leverage(who, which, more % 12, more % 2 != 0));
            case 30:
                return note(exchange.move_margin(who, which, static_cast<std::int64_t>(amount) - 40));
            default:
                break;
        }
        if (amount % 2 != 0)
            return note(exchange.approve_builder(who, other, more));
        return note(exchange.set_halted(address_of(800), which, more % 4 == 0));
    }
    // A block is several steps; those before one without room stand.
    bool block(Choices& choices) {
        Exchange& exchange = m_world.exchange();
        static constexpr std::uint64_t kTimesMs[] = {1, 1000, 5000, 31'000, kHourMs, kDayMs};
        const std::uint64_t now = m_world.now_ms() + kTimesMs[choices.below(6)];
        m_world.set_now(now);
        if (!note(exchange.begin_block(now)))
            return true;
        const std::uint32_t by = choices.below(64);
        m_price = std::clamp<Price>(by < 60 ? m_price + by - 30 : m_price * by / 62, 100, 4900);
        for (std::uint32_t i = 0; i < 3; ++i)
            note(exchange.publish(address_of(900 + i), 0, m_price + i, now));
        const std::map<AccountId, std::vector<Money>> idle = idle_accounts();
        note(exchange.end_block());
        for (const auto& [who, had] : idle) {
            const std::vector<Money> has = money_of(who);
            for (std::size_t i = 0; i < had.size(); ++i)
                MERIDIAN_ASSERT(has[i] >= had[i]);
        }
        return true;
    }
    // What accounts have that have nothing open and wait for nothing: whatever a block does, they lose
    // nothing.
    std::map<AccountId, std::vector<Money>> idle_accounts() {
        std::map<AccountId, std::vector<Money>> out;
        const Ledger& ledger = m_world.exchange().ledger();
        for (AccountId who = 1; who <= ledger.account_count(); ++who) {
            const Account& content = ledger.account(who);
            if (content.active_count == 0 && content.conditional_count == 0 && who != ledger.state().backstop)
                out[who] = money_of(who);
        }
        return out;
    }
    std::vector<Money> money_of(AccountId who) {
        const Ledger& ledger = m_world.exchange().ledger();
        return {ledger.account(who).balance, Money{ledger.balance(who, 0).total},
                Money{ledger.balance(who, 1).total}};
    }

    TestExchange m_world;
    Price m_price = 1000;
    std::size_t m_refused = 0;
    std::size_t m_without_room = 0;
};

}  // namespace meridian::modules::exchange::testing
