// The values of the tables of blocks, bodies and receipts, as RLP (see keys.hpp).
//
// What is read back from a disk is checked in full: a decoder returns nothing rather than half a record.
#pragma once

#include <meridian/store/chain_store.hpp>
#include <meridian/store/keys.hpp>

namespace meridian::store {

Bytes encode_block_record(const StoredHeader& header);
std::optional<StoredHeader> decode_block_record(BytesView value);

// Precondition: as many senders as transactions.
Bytes encode_body_group(std::span<const chain::Transaction> txns, std::span<const Address> senders);
std::optional<std::vector<StoredTxn>> decode_body_group(BytesView value);

// What a body holds beside its transactions.
Bytes encode_body_rest(const chain::Block& block);
// Fills in ommers and withdrawals; false if the bytes are not what the encoder writes.
bool decode_body_rest(BytesView value, StoredBody& out);

// Receipts with their host's fields. Blooms are not kept, as the logs determine them.
Bytes encode_receipt_group(std::span<const chain::Receipt> receipts, std::uint64_t first_log_index);
enum class Blooms : bool { Leave, Compute };
std::optional<std::vector<StoredReceipt>> decode_receipt_group(BytesView value, Blooms blooms);

}  // namespace meridian::store
