// The forks of the chain, as EIP-7910 describes them, with their identifiers (EIP-2124, EIP-6122).
#pragma once

#include <meridian/node/chain.hpp>
#include <meridian/rpc/values.hpp>

namespace meridian::rpc {

// The fork identifier's hash for the rules at that block.
FixedBytes<4> fork_hash(node::Chain& chain, std::uint64_t number, std::uint64_t timestamp);

json::value fork_configuration(node::Chain& chain);

}  // namespace meridian::rpc
