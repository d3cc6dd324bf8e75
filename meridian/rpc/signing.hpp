// Signatures with the keys that the node holds: transactions, messages, typed data.
#pragma once

#include <meridian/chain/transaction.hpp>
#include <meridian/rpc/values.hpp>

namespace meridian::rpc {

// Fills v, r and s. Throws RpcError if the key is invalid.
void sign(chain::Transaction& txn, const Hash& private_key, std::uint64_t chain_id);

// r, s and v (27 or 28): 65 bytes.
Bytes sign_digest(const Hash& digest, const Hash& private_key);

// EIP-191: the digest of a personal message.
Hash message_digest(BytesView message);

// EIP-712: the digest of typed data {types, primaryType, domain, message}. Throws RpcError naming the
// member that is wrong.
Hash typed_data_digest(const json::value& typed_data);

}  // namespace meridian::rpc
