// Transactions and headers in the field names of the JSON-RPC API, which transition tools and recorded
// blocks use too.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/spec/json.hpp>

namespace meridian::spec {

// All throw FieldFailure.

// The signature may be missing, and is zero then. Without a "type" the fields present tell it.
chain::Transaction read_rpc_transaction(const Json& value);
chain::Header read_rpc_header(const Json& value);

}  // namespace meridian::spec
