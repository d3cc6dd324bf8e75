// Transaction receipts, log blooms, withdrawals.
#pragma once

#include <meridian/chain/transaction.hpp>
#include <meridian/state/account.hpp>

namespace meridian::chain {

using Bloom = FixedBytes<256>;
using state::Log;

struct Receipt {
    TxnType type = TxnType::Legacy;
    bool success = false;
    // Before Byzantium a receipt holds the state root after the transaction in place of the status.
    std::optional<Hash> state_root;
    std::uint64_t cumulative_gas_used = 0;
    Bloom bloom;
    std::vector<Log> logs;
    // OP deposits (Regolith, Canyon).
    std::optional<std::uint64_t> deposit_nonce;
    std::optional<std::uint64_t> deposit_receipt_version;

    // Not encoded; for RPC and tracing.
    std::uint64_t gas_used = 0;
    std::optional<Address> contract_address;
    u256 effective_gas_price;
    std::uint64_t blob_gas_used = 0;
};

struct Withdrawal {
    std::uint64_t index = 0;
    std::uint64_t validator_index = 0;
    Address address;
    std::uint64_t amount = 0;  // gwei
    friend bool operator==(const Withdrawal&, const Withdrawal&) = default;
};

void add_to_bloom(Bloom& bloom, BytesView data);
Bloom bloom_of(const std::vector<Log>& logs);
bool bloom_contains(const Bloom& bloom, BytesView data);

// EIP-2718 receipt envelope, as in the receipts trie.
Bytes encode(const Receipt& receipt);
Bytes encode(const Withdrawal& withdrawal);

}  // namespace meridian::chain
