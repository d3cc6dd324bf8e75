#include <meridian/modules/exchange/fees.hpp>

namespace meridian::modules::exchange {

using Approvals = module::OrderedMap<std::uint64_t, std::uint32_t>;

std::uint64_t Fees::volume(AccountId account) const noexcept {
    const Account& content = m_ledger.account(account);
    const std::uint32_t day = today();
    std::uint64_t sum = 0;
    // A bucket counts if it is of one of the 14 days before today; those after volume_day are of days before.
    for (std::uint32_t back = 1; back <= kVolumeDays && back <= day; ++back) {
        const std::uint32_t of = day - back;
        if (of <= content.volume_day && of + kVolumeDays >= content.volume_day)
            sum += content.volumes[of % (kVolumeDays + 1)];
    }
    return sum;
}

const FeeTier& Fees::tier(AccountId account, const MarketTerms& terms) const noexcept {
    const std::uint64_t had = volume(account);
    std::uint32_t tier = 0;
    while (tier + 1 < std::min(terms.fee_tier_count, kFeeTiersMax) && had >= terms.fees[tier + 1].volume_min)
        ++tier;
    return terms.fees[tier];
}

void Fees::add_volume(AccountId account, Money value) noexcept {
    constexpr std::uint64_t kBucketMax = ~std::uint64_t{0} / (kVolumeDays + 1);
    const std::uint32_t day = today();
    Account& content = m_ledger.arena().edit(m_ledger.account_place(account));
    // Days without a trade leave the buckets of 15 days before behind.
    const std::uint32_t passed = std::min(day - std::min(day, content.volume_day), kVolumeDays + 1);
    for (std::uint32_t i = 0; i < passed; ++i)
        content.volumes[(day - i) % (kVolumeDays + 1)] = 0;
    content.volume_day = day;
    std::uint64_t& bucket = content.volumes[day % (kVolumeDays + 1)];
    bucket = static_cast<std::uint64_t>(std::min<Money>(kBucketMax, Money{bucket} + value));
}

Result<void, Error> Fees::approve_builder(AccountId account, AccountId builder, std::uint32_t rate_ppm_max) {
    if (rate_ppm_max > kBuilderRateMax)
        return fail(Error::BuilderFee);
    Approvals approvals(m_ledger.arena(),
                        m_ledger.arena().place(m_ledger.place(), &ExchangeState::approvals));
    if (rate_ppm_max == 0)
        approvals.erase(pair_key(account, builder));
    else if (!approvals.put(pair_key(account, builder), rate_ppm_max))
        return fail(Error::ArenaFailed);
    return m_ledger.usable();
}

std::uint32_t Fees::approved(AccountId account, AccountId builder) const noexcept {
    const Approvals approvals(m_ledger.arena(),
                              m_ledger.arena().place(m_ledger.place(), &ExchangeState::approvals));
    const auto at = approvals.find(pair_key(account, builder));
    return at ? approvals.value(at) : 0;
}

}  // namespace meridian::modules::exchange
