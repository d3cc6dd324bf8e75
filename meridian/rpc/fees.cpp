#include <meridian/chain/executor.hpp>
#include <meridian/rpc/fees.hpp>

namespace meridian::rpc {

u256 next_base_fee(node::Chain& chain) {
    const node::BlockPtr head = chain.head();
    if (!head->sealed())
        return head->header().base_fee.value_or(u256{});
    const chain::BlockAttributes next = chain.next_attributes();
    if (next.base_fee)
        return *next.base_fee;
    if (chain.config().revision(head->number() + 1, next.timestamp) < evm::Revision::London)
        return {};
    return chain::next_base_fee(chain.config(), head->header(), next.timestamp);
}

u256 next_blob_base_fee(node::Chain& chain) {
    const node::BlockPtr head = chain.head();
    const chain::ChainConfig& config = chain.config();
    const chain::Header& header = head->header();
    const std::uint64_t timestamp = head->sealed() ? chain.next_attributes().timestamp : header.timestamp;
    if (config.revision(head->sealed() ? head->number() + 1 : head->number(), timestamp) <
        evm::Revision::Cancun)
        return {};
    const std::uint64_t excess = head->sealed() ? chain::next_excess_blob_gas(config, header, timestamp)
                                                : header.excess_blob_gas.value_or(0);
    return chain::blob_base_fee(config, timestamp, excess);
}

u256 suggested_tip() {
    return 1'000'000'000;
}

u256 suggested_gas_price(node::Chain& chain) {
    return next_base_fee(chain) + suggested_tip();
}

}  // namespace meridian::rpc
