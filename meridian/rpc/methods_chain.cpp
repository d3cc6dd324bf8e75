// Blocks, transactions and receipts: what the chain says about itself.
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

using node::BlockPtr;

// The named block, or null: one with a hash, unless it is the pending one.
BlockPtr block_or_null(const Call& call, std::size_t index) {
    const BlockReference reference = call.args.get(index, read_block_reference);
    if (!reference.is_pending())
        return find_block(call.service.chain(), reference, Latest::Sealed);
    auto pending = call.service.chain().pending();
    if (!pending)
        refuse("pending block is not available: " + pending.error().message);
    return pending->block;
}

BlockPtr block_by_hash(const Call& call) {
    return available(call.service.chain().block(call.args.get(0, read_hash)));
}

json::value block_number(const Call& call) {
    return quantity(call.service.chain().sealed_head()->number());
}

json::value get_block(const Call& call, const BlockPtr& block, bool pending) {
    if (!block)
        return nullptr;
    json::object out = format_block(*block, call.args.get_or(1, read_bool, false));
    if (pending)
        for (const char* field : {"hash", "nonce", "miner"})
            out[field] = nullptr;
    return out;
}

json::value get_block_by_hash(const Call& call) {
    return get_block(call, block_by_hash(call), false);
}

json::value get_block_by_number(const Call& call) {
    const BlockNumber number = call.args.get(0, read_block_number);
    return get_block(call, block_or_null(call, 0), number.tag == BlockTag::Pending);
}

json::value get_header(const BlockPtr& block, bool pending) {
    if (!block)
        return nullptr;
    json::object out = format_header(block->header(), block->hash);
    if (pending)
        for (const char* field : {"hash", "nonce", "miner"})
            out[field] = nullptr;
    return out;
}
json::value get_header_by_hash(const Call& call) {
    return get_header(block_by_hash(call), false);
}
json::value get_header_by_number(const Call& call) {
    const BlockNumber number = call.args.get(0, read_block_number);
    return get_header(block_or_null(call, 0), number.tag == BlockTag::Pending);
}

json::value get_block_receipts(const Call& call) {
    const BlockPtr block = block_or_null(call, 0);
    if (!block)
        return nullptr;
    json::array out;
    for (std::size_t i = 0; i < block->receipts.size(); ++i)
        out.push_back(format_receipt(*block, i, call.service.chain().config()));
    return out;
}

json::value transaction_count(const BlockPtr& block) {
    return block ? quantity(std::uint64_t{block->txn_hashes.size()}) : json::value(nullptr);
}
json::value transaction_count_by_hash(const Call& call) {
    return transaction_count(block_by_hash(call));
}
json::value transaction_count_by_number(const Call& call) {
    return transaction_count(block_or_null(call, 0));
}

json::value uncle_count(const BlockPtr& block) {
    return block ? quantity(std::uint64_t{block->block.ommers.size()}) : json::value(nullptr);
}
json::value uncle_count_by_hash(const Call& call) {
    return uncle_count(block_by_hash(call));
}
json::value uncle_count_by_number(const Call& call) {
    return uncle_count(block_or_null(call, 0));
}

json::value uncle(const Call& call, const BlockPtr& block) {
    const std::uint64_t index = call.args.get(1, read_uint64);
    if (!block || index >= block->block.ommers.size())
        return nullptr;
    const chain::Header& header = block->block.ommers[index];
    json::object out = format_header(header, chain::header_hash(header));
    out["uncles"] = json::array{};
    out["size"] = quantity(std::uint64_t{chain::encode(chain::Block{header, {}, {}, {}}).size()});
    return out;
}
json::value uncle_by_hash(const Call& call) {
    return uncle(call, block_by_hash(call));
}
json::value uncle_by_number(const Call& call) {
    return uncle(call, block_or_null(call, 0));
}

json::value transaction_at(const Call& call, const BlockPtr& block) {
    const std::uint64_t index = call.args.get(1, read_uint64);
    if (!block || index >= block->txn_hashes.size())
        return nullptr;
    return format_transaction(*block, static_cast<std::size_t>(index));
}
json::value transaction_by_block_hash(const Call& call) {
    return transaction_at(call, block_by_hash(call));
}
json::value transaction_by_block_number(const Call& call) {
    return transaction_at(call, block_or_null(call, 0));
}

json::value transaction_by_hash(const Call& call) {
    const Hash hash = call.args.get(0, read_hash);
    node::Chain& chain = call.service.chain();
    if (const auto place = available(chain.find_transaction(hash)))
        return format_transaction(*place->block, place->index);
    if (const auto pooled = chain.find_pooled(hash))
        return format_pending(pooled->txn, pooled->sender, pooled->hash);
    return nullptr;
}

std::uint64_t nonce_after(node::Chain& chain, const Address& sender, std::uint64_t number) {
    if (number == chain.head()->number())
        return chain.head_state().account(sender).value_or(state::Account{}).nonce;
    return available(chain.state_after(number))->account(sender).value_or(state::Account{}).nonce;
}

// The first block after which the account's nonce is above `nonce`; null if there is none.
BlockPtr block_that_used(node::Chain& chain, const Address& sender, std::uint64_t nonce) {
    std::uint64_t low = 0;
    std::uint64_t high = chain.head()->number();
    if (nonce_after(chain, sender, high) <= nonce)
        return nullptr;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (nonce_after(chain, sender, middle) > nonce)
            high = middle;
        else
            low = middle + 1;
    }
    return find_block(chain, {{BlockTag::Number, low}, {}});
}

