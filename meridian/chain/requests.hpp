// EIP-7685 requests: deposits (EIP-6110) from logs, and the hash of a block's requests. Internal to chain.
#pragma once

#include <meridian/chain/executor.hpp>

namespace meridian::chain {

inline constexpr std::uint8_t kDepositRequest = 0;
inline constexpr std::uint8_t kWithdrawalRequest = 1;
inline constexpr std::uint8_t kConsolidationRequest = 2;

// The data of all deposit events of the contract, in order. Fails if an event is not laid out as the
// deposit contract lays it out.
Result<Bytes, BlockError> deposit_requests(const Address& deposit_contract,
                                           const std::vector<Receipt>& receipts);
// Precondition: ordered by type, none empty.
Hash requests_hash(const std::vector<Request>& requests);

}  // namespace meridian::chain
