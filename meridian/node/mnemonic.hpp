// Development accounts: private keys from a mnemonic phrase (BIP-39, BIP-32, BIP-44).
//
// The phrase is taken as it is; mnemonic_check.hpp says whether it is one. Never a place for real keys.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <string_view>
#include <vector>

namespace meridian::node {

inline constexpr std::string_view kDefaultMnemonic =
    "test test test test test test test test test test test junk";
inline constexpr std::size_t kMaxDevAccounts = 1000;

struct DevAccount {
    Address address;
    Hash private_key;
};

enum class [[nodiscard]] MnemonicError : std::uint8_t {
    Empty,
    TooManyAccounts,  // more than kMaxDevAccounts
    DerivationFailed,
};

// BIP-39: the seed of a phrase with an empty passphrase. Runs of white space count as one space.
FixedBytes<64> mnemonic_seed(std::string_view phrase);

// BIP-32 nodes of one path; an index with the top bit set is hardened.
Result<Hash, MnemonicError> derive_key(const FixedBytes<64>& seed, std::span<const std::uint32_t> path);

// The first `count` keys at m/44'/60'/0'/0/i.
Result<std::vector<DevAccount>, MnemonicError> dev_accounts(std::string_view phrase, std::size_t count);

}  // namespace meridian::node
