// geth names Go's structures, fields and types; tools and their users know its messages.
#include <meridian/rpc/raw_transaction.hpp>

#include <meridian/rlp/decode.hpp>

#include <optional>

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

// The field with its type, or the whole structure.
std::string place(std::string_view structure, std::string_view field) {
    constexpr std::string_view kPrefix = "transaction.";
    if (field.starts_with(kPrefix))
        field.remove_prefix(kPrefix.size());
    for (const GoField& entry : kFields) {
        if (entry.ours != field)
            continue;
        const bool wide = structure == "types.BlobTx" || structure == "types.SetCodeTx";
        const std::string_view type = wide && entry.type == kBigInteger ? "*uint256.Int" : entry.type;
        return std::string(type) + ", decoding into (" + std::string(structure) + ")." +
               std::string(entry.name);
    }
    return std::string(structure);
}

std::optional<DecodeError> error_of(std::string_view reason) {
    for (auto error = DecodeError::InputTooShort; error <= DecodeError::TooManyItems;
         error = static_cast<DecodeError>(static_cast<std::uint8_t>(error) + 1))
        if (rlp::to_string(error) == reason)
            return error;
    return std::nullopt;
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
        case DecodeError::Overflow:
            return "input string too long for " + where;
        case DecodeError::UnexpectedList:
            return "expected input string or byte for " + where;
        case DecodeError::UnexpectedString:
            return "expected input list for " + where;
        case DecodeError::WrongLength:
            return "input string of the wrong length for " + where;
        case DecodeError::TooFewItems:
            return "too few elements for " + std::string(structure);
        case DecodeError::TooManyItems:
            return "input list has too many elements for " + std::string(structure);
        case DecodeError::TooDeep:
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
    if (const auto error = error_of(failure.reason))
        return "rlp: " + describe(*error, structure_of(raw[0]), failure.field);
    return failure.field + ": " + failure.reason;
}

}  // namespace meridian::rpc
