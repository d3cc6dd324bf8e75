// From what a caller says of a transaction to a whole one.
#pragma once

#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/call_args.hpp>

namespace meridian::rpc {

// Fills in fees, and the gas that the transaction needs after the block. Throws RpcError where it fails
// there. Precondition: the nonce is given.
chain::Transaction complete_transaction(Service& service, CallArgs args, const BlockReference& after);

}  // namespace meridian::rpc
