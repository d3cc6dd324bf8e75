#include <meridian/modules/exchange/oracle.hpp>
#include <meridian/modules/exchange/risk.hpp>

namespace meridian::modules::exchange {

std::uint64_t decay(std::uint64_t time_ms) noexcept {
    // e^(-2^k / 150000), for k from 0.
    static constexpr std::uint64_t kFactors[] = {
        0x7fffc8137d751fba, 0x7fff9027135934a6, 0x7fff204e886e135e, 0x7ffe409e97c97969, 0x7ffc81434b3d90cf,
        0x7ff9029f04d034cf, 0x7ff2059fc049a08c, 0x7fe40cc645e07363, 0x7fc81fa6f648b4ce, 0x7f9057b2424da312,
        0x7f2110cb48bc88a8, 0x7e43a5de0f5bb56c, 0x7c8d524da9a4a205, 0x79326b7e00b46918, 0x72c167168e0ac8da,
        0x66e1a3d9600ddedd, 0x52b12ae54b08ddbf, 0x356bf42e78a6f49e, 0x164bc1428b6d368f, 0x03e237447db3bdcb,
        0x001e2a62779d5048, 0x0000071bec30fbfc, 0x00000000006513ed};
    constexpr std::size_t kCount = std::size(kFactors);
    if (time_ms >> kCount != 0)
        return 0;
    Money product = Money{1} << 63;
    for (std::size_t bit = 0; bit < kCount; ++bit) {
        if ((time_ms >> bit & 1) != 0)
            product = product * static_cast<Money>(kFactors[bit]) >> 63;
    }
    return static_cast<std::uint64_t>(product);
}

Price median_of(Price a, Price b, Price c) noexcept {
    return std::max(std::min(a, b), std::min(std::max(a, b), c));
}

Result<void, Error> Oracle::publish(const Address& publisher, MarketId market, Price price,
                                    std::uint64_t time_ms) {
    if (market >= m_ledger.market_count())
        return fail(Error::UnknownMarket);
    const Market& in = m_ledger.market(market);
    if (in.spot())
        return fail(Error::WrongMarket);
    const ExchangeState& state = m_ledger.state();
    std::uint32_t index = 0;
    while (index < state.publisher_count && state.publishers[index].key != publisher)
        ++index;
    if (index >= std::min(state.publisher_count, kPublishersMax))
        return fail(Error::NotPublisher);
    if (price == 0)
        return fail(Error::ZeroPrice);
    if (price > in.terms.rules.price_max)
        return fail(Error::PriceBounds);
    if (time_ms > m_ledger.now_ms() + kPublishAheadMs)
        return fail(Error::BadTime);
    if (time_ms <= in.prices[index].time_ms)
        return fail(Error::OldPrice);
    const module::Place<PublishedPrice> first(
        m_ledger.arena().place(m_ledger.market_place(market), &Market::prices).offset);
    m_ledger.arena().edit(module::Place<PublishedPrice>(first.offset + index * sizeof(PublishedPrice))) = {
        time_ms, price, 0};
    return m_ledger.usable();
}

// 0 if fewer than the quorum are fresh.
Price Oracle::median(const Market& market) const noexcept {
    Price prices[kPublishersMax];
    std::uint32_t count = 0;
    const std::uint32_t publishers = std::min(m_ledger.state().publisher_count, kPublishersMax);
    for (std::uint32_t i = 0; i < publishers; ++i) {
        const PublishedPrice& published = market.prices[i];
        if (published.price != 0 && published.time_ms + market.terms.staleness_ms >= m_ledger.now_ms())
            prices[count++] = published.price;
    }
    if (count == 0 || count < market.terms.quorum)
        return 0;
    std::sort(prices, prices + count);
    const Price upper = prices[count / 2];
    const Price lower = prices[(count - 1) / 2];
    return lower + (upper - lower) / 2;
}

// In half ticks, towards zero. Adds the book's middle now for the time since the last update.
std::int64_t Oracle::average_premium(MarketId id) noexcept {
    const Market& market = m_ledger.market(id);
    const Book book = m_ledger.book(id);
    const Level* buy = book.best(Side::Buy);
    const Level* sell = book.best(Side::Sell);
    const std::uint64_t passed_ms =
        std::min<std::uint64_t>(m_ledger.now_ms() - std::min(market.priced_ms, m_ledger.now_ms()), kHourMs);
    if (buy != nullptr && sell != nullptr && passed_ms > 0) {
        const std::int64_t sample = std::int64_t{buy->price} + sell->price - 2 * std::int64_t{market.oracle};
        const Money factor = decay(passed_ms);
        // The weight is in 1/65536 ms, below 2^38; the sum below 2^72 before it is multiplied by 2^16 at
        // most: parts of 2^63 are taken of the halves.
        const Money weight =
            (Money{market.premium_weight} * factor >> 63) + (static_cast<Money>(passed_ms) << 16);
        const Money kept = div_down(market.premium_sum * (factor >> 16), Money{1} << 47);
        const Money sum = kept + ((Money{sample} * static_cast<Money>(passed_ms)) << 16);
        m_ledger.edit_market(id, &Market::premium_sum) = sum;
        m_ledger.edit_market(id, &Market::premium_weight) = static_cast<std::uint64_t>(weight);
    }
    if (market.premium_weight == 0)
        return 0;
    return static_cast<std::int64_t>(market.premium_sum / Money{market.premium_weight});
}

void Oracle::update(MarketId id) noexcept {
    const Market& market = m_ledger.market(id);
    if (market.spot())
        return;
    const Price oracle = median(market);
    const std::uint32_t other_flags = market.flags & ~Market::kFresh;
    m_ledger.edit_market(id, &Market::previous_mark) = market.mark;
    m_ledger.edit_market(id, &Market::flags) = other_flags | (oracle != 0 ? Market::kFresh : 0);
    if (oracle != 0) {
        m_ledger.edit_market(id, &Market::oracle) = oracle;
        const std::int64_t premium = average_premium(id);
        const std::int64_t smooth = std::clamp<std::int64_t>((2 * std::int64_t{oracle} + premium) / 2, 1,
                                                             market.terms.rules.price_max);
        const auto averaged = static_cast<Price>(smooth);
        const Book book = m_ledger.book(id);
        const Level* buy = book.best(Side::Buy);
        const Level* sell = book.best(Side::Sell);
        Price traded = averaged;
        if (buy != nullptr && sell != nullptr)
            traded = median_of(buy->price, sell->price, market.last != 0 ? market.last : buy->price);
        const Price mark = median_of(averaged, traded, oracle);
        Risk::note_move(m_ledger, id, market.mark, mark);
        m_ledger.edit_market(id, &Market::mark) = mark;
    }
    m_ledger.edit_market(id, &Market::priced_ms) = m_ledger.now_ms();
}

}  // namespace meridian::modules::exchange
