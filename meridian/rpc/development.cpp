#include <meridian/base/assert.hpp>
#include <meridian/rpc/development.hpp>

namespace meridian::rpc {

node::DevChain& development_chain(const Call& call) {
    MERIDIAN_ASSERT(call.service.development() != nullptr);
    return *call.service.development();
}

node::BlockPtr mine_one(node::DevChain& chain) {
    auto block = chain.mine();
    if (!block)
        throw RpcError(ErrorCode::Internal, "cannot build a block: " + block.error().message);
    return *std::move(block);
}

void alter_head(node::DevChain& chain, const std::function<void(node::OverlayState&)>& change) {
    node::OverlayState overlay(chain.head_state());
    change(overlay);
    overlay.drop_empty();
    if (const auto altered = chain.alter(overlay.changes()); !altered)
        throw RpcError(ErrorCode::Internal, altered.error().message);
}

}  // namespace meridian::rpc
