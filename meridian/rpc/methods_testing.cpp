// testing_*: what the test suites of the specification ask for.
#include <meridian/rpc/development.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

constexpr std::uint64_t kGasLimitTarget = 60'000'000;

// The gas limit after `parent` on the way to the target: a 1024th at most.
std::uint64_t next_gas_limit(std::uint64_t parent) {
    const std::uint64_t step = parent / 1024 - 1;
    if (parent < kGasLimitTarget)
        return std::min(parent + step, kGasLimitTarget);
    return std::max(parent - step, kGasLimitTarget);
}

template <class Read>
auto need(const json::object& object, const char* name, Read read) {
    const json::value* value = member(object, name);
    if (value == nullptr)
        throw ValueError("missing " + std::string(name));
    return read_within(name, read, *value);
}

chain::Withdrawal read_withdrawal(const json::value& value) {
    const json::object& fields = read_object(value, "types.Withdrawal");
    return {need(fields, "index", read_uint64), need(fields, "validatorIndex", read_uint64),
            need(fields, "address", read_address), need(fields, "amount", read_uint64)};
}

node::BlockAttributes read_attributes(const json::value& value) {
    const json::object& object = read_object(value, "engine.PayloadAttributes");
    node::BlockAttributes out;
    out.timestamp = need(object, "timestamp", read_uint64);
    out.prev_randao = need(object, "prevRandao", read_hash);
    out.coinbase = need(object, "suggestedFeeRecipient", read_address);
    out.parent_beacon_block_root =
        optional_member(object, "parentBeaconBlockRoot", read_hash).value_or(Hash{});
    const auto withdrawals = [](const json::value& v) {
        return read_list(v, "types.Withdrawals", read_withdrawal);
    };
    out.withdrawals =
        optional_member(object, "withdrawals", withdrawals).value_or(std::vector<chain::Withdrawal>{});
    return out;
}

// The given transactions, or what the pool has if there is no list.
std::vector<node::PooledTxnPtr> chosen_transactions(const Call& call) {
    std::vector<node::PooledTxnPtr> out;
    node::DevChain& chain = development_chain(call);
    if (!call.args.has(2))
        return chain.ready_transactions(chain.next_attributes());
    const auto list =
        call.args.get(2, [](const json::value& v) { return read_list(v, "[]hexutil.Bytes", read_data); });
    for (const Bytes& item : list) {
        const auto txn = chain::decode_transaction(item);
        if (!txn)
            invalid_params("invalid argument 2: " + txn.error().reason);
        const auto sender = chain::recover_sender(*txn);
        if (!sender)
            invalid_params("invalid argument 2: invalid sender");
        out.push_back(std::make_shared<sequencer::PooledTxn>(
            sequencer::PooledTxn{*txn, item, *sender, chain::transaction_hash(*txn)}));
    }
    return out;
}

json::object format_payload(const sequencer::ExecutedBlock& block) {
    const chain::Header& header = block.header();
    json::array transactions;
    for (const auto& txn : block.block.transactions)
        transactions.push_back(hex_data(chain::encode(txn)));
    json::object out{{"parentHash", hex_data(header.parent_hash)},
                     {"feeRecipient", hex_data(header.coinbase)},
                     {"stateRoot", hex_data(header.state_root)},
                     {"receiptsRoot", hex_data(header.receipts_root)},
                     {"logsBloom", hex_data(header.bloom)},
                     {"prevRandao", hex_data(header.mix_hash)},
                     {"blockNumber", quantity(header.number)},
                     {"gasLimit", quantity(header.gas_limit)},
                     {"gasUsed", quantity(header.gas_used)},
                     {"timestamp", quantity(header.timestamp)},
                     {"extraData", hex_data(header.extra_data)},
                     {"baseFeePerGas", quantity(header.base_fee.value_or(u256{}))},
                     {"blockHash", hex_data(block.hash)},
                     {"transactions", std::move(transactions)}};
    json::array withdrawals;
    for (const auto& withdrawal : block.block.withdrawals.value_or(std::vector<chain::Withdrawal>{}))
        withdrawals.push_back(format_withdrawal(withdrawal));
    out["withdrawals"] = std::move(withdrawals);
    if (header.blob_gas_used)
        out["blobGasUsed"] = quantity(*header.blob_gas_used);
    if (header.excess_blob_gas)
        out["excessBlobGas"] = quantity(*header.excess_blob_gas);
    return out;
}

// What the block's maker earns in tips.
u256 tips(const sequencer::ExecutedBlock& block) {
    u256 out;
    const u256 base_fee = block.header().base_fee.value_or(u256{});
    for (std::size_t i = 0; i < block.receipts.size(); ++i)
        out += (effective_gas_price(block.block.transactions[i], block.header().base_fee) - base_fee) *
               block.receipts[i].gas_used;
    return out;
}

json::value build_block(const Call& call) {
    node::DevChain& chain = development_chain(call);
    if (call.args.get(0, read_hash) != chain.head()->hash)
        refuse("parent block is not the head");
    node::BlockAttributes attributes = call.args.get(1, read_attributes);
    attributes.gas_limit = next_gas_limit(chain.head()->header().gas_limit);
    attributes.extra_data = call.args.get_or(3, read_data, Bytes{});
    if (attributes.timestamp <= chain.head()->header().timestamp)
        invalid_params("invalid argument 1: the timestamp is not above the parent's");
    auto built = chain.assemble(attributes, chosen_transactions(call));
    if (!built)
        refuse("cannot build the block: " + built.error().message);
    if (!built->rejected.empty())
        refuse("transaction cannot be included: " + std::string(chain::name(built->rejected.front().error)));
    const auto root = chain.preview_root(built->changes);
    if (!root)
        throw RpcError(ErrorCode::Internal, root.error().message);
    node::DevChain::seal(*built->block, *root);
    json::array requests;
    for (const auto& request : built->requests) {
        Bytes encoded{request.type};
        append(encoded, request.data);
        requests.push_back(hex_data(encoded));
    }
    return json::object{
        {"executionPayload", format_payload(*built->block)},
        {"blockValue", quantity(tips(*built->block))},
        {"blobsBundle",
         json::object{{"commitments", json::array{}}, {"proofs", json::array{}}, {"blobs", json::array{}}}},
        {"executionRequests", std::move(requests)},
        {"shouldOverrideBuilder", false}};
}

}  // namespace

std::span<const Method> testing_methods() {
    static const Method kMethods[] = {
        {"testing_buildBlockV1",
         "Builds a block on the head without adding it",
         {{"parentBlockHash", "Hash"},
          {"payloadAttributes", "PayloadAttributes"},
          {"transactions", "Data[]", false},
          {"extraData", "Data", false}},
         "ExecutionPayloadEnvelope",
         build_block},
    };
    return kMethods;
}

}  // namespace meridian::rpc
