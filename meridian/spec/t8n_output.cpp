#include <meridian/spec/t8n_output.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/chain/txn_cost.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/spec/execution.hpp>
#include <meridian/spec/fixture.hpp>

#include <boost/json/serialize.hpp>

#include <cstdio>
#include <filesystem>

namespace meridian::spec {
namespace {

using chain::TxnError;
using evm::Revision;
namespace json = boost::json;

// The hash that receipts give for the block, which does not exist yet.
constexpr Hash kBlockHash = [] {
    Hash out;
    out[0] = 0x13;
    out[1] = 0x37;
    return out;
}();

// EIP-55.
std::string checksummed(const Address& address) {
    std::string out = to_hex(address);
    const Hash digest = crypto::keccak256(as_bytes(out));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const unsigned nibble = i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15u;
        if (out[i] >= 'a' && nibble >= 8)
            out[i] = static_cast<char>(out[i] - 'a' + 'A');
    }
    return "0x" + out;
}

std::string decimal(std::uint64_t value) {
    return std::to_string(value);
}

json::object log_json(const state::Log& log, const T8nInput& input, const Hash& txn_hash,
                      std::size_t txn_index, std::size_t log_index) {
    json::array topics;
    for (const Hash& topic : log.topics)
        topics.push_back(json::string(to_hex0x(topic)));
    return {{"address", to_hex0x(log.address)},
            {"topics", std::move(topics)},
            {"data", to_hex0x(log.data)},
            {"blockNumber", to_quantity(input.header.number)},
            {"transactionHash", to_hex0x(txn_hash)},
            {"transactionIndex", to_quantity(txn_index)},
            {"blockHash", to_hex0x(kBlockHash)},
            {"blockTimestamp", to_quantity(input.header.timestamp)},
            {"logIndex", to_quantity(log_index)},
            {"removed", false}};
}

json::object receipt_json(const chain::Receipt& receipt, const T8nInput& input, const T8nOutput& output,
                          std::size_t index, std::size_t& log_index) {
    const Hash txn_hash = chain::transaction_hash(output.transactions[index]);
    json::object out;
    if (receipt.type != chain::TxnType::Legacy)
        out["type"] = to_quantity(static_cast<std::uint64_t>(receipt.type));
    out["root"] = receipt.state_root ? to_hex0x(*receipt.state_root) : "0x";
    out["status"] = receipt.success ? "0x1" : "0x0";
    out["cumulativeGasUsed"] = to_quantity(receipt.cumulative_gas_used);
    out["logsBloom"] = to_hex0x(receipt.bloom);
    json::array logs;
    for (const state::Log& log : receipt.logs)
        logs.push_back(log_json(log, input, txn_hash, index, log_index++));
    out["logs"] = std::move(logs);
    out["transactionHash"] = to_hex0x(txn_hash);
    out["contractAddress"] = to_hex0x(receipt.contract_address.value_or(Address{}));
    out["gasUsed"] = to_quantity(receipt.gas_used);
    out["effectiveGasPrice"] = nullptr;
    if (receipt.type == chain::TxnType::Blob) {
        out["blobGasUsed"] = to_quantity(chain::kGasPerBlob * output.transactions[index].blob_hashes.size());
        out["blobGasPrice"] = to_quantity(output.blob_base_fee);
    }
    out["blockHash"] = to_hex0x(kBlockHash);
    out["blockNumber"] = to_quantity(input.header.number);
    out["transactionIndex"] = to_quantity(index);
    return out;
}

json::value requests_json(const T8nOutput& output) {
    if (!output.requests_hash)
        return nullptr;
    json::array out;
    for (const chain::Request& request : output.requests)
        if (!request.data.empty()) {
            Bytes encoded{request.type};
            append(encoded, request.data);
            out.push_back(json::string(to_hex0x(encoded)));
        }
    return out;
}

void add_fork_fields(json::object& out, const T8nInput& input, const T8nOutput& output) {
    const chain::Header& header = input.header;
    const Revision revision = input.config.revision(header.number, header.timestamp);
    if (input.base_fee)
        out["currentBaseFee"] = to_quantity(*input.base_fee);
    if (input.withdrawals)
        out["withdrawalsRoot"] = to_hex0x(chain::withdrawals_root(*input.withdrawals));
    if (revision >= Revision::Cancun && !input.lacks_excess_blob_gas) {
        out["currentExcessBlobGas"] = to_quantity(*header.excess_blob_gas);
        out["blobGasUsed"] = to_quantity(output.blob_gas_used);
    }
    if (output.requests_hash)
        out["requestsHash"] = to_hex0x(*output.requests_hash);
    out["requests"] = requests_json(output);
}

json::object result_json(const T8nInput& input, const T8nOutput& output) {
    std::vector<state::Log> logs;
    for (const chain::Receipt& receipt : output.receipts)
        logs.insert(logs.end(), receipt.logs.begin(), receipt.logs.end());
    const bool merged = input.config.revision(input.header.number, input.header.timestamp) >= Revision::Paris;
    json::array receipts;
    std::size_t log_index = 0;
    for (std::size_t i = 0; i < output.receipts.size(); ++i)
        receipts.push_back(receipt_json(output.receipts[i], input, output, i, log_index));
    json::object out{{"stateRoot", to_hex0x(output.post.root())},
                     {"txRoot", to_hex0x(chain::transactions_root(output.transactions))},
                     {"receiptsRoot", to_hex0x(chain::receipts_root(output.receipts))},
                     {"logsHash", to_hex0x(logs_hash(logs))},
                     {"logsBloom", to_hex0x(chain::bloom_of(logs))},
                     {"receipts", std::move(receipts)}};
    if (!output.rejected.empty()) {
        json::array rejected;
        for (const T8nRejected& item : output.rejected)
            rejected.push_back(json::object{{"index", item.index}, {"error", item.reason}});
        out["rejected"] = std::move(rejected);
    }
    if (merged)
        out["currentDifficulty"] = nullptr;
    else
        out["currentDifficulty"] = to_quantity(input.header.difficulty);
    out["gasUsed"] = to_quantity(output.gas_used);
    add_fork_fields(out, input, output);
    return out;
}

json::object opcode_counts_json(const T8nOutput& output) {
    json::object out;
    for (std::size_t opcode = 0; opcode < output.opcode_counts.size(); ++opcode)
        if (output.opcode_counts[opcode] != 0)
            out[opcode_name(static_cast<std::uint8_t>(opcode))] = output.opcode_counts[opcode];
    return out;
}

json::string body_json(const T8nOutput& output) {
    Bytes payload;
    for (const chain::Transaction& txn : output.transactions)
        chain::append_to_block(payload, txn);
    return json::string(to_hex0x(rlp::wrap_list(payload)));
}

// Lines indented by two blanks a level. Recursion is bounded by the results' own depth.
void append_pretty(std::string& out, const json::value& value, std::size_t level) {
    const auto new_line = [&](std::size_t depth) { out.append("\n").append(2 * depth, ' '); };
    bool first = true;
    const auto separate = [&] {
        if (!first)
            out += ',';
        first = false;
        new_line(level + 1);
    };
    if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
        out += '{';
        for (const auto& item : *object) {
            separate();
            out += json::serialize(json::string(item.key())) + ": ";
            append_pretty(out, item.value(), level + 1);
        }
        new_line(level);
        out += '}';
    } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
        out += '[';
        for (const json::value& item : *array) {
            separate();
            append_pretty(out, item, level + 1);
        }
        new_line(level);
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

std::string pretty(const json::value& value) {
    std::string out;
    append_pretty(out, value, 0);
    return out + "\n";
}

Result<void, T8nError> write_file(const T8nOptions& options, const std::string& name,
                                  const json::value& value) {
    const std::filesystem::path path = std::filesystem::path(options.output_basedir) / name;
    const std::string text = pretty(value);
    std::FILE* file = std::fopen(path.c_str(), "wb");
    bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file != nullptr)
        written = std::fclose(file) == 0 && written;
    if (!written)
        return fail(T8nError{T8nCode::Io, "failed writing output: " + path.string()});
    return {};
}

}  // namespace

