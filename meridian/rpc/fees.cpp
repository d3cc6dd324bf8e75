#include <meridian/rpc/fees.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

std::uint64_t next_timestamp(const node::DevChain& chain) {
    return std::max(chain.now(), chain.head()->header().timestamp + 1);
}

}  // namespace

u256 next_base_fee(const node::DevChain& chain) {
    if (chain.settings().next_base_fee)
        return *chain.settings().next_base_fee;
    const chain::Header& head = chain.head()->header();
    if (chain.config().revision(head.number + 1, next_timestamp(chain)) < evm::Revision::London)
        return {};
    return chain::next_base_fee(chain.config(), head, next_timestamp(chain));
}

u256 next_blob_base_fee(const node::DevChain& chain) {
    const chain::Header& head = chain.head()->header();
    const std::uint64_t timestamp = next_timestamp(chain);
    if (chain.config().revision(head.number + 1, timestamp) < evm::Revision::Cancun)
        return {};
    return chain::blob_base_fee(chain.config(), timestamp,
                                chain::next_excess_blob_gas(chain.config(), head, timestamp));
}

u256 suggested_tip() {
    return 1'000'000'000;
}

u256 suggested_gas_price(const node::DevChain& chain) {
    return next_base_fee(chain) + suggested_tip();
}

}  // namespace meridian::rpc
