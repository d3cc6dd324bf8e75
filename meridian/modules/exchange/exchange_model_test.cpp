// The exchange beside the naive one, on random commands.
#include <meridian/base/hex.hpp>
#include <meridian/module/page_tree.hpp>
#include <meridian/modules/exchange/exchange_chaos_model.hpp>
#include <meridian/modules/exchange/exchange_pair_model.hpp>

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

TEST(ExchangeChaos, WithstandsAnyCommands) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        const Bytes bytes = random_bytes(1000 + seed, 6000);
        testing::Choices choices(bytes);
        testing::Chaos chaos(choices, 2048, 1u << 14);
        chaos.run(choices, false);
        EXPECT_GT(chaos.refused(), 50u);
        EXPECT_EQ(chaos.without_room(), 0u);
    }
}

TEST(ExchangeChaos, IsAsItWasWhereThereIsNoRoom) {
    std::size_t without_room = 0;
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        SCOPED_TRACE(seed);
        const Bytes bytes = random_bytes(2000 + seed, 3000);
        testing::Choices choices(bytes);
        testing::Chaos chaos(choices, 60 + static_cast<std::uint32_t>(seed), 30);
        chaos.run(choices, true);
        without_room += chaos.without_room();
    }
    EXPECT_GT(without_room, 20u);
}

// The same on every machine: this runs natively and for RV64.
TEST(ExchangeChaos, CommitsToTheSameEverywhere) {
    const Bytes bytes = random_bytes(7, 8000);
    testing::Choices choices(bytes);
    testing::Chaos chaos(choices, 2048, 1u << 14);
    chaos.run(choices, false);
    module::PageTree tree(chaos.world().arena());
    EXPECT_EQ(to_hex(tree.update(chaos.world().arena())),
              "526af1798347c9b237a6ee505561e4393f36278c5a423ba92bb3b87264233a94");
}

}  // namespace
}  // namespace meridian::modules::exchange
