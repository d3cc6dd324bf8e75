// An exchange in an arena of its own, for tests: four traders, a perpetual and a spot market, a price at
// will.
#pragma once

#include <meridian/module/arena_fixture.hpp>
#include <meridian/modules/exchange/exchange.hpp>

namespace meridian::modules::exchange::testing {

inline Address address_of(std::uint32_t number) {
    Address out;
    out[0] = 0xad;
    for (std::size_t i = 0; i < 4; ++i)
        out[19 - i] = static_cast<std::uint8_t>(number >> 8 * i);
    return out;
}

// What was told, without what was undone.
class Recorder final : public ExchangeEvents {
public:
    void on_step_begin() noexcept override { m_marks.push_back({orders.size(), reports.size()}); }
    void on_step_end(bool kept) noexcept override {
        if (!kept) {
            orders.resize(m_marks.back().first);
            reports.resize(m_marks.back().second);
        }
        m_marks.pop_back();
    }
    void on_order(MarketId market, const Event& event) noexcept override {
        orders.emplace_back(market, event);
    }
    void on_report(const Report& report) noexcept override { reports.push_back(report); }

    std::vector<Report> of(ReportKind kind) const {
        std::vector<Report> out;
        std::copy_if(reports.begin(), reports.end(), std::back_inserter(out),
                     [&](const Report& report) { return report.kind == kind; });
        return out;
    }

    std::vector<std::pair<MarketId, Event>> orders;
    std::vector<Report> reports;

private:
    std::vector<std::pair<std::size_t, std::size_t>> m_marks;
};

// Initial margin a tenth, maintenance margin a twentieth of the value; a tick times a lot is worth 1.
inline MarketTerms perpetual_terms() {
    MarketTerms terms{};
    terms.kind = MarketKind::Perpetual;
    terms.unit = 1;
    terms.open_interest_max = 1'000'000'000;
    terms.impact_value = 1000;
    terms.partial_value = 1'000'000;
    terms.fee_tier_count = 1;
    terms.margin_tier_count = 1;
    terms.margins[0] = {0, 10, 0};
    terms.rules = {
        .tick = 1, .lot = 1, .size_min = 1, .size_max = 1'000'000, .price_max = 1'000'000, .fills_max = 16};
    terms.staleness_ms = 60'000;
    terms.quorum = 2;
    return terms;
}

inline MarketTerms spot_terms() {
    MarketTerms terms = perpetual_terms();
    terms.kind = MarketKind::Spot;
    terms.base_asset = 1;
    terms.lot_units = 10;
    return terms;
}

class TestExchange {
public:
    static constexpr MarketId kPerp = 0;
    static constexpr MarketId kSpot = 1;

    explicit TestExchange(const MarketTerms& perp = perpetual_terms(), const MarketTerms& spot = spot_terms(),
                          std::uint32_t pages = 2048, std::uint32_t undo_lines_max = 1u << 14)
        : m_arena(pages, undo_lines_max), m_exchange(make(perp, spot)) {}

    Exchange& exchange() { return m_exchange; }
    module::Arena& arena() { return *m_arena; }
    Recorder& events() { return m_events; }
    const Address& operator_key() const { return m_operator; }
    std::uint64_t now_ms() const { return m_now_ms; }

    // An account with cross collateral.
    AccountId trader(std::uint32_t number, std::uint64_t collateral) {
        const AccountId account = *m_exchange.deposit(address_of(number), 0, kCollateral, collateral);
        MERIDIAN_ASSERT(m_exchange.add_collateral(account, collateral).has_value());
        return account;
    }
    void set_now(std::uint64_t now_ms) { m_now_ms = now_ms; }
    // A block `after_ms` later, before whose end all publishers say this price; 0: none says anything.
    void block(Price price, std::uint64_t after_ms = 1000) {
        m_now_ms += after_ms;
        MERIDIAN_ASSERT(m_exchange.begin_block(m_now_ms).has_value());
        for (std::uint32_t i = 0; i < 3 && price != 0; ++i)
            MERIDIAN_ASSERT(m_exchange.publish(address_of(900 + i), kPerp, price, m_now_ms).has_value());
        MERIDIAN_ASSERT(m_exchange.end_block().has_value());
    }
    static PlaceOrder order(AccountId account, Side side, Price price, Size size, MarketId market = kPerp) {
        PlaceOrder out;
        out.account = account;
        out.market = market;
        out.side = side;
        out.price = price;
        out.size = size;
        return out;
    }
    Result<Placed, Error> place(AccountId account, Side side, Price price, Size size,
                                MarketId market = kPerp) {
        return m_exchange.place(order(account, side, price, size, market));
    }
    // A trade of the two that leaves nothing in the book.
    void trade(AccountId buyer, AccountId seller, Price price, Size size, MarketId market = kPerp) {
        const auto rested = place(seller, Side::Sell, price, size, market);
        MERIDIAN_ASSERT(rested && rested->resting == size);
        const auto taken = place(buyer, Side::Buy, price, size, market);
        MERIDIAN_ASSERT(taken && taken->filled == size);
    }
    Position position(AccountId account, MarketId market = kPerp) const {
        const auto at = m_exchange.ledger().find_position(account, market);
        return at ? m_exchange.ledger().position(at) : Position{};
    }
    std::int64_t balance(AccountId account) const {
        return static_cast<std::int64_t>(m_exchange.ledger().account(account).balance);
    }
    const Market& market(MarketId id = kPerp) const { return m_exchange.ledger().market(id); }
    const Insurance& insurance() const { return m_exchange.ledger().state().insurance; }

private:
    Exchange make(const MarketTerms& perp, const MarketTerms& spot) {
        const module::PageNumber pages = *m_arena->allocate_pages(1);
        const module::Place<ExchangeState> state(module::offset_of_page(pages));
        MERIDIAN_ASSERT(Exchange::create(*m_arena, state, m_operator).has_value());
        Exchange made(*m_arena, state, m_events);
        MERIDIAN_ASSERT(made.begin_block(m_now_ms).has_value());
        MERIDIAN_ASSERT(made.add_asset(m_operator).has_value() && made.add_asset(m_operator).has_value());
        MERIDIAN_ASSERT(made.add_market(m_operator, perp, address_of(800)).has_value());
        MERIDIAN_ASSERT(made.add_market(m_operator, spot, address_of(800)).has_value());
        const Address publishers[] = {address_of(900), address_of(901), address_of(902)};
        MERIDIAN_ASSERT(made.set_publishers(m_operator, publishers).has_value());
        return made;
    }

    module::testing::OwnedArena m_arena;
    Recorder m_events;
    Address m_operator = address_of(1000);
    std::uint64_t m_now_ms = 40 * kDayMs + 1000;
    Exchange m_exchange;
};

}  // namespace meridian::modules::exchange::testing
