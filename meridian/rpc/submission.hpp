// Sending transactions, and waiting for what becomes of them.
#pragma once

#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

namespace meridian::rpc {

// Hands an encoded transaction to the chain. Once the pool has it, `answer` makes the result; a refusal is an
// error in geth's words.
LaterPtr submit(const Call& call, Bytes envelope, json::value (*answer)(const node::Submitted& submitted));

// How eth_sendRawTransactionSync and its like wait for a receipt.
struct ReceiptWait {
    std::uint64_t limit_ms = 0;
    // Of a transaction behind a gap of nonces that is not closed in a moment: to be told, with the nonce that
    // is missing (EIP-7966).
    bool tell_gap = false;
    // What to say when the time is up.
    RpcError (*too_late)(Service& service, const Hash& hash, std::uint64_t limit_ms);
};
LaterPtr submit_and_wait(const Call& call, Bytes envelope, const ReceiptWait& wait);

// The receipt of a transaction that the pool has, as eth_sendRawTransactionSync waits for it.
LaterPtr await_receipt(const Call& call, const Hash& hash);

// As EIP-7966 says it.
RpcError receipt_timeout(Service& service, const Hash& hash, std::uint64_t limit_ms);

}  // namespace meridian::rpc
