// Which block a caller means: a number, a tag, or a hash (EIP-1898).
#pragma once

#include <meridian/node/dev_chain.hpp>
#include <meridian/rpc/method.hpp>

namespace meridian::rpc {

enum class BlockTag : std::uint8_t { Number, Earliest, Latest, Pending, Safe, Finalized };

struct BlockNumber {
    BlockTag tag = BlockTag::Latest;
    std::uint64_t number = 0;  // for BlockTag::Number
};

struct BlockReference {
    BlockNumber number;
    std::optional<Hash> hash;

    bool is_pending() const noexcept { return !hash && number.tag == BlockTag::Pending; }
};

inline constexpr BlockReference kPendingBlock{{BlockTag::Pending, 0}, {}};

BlockNumber read_block_number(const json::value& value);
// Also takes a bare hash and EIP-1898 objects.
BlockReference read_block_reference(const json::value& value);

// On a chain with one writer the safe and the finalized block are the head; so is the pending one here.
std::uint64_t resolve_number(const node::DevChain& chain, const BlockNumber& number);
// Null if there is no such block.
node::BlockPtr find_block(const node::DevChain& chain, const BlockReference& reference);
// The parameter, or the head if it is left out. Throws "header not found".
node::BlockPtr block_argument(const Call& call, std::size_t index);

}  // namespace meridian::rpc
