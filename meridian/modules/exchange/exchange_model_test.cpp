// The exchange beside the naive one, on random commands.
#include <meridian/modules/exchange/exchange_test_model.hpp>

#include <gtest/gtest.h>

namespace meridian::modules::exchange {
namespace {

Bytes random_bytes(std::uint64_t seed, std::size_t size) {
    module::testing::Random random(seed);
    Bytes out(size);
    for (std::uint8_t& byte : out)
        byte = static_cast<std::uint8_t>(random.next());
    return out;
}

TEST(ExchangeModel, IsTheSameAsTheNaiveOne) {
    std::map<ReportKind, std::size_t> told;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(seed);
        const Bytes bytes = random_bytes(seed, 4000);
        testing::Choices choices(bytes);
        testing::ExchangePair pair(choices);
        pair.run(choices);
        for (const auto& report : pair.real().events().reports)
            ++told[report.kind];
    }
    // Everything that can happen to an account has happened to some.
    for (const ReportKind kind : {ReportKind::Trade, ReportKind::Funding, ReportKind::Liquidation,
                                  ReportKind::Backstop, ReportKind::Deleveraged, ReportKind::Insurance})
        EXPECT_GT(told[kind], 10u) << static_cast<int>(kind);
}

}  // namespace
}  // namespace meridian::modules::exchange
