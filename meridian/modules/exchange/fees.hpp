// What trades cost: by the market's table and the account's volume of the 14 days before today.
#pragma once

#include <meridian/modules/exchange/ledger.hpp>

namespace meridian::modules::exchange {

class Fees {
public:
    explicit Fees(Ledger& ledger) noexcept : m_ledger(ledger) {}

    // Of the 14 days before today.
    std::uint64_t volume(AccountId account) const noexcept;
    const FeeTier& tier(AccountId account, const MarketTerms& terms) const noexcept;
    void add_volume(AccountId account, Money value) noexcept;

    // The highest fee that a builder may take of an account's orders; 0 ends it.
    Result<void, Error> approve_builder(AccountId account, AccountId builder, std::uint32_t rate_ppm_max);
    std::uint32_t approved(AccountId account, AccountId builder) const noexcept;

private:
    std::uint32_t today() const noexcept { return static_cast<std::uint32_t>(m_ledger.now_ms() / kDayMs); }

    Ledger& m_ledger;
};

inline constexpr std::uint32_t kBuilderRateMax = 10'000;  // ppm: 1 %

}  // namespace meridian::modules::exchange
