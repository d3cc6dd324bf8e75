#include <meridian/base/hex.hpp>
#include <meridian/node/mnemonic.hpp>

#include <gtest/gtest.h>

namespace meridian::node {
namespace {

TEST(Mnemonic, SeedOfTheFirstVectorWithoutPassphrase) {
    // BIP-39 phrase of all-zero entropy; the seed is well known for the empty passphrase.
    const auto seed = mnemonic_seed(
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about");
    EXPECT_EQ(to_hex(seed),
              "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1"
              "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4");
}

TEST(Mnemonic, HardenedAndPlainChildrenDiffer) {
    const FixedBytes<64> seed = mnemonic_seed(kDefaultMnemonic);
    const std::uint32_t hardened[] = {0x80000000u};
    const std::uint32_t plain[] = {0};
    ASSERT_TRUE(derive_key(seed, hardened) && derive_key(seed, plain));
    EXPECT_NE(*derive_key(seed, hardened), *derive_key(seed, plain));
}

TEST(Mnemonic, TestJunkAccounts) {
    const auto accounts = dev_accounts(kDefaultMnemonic, 10);
    ASSERT_TRUE(accounts);
    ASSERT_EQ(accounts->size(), 10u);
    EXPECT_EQ(to_hex((*accounts)[0].address), "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    EXPECT_EQ(to_hex((*accounts)[0].private_key),
              "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    EXPECT_EQ(to_hex((*accounts)[1].address), "70997970c51812dc3a010c7d01b50e0d17dc79c8");
    EXPECT_EQ(to_hex((*accounts)[9].address), "a0ee7a142d267c1f36714e4a8f75612f20a79720");
}

TEST(Mnemonic, WhiteSpaceDoesNotMatter) {
    EXPECT_EQ(mnemonic_seed("  a  b\tc\n"), mnemonic_seed("a b c"));
}

TEST(Mnemonic, RefusesNothingAndTooMany) {
    EXPECT_EQ(dev_accounts("  ", 1).error(), MnemonicError::Empty);
    EXPECT_EQ(dev_accounts(kDefaultMnemonic, kMaxDevAccounts + 1).error(), MnemonicError::TooManyAccounts);
}

}  // namespace
}  // namespace meridian::node
