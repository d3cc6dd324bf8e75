// The header of a block to be made: what follows from the parent, and what its maker decides.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/chain/config.hpp>

namespace meridian::chain {

// What a block's maker decides.
struct BlockAttributes {
    std::uint64_t timestamp = 0;  // seconds
    Address coinbase;
    Hash prev_randao;
    Hash parent_beacon_block_root;
    std::uint64_t gas_limit = 0;
    std::optional<u256> base_fee;  // in place of EIP-1559's
    std::vector<Withdrawal> withdrawals;
    Bytes extra_data;

    friend bool operator==(const BlockAttributes&, const BlockAttributes&) = default;
};

// Complete for execution; what execution gives (roots, bloom, gas used, requests) is left empty.
// `parent_hash` is the parent's hash. From Paris on; earlier blocks get `difficulty`.
Header next_header(const ChainConfig& config, const Header& parent, const Hash& parent_hash,
                   const BlockAttributes& attributes, const u256& difficulty = {});

// The gas limit nearest to `wanted` that a block may have after one of `parent`: less than a 1024th away, and
// not below 5000 (yellow paper, section 4.3.4). An OP chain may choose any.
std::uint64_t next_gas_limit(const ChainConfig& config, std::uint64_t parent, std::uint64_t wanted) noexcept;

}  // namespace meridian::chain
