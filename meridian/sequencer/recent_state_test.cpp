#include <meridian/sequencer/recent_state.hpp>

#include <meridian/state/memory_state.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <thread>

namespace meridian::sequencer {
namespace {

Address address(std::uint8_t number) {
    Address out;
    out.bytes[19] = number;
    return out;
}

state::StateChanges change(std::uint8_t who, std::uint64_t balance, std::map<u256, u256> storage = {},
                           bool cleared = false) {
    state::StateChanges out;
    out.accounts[address(who)] = {state::Account{.nonce = 0, .balance = balance}, cleared,
                                  std::move(storage)};
    return out;
}

TEST(RecentState, ShowsEachVersionItsOwnValues) {
    RecentState recent;
    state::MemoryState base;
    recent.apply(1, change(1, 10, {{7, 70}}));
    recent.apply(3, change(1, 30, {{7, 0}, {8, 80}}));
    RecentReader at1(recent, base, 1), at2(recent, base, 2), at3(recent, base, 3), at0(recent, base, 0);
    EXPECT_FALSE(at0.account(address(1)));
    EXPECT_EQ(at1.account(address(1))->balance, 10u);
    EXPECT_EQ(at2.account(address(1))->balance, 10u);
    EXPECT_EQ(at3.account(address(1))->balance, 30u);
    EXPECT_EQ(at2.storage(address(1), 7), 70u);
    EXPECT_EQ(at3.storage(address(1), 7), 0u);
    EXPECT_EQ(at2.storage(address(1), 8), 0u);
    EXPECT_EQ(at3.storage(address(1), 8), 80u);
}

TEST(RecentState, LaysLinesOverThePagesOfTheBase) {
    RecentState recent;
    state::MemoryState base;
    const auto lines = [](std::uint64_t mask, std::uint8_t content) {
        state::StateChanges out;
        state::PagePatch& patch = out.arenas[address(1)][5];
        patch.lines = mask;
        patch.contents.resize(static_cast<std::size_t>(std::popcount(mask)));
        for (auto& line : patch.contents)
            line.bytes.fill(content);
        return out;
    };
    base.apply(lines(0b111, 1));
    recent.apply(1, lines(0b001, 2));
    recent.apply(2, lines(0b011, 3));
    const auto first_three = [&](Version version) {
        RecentReader reader(recent, base, version);
        std::array<std::uint8_t, state::kArenaPageSize> page;
        EXPECT_TRUE(reader.arena_page(address(1), 5, page.data()));
        return std::array<int, 3>{page[0], page[64], page[128]};
    };
    EXPECT_EQ(first_three(0), (std::array{1, 1, 1}));
    EXPECT_EQ(first_three(1), (std::array{2, 1, 1}));
    EXPECT_EQ(first_three(2), (std::array{3, 3, 1}));
    recent.drop_through(2);
    EXPECT_EQ(first_three(2), (std::array{1, 1, 1}));
}

TEST(RecentState, ForgetsWhatTheBaseHasTakenOver) {
    RecentState recent;
    recent.apply(1, change(1, 10, {{7, 70}}));
    recent.apply(2, change(2, 20));
    recent.apply(3, change(1, 30));
    recent.drop_through(2);
    std::optional<state::Account> account;
    u256 value;
    EXPECT_FALSE(recent.account(address(2), 3, account));
    EXPECT_FALSE(recent.storage(address(1), 7, 3, value));
    ASSERT_TRUE(recent.account(address(1), 3, account));
    EXPECT_EQ(account->balance, 30u);
    recent.drop_through(3);
    EXPECT_EQ(recent.size(), 0u);
}

TEST(RecentState, ClearedStorageHidesTheBase) {
    RecentState recent;
    recent.apply(5, change(1, 1, {{8, 81}}, true));
    u256 value = 9;
    ASSERT_TRUE(recent.storage(address(1), 7, 5, value));
    EXPECT_EQ(value, 0u);
    ASSERT_TRUE(recent.storage(address(1), 8, 5, value));
    EXPECT_EQ(value, 81u);
    EXPECT_FALSE(recent.storage(address(1), 7, 4, value));
    bool has = false;
    ASSERT_TRUE(recent.has_storage(address(1), 5, has));
    EXPECT_TRUE(has);
}

TEST(RecentState, RemembersThatAnAccountIsGone) {
    RecentState recent;
    state::StateChanges gone;
    gone.accounts[address(1)] = {std::nullopt, true, {}};
    recent.apply(4, gone);
    std::optional<state::Account> account = state::Account{};
    ASSERT_TRUE(recent.account(address(1), 4, account));
    EXPECT_FALSE(account);
}

TEST(RecentState, HoldsNewCodeUntilTheBaseHasIt) {
    RecentState recent;
    state::MemoryState base;
    state::StateChanges changes = change(1, 1);
    const Bytes code{0x60, 0x00};
    const Hash hash = crypto::keccak256(code);
    changes.code[hash] = code;
    recent.apply(1, changes);
    RecentReader reader(recent, base, 1);
    const BytesView view = reader.code(hash);
    recent.drop_through(1);
    EXPECT_EQ(recent.code(hash), nullptr);
    EXPECT_EQ(Bytes(view.begin(), view.end()), code);  // stays valid for who has read it
}

// Every version must read as if each had been written into a map of its own.
TEST(RecentState, AgreesWithACopyForEveryVersion) {
    std::mt19937_64 random(7);
    RecentState recent;
    std::vector<std::map<std::pair<std::uint8_t, std::uint64_t>, std::uint64_t>> copies(1);
    for (Version version = 1; version <= 300; ++version) {
        auto copy = copies.back();
        const auto who = static_cast<std::uint8_t>(random() % 6);
        const bool cleared = random() % 10 == 0;
        if (cleared)
            std::erase_if(copy, [&](const auto& slot) { return slot.first.first == who; });
        std::map<u256, u256> storage;
        for (int i = 0; i < 3; ++i) {
            const std::uint64_t key = random() % 5;
            storage[key] = copy[{who, key}] = random() % 4;
        }
        recent.apply(version, change(who, version, storage, cleared));
        copies.push_back(std::move(copy));
    }
    state::MemoryState empty;
    for (Version version = 1; version < copies.size(); ++version) {
        RecentReader reader(recent, empty, version);
        for (std::uint8_t who = 0; who < 6; ++who)
            for (std::uint64_t key = 0; key < 5; ++key) {
                const auto found = copies[version].find({who, key});
                ASSERT_EQ(reader.storage(address(who), key),
                          found == copies[version].end() ? 0 : found->second)
                    << "version " << version;
            }
    }
}

TEST(RecentState, ReadersSeeTheirVersionWhileTheWriterGoesOn) {
    RecentState recent;
    recent.apply(1, change(1, 1));
    std::jthread writer([&recent] {
        for (Version version = 2; version < 3'000; ++version) {
            recent.apply(version, change(1, version));
            recent.apply(version, change(2, version));
        }
    });
    for (int i = 0; i < 3'000; ++i) {
        std::optional<state::Account> account;
        ASSERT_TRUE(recent.account(address(1), 1, account));
        ASSERT_EQ(account->balance, 1u);
    }
}

}  // namespace
}  // namespace meridian::sequencer
