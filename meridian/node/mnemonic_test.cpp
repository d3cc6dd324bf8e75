#include <meridian/base/hex.hpp>
#include <meridian/node/mnemonic.hpp>
#include <meridian/node/mnemonic_check.hpp>

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

// Phrases of BIP-39's published vectors, one of each length that they have.
TEST(MnemonicCheck, AcceptsMnemonics) {
    for (const std::string_view phrase :
         {kDefaultMnemonic,
          std::string_view("legal winner thank year wave sausage worth useful legal winner thank yellow"),
          std::string_view("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo when"),
          std::string_view(
              "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
              "zoo zoo vote"),
          std::string_view("  test test test test test test test\ttest test test test\n junk ")})
        EXPECT_TRUE(check_mnemonic(phrase)) << phrase;
}

TEST(MnemonicCheck, SaysWhatIsWrong) {
    const auto refusal = [](std::string_view phrase) { return check_mnemonic(phrase).error(); };
    const auto unknown = refusal("test test test test test test test test test test test jung");
    EXPECT_EQ(unknown.fault, MnemonicFault::UnknownWord);
    EXPECT_EQ(unknown.message, "\"jung\" is not one of BIP-39's English words");
    EXPECT_EQ(refusal("Test test test test test test test test test test test junk").fault,
              MnemonicFault::UnknownWord);
    EXPECT_EQ(refusal("test test test test test test test test test test test test").fault,
              MnemonicFault::Checksum);
    EXPECT_EQ(refusal("test junk").fault, MnemonicFault::WordCount);
    EXPECT_EQ(refusal("").fault, MnemonicFault::WordCount);
    EXPECT_EQ(refusal(std::string(27 * 4, 'z')).fault, MnemonicFault::UnknownWord);
}

TEST(Mnemonic, RefusesNothingAndTooMany) {
    EXPECT_EQ(dev_accounts("  ", 1).error(), MnemonicError::Empty);
    EXPECT_EQ(dev_accounts(kDefaultMnemonic, kMaxDevAccounts + 1).error(), MnemonicError::TooManyAccounts);
}

}  // namespace
}  // namespace meridian::node
