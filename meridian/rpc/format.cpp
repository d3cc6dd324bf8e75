#include <meridian/chain/executor.hpp>
#include <meridian/rpc/format.hpp>

namespace meridian::rpc {
namespace {

using chain::TxnType;

json::array format_authorizations(const std::vector<chain::Authorization>& list) {
    json::array out;
    for (const auto& item : list)
        out.push_back(json::object{{"chainId", quantity(item.chain_id)},
                                   {"address", hex_data(item.address)},
                                   {"nonce", quantity(item.nonce)},
                                   {"yParity", quantity(item.y_parity)},
                                   {"r", quantity(item.r)},
                                   {"s", quantity(item.s)}});
    return out;
}

json::value format_block_hash(const Hash& hash) {
    return hash == Hash{} ? json::value(nullptr) : hex_data(hash);
}

json::array format_hashes(const std::vector<Hash>& hashes) {
    json::array out;
    for (const Hash& hash : hashes)
        out.push_back(hex_data(hash));
    return out;
}

void add_typed_fields(json::object& out, const chain::Transaction& txn) {
    if (txn.type == TxnType::Module) {
        out["moduleId"] = quantity(std::uint64_t{txn.module_id});
        out["account"] = hex_data(txn.from);
        out["expiry"] = quantity(txn.expiry_ms);
        return;
    }
    if (txn.type >= TxnType::DynamicFee && txn.type != TxnType::Deposit) {
        out["maxFeePerGas"] = quantity(txn.max_fee_per_gas);
        out["maxPriorityFeePerGas"] = quantity(txn.max_priority_fee_per_gas);
    }
    if (txn.type == TxnType::Blob) {
        out["maxFeePerBlobGas"] = quantity(txn.max_fee_per_blob_gas);
        out["blobVersionedHashes"] = format_hashes(txn.blob_hashes);
    }
    if (txn.type == TxnType::SetCode)
        out["authorizationList"] = format_authorizations(txn.authorizations);
    if (txn.type != TxnType::Legacy && txn.type != TxnType::Deposit)
        out["accessList"] = format_access_list(txn.access_list);
}

void add_signature(json::object& out, const chain::Transaction& txn) {
    if (txn.type == TxnType::Deposit) {
        out["sourceHash"] = hex_data(txn.source_hash);
        out["mint"] = txn.mint ? quantity(*txn.mint) : json::value(nullptr);
        return;
    }
    if (txn.chain_id)
        out["chainId"] = quantity(*txn.chain_id);
    out["v"] = quantity(txn.v);
    out["r"] = quantity(txn.r);
    out["s"] = quantity(txn.s);
    if (txn.type != TxnType::Legacy)
        out["yParity"] = quantity(std::uint64_t{txn.y_parity()});
}

json::object format_body(const chain::Transaction& txn, const Address& sender, const Hash& hash) {
    json::object out;
    out["from"] = hex_data(sender);
    out["gas"] = quantity(txn.gas_limit);
    out["gasPrice"] = quantity(txn.max_fee_per_gas);
    out["hash"] = hex_data(hash);
    out["input"] = hex_data(txn.data);
    out["nonce"] = quantity(txn.nonce);
    out["to"] = txn.to ? hex_data(*txn.to) : json::value(nullptr);
    out["value"] = quantity(txn.value);
    out["type"] = quantity(static_cast<std::uint64_t>(txn.type));
    add_typed_fields(out, txn);
    add_signature(out, txn);
    return out;
}

}  // namespace

u256 effective_gas_price(const chain::Transaction& txn, const std::optional<u256>& base_fee) {
    if (!base_fee || txn.max_fee_per_gas < *base_fee)
        return txn.max_fee_per_gas;
    const u256 room = txn.max_fee_per_gas - *base_fee;
    return *base_fee + (room < txn.max_priority_fee_per_gas ? room : txn.max_priority_fee_per_gas);
}

json::array format_access_list(const chain::AccessList& list) {
    json::array out;
    for (const auto& entry : list)
        out.push_back(json::object{{"address", hex_data(entry.address)},
                                   {"storageKeys", format_hashes(entry.storage_keys)}});
    return out;
}

json::object format_withdrawal(const chain::Withdrawal& withdrawal) {
    return {{"index", quantity(withdrawal.index)},
            {"validatorIndex", quantity(withdrawal.validator_index)},
            {"address", hex_data(withdrawal.address)},
            {"amount", quantity(withdrawal.amount)}};
}

json::object format_header(const chain::Header& header, const Hash& hash) {
    json::object out;
    out["number"] = quantity(header.number);
    out["hash"] = format_block_hash(hash);
    out["parentHash"] = hex_data(header.parent_hash);
    out["nonce"] = hex_data(header.nonce);
    out["mixHash"] = hex_data(header.mix_hash);
    out["sha3Uncles"] = hex_data(header.ommers_hash);
    out["logsBloom"] = hex_data(header.bloom);
    out["stateRoot"] = hex_data(header.state_root);
    out["miner"] = hex_data(header.coinbase);
    out["difficulty"] = quantity(header.difficulty);
    out["extraData"] = hex_data(header.extra_data);
    out["gasLimit"] = quantity(header.gas_limit);
    out["gasUsed"] = quantity(header.gas_used);
    out["timestamp"] = quantity(header.timestamp);
    out["transactionsRoot"] = hex_data(header.transactions_root);
    out["receiptsRoot"] = hex_data(header.receipts_root);
    if (header.base_fee)
        out["baseFeePerGas"] = quantity(*header.base_fee);
    if (header.withdrawals_root)
        out["withdrawalsRoot"] = hex_data(*header.withdrawals_root);
    if (header.blob_gas_used)
        out["blobGasUsed"] = quantity(*header.blob_gas_used);
    if (header.excess_blob_gas)
        out["excessBlobGas"] = quantity(*header.excess_blob_gas);
    if (header.parent_beacon_block_root)
        out["parentBeaconBlockRoot"] = hex_data(*header.parent_beacon_block_root);
    if (header.requests_hash)
        out["requestsHash"] = hex_data(*header.requests_hash);
    return out;
}

json::object format_block(const sequencer::ExecutedBlock& block, bool full_transactions) {
    json::object out = format_header(block.header(), block.hash);
    out["size"] = quantity(block.size_bytes);
    json::array transactions;
    for (std::size_t i = 0; i < block.txn_hashes.size(); ++i) {
        if (full_transactions)
            transactions.push_back(format_transaction(block, i));
        else
            transactions.push_back(hex_data(block.txn_hashes[i]));
    }
    out["transactions"] = std::move(transactions);
    json::array uncles;
    for (const auto& ommer : block.block.ommers)
        uncles.push_back(hex_data(chain::header_hash(ommer)));
    out["uncles"] = std::move(uncles);
    if (block.block.withdrawals) {
        json::array withdrawals;
        for (const auto& withdrawal : *block.block.withdrawals)
            withdrawals.push_back(format_withdrawal(withdrawal));
        out["withdrawals"] = std::move(withdrawals);
    }
    return out;
}

json::object format_transaction(const sequencer::ExecutedBlock& block, std::size_t index) {
    const chain::Transaction& txn = block.block.transactions[index];
    json::object out = format_body(txn, block.senders[index], block.txn_hashes[index]);
    out["blockHash"] = format_block_hash(block.hash);
    out["blockNumber"] = quantity(block.number());
    out["blockTimestamp"] = quantity(block.header().timestamp);
    out["transactionIndex"] = quantity(std::uint64_t{index});
    out["gasPrice"] = quantity(effective_gas_price(txn, block.header().base_fee));
    return out;
}

json::object format_pending(const chain::Transaction& txn, const Address& sender, const Hash& hash) {
    json::object out = format_body(txn, sender, hash);
    out["blockHash"] = nullptr;
    out["blockNumber"] = nullptr;
    out["blockTimestamp"] = nullptr;
    out["transactionIndex"] = nullptr;
    return out;
}

json::object format_log(const state::Log& log, const sequencer::ExecutedBlock& block, std::size_t txn_index,
                        std::size_t log_index, bool removed) {
    return {{"address", hex_data(log.address)},
            {"topics", format_hashes(log.topics)},
            {"data", hex_data(log.data)},
            {"blockNumber", quantity(block.number())},
            {"transactionHash", hex_data(block.txn_hashes[txn_index])},
            {"transactionIndex", quantity(std::uint64_t{txn_index})},
            {"blockHash", format_block_hash(block.hash)},
            {"blockTimestamp", quantity(block.header().timestamp)},
            {"logIndex", quantity(std::uint64_t{log_index})},
            {"removed", removed}};
}

json::object format_receipt(const sequencer::ExecutedBlock& block, std::size_t index,
                            const chain::ChainConfig& config) {
    const chain::Receipt& receipt = block.receipts[index];
    const chain::Transaction& txn = block.block.transactions[index];
    const chain::Header& header = block.header();
    json::object out;
    out["blockHash"] = format_block_hash(block.hash);
    out["blockNumber"] = quantity(header.number);
    out["transactionHash"] = hex_data(block.txn_hashes[index]);
    out["transactionIndex"] = quantity(std::uint64_t{index});
    out["from"] = hex_data(block.senders[index]);
    out["to"] = txn.to ? hex_data(*txn.to) : json::value(nullptr);
    out["cumulativeGasUsed"] = quantity(receipt.cumulative_gas_used);
    out["gasUsed"] = quantity(receipt.gas_used);
    out["contractAddress"] =
        receipt.contract_address ? hex_data(*receipt.contract_address) : json::value(nullptr);
    out["effectiveGasPrice"] = quantity(effective_gas_price(txn, header.base_fee));
    out["type"] = quantity(static_cast<std::uint64_t>(receipt.type));
    out["logsBloom"] = hex_data(receipt.bloom);
    if (receipt.state_root)
        out["root"] = hex_data(*receipt.state_root);
    else
        out["status"] = quantity(std::uint64_t{receipt.success});
    if (txn.type == TxnType::Blob) {
        out["blobGasUsed"] = quantity(receipt.blob_gas_used);
        out["blobGasPrice"] =
            quantity(chain::blob_base_fee(config, header.timestamp, header.excess_blob_gas.value_or(0)));
    }
    std::size_t log_index = 0;
    for (std::size_t i = 0; i < index; ++i)
        log_index += block.receipts[i].logs.size();
    json::array logs;
    for (const auto& log : receipt.logs)
        logs.push_back(format_log(log, block, index, log_index++));
    out["logs"] = std::move(logs);
    return out;
}

}  // namespace meridian::rpc
