#include <meridian/rpc/error.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/frame_format.hpp>
#include <meridian/store/log_index.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

// The frame's block without a hash: what it will be called was not known when the frame was made.
node::BlockPtr block_of(node::Chain& chain, const node::ChainFrame& frame) {
    auto block = chain.block(frame.content->block_number);
    if (!block)
        throw RpcError(ErrorCode::Default, block.error().message);
    if (!*block)
        throw RpcError(ErrorCode::Default,
                       "block " + std::to_string(frame.content->block_number) + " is not available");
    return *std::move(block);
}

bool matches(const FrameFields& fields, const sequencer::SealedFrame& frame, std::size_t i) {
    if (!fields.terms)
        return true;
    const store::LogQuery& terms = *fields.terms;
    const auto listed = [&](const Address& address) {
        return std::ranges::find(terms.addresses, address) != terms.addresses.end();
    };
    const auto& txn = *frame.txns[i];
    if (terms.topics.empty() && (listed(txn.sender) || (txn.txn.to && listed(*txn.txn.to))))
        return true;
    return std::ranges::any_of(frame.receipts[i].logs,
                               [&](const state::Log& log) { return store::matches(terms, log); });
}

void forget_block_hash(json::object& object) {
    object["blockHash"] = nullptr;
    if (auto* logs = object.if_contains("logs"))
        for (auto& log : logs->as_array())
            log.as_object()["blockHash"] = nullptr;
}

json::object change(const state::AccountChange& change) {
    json::object out;
    if (!change.account)
        return {{"deleted", true}};
    out["nonce"] = quantity(change.account->nonce);
    out["balance"] = quantity(change.account->balance);
    out["codeHash"] = hex_data(change.account->code_hash);
    if (change.storage_cleared)
        out["storageCleared"] = true;
    json::object slots;
    for (const auto& [slot, value] : change.storage)
        slots[hex_data(to_hash(slot)).as_string()] = hex_data(to_hash(value));
    if (!slots.empty())
        out["storage"] = std::move(slots);
    return out;
}

json::object format_changes(const state::StateChanges& changes, const FrameFields& fields) {
    json::object out;
    for (const auto& [address, account] : changes.accounts) {
        if (fields.terms &&
            std::ranges::find(fields.terms->addresses, address) == fields.terms->addresses.end())
            continue;
        out[hex_data(address).as_string()] = change(account);
    }
    return out;
}

std::uint64_t gas_used(const sequencer::SealedFrame& frame) {
    std::uint64_t out = 0;
    for (const chain::Receipt& receipt : frame.receipts)
        out += receipt.gas_used;
    return out;
}

json::object format_head(const frames::SignedHeader& head) {
    const frames::FrameHeader& header = head.header;
    return {{"chainId", quantity(header.chain_id)},
            {"number", quantity(header.number)},
            {"hash", hex_data(head.hash)},
            {"parentHash", hex_data(header.parent_hash)},
            {"blockNumber", quantity(header.block_number)},
            {"index", quantity(std::uint64_t{header.index})},
            {"timestampUs", quantity(header.timestamp_us)},
            {"term", quantity(header.term)},
            {"baseHash", hex_data(header.base_hash)},
            {"transactionsHash", hex_data(header.transactions_hash)},
            {"receiptsHash", hex_data(header.receipts_hash)},
            {"changesHash", hex_data(header.changes_hash)},
            {"signature", hex_data(head.signature)}};
}

json::object receipt_of(const node::BlockPtr& block, const node::ChainFrame& frame, std::size_t i,
                        const chain::ChainConfig& config) {
    json::object out = format_receipt(*block, frame.first_txn + i, config);
    forget_block_hash(out);
    return out;
}

json::object transaction_of(const node::BlockPtr& block, const node::ChainFrame& frame, std::size_t i) {
    json::object out = format_transaction(*block, frame.first_txn + i);
    forget_block_hash(out);
    return out;
}

}  // namespace

std::optional<json::object> format_frame(node::Chain& chain, const node::ChainFrame& frame,
                                         const FrameFields& fields) {
    const sequencer::SealedFrame& content = *frame.content;
    json::array transactions;
    json::array receipts;
    node::BlockPtr block;
    for (std::size_t i = 0; i < content.txns.size(); ++i) {
        if (!matches(fields, content, i))
            continue;
        if (!block && (fields.full_transactions || fields.receipts))
            block = block_of(chain, frame);
        transactions.push_back(fields.full_transactions ? json::value(transaction_of(block, frame, i))
                                                        : hex_data(content.txns[i]->hash));
        if (fields.receipts)
            receipts.push_back(receipt_of(block, frame, i, chain.config()));
    }
    json::object changes;
    if (fields.state_changes)
        changes = format_changes(content.changes, fields);
    if (fields.terms && transactions.empty() && changes.empty())
        return std::nullopt;
    json::object out = format_head(frame.head);
    out["gasUsed"] = quantity(gas_used(content));
    out["transactions"] = std::move(transactions);
    if (fields.receipts)
        out["receipts"] = std::move(receipts);
    if (fields.state_changes)
        out["stateChanges"] = std::move(changes);
    return out;
}

json::object format_mini_block(node::Chain& chain, const node::ChainFrame& frame) {
    const sequencer::SealedFrame& content = *frame.content;
    const node::BlockPtr block = block_of(chain, frame);
    json::array transactions;
    json::array receipts;
    for (std::size_t i = 0; i < content.txns.size(); ++i) {
        transactions.push_back(transaction_of(block, frame, i));
        receipts.push_back(receipt_of(block, frame, i, chain.config()));
    }
    return {{"block_number", quantity(content.block_number)},
            {"block_timestamp", quantity(block->header().timestamp)},
            {"index", quantity(std::uint64_t{content.index})},
            {"mini_block_number", quantity(content.number)},
            {"mini_block_timestamp", quantity(content.timestamp_us)},
            {"gas_used", quantity(gas_used(content))},
            {"transactions", std::move(transactions)},
            {"receipts", std::move(receipts)}};
}

json::object format_account_change(const Address& address, const state::AccountChange& change) {
    const state::Account account = change.account.value_or(state::Account{});
    json::object slots;
    for (const auto& [slot, value] : change.storage)
        slots[hex_data(to_hash(slot)).as_string()] = quantity(value);
    return {{"address", hex_data(address)},
            {"nonce", account.nonce},
            {"balance", quantity(account.balance)},
            {"storage", std::move(slots)}};
}

}  // namespace meridian::rpc
