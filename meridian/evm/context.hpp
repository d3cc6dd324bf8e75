// What the EVM sees of its surroundings: the block and the transaction.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>

#include <span>

namespace meridian::evm {

// Hashes of ancestors, for BLOCKHASH.
class BlockHashSource {
public:
    virtual ~BlockHashSource() = default;
    // The hash of an ancestor; the EVM asks only for the last 256. Zero if unknown.
    virtual Hash block_hash(std::uint64_t number) = 0;
};

struct BlockContext {
    std::uint64_t chain_id = 1;
    std::uint64_t number = 0;
    std::uint64_t timestamp = 0;  // seconds
    std::uint64_t gas_limit = 0;
    Address coinbase;
    u256 prev_randao;  // the difficulty before Paris
    u256 base_fee;     // wei a gas; zero before London
    u256 blob_base_fee;
    BlockHashSource* block_hashes = nullptr;
};

struct TxnContext {
    Address origin;
    u256 gas_price;  // effective, wei a gas
    std::span<const Hash> blob_hashes;
};

}  // namespace meridian::evm
