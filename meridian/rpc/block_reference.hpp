// Which block a caller means: a number, a tag, or a hash (EIP-1898).
//
// What is asked about state, calls, receipts, transactions and logs is answered as of the last frame: there
// `latest` is the head, which may be a block that is still open. What is asked about blocks is answered with
// blocks that have a hash: there `latest` is the sealed head. Both are one where a chain has no frames.
#pragma once

#include <meridian/node/chain.hpp>
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

// What the chain gave; throws RpcError with its reason if it gave nothing.
template <class T>
T available(node::ChainResult<T> result) {
    if (!result)
        refuse(std::move(result.error().message));
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

enum class Latest : std::uint8_t { Head, Sealed };

// With one writer, whose blocks nobody takes back, the safe and the finalized block are the sealed head.
// `pending` is the head: what a chain makes of it beyond that is Chain::pending().
std::uint64_t resolve_number(node::Chain& chain, const BlockNumber& number, Latest latest = Latest::Head);
// Null if there is no such block; of Latest::Sealed also if it has no hash yet. Throws RpcError where the
// block is pruned.
node::BlockPtr find_block(node::Chain& chain, const BlockReference& reference, Latest latest = Latest::Head);
// The parameter, or the latest block if it is left out. Throws "header not found".
node::BlockPtr block_argument(const Call& call, std::size_t index, Latest latest = Latest::Head);

}  // namespace meridian::rpc
