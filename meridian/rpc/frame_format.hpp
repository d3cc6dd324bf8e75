// Frames in JSON: as `frames` subscriptions and eth_getFrameByNumber give them, and in MegaETH's shape.
#pragma once

#include <meridian/node/chain.hpp>
#include <meridian/rpc/log_filter.hpp>
#include <meridian/rpc/values.hpp>

namespace meridian::rpc {

struct FrameFields {
    bool full_transactions = false;  // else their hashes
    bool receipts = false;
    bool state_changes = false;
    // Given: only transactions with a matching log or, where no topics are asked for, from or to one of the
    // addresses; and only these addresses' state.
    std::optional<store::LogQuery> terms;
};

// Empty if nothing of the frame matches. The header's fields are those of docs/frames.md, so that hash and
// signature can be checked. Transactions and receipts are as of the frame: their blockHash is null. Throws
// RpcError if the block cannot be read.
std::optional<json::object> format_frame(node::Chain& chain, const node::ChainFrame& frame,
                                         const FrameFields& fields);

// MegaETH's `miniBlocks`: {block_number, block_timestamp, index, mini_block_number, mini_block_timestamp
// (microseconds), gas_used, transactions, receipts}.
json::object format_mini_block(node::Chain& chain, const node::ChainFrame& frame);

// MegaETH's `stateChanges` of one account: {address, nonce, balance, storage}.
json::object format_account_change(const Address& address, const state::AccountChange& change);

}  // namespace meridian::rpc
