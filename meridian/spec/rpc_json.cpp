#include <meridian/spec/rpc_json.hpp>

#include <meridian/spec/fixture.hpp>

namespace meridian::spec {
namespace {

using chain::Transaction;
using chain::TxnType;

const Json& first_of(const Json& value, std::string_view name, std::string_view other) {
    const Json* found = find(value, name);
    return found != nullptr ? *found : member(value, other);
}

TxnType read_type(const Json& value) {
    if (const Json* type = find(value, "type")) {
        const std::uint64_t byte = number64(*type);
        if (byte > 4 && byte != static_cast<std::uint64_t>(TxnType::Deposit))
            reject(*type, "unknown transaction type");
        return static_cast<TxnType>(byte);
    }
    if (find(value, "authorizationList") != nullptr)
        return TxnType::SetCode;
    if (find(value, "blobVersionedHashes") != nullptr)
        return TxnType::Blob;
    if (find(value, "maxFeePerGas") != nullptr)
        return TxnType::DynamicFee;
    return find(value, "accessList") != nullptr ? TxnType::AccessList : TxnType::Legacy;
}

void read_fees(const Json& value, Transaction& out) {
    if (out.type <= TxnType::AccessList) {
        out.max_fee_per_gas = number(member(value, "gasPrice"));
        out.max_priority_fee_per_gas = out.max_fee_per_gas;
    } else if (out.type != TxnType::Deposit) {
        out.max_fee_per_gas = number(member(value, "maxFeePerGas"));
        out.max_priority_fee_per_gas = number(member(value, "maxPriorityFeePerGas"));
    }
}

u256 number_or_zero(const Json& value, std::string_view name) {
    const Json* found = find(value, name);
    return found != nullptr ? number(*found) : u256{};
}

void read_signature(const Json& value, Transaction& out) {
    out.r = number_or_zero(value, "r");
    out.s = number_or_zero(value, "s");
    const Json* v = find(value, "v");
    const Json* parity = find(value, "yParity");
    if (v != nullptr)
        out.v = number(*v);
    else if (parity != nullptr)
        out.v = number(*parity);
    if (out.type != TxnType::Legacy) {
        if (const Json* id = find(value, "chainId"))
            out.chain_id = number64(*id);
    } else if (fits_u64(out.v) && out.v[0] >= 35) {
        out.chain_id = (out.v[0] - 35) / 2;
    }
}

void read_deposit(const Json& value, Transaction& out) {
    out.source_hash = hash(member(value, "sourceHash"));
    out.from = address(member(value, "from"));
    if (const Json* mint = find(value, "mint"))
        out.mint = number(*mint);
    if (const Json* system = find(value, "isSystemTx"))
        out.is_system = boolean(*system);
}

template <class T, class Read>
void read_optional(const Json& value, std::string_view name, std::optional<T>& out, Read read) {
    if (const Json* found = find(value, name))
        out = read(*found);
}

}  // namespace

Transaction read_rpc_transaction(const Json& value) {
    Transaction out;
    out.type = read_type(value);
    out.gas_limit = number64(first_of(value, "gas", "gasLimit"));
    out.value = number(member(value, "value"));
    out.data = bytes(first_of(value, "input", "data"));
    if (const Json* to = find(value, "to"); to != nullptr && !text(*to).empty())
        out.to = address(*to);
    if (out.type == TxnType::Deposit) {
        read_deposit(value, out);
        return out;
    }
    out.nonce = number64(member(value, "nonce"));
    read_fees(value, out);
    if (out.type != TxnType::Legacy)
        if (const Json* list = find(value, "accessList"))
            out.access_list = read_access_list(*list);
    if (out.type == TxnType::Blob) {
        out.max_fee_per_blob_gas = number(member(value, "maxFeePerBlobGas"));
        out.blob_hashes = read_hashes(member(value, "blobVersionedHashes"));
    }
    if (out.type == TxnType::SetCode)
        out.authorizations = read_authorizations(member(value, "authorizationList"));
    read_signature(value, out);
    return out;
}

chain::Header read_rpc_header(const Json& value) {
    const auto read_number = [](const Json& v) { return number(v); };
    const auto read_number64 = [](const Json& v) { return number64(v); };
    const auto read_hash = [](const Json& v) { return hash(v); };
    chain::Header out;
    out.parent_hash = hash(member(value, "parentHash"));
    out.ommers_hash = hash(first_of(value, "sha3Uncles", "uncleHash"));
    out.coinbase = address(first_of(value, "miner", "coinbase"));
    out.state_root = hash(member(value, "stateRoot"));
    out.transactions_root = hash(first_of(value, "transactionsRoot", "transactionsTrie"));
    out.receipts_root = hash(first_of(value, "receiptsRoot", "receiptTrie"));
    out.bloom = fixed_bytes<256>(first_of(value, "logsBloom", "bloom"));
    out.difficulty = number(member(value, "difficulty"));
    out.number = number64(member(value, "number"));
    out.gas_limit = number64(member(value, "gasLimit"));
    out.gas_used = number64(member(value, "gasUsed"));
    out.timestamp = number64(member(value, "timestamp"));
    out.extra_data = bytes(member(value, "extraData"));
    out.mix_hash = hash(member(value, "mixHash"));
    out.nonce = fixed_bytes<8>(member(value, "nonce"));
    read_optional(value, "baseFeePerGas", out.base_fee, read_number);
    read_optional(value, "withdrawalsRoot", out.withdrawals_root, read_hash);
    read_optional(value, "blobGasUsed", out.blob_gas_used, read_number64);
    read_optional(value, "excessBlobGas", out.excess_blob_gas, read_number64);
    read_optional(value, "parentBeaconBlockRoot", out.parent_beacon_block_root, read_hash);
    read_optional(value, "requestsHash", out.requests_hash, read_hash);
    return out;
}

}  // namespace meridian::spec
