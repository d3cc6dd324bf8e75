#include <meridian/chain/next_header.hpp>

#include <meridian/chain/executor.hpp>
#include <meridian/chain/gas_limit.hpp>

#include <algorithm>

namespace meridian::chain {

Header next_header(const ChainConfig& config, const Header& parent, const Hash& parent_hash,
                   const BlockAttributes& attributes, const u256& difficulty) {
    using evm::Revision;
    Header header;
    header.parent_hash = parent_hash;
    header.coinbase = attributes.coinbase;
    header.number = parent.number + 1;
    header.gas_limit = attributes.gas_limit;
    header.timestamp = attributes.timestamp;
    header.extra_data = attributes.extra_data;
    const Revision revision = config.revision(header.number, header.timestamp);
    if (revision >= Revision::Paris)
        header.mix_hash = attributes.prev_randao;
    else
        header.difficulty = difficulty;
    if (revision >= Revision::London)
        header.base_fee =
            attributes.base_fee ? *attributes.base_fee : next_base_fee(config, parent, header.timestamp);
    if (revision >= Revision::Shanghai)
        header.withdrawals_root = withdrawals_root(attributes.withdrawals);
    if (revision >= Revision::Cancun) {
        header.blob_gas_used = 0;
        header.excess_blob_gas = next_excess_blob_gas(config, parent, header.timestamp);
        header.parent_beacon_block_root = attributes.parent_beacon_block_root;
    }
    return header;
}

std::uint64_t next_gas_limit(const ChainConfig& config, std::uint64_t parent, std::uint64_t wanted) noexcept {
    if (config.op)
        return wanted;
    const std::uint64_t step = parent / kGasLimitBound > 0 ? parent / kGasLimitBound - 1 : 0;
    return std::max(kGasLimitMin, std::clamp(wanted, parent - step, parent + step));
}

}  // namespace meridian::chain