std::string describe_rejection(TxnError error, const chain::Transaction& txn, const Address& sender,
                               state::State& state, const T8nInput& input) {
    const std::string from = "address " + checksummed(sender);
    const chain::Header& header = input.header;
    const Revision revision = input.config.revision(header.number, header.timestamp);
    switch (error) {
        case TxnError::NonceMismatchTooLow:
        case TxnError::NonceMismatchTooHigh:
            return std::string(error == TxnError::NonceMismatchTooLow ? "nonce too low: "
                                                                      : "nonce too high: ") +
                   from + ", tx: " + decimal(txn.nonce) + " state: " + decimal(state.nonce(sender));
        case TxnError::NonceIsMax:
            return "nonce has max value: " + from + ", nonce: " + decimal(txn.nonce);
        case TxnError::SenderNotEoa:
            return "sender not an eoa: " + from + ", len(code): " + decimal(state.code(sender).size());
        case TxnError::InsufficientAccountFunds:
            return "insufficient funds for gas * price + value: " + from + " have " +
                   to_decimal(state.balance(sender)) + " want " +
                   to_decimal(chain::upfront_cost(txn).value_or(u256::max()));
        case TxnError::InsufficientMaxFeePerGas:
            return "max fee per gas less than block base fee: " + from +
                   ", maxFeePerGas: " + to_decimal(txn.max_fee_per_gas) +
                   ", baseFee: " + to_decimal(header.base_fee.value_or(0));
        case TxnError::PriorityGreaterThanMaxFeePerGas:
            return "max priority fee per gas higher than max fee per gas: " + from +
                   ", maxPriorityFeePerGas: " + to_decimal(txn.max_priority_fee_per_gas) +
                   ", maxFeePerGas: " + to_decimal(txn.max_fee_per_gas);
        case TxnError::InsufficientMaxFeePerBlobGas:
            return "max fee per blob gas less than block blob gas fee: " + from +
                   " blobGasFeeCap: " + to_decimal(txn.max_fee_per_blob_gas) + ", blobBaseFee: " +
                   to_decimal(chain::blob_base_fee(input.config, header.timestamp, *header.excess_blob_gas));
        case TxnError::GasAllowanceExceeded:
            return "gas limit reached";
        case TxnError::GasLimitExceedsMaximum:
            return "transaction gas limit too high (cap: " + decimal(chain::kTxnGasMaximum) +
                   ", tx: " + decimal(txn.gas_limit) + ")";
        case TxnError::IntrinsicGasTooLow:
            return "intrinsic gas too low: have " + decimal(txn.gas_limit) + ", want " +
                   decimal(chain::intrinsic_gas(revision, txn).gas);
        case TxnError::IntrinsicGasBelowFloorGasCost:
            return "insufficient gas for floor data gas cost: have " + decimal(txn.gas_limit) + ", want " +
                   decimal(chain::intrinsic_gas(revision, txn).floor);
        case TxnError::InitcodeSizeExceeded:
            return "max initcode size exceeded: code size " + decimal(txn.data.size()) + " limit " +
                   decimal(input.config.max_init_code_size);
        case TxnError::Type0NotSupported:
        case TxnError::Type1TxPreFork:
        case TxnError::Type2TxPreFork:
        case TxnError::Type3TxPreFork:
        case TxnError::Type4TxPreFork:
            return "transaction type not supported";
        case TxnError::Type3TxZeroBlobs:
            return "blob transaction missing blob hashes";
        case TxnError::Type3TxInvalidBlobVersionedHash:
            return "blob hash has an invalid hash version";
        case TxnError::Type3TxContractCreation:
            return "blob transaction of type create";
        case TxnError::Type3TxBlobCountExceeded:
        case TxnError::Type3TxMaxBlobGasAllowanceExceeded:
            return "blob gas (" + decimal(chain::kGasPerBlob * txn.blob_hashes.size()) +
                   ") would exceed maximum allowance " +
                   decimal(chain::kGasPerBlob * input.config.blob_parameters(header.timestamp).max);
        case TxnError::Type4EmptyAuthorizationList:
            return "EIP-7702 transaction with empty auth list (sender " + checksummed(sender) + ")";
        case TxnError::Type4TxContractCreation:
            return "EIP-7702 transaction cannot be used to create contract (sender " + checksummed(sender) +
                   ")";
        case TxnError::InvalidChainId:
            return "invalid chain id for signer: have " + decimal(txn.chain_id.value_or(0)) + " want " +
                   decimal(input.config.chain_id);
        case TxnError::InvalidSignatureVrs:
        case TxnError::EcRecoverFailed:
            return "invalid transaction v, r, s values";
        default:
            return std::string(chain::name(error));
    }
}

Result<void, T8nError> write_t8n_output(const T8nOptions& options, const T8nInput& input,
                                        const T8nOutput& output) {
    json::object to_stdout;
    json::object to_stderr;
    const auto dispatch = [&](const std::string& target, const char* name,
                              json::value value) -> Result<void, T8nError> {
        if (target == "stdout")
            to_stdout[name] = std::move(value);
        else if (target == "stderr")
            to_stderr[name] = std::move(value);
        else if (!target.empty())
            return write_file(options, target, value);
        return {};
    };
    if (!options.output_alloc.empty())
        if (auto r = dispatch(options.output_alloc, "alloc", write_alloc(output.post)); !r)
            return r;
    if (auto r = dispatch(options.output_result, "result", result_json(input, output)); !r)
        return r;
    if (auto r = dispatch(options.output_body, "body", body_json(output)); !r)
        return r;
    if (!options.opcode_count.empty())
        if (auto r = write_file(options, options.opcode_count, opcode_counts_json(output)); !r)
            return r;
    if (!to_stdout.empty())
        std::fputs(pretty(to_stdout).c_str(), stdout);
    if (!to_stderr.empty())
        std::fputs(pretty(to_stderr).c_str(), stderr);
    return {};
}

}  // namespace meridian::spec
