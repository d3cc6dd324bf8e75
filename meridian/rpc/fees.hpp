// Fee suggestions.
#pragma once

#include <meridian/node/dev_chain.hpp>

namespace meridian::rpc {

// The base fee of the block after the head; zero before London.
u256 next_base_fee(const node::DevChain& chain);
// The blob base fee of the block after the head; zero before Cancun.
u256 next_blob_base_fee(const node::DevChain& chain);
// A tip that gets a transaction included: with one writer and room in the blocks, any; 1 gwei is what
// wallets expect to see.
u256 suggested_tip();
// What a legacy transaction should offer.
u256 suggested_gas_price(const node::DevChain& chain);

}  // namespace meridian::rpc
