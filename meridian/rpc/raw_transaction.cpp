// geth names Go's structures, fields and types; tools and their users know its messages.
#include <meridian/rpc/raw_transaction.hpp>

#include <meridian/rlp/decode.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

using rlp::DecodeError;

struct GoField {
    std::string_view ours;
    std::string_view name;
    std::string_view type;
};

constexpr std::string_view kBigInteger = "*big.Int";

constexpr GoField kFields[] = {
    {"chainId", "ChainID", kBigInteger},
    {"nonce", "Nonce", "uint64"},
    {"gasPrice", "GasPrice", kBigInteger},
    {"maxPriorityFeePerGas", "GasTipCap", kBigInteger},
    {"maxFeePerGas", "GasFeeCap", kBigInteger},
    {"gasLimit", "Gas", "uint64"},
    {"to", "To", "common.Address"},
    {"value", "Value", kBigInteger},
    {"data", "Data", "[]uint8"},
    {"accessList", "AccessList", "types.AccessList"},
    {"maxFeePerBlobGas", "BlobFeeCap", kBigInteger},
    {"blobVersionedHashes", "BlobHashes", "[]common.Hash"},
    {"authorizationList", "AuthList", "[]types.SetCodeAuthorization"},
    {"v", "V", kBigInteger},
    {"yParity", "V", kBigInteger},
    {"r", "R", kBigInteger},
    {"s", "S", kBigInteger},
};

// Of the entries of a list.
struct GoEntry {
    std::string_view list;
    std::string_view field;  // empty: the entry itself
    std::string_view name;
    std::string_view type;
};

constexpr GoEntry kEntries[] = {
    {"accessList", "", "", "types.AccessTuple"},
    {"accessList", "address", ".Address", "common.Address"},
    {"accessList", "storageKeys", ".StorageKeys", "[]common.Hash"},
    {"blobVersionedHashes", "", "", "common.Hash"},
    {"authorizationList", "", "", "types.SetCodeAuthorization"},
    {"authorizationList", "chainId", ".ChainID", "uint256.Int"},
    {"authorizationList", "address", ".Address", "common.Address"},
    {"authorizationList", "nonce", ".Nonce", "uint64"},
    {"authorizationList", "yParity", ".V", "uint8"},
    {"authorizationList", "r", ".R", "uint256.Int"},
    {"authorizationList", "s", ".S", "uint256.Int"},
};

std::string_view structure_of(std::uint8_t first_byte) {
    switch (first_byte) {
        case 1:
            return "types.AccessListTx";
        case 2:
            return "types.DynamicFeeTx";
        case 3:
            return "types.BlobTx";
        case 4:
            return "types.SetCodeTx";
        default:
            return "types.LegacyTx";
    }
}

std::string decoding_into(std::string_view type, std::string_view structure, std::string_view name,
                          std::string_view inner) {
    std::string out(type);
    out.append(", decoding into (").append(structure).append(").");
    return out.append(name).append(inner);
}

const GoEntry* entry_of(std::string_view list, std::string_view field) {
    for (const GoEntry& entry : kEntries)
        if (entry.list == list && entry.field == field)
            return &entry;
    return nullptr;
}

// "[0].storageKeys[1]" as geth has it: of an entry of the list, or of an entry's field.
std::string inner_place(std::string_view structure, const GoField& list, std::string_view path) {
    const std::size_t close = path.find(']') + 1;
    const std::string_view index = path.substr(0, close);
    std::string_view field = path.substr(close);
    const std::size_t key = std::min(field.find('['), field.size());
    const std::string_view key_index = field.substr(key);
    field = field.substr(0, key);
    if (!field.empty())
        field.remove_prefix(1);  // the dot
    const GoEntry* entry = entry_of(list.ours, field);
    if (entry == nullptr)
        return decoding_into(list.type, structure, list.name, path);
    const std::string_view type = key_index.empty() ? entry->type : "common.Hash";
    std::string inner(index);
    return decoding_into(type, structure, list.name, inner.append(entry->name).append(key_index));
}

// The field with its type, or the whole structure.
std::string place(std::string_view structure, std::string_view field) {
    constexpr std::string_view kPrefix = "transaction.";
    if (field.starts_with(kPrefix))
        field.remove_prefix(kPrefix.size());
    const std::size_t bracket = std::min(field.find('['), field.size());
    const std::string_view inner = field.substr(bracket);
    for (const GoField& entry : kFields) {
        if (entry.ours != field.substr(0, bracket))
            continue;
        if (!inner.empty())
            return inner_place(structure, entry, inner);
        const bool wide = structure == "types.BlobTx" || structure == "types.SetCodeTx";
        const std::string_view type = wide && entry.type == kBigInteger ? "*uint256.Int" : entry.type;
        return decoding_into(type, structure, entry.name, {});
    }
    return std::string(structure);
}

// Of the structure's own list, or of what a field holds.
std::string describe(DecodeError error, std::string_view structure, std::string_view field) {
    const std::string where = place(structure, field);
    switch (error) {
        case DecodeError::InputTooShort:
            return where == structure ? "value size exceeds available input length"
                                      : "element is larger than containing list";
        case DecodeError::TrailingBytes:
            return "input contains more than one value";
        case DecodeError::NonCanonicalSize:
        case DecodeError::LeadingZeroInSize:
            return "non-canonical size information for " + where;
        case DecodeError::LeadingZero:
            return "non-canonical integer (leading zero bytes) for " + where;
        case DecodeError::UnexpectedList:
            return "expected input string or byte for " + where;
        case DecodeError::UnexpectedString:
            return "expected input list for " + where;
        case DecodeError::StringTooShort:
            return "input string too short for " + where;
        case DecodeError::Overflow:
        case DecodeError::StringTooLong:
            return "input string too long for " + where;
        case DecodeError::TooFewItems:
            return "too few elements for " + std::string(structure);
        case DecodeError::TooManyItems:
            return "input list has too many elements for " + std::string(structure);
        case DecodeError::TooDeep:
        case DecodeError::InvalidValue:
            break;
    }
    return std::string(rlp::to_string(error)) + " for " + where;
}

}  // namespace

std::string describe_raw_failure(BytesView raw, const chain::DecodeFailure& failure) {
    // A byte up to 0x7f is a type, and anything above begins a legacy transaction, be it a list or not.
    const bool typed = raw.empty() || raw[0] <= 0x7f;
    if (typed && raw.size() <= 1)
        return "typed transaction too short";
    if (!typed && raw[0] < 0xc0)
        return "rlp: expected input list for types.LegacyTx";
    if (failure.error == chain::TxnError::TypeNotSupported)
        return "transaction type not supported";
    if (failure.error == chain::TxnError::InvalidSignatureVrs)
        return "invalid transaction v, r, s values";
    if (failure.fault)
        return "rlp: " + describe(*failure.fault, structure_of(raw[0]), failure.field);
    return failure.field + ": " + failure.reason;
}

}  // namespace meridian::rpc
