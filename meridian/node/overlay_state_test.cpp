#include <meridian/base/hex.hpp>
#include <meridian/node/overlay_state.hpp>
#include <meridian/state/memory_state.hpp>

#include <gtest/gtest.h>

namespace meridian::node {
namespace {

constexpr Address kOne = "0x01"_address;
constexpr Address kTwo = "0x02"_address;

class OverlayStateTest : public testing::Test {
protected:
    OverlayStateTest() : m_overlay(m_base) {
        m_base.set_balance(kOne, 10);
        m_base.set_storage(kOne, 1, 100);
    }
    state::MemoryState m_base;
    OverlayState m_overlay;
};

TEST_F(OverlayStateTest, ReadsThrough) {
    EXPECT_EQ(m_overlay.account(kOne)->balance, u256{10});
    EXPECT_EQ(m_overlay.storage(kOne, 1), u256{100});
    EXPECT_FALSE(m_overlay.account(kTwo));
}

TEST_F(OverlayStateTest, OverridesLeaveTheRestAndTheBaseAlone) {
    m_overlay.set_nonce(kOne, 5);
    m_overlay.set_storage(kOne, 2, 200);
    m_overlay.set_code(kTwo, {1, 2, 3});
    EXPECT_EQ(m_overlay.account(kOne)->balance, u256{10});
    EXPECT_EQ(m_overlay.storage(kOne, 1), u256{100});
    EXPECT_EQ(m_overlay.storage(kOne, 2), u256{200});
    EXPECT_EQ(m_overlay.code(m_overlay.account(kTwo)->code_hash).size(), 3u);
    EXPECT_EQ(m_base.account(kOne)->nonce, 0u);
    EXPECT_EQ(m_base.storage(kOne, 2), u256{});
}

TEST_F(OverlayStateTest, ClearedStorageHidesTheBase) {
    EXPECT_TRUE(m_overlay.has_storage(kOne));
    m_overlay.clear_storage(kOne);
    EXPECT_FALSE(m_overlay.has_storage(kOne));
    EXPECT_EQ(m_overlay.storage(kOne, 1), u256{});
    m_overlay.set_storage(kOne, 1, 7);
    EXPECT_EQ(m_overlay.storage(kOne, 1), u256{7});
    EXPECT_TRUE(m_overlay.has_storage(kOne));
}

TEST_F(OverlayStateTest, ChangesOfSeveralBlocksAddUp) {
    state::StateChanges first;
    first.accounts[kOne].account = std::nullopt;
    m_overlay.apply(first);
    EXPECT_FALSE(m_overlay.account(kOne));
    EXPECT_EQ(m_overlay.storage(kOne, 1), u256{});
    state::StateChanges second;
    second.accounts[kOne].account = state::Account{1, 3};
    second.accounts[kOne].storage[2] = 9;
    m_overlay.apply(second);
    EXPECT_EQ(m_overlay.account(kOne)->balance, u256{3});
    EXPECT_EQ(m_overlay.storage(kOne, 1), u256{});
    EXPECT_EQ(m_overlay.storage(kOne, 2), u256{9});
    m_base.apply(m_overlay.changes());
    EXPECT_EQ(m_base.storage(kOne, 1), u256{});
    EXPECT_EQ(m_base.storage(kOne, 2), u256{9});
}

TEST_F(OverlayStateTest, EmptyAccountsAreDropped) {
    m_overlay.set_balance(kTwo, 0);
    m_overlay.set_balance(kOne, 0);
    m_overlay.drop_empty();
    EXPECT_FALSE(m_overlay.account(kTwo));
    EXPECT_FALSE(m_overlay.account(kOne));
}

}  // namespace
}  // namespace meridian::node
