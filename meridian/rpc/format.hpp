// Blocks, transactions, receipts and logs as execution-apis lays them out in JSON. The hash of a block that
// is still open is null.
#pragma once

#include <meridian/chain/config.hpp>
#include <meridian/rpc/values.hpp>
#include <meridian/sequencer/executed_block.hpp>

namespace meridian::rpc {

json::object format_header(const chain::Header& header, const Hash& hash);
json::object format_block(const sequencer::ExecutedBlock& block, bool full_transactions);
// One of a block's transactions.
json::object format_transaction(const sequencer::ExecutedBlock& block, std::size_t index);
// One that waits in the pool.
json::object format_pending(const chain::Transaction& txn, const Address& sender, const Hash& hash);
json::object format_receipt(const sequencer::ExecutedBlock& block, std::size_t index,
                            const chain::ChainConfig& config);
json::object format_log(const state::Log& log, const sequencer::ExecutedBlock& block, std::size_t txn_index,
                        std::size_t log_index, bool removed = false);
json::array format_access_list(const chain::AccessList& list);
json::object format_withdrawal(const chain::Withdrawal& withdrawal);

// What a gas unit costs in a block with that base fee.
u256 effective_gas_price(const chain::Transaction& txn, const std::optional<u256>& base_fee);

}  // namespace meridian::rpc
