// What the development methods share.
#pragma once

#include <meridian/node/dev_chain.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

namespace meridian::rpc {

// Of methods that are absent from a node without one.
node::DevChain& development_chain(const Call& call);

// Seals a block from the pool.
node::BlockPtr mine_one(node::DevChain& chain);

// Changes the head's state outside any block.
void alter_head(node::DevChain& chain, const std::function<void(node::OverlayState&)>& change);

}  // namespace meridian::rpc
