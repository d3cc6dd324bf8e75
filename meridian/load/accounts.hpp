// The accounts of a load run: derived from a seed, so that a second run finds them again.
#pragma once

#include <meridian/base/bytes.hpp>

#include <string>
#include <vector>

namespace meridian::load {

struct Account {
    Address address;
    Hash private_key;
};

inline constexpr std::size_t kAccountsMax = 10'000'000;

// The private key of account i is keccak256(seed || role || i, as eight bytes). Anyone who knows the seed has
// the keys: for tests only.
Account derive_account(std::string_view seed, std::string_view role, std::uint64_t index);
// `count` senders from the first-th on, on all cores.
std::vector<Account> derive_senders(const std::string& seed, std::size_t count, std::size_t first = 0);
// Accounts that only receive; nobody has their keys. keccak256(seed || "recipient" || i), its first 20 bytes.
std::vector<Address> derive_recipients(const std::string& seed, std::size_t count);
// Pays for the senders on chains whose genesis was made for the seed.
Account derive_treasury(std::string_view seed);

}  // namespace meridian::load
