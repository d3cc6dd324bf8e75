// Fee suggestions.
#pragma once

#include <meridian/node/chain.hpp>

namespace meridian::rpc {

// The base fee of the block that a transaction sent now is for: the head while it is open, else the one
// after it; zero before London.
u256 next_base_fee(node::Chain& chain);
// The blob base fee of that block; zero before Cancun.
u256 next_blob_base_fee(node::Chain& chain);
// A tip that gets a transaction included: with one writer and room in the blocks, any; 1 gwei is what
// wallets expect to see.
u256 suggested_tip();
// What a legacy transaction should offer.
u256 suggested_gas_price(node::Chain& chain);

}  // namespace meridian::rpc
