// Strict decoding of transactions: every failure names the field.
#include <meridian/chain/transaction.hpp>

#include <meridian/crypto/accelerator.hpp>
#include <meridian/module/module.hpp>
#include <meridian/rlp/decode.hpp>

#include <limits>
#include <span>

namespace meridian::chain {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kLegacyNames[] = {"nonce", "gasPrice", "gasLimit", "to", "value",
                                             "data",  "v",        "r",        "s"};
constexpr std::string_view kAccessListNames[] = {
    "chainId", "nonce", "gasPrice", "gasLimit", "to", "value", "data", "accessList", "yParity", "r", "s"};
constexpr std::string_view kDynamicFeeNames[] = {
    "chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gasLimit", "to",
    "value",   "data",  "accessList",           "yParity",      "r",        "s"};
constexpr std::string_view kBlobNames[] = {
    "chainId", "nonce",      "maxPriorityFeePerGas", "maxFeePerGas",        "gasLimit", "to", "value",
    "data",    "accessList", "maxFeePerBlobGas",     "blobVersionedHashes", "yParity",  "r",  "s"};
constexpr std::string_view kSetCodeNames[] = {
    "chainId", "nonce",      "maxPriorityFeePerGas", "maxFeePerGas", "gasLimit", "to", "value",
    "data",    "accessList", "authorizationList",    "yParity",      "r",        "s"};
constexpr std::string_view kDepositNames[] = {"sourceHash", "from",     "to",         "mint",
                                              "value",      "gasLimit", "isSystemTx", "data"};

constexpr std::string_view kModuleNames[] = {"chainId",  "moduleId", "account", "nonce", "expiry",
                                             "commands", "yParity",  "r",       "s"};

constexpr std::string_view kAccessListEntryNames[] = {"address", "storageKeys"};
constexpr std::string_view kAuthorizationNames[] = {"chainId", "address", "nonce", "yParity", "r", "s"};

std::string field_path(std::string_view field) {
    std::string out = "transaction";
    if (!field.empty())
        out.append(".").append(field);
    return out;
}

std::unexpected<DecodeFailure> failure(std::string_view field, std::string_view reason,
                                       TxnError error = TxnError::RlpInvalidEncoding) {
    return fail(DecodeFailure{error, field_path(field), std::string(reason), {}});
}

std::unexpected<DecodeFailure> failure(std::string_view field, rlp::DecodeError error,
                                       TxnError kind = TxnError::RlpInvalidEncoding) {
    return fail(DecodeFailure{kind, field_path(field), std::string(rlp::to_string(error)), error});
}

std::string_view name_at(Names names, std::size_t index) noexcept {
    return index < names.size() ? names[index] : std::string_view{};
}

Names entry_names(std::string_view field) noexcept {
    if (field == "accessList")
        return kAccessListEntryNames;
    if (field == "authorizationList")
        return kAuthorizationNames;
    return {};
}

// "[1].storageKeys[0]": from a field into the lists that it nests.
std::string inner_path(std::string_view field, const rlp::FieldError& error) {
    const auto& [entry, member, key] = error.inner;
    std::string out;
    if (entry == rlp::FieldError::kNone)
        return out;
    out.append("[").append(std::to_string(entry)).append("]");
    if (const std::string_view name = name_at(entry_names(field), member); !name.empty())
        out.append(".").append(name);
    if (key != rlp::FieldError::kNone)
        out.append("[").append(std::to_string(key)).append("]");
    return out;
}

std::unexpected<DecodeFailure> failure(Names names, const rlp::FieldError& error) {
    const std::string_view name = name_at(names, error.field);
    const TxnError kind = name == "authorizationList" ? TxnError::Type4InvalidAuthorizationFormat
                                                      : TxnError::RlpInvalidEncoding;
    return failure(std::string(name) + inner_path(name, error), error.error, kind);
}

AccessList read_access_list(rlp::ListReader& reader) {
    AccessList out;
    rlp::ListReader list(reader.list());
    while (!list.at_end()) {
        rlp::ListReader item(list.list());
        AccessListEntry entry;
        entry.address = item.fixed<20>();
        rlp::ListReader keys(item.list());
        while (!keys.at_end())
            entry.storage_keys.push_back(keys.fixed<32>());
        item.adopt(keys);
        list.adopt_whole(item);
        out.push_back(std::move(entry));
    }
    reader.adopt(list);
    return out;
}

std::vector<Authorization> read_authorizations(rlp::ListReader& reader) {
    std::vector<Authorization> out;
    rlp::ListReader list(reader.list());
    while (!list.at_end()) {
        rlp::ListReader item(list.list());
        Authorization a;
        a.chain_id = item.number();
        a.address = item.fixed<20>();
        a.nonce = item.uint64();
        a.y_parity = item.number();
        if (a.y_parity > u256{0xff})
            item.reject(rlp::DecodeError::Overflow);
        a.r = item.number();
        a.s = item.number();
        list.adopt_whole(item);
        out.push_back(a);
    }
    reader.adopt(list);
    return out;
}

std::vector<Hash> read_hashes(rlp::ListReader& reader) {
    std::vector<Hash> out;
    rlp::ListReader list(reader.list());
    while (!list.at_end())
        out.push_back(list.fixed<32>());
    reader.adopt(list);
    return out;
}

void read_signature(rlp::ListReader& reader, Transaction& txn) {
    txn.v = reader.number();
    txn.r = reader.number();
    txn.s = reader.number();
}

void read_call(rlp::ListReader& reader, Transaction& txn) {
    txn.gas_limit = reader.uint64();
    txn.to = reader.optional_fixed<20>();
    txn.value = reader.number();
    txn.data = to_bytes(reader.bytes());
}

// EIP-155: sets the chain id that v stands for. False for a v that stands for nothing.
bool derive_legacy_chain_id(Transaction& txn) {
    if (txn.v == u256{27} || txn.v == u256{28})
        return true;
    if (txn.v < u256{35})
        return false;
    const u256 chain_id = (txn.v - 35) >> 1;
    if (!fits_u64(chain_id))
        return false;
    txn.chain_id = chain_id[0];
    return true;
}

Result<Transaction, DecodeFailure> decode_legacy(BytesView payload) {
    rlp::ListReader reader(payload);
    Transaction txn;
    txn.nonce = reader.uint64();
    txn.max_fee_per_gas = reader.number();
    txn.max_priority_fee_per_gas = txn.max_fee_per_gas;
    read_call(reader, txn);
    read_signature(reader, txn);
    if (const auto done = reader.finish(); !done)
        return failure(kLegacyNames, done.error());
    if (!derive_legacy_chain_id(txn))
        return failure("v", "neither 27 or 28 nor of an EIP-155 chain id of 64 bits",
                       TxnError::InvalidSignatureVrs);
    return txn;
}

Names names_of(TxnType type) noexcept {
    switch (type) {
        case TxnType::AccessList:
            return kAccessListNames;
        case TxnType::DynamicFee:
            return kDynamicFeeNames;
        case TxnType::Blob:
            return kBlobNames;
        case TxnType::SetCode:
            return kSetCodeNames;
        case TxnType::Deposit:
            return kDepositNames;
        case TxnType::Module:
            return kModuleNames;
        case TxnType::Legacy:
            break;
    }
    return kLegacyNames;
}

// Types 1 to 4.
Result<Transaction, DecodeFailure> decode_typed(TxnType type, BytesView payload) {
    rlp::ListReader reader(payload);
    Transaction txn;
    txn.type = type;
    txn.chain_id = reader.uint64();
    txn.nonce = reader.uint64();
    if (type != TxnType::AccessList)
        txn.max_priority_fee_per_gas = reader.number();
    txn.max_fee_per_gas = reader.number();
    if (type == TxnType::AccessList)
        txn.max_priority_fee_per_gas = txn.max_fee_per_gas;
    read_call(reader, txn);
    txn.access_list = read_access_list(reader);
    if (type == TxnType::Blob) {
        txn.max_fee_per_blob_gas = reader.number();
        txn.blob_hashes = read_hashes(reader);
    }
    if (type == TxnType::SetCode)
        txn.authorizations = read_authorizations(reader);
    read_signature(reader, txn);
    if (const auto done = reader.finish(); !done)
        return failure(names_of(type), done.error());
    return txn;
}

// Each a string of at most kModuleCommandSize bytes, and at least one.
bool are_commands(BytesView payload) noexcept {
    std::size_t count = 0;
    for (; !payload.empty(); ++count) {
        const auto command = rlp::read_bytes(payload);
        if (!command || command->size() > kModuleCommandSize || count == kModuleCommandsMax)
            return false;
    }
    return count != 0;
}

Result<Transaction, DecodeFailure> decode_module(BytesView payload) {
    rlp::ListReader reader(payload);
    Transaction txn;
    txn.type = TxnType::Module;
    txn.chain_id = reader.uint64();
    const std::uint64_t id = reader.uint64();
    if (id > std::numeric_limits<std::uint32_t>::max())
        reader.reject(rlp::DecodeError::Overflow);
    txn.module_id = static_cast<std::uint32_t>(id);
    txn.to = module::module_address(txn.module_id);
    txn.from = reader.fixed<20>();
    txn.nonce = reader.uint64();
    txn.expiry_ms = reader.uint64();
    txn.data = to_bytes(reader.list());
    read_signature(reader, txn);
    if (const auto done = reader.finish(); !done)
        return failure(kModuleNames, done.error());
    if (!are_commands(txn.data))
        return failure("commands", "want 1 to 1024 strings of at most 4096 bytes", TxnError::ModuleCommands);
    return txn;
}

Result<Transaction, DecodeFailure> decode_deposit(BytesView payload) {
    rlp::ListReader reader(payload);
    Transaction txn;
    txn.type = TxnType::Deposit;
    txn.source_hash = reader.fixed<32>();
    txn.from = reader.fixed<20>();
    txn.to = reader.optional_fixed<20>();
    // Nothing minted and zero minted are encoded alike.
    if (const u256 mint = reader.number(); mint)
        txn.mint = mint;
    txn.value = reader.number();
    txn.gas_limit = reader.uint64();
    const std::uint64_t is_system = reader.uint64();
    if (is_system > 1)
        reader.reject(rlp::DecodeError::Overflow);
    txn.is_system = is_system == 1;
    txn.data = to_bytes(reader.bytes());
    if (const auto done = reader.finish(); !done)
        return failure(kDepositNames, done.error());
    return txn;
}

std::optional<TxnType> to_type(std::uint8_t byte) noexcept {
    if ((byte >= 1 && byte <= 4) || byte == static_cast<std::uint8_t>(TxnType::Deposit) ||
        byte == static_cast<std::uint8_t>(TxnType::Module))
        return static_cast<TxnType>(byte);
    return std::nullopt;
}

// The payload of the one list that the input is.
Result<BytesView, DecodeFailure> only_list(BytesView input) {
    const auto item = rlp::decode_exact(input);
    if (!item)
        return failure("", item.error());
    if (!item->is_list)
        return failure("", rlp::DecodeError::UnexpectedString);
    return item->payload;
}

bool begins_with_list(BytesView payload) noexcept {
    return !payload.empty() && payload[0] >= 0xc0;
}

// --- blob sidecars --------------------------------------------------------------------------------------

constexpr std::size_t kBlobSize = 131072;
constexpr std::size_t kCellsPerBlob = 128;

struct Sidecar {
    std::size_t blobs = 0;
    std::vector<FixedBytes<48>> commitments;
    std::size_t proofs = 0;
};

std::size_t count_of_size(rlp::ListReader& reader, std::size_t size) {
    rlp::ListReader list(reader.list());
    std::size_t count = 0;
    for (; !list.at_end(); ++count)
        if (const std::size_t actual = list.bytes().size(); actual != size)
            list.reject(actual < size ? rlp::DecodeError::StringTooShort : rlp::DecodeError::StringTooLong);
    reader.adopt(list);
    return count;
}

Sidecar read_sidecar(rlp::ListReader& reader) {
    Sidecar out;
    out.blobs = count_of_size(reader, kBlobSize);
    rlp::ListReader commitments(reader.list());
    while (!commitments.at_end())
        out.commitments.push_back(commitments.fixed<48>());
    reader.adopt(commitments);
    out.proofs = count_of_size(reader, 48);
    return out;
}

Hash versioned_hash(const FixedBytes<48>& commitment) {
    Hash out = crypto::accelerator().sha256(commitment);
    out[0] = 0x01;
    return out;
}

Result<void, DecodeFailure> check_sidecar(const Transaction& txn, const Sidecar& sidecar,
                                          std::size_t proofs_per_blob) {
    const std::size_t count = txn.blob_hashes.size();
    if (sidecar.blobs != count)
        return failure("blobs", "not one blob for each versioned hash");
    if (sidecar.commitments.size() != count)
        return failure("commitments", "not one commitment for each versioned hash");
    if (sidecar.proofs != count * proofs_per_blob)
        return failure("proofs", "wrong number of proofs");
    for (std::size_t i = 0; i < count; ++i)
        if (versioned_hash(sidecar.commitments[i]) != txn.blob_hashes[i])
            return failure("commitments", "commitment of another versioned hash",
                           TxnError::Type3TxInvalidBlobVersionedHash);
    return {};
}

Result<Transaction, DecodeFailure> decode_with_sidecar(BytesView payload) {
    constexpr std::string_view kNames[] = {"body", "blobs", "commitments", "proofs"};
    constexpr std::string_view kVersionedNames[] = {"body", "wrapperVersion", "blobs", "commitments",
                                                    "proofs"};
    rlp::ListReader reader(payload);
    auto txn = decode_typed(TxnType::Blob, reader.list());
    if (!txn)
        return txn;
    // EIP-7594 puts a version byte where the list of blobs used to be.
    const bool versioned = !begins_with_list(reader.rest());
    if (versioned && reader.uint64() != 1 && reader.ok())
        return failure("wrapperVersion", "unknown version");
    const Sidecar sidecar = read_sidecar(reader);
    if (const auto done = reader.finish(); !done)
        return failure(versioned ? Names(kVersionedNames) : Names(kNames), done.error());
    if (const auto checked = check_sidecar(*txn, sidecar, versioned ? kCellsPerBlob : 1); !checked)
        return fail(checked.error());
    return txn;
}

}  // namespace