json::value transaction_by_sender_and_nonce(const Call& call) {
    const Address sender = call.args.get(0, read_address);
    const std::uint64_t nonce = call.args.get(1, read_lenient_uint64);
    node::Chain& chain = call.service.chain();
    if (const BlockPtr block = block_that_used(chain, sender, nonce))
        for (std::size_t i = 0; i < block->senders.size(); ++i)
            if (block->senders[i] == sender && block->block.transactions[i].nonce == nonce)
                return format_transaction(*block, i);
    const auto pool = chain.pool_content();
    const auto waiting = pool.find(sender);
    if (waiting == pool.end() || !waiting->second.contains(nonce))
        return nullptr;
    const node::PooledTxnPtr& pooled = waiting->second.at(nonce);
    return format_pending(pooled->txn, pooled->sender, pooled->hash);
}

json::value transaction_receipt(const Call& call) {
    node::Chain& chain = call.service.chain();
    const auto place = available(chain.find_transaction(call.args.get(0, read_hash)));
    return place ? json::value(format_receipt(*place->block, place->index, chain.config()))
                 : json::value(nullptr);
}

json::value raw_transaction_at(const Call& call, const BlockPtr& block) {
    const std::uint64_t index = call.args.get(1, read_uint64);
    if (!block || index >= block->block.transactions.size())
        return nullptr;
    return hex_data(chain::encode(block->block.transactions[index]));
}
json::value raw_transaction_by_block_hash(const Call& call) {
    return raw_transaction_at(call, block_by_hash(call));
}
json::value raw_transaction_by_block_number(const Call& call) {
    return raw_transaction_at(call, block_or_null(call, 0));
}

}  // namespace

std::span<const Method> chain_methods() {
    static const Param kBlockHash{"blockHash", "Hash"};
    static const Param kBlock{"block", "BlockNumberOrTag"};
    static const Param kIndex{"index", "Quantity"};
    static const Param kFull{"hydratedTransactions", "boolean", false};
    static const Param kHash{"transactionHash", "Hash"};
    static const Method kMethods[] = {
        {"eth_blockNumber", "Number of the newest block", {}, "Quantity", block_number},
        {"eth_getBlockByHash", "A block by its hash", {kBlockHash, kFull}, "Block|null", get_block_by_hash},
        {"eth_getBlockByNumber",
         "A block by number or tag",
         {kBlock, kFull},
         "Block|null",
         get_block_by_number},
        {"eth_getHeaderByHash",
         "A block's header by its hash",
         {kBlockHash},
         "Header|null",
         get_header_by_hash},
        {"eth_getHeaderByNumber",
         "A block's header by number or tag",
         {kBlock},
         "Header|null",
         get_header_by_number},
        {"eth_getBlockReceipts",
         "All receipts of a block",
         {{"block", "BlockNumberOrTagOrHash"}},
         "Receipt[]|null",
         get_block_receipts},
        {"eth_getBlockTransactionCountByHash",
         "How many transactions a block has",
         {kBlockHash},
         "Quantity|null",
         transaction_count_by_hash},
        {"eth_getBlockTransactionCountByNumber",
         "How many transactions a block has",
         {kBlock},
         "Quantity|null",
         transaction_count_by_number},
        {"eth_getUncleCountByBlockHash",
         "How many ommers a block has",
         {kBlockHash},
         "Quantity|null",
         uncle_count_by_hash},
        {"eth_getUncleCountByBlockNumber",
         "How many ommers a block has",
         {kBlock},
         "Quantity|null",
         uncle_count_by_number},
        {"eth_getUncleByBlockHashAndIndex",
         "An ommer of a block",
         {kBlockHash, kIndex},
         "Block|null",
         uncle_by_hash},
        {"eth_getUncleByBlockNumberAndIndex",
         "An ommer of a block",
         {kBlock, kIndex},
         "Block|null",
         uncle_by_number},
        {"eth_getTransactionByBlockHashAndIndex",
         "A transaction by its place",
         {kBlockHash, kIndex},
         "Transaction|null",
         transaction_by_block_hash},
        {"eth_getTransactionByBlockNumberAndIndex",
         "A transaction by its place",
         {kBlock, kIndex},
         "Transaction|null",
         transaction_by_block_number},
        {"eth_getTransactionByHash",
         "A transaction, mined or waiting",
         {kHash},
         "Transaction|null",
         transaction_by_hash},
        {"eth_getTransactionBySenderAndNonce",
         "A transaction, mined or waiting, by its sender and nonce",
         {{"sender", "Address"}, {"nonce", "Quantity"}},
         "Transaction|null",
         transaction_by_sender_and_nonce},
        {"eth_getTransactionReceipt",
         "The receipt of a mined transaction",
         {kHash},
         "Receipt|null",
         transaction_receipt},
        {"eth_getRawTransactionByBlockHashAndIndex",
         "A transaction's encoding by its place",
         {kBlockHash, kIndex},
         "Data|null",
         raw_transaction_by_block_hash},
        {"eth_getRawTransactionByBlockNumberAndIndex",
         "A transaction's encoding by its place",
         {kBlock, kIndex},
         "Data|null",
         raw_transaction_by_block_number},
    };
    return kMethods;
}

}  // namespace meridian::rpc
