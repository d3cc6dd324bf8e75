// What a transaction may cost at most, and how much gas it may ask for.
#pragma once

#include <meridian/chain/transaction.hpp>

namespace meridian::chain {

inline constexpr std::uint64_t kTxnGasMaximum = 1 << 24;  // EIP-7825, from Osaka on
inline constexpr std::uint64_t kGasPerBlob = 131072;      // EIP-4844

// What the sender has to own, wei: gas at the highest price, the same for blobs, and the value. Empty if it
// exceeds 256 bits.
std::optional<u256> upfront_cost(const Transaction& txn);

}  // namespace meridian::chain