Result<Transaction, DecodeFailure> decode_transaction(BytesView envelope) {
    if (envelope.empty())
        return failure("", rlp::DecodeError::InputTooShort);
    if (envelope[0] >= 0xc0) {
        const auto payload = only_list(envelope);
        return payload ? decode_legacy(*payload) : fail(payload.error());
    }
    // EIP-2718: types end at 0x7f, and a legacy transaction begins at 0xc0.
    if (envelope[0] >= 0x80)
        return failure("", rlp::DecodeError::UnexpectedString);
    const auto type = to_type(envelope[0]);
    if (!type)
        return failure("type", "unknown transaction type", TxnError::TypeNotSupported);
    const auto payload = only_list(envelope.subspan(1));
    if (!payload)
        return fail(payload.error());
    if (*type == TxnType::Deposit)
        return decode_deposit(*payload);
    if (*type == TxnType::Module)
        return decode_module(*payload);
    if (*type == TxnType::Blob && begins_with_list(*payload))
        return failure("", "a blob transaction with its sidecar", TxnError::Type3TxWithFullBlobs);
    return decode_typed(*type, *payload);
}

Result<Transaction, DecodeFailure> decode_pooled_transaction(BytesView envelope) {
    if (envelope.size() > 1 && envelope[0] == static_cast<std::uint8_t>(TxnType::Blob))
        if (const auto payload = only_list(envelope.subspan(1)); payload && begins_with_list(*payload))
            return decode_with_sidecar(*payload);
    return decode_transaction(envelope);
}

}  // namespace meridian::chain
