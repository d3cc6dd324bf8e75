#include <meridian/spec/exception_names.hpp>

namespace meridian::spec {
namespace {

using B = chain::BlockError;
using T = chain::TxnError;

using Error = std::variant<T, B>;

struct Alias {
    std::string_view name;
    Error meaning;
};

// Names that are not the error's own. Where a name has several rows, each of them is what it means: the
// suites' older names cover several causes, or the order of two checks is a client's own choice.
constexpr Alias kAliases[] = {
    // The greatest nonce, which no transaction can use; one beyond 64 bits is NONCE_OVERFLOW.
    {"TransactionException.NONCE_TOO_BIG", T::NonceIsMax},
    {"InvalidVRS", T::InvalidSignatureVrs},
    // v tells both the chain and the parity: one that is no legacy transaction's is either's fault.
    {"TransactionException.INVALID_CHAINID", T::InvalidSignatureVrs},

    // A type byte that the fork does not know.
    {"TransactionException.TYPE_NOT_SUPPORTED", T::Type0NotSupported},
    {"TransactionException.TYPE_NOT_SUPPORTED", T::Type1TxPreFork},
    {"TransactionException.TYPE_NOT_SUPPORTED", T::Type2TxPreFork},
    {"TransactionException.TYPE_NOT_SUPPORTED", T::Type3TxPreFork},
    {"TransactionException.TYPE_NOT_SUPPORTED", T::Type4TxPreFork},
    {"TR_TypeNotSupported", T::Type1TxPreFork},
    {"TR_TypeNotSupported", T::Type2TxPreFork},
    {"TR_TypeNotSupported", T::Type3TxPreFork},
    {"TR_TypeNotSupported", T::Type4TxPreFork},
    {"TR_TypeNotSupportedBlob", T::Type3TxPreFork},

    // Fixtures of 2025's first months have one name for the intrinsic gas and EIP-7623's floor.
    {"TransactionException.INTRINSIC_GAS_TOO_LOW", T::IntrinsicGasBelowFloorGasCost},

    {"TR_NoFunds", T::InsufficientAccountFunds},
    {"TR_NoFundsX", T::InsufficientAccountFunds},
    {"TR_NoFundsValue", T::InsufficientAccountFunds},
    {"TR_NoFundsOrGas", T::InsufficientAccountFunds},
    {"TR_NoFundsOrGas", T::IntrinsicGasTooLow},
    {"TR_IntrinsicGas", T::IntrinsicGasTooLow},
    {"IntrinsicGas", T::IntrinsicGasTooLow},
    {"SenderNotEOA", T::SenderNotEoa},
    {"SenderNotEOAorNoCASH", T::SenderNotEoa},
    {"SenderNotEOAorNoCASH", T::InsufficientAccountFunds},
    {"TR_FeeCapLessThanBlocks", T::InsufficientMaxFeePerGas},
    {"TR_FeeCapLessThanBlocksORNoFunds", T::InsufficientMaxFeePerGas},
    {"TR_FeeCapLessThanBlocksORNoFunds", T::InsufficientAccountFunds},
    {"TR_FeeCapLessThanBlocksORGasLimitReached", T::InsufficientMaxFeePerGas},
    {"TR_FeeCapLessThanBlocksORGasLimitReached", T::GasAllowanceExceeded},
    {"1559BlockImportImpossible_TransactionFee", T::InsufficientMaxFeePerGas},
    {"TR_GasLimitReached", T::GasAllowanceExceeded},
    {"TR_NonceTooLow", T::NonceMismatchTooLow},
    {"TR_NonceTooHigh", T::NonceMismatchTooHigh},
    {"TR_NonceHasMaxValue", T::NonceIsMax},
    {"TR_TipGtFeeCap", T::PriorityGreaterThanMaxFeePerGas},
    {"TransactionException.PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2", T::PriorityGreaterThanMaxFeePerGas},
    {"TR_InitCodeLimitExceeded", T::InitcodeSizeExceeded},
    // Before Osaka only a block's blobs are bounded, so that one transaction's are too many for the block.
    {"TransactionException.TYPE_3_TX_BLOB_COUNT_EXCEEDED", T::Type3TxMaxBlobGasAllowanceExceeded},
    {"TR_EMPTYBLOB", T::Type3TxZeroBlobs},
    {"TR_BLOBCREATE", T::Type3TxContractCreation},
    {"TR_BLOBVERSION_INVALID", T::Type3TxInvalidBlobVersionedHash},
    {"TR_BLOBLIST_OVERSIZE", T::Type3TxBlobCountExceeded},
    {"TR_BLOBLIST_OVERSIZE", T::Type3TxMaxBlobGasAllowanceExceeded},

    // Blocks.
    // Two wordings of clients: the parent is not known, or is the zero hash.
    {"UnknownParent", B::UnknownParent},
    {"UnknownParent2", B::UnknownParent},
    {"UnknownParent2", B::UnknownParentZero},
    {"InvalidNumber", B::InvalidBlockNumber},
    {"InvalidTimestampOlderParent", B::InvalidBlockTimestampOlderThanParent},
    {"InvalidTimestampEqualParent", B::InvalidBlockTimestampOlderThanParent},
    {"InvalidDifficulty", B::InvalidDifficulty},
    {"InvalidDifficulty2", B::InvalidDifficulty},
    {"InvalidDifficulty_TooLarge", B::InvalidDifficulty},
    {"ExtraDataTooBig", B::ExtraDataTooBig},
    {"ExtraDataIncorrectDAO", B::InvalidDaoExtraData},
    // Too far from the parent's, or above 2^63 - 1, for which the older suite has no name of its own.
    {"InvalidGasLimit", B::InvalidGasLimit},
    {"InvalidGasLimit", B::GasLimitTooBig},
    {"InvalidGasLimit2", B::InvalidGasLimit},
    {"InvalidGasLimit3", B::InvalidGasLimit},
    {"InvalidGasLimit5", B::InvalidGasLimit},
    {"1559BlockImportImpossible_TargetGasLow", B::InvalidGasLimit},
    {"InvalidGasUsed", B::InvalidGasUsed},
    {"InvalidGasUsed2", B::InvalidGasUsed},
    {"TooMuchGasUsed", B::InvalidGasUsedAboveLimit},
    {"TooMuchGasUsed2", B::InvalidGasUsedAboveLimit},
    // The block's execution exceeds its limit: a transaction does not fit what is left, or the header says
    // so.
    {"BlockException.GAS_USED_OVERFLOW", T::GasAllowanceExceeded},
    {"BlockException.GAS_USED_OVERFLOW", B::InvalidGasUsedAboveLimit},
    // A header without a base fee after London or with one before it, named by the parent's kind.
    {"1559BlockImportImpossible_HeaderIsLegacy", B::BaseFeeUnexpected},
    {"1559BlockImportImpossible_BaseFeeWrong", B::InvalidBaseFeePerGas},
    {"1559BlockImportImpossible_InitialBaseFeeWrong", B::InvalidBaseFeePerGas},
    {"BlockException.IMPORT_IMPOSSIBLE_LEGACY", B::BaseFeeUnexpected},
    {"BlockException.IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT", B::BaseFeeUnexpected},
    {"BlockException.IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT", B::BaseFeeUnexpected},
    {"LegacyBlockImportImpossible", B::BaseFeeUnexpected},
    {"LegacyBlockImportImpossible2", B::BaseFeeUnexpected},
    {"LegacyBlockBaseFeeTransaction", T::Type2TxPreFork},
    {"3675PreParis1559BlockRejected", B::ImportImpossibleDifficultyOverParis},
    // A block of the proof-of-work era has both a difficulty and ommers.
    {"3675PreParis1559BlockRejected", B::ImportImpossibleUnclesOverParis},
    {"3675PoWBlockRejected", B::ImportImpossibleDifficultyOverParis},
    // A difficulty of zero before the merge.
    {"3675PoSBlockRejected", B::InvalidDifficulty},
    {"PostParisUncleHashIsNotEmpty", B::ImportImpossibleUnclesOverParis},
    {"PostMergeUncleHashIsNotEmpty", B::ImportImpossibleUnclesOverParis},
    {"PostParisDifficultyIsNot0", B::ImportImpossibleDifficultyOverParis},
    {"PostMergeDifficultyIsNot0", B::ImportImpossibleDifficultyOverParis},
    {"InvalidTransactionsRoot", B::InvalidTransactionsRoot},
    {"InvalidReceiptsStateRoot", B::InvalidReceiptsRoot},
    {"InvalidStateRoot", B::InvalidStateRoot},
    {"InvalidLogBloom", B::InvalidLogBloom},
    {"InvalidUnclesHash", B::InvalidUnclesHash},
    {"TooManyUncles", B::TooManyUncles},
    {"UncleInChain", B::UncleInChain},
    {"UncleIsAncestor", B::UncleIsAncestor},
    {"UncleIsBrother", B::UncleIsBrother},
    // An ommer's parent has to be an ancestor of the block's parent: a brother's is the block's parent
    // itself.
    {"UncleParentIsNotAncestor", B::UncleParentIncorrect},
    {"UncleParentIsNotAncestor", B::UncleIsBrother},
    {"UncleUnknownParent", B::UncleParentIncorrect},
    {"InvalidUncleParentHash", B::UncleParentIncorrect},
};

using Faults = std::uint32_t;  // one bit each

template <class... F>
constexpr Faults faults(F... fault) {
    return (... | (Faults{1} << static_cast<unsigned>(fault)));
}

using enum rlp::DecodeError;

// The size in front of an item is not canonical.
constexpr Faults kWrongSize = faults(NonCanonicalSize, LeadingZeroInSize);
// RLP that is well-formed, but not what belongs there.
constexpr Faults kWrongStructure =
    faults(LeadingZero, Overflow, UnexpectedList, UnexpectedString, StringTooShort, StringTooLong,
           InvalidValue, TooFewItems, TooManyItems);
constexpr std::string_view kAnyField = "*";
constexpr std::string_view kWhole;

// What a name says of an encoding that was refused: what is wrong, and with which field.
struct EncodingName {
    std::string_view name;
    Error error;
    Faults faults;
    std::string_view field;
};

// Every name of an encoding's fault. The two errors that only say that an encoding is refused,
// RlpInvalidEncoding and RlpStructuresEncoding, agree with these rows alone.
constexpr EncodingName kEncodingNames[] = {
    {"TransactionException.ADDRESS_TOO_LONG", T::RlpInvalidEncoding, faults(StringTooLong), "to"},
    {"TransactionException.ADDRESS_TOO_SHORT", T::RlpInvalidEncoding, faults(StringTooShort), "to"},
    {"TransactionException.GASLIMIT_OVERFLOW", T::RlpInvalidEncoding, faults(Overflow), "gasLimit"},
    // The name is the legacy transaction's field's, and is given to what EIP-1559 has in its place as well.
    {"TransactionException.GASPRICE_OVERFLOW", T::RlpInvalidEncoding, faults(Overflow), "gasPrice"},
    {"TransactionException.GASPRICE_OVERFLOW", T::RlpInvalidEncoding, faults(Overflow), "maxFeePerGas"},
    {"TransactionException.PRIORITY_OVERFLOW", T::RlpInvalidEncoding, faults(Overflow),
     "maxPriorityFeePerGas"},
    {"TransactionException.NONCE_OVERFLOW", T::RlpInvalidEncoding, faults(Overflow), "nonce"},
    // Three names for the same fault: the transaction tests', and the newer and older block tests'.
    {"TransactionException.VALUE_OVERFLOW", T::RlpInvalidEncoding, faults(Overflow), "value"},
    {"TransactionException.RLP_INVALID_VALUE", T::RlpInvalidEncoding, faults(Overflow, UnexpectedList),
     "value"},
    {"TR_RLP_WRONGVALUE", T::RlpInvalidEncoding, faults(Overflow), "value"},
    // r or s beyond 256 bits does not get as far as the signature's check.
    {"TransactionException.INVALID_SIGNATURE_VRS", T::RlpInvalidEncoding, faults(Overflow), "v"},
    {"TransactionException.INVALID_SIGNATURE_VRS", T::RlpInvalidEncoding, faults(Overflow), "r"},
    {"TransactionException.INVALID_SIGNATURE_VRS", T::RlpInvalidEncoding, faults(Overflow), "s"},

    // The outermost list: "unexpected end" and "wrong size" are told apart by how a client reads a stream.
    {"TransactionException.RLP_ERROR_EOF", T::RlpInvalidEncoding, faults(InputTooShort), kWhole},
    {"TransactionException.RLP_ERROR_SIZE", T::RlpInvalidEncoding, faults(InputTooShort, TrailingBytes),
     kWhole},
    {"TransactionException.RLP_ERROR_SIZE_LEADING_ZEROS", T::RlpInvalidEncoding, kWrongSize, kWhole},
    {"TransactionException.RLP_INVALID_HEADER", T::RlpInvalidEncoding, faults(UnexpectedString), kWhole},
    // Neither a list nor a type of EIP-2718 begins with 0x80 to 0xbf: a fixture may see either missing.
    {"TransactionException.TYPE_NOT_SUPPORTED", T::RlpInvalidEncoding, faults(UnexpectedString), kWhole},
    // Ours names the field that is missing, the fixtures' names do not.
    {"TransactionException.RLP_TOO_FEW_ELEMENTS", T::RlpInvalidEncoding, faults(TooFewItems), kAnyField},
    {"TransactionException.RLP_TOO_MANY_ELEMENTS", T::RlpInvalidEncoding, faults(TooManyItems), kAnyField},

    {"TransactionException.RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_LONG", T::RlpInvalidEncoding,
     faults(StringTooLong), "accessList.address"},
    {"TransactionException.RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_SHORT", T::RlpInvalidEncoding,
     faults(StringTooShort), "accessList.address"},
    {"TransactionException.RLP_INVALID_ACCESS_LIST_STORAGE_TOO_LONG", T::RlpInvalidEncoding,
     faults(StringTooLong), "accessList.storageKeys"},
    {"TransactionException.RLP_INVALID_ACCESS_LIST_STORAGE_TOO_SHORT", T::RlpInvalidEncoding,
     faults(StringTooShort), "accessList.storageKeys"},

    {"TransactionException.RLP_INVALID_DATA", T::RlpInvalidEncoding, faults(UnexpectedList), "data"},
    {"TransactionException.RLP_INVALID_GASLIMIT", T::RlpInvalidEncoding, faults(UnexpectedList), "gasLimit"},
    {"TransactionException.RLP_INVALID_NONCE", T::RlpInvalidEncoding, faults(UnexpectedList), "nonce"},
    {"TransactionException.RLP_INVALID_SIGNATURE_R", T::RlpInvalidEncoding, faults(UnexpectedList), "r"},
    {"TransactionException.RLP_INVALID_SIGNATURE_S", T::RlpInvalidEncoding, faults(UnexpectedList), "s"},
    {"TransactionException.RLP_INVALID_TO", T::RlpInvalidEncoding, faults(UnexpectedList), "to"},

    {"TransactionException.RLP_LEADING_ZEROS_BASEFEE", T::RlpInvalidEncoding, faults(LeadingZero),
     "maxFeePerGas"},
    {"TransactionException.RLP_LEADING_ZEROS_DATA_SIZE", T::RlpInvalidEncoding, kWrongSize, "data"},
    {"TransactionException.RLP_LEADING_ZEROS_GASLIMIT", T::RlpInvalidEncoding, faults(LeadingZero),
     "gasLimit"},
    {"TransactionException.RLP_LEADING_ZEROS_GASPRICE", T::RlpInvalidEncoding, faults(LeadingZero),
     "gasPrice"},
    {"TransactionException.RLP_LEADING_ZEROS_NONCE", T::RlpInvalidEncoding, faults(LeadingZero), "nonce"},
    {"TransactionException.RLP_LEADING_ZEROS_NONCE_SIZE", T::RlpInvalidEncoding, kWrongSize, "nonce"},
    {"TransactionException.RLP_LEADING_ZEROS_PRIORITY_FEE", T::RlpInvalidEncoding, faults(LeadingZero),
     "maxPriorityFeePerGas"},
    {"TransactionException.RLP_LEADING_ZEROS_R", T::RlpInvalidEncoding, faults(LeadingZero), "r"},
    {"TransactionException.RLP_LEADING_ZEROS_S", T::RlpInvalidEncoding, faults(LeadingZero), "s"},
    {"TransactionException.RLP_LEADING_ZEROS_V", T::RlpInvalidEncoding, faults(LeadingZero), "v"},
    {"TransactionException.RLP_LEADING_ZEROS_V", T::RlpInvalidEncoding, faults(LeadingZero), "yParity"},
    {"TransactionException.RLP_LEADING_ZEROS_VALUE", T::RlpInvalidEncoding, faults(LeadingZero), "value"},
    // No fixture here has it; the name does not tell the field.
    {"TR_TooShort", T::RlpInvalidEncoding, faults(InputTooShort, StringTooShort, TooFewItems), kAnyField},

    // Blocks. By its definition the first name is for RLP that is valid, but does not hold what a block is
    // made of, be it in a transaction.
    {"BlockException.RLP_STRUCTURES_ENCODING", B::RlpStructuresEncoding, kWrongStructure, kAnyField},
    {"BlockException.RLP_STRUCTURES_ENCODING", T::RlpInvalidEncoding, kWrongStructure, kAnyField},
    {"RLP_BODY_UNMARSHAL_ERROR", B::RlpStructuresEncoding, kWrongStructure, kAnyField},
    {"RLP_BODY_UNMARSHAL_ERROR", T::RlpInvalidEncoding, kWrongStructure, kAnyField},
    // The words of a client: a number of a withdrawal, or of the header, has more than 64 bits. The second
    // name has been used for lists of the wrong length too.
    {"INPUT_UNMARSHAL_ERROR", B::RlpInvalidFieldOverflow64, faults(Overflow), kAnyField},
    {"INPUT_UNMARSHAL_SIZE_ERROR", B::RlpInvalidFieldOverflow64, faults(Overflow), kAnyField},
    {"INPUT_UNMARSHAL_SIZE_ERROR", B::RlpStructuresEncoding, faults(TooFewItems, TooManyItems), kAnyField},
    {"INPUT_UNMARSHAL_ADDRESS_ERROR", B::RlpInvalidAddress, faults(StringTooShort, StringTooLong),
     "withdrawals.address"},
};

// Says no more than that an encoding was refused.
bool is_unspecific(const Error& error) {
    return error == Error(T::RlpInvalidEncoding) || error == Error(B::RlpStructuresEncoding);
}

bool means(const EncodingName& row, const Rejection& actual) {
    return row.error == actual.error && actual.fault && (row.faults & faults(*actual.fault)) != 0 &&
           (row.field == kAnyField || row.field == actual.field);
}

bool means(std::string_view expected, const Rejection& actual) {
    if (expected == name_of(actual) && !is_unspecific(actual.error))
        return true;
    for (const Alias& alias : kAliases)
        if (alias.name == expected && alias.meaning == actual.error)
            return true;
    for (const EncodingName& row : kEncodingNames)
        if (row.name == expected && means(row, actual))
            return true;
    return false;
}

// "transactions[0]: transaction.accessList[3].address" becomes "accessList.address".
std::string bare_field(std::string_view path) {
    if (const std::size_t colon = path.rfind(": "); colon != std::string_view::npos)
        path.remove_prefix(colon + 2);
    constexpr std::string_view kTransaction = "transaction";
    if (path == kTransaction)
        return {};
    if (path.starts_with(kTransaction) && path[kTransaction.size()] == '.')
        path.remove_prefix(kTransaction.size() + 1);
    std::string out;
    for (bool in_brackets = false; const char c : path) {
        in_brackets = c == '[' || (in_brackets && c != ']');
        if (!in_brackets && c != ']')
            out.push_back(c);
    }
    return out;
}

Error error_of(const chain::BlockDecodeFailure& failure) {
    if (failure.txn_error)
        return *failure.txn_error;
    return failure.error;
}

}  // namespace

Rejection::Rejection(const chain::DecodeFailure& failure)
    : error(failure.error), fault(failure.fault), field(bare_field(failure.field)) {}

Rejection::Rejection(const chain::BlockDecodeFailure& failure)
    : error(error_of(failure)), fault(failure.fault), field(bare_field(failure.field)) {}

std::string_view name_of(const Rejection& rejection) noexcept {
    return std::visit([](auto error) { return chain::name(error); }, rejection.error);
}

std::string describe(const Rejection& rejection) {
    std::string out(name_of(rejection));
    if (!rejection.fault)
        return out;
    out.append(" (").append(rlp::to_string(*rejection.fault));
    if (!rejection.field.empty())
        out.append(": ").append(rejection.field);
    return out.append(")");
}

std::string mismatch(std::string_view expected, const Rejection& actual) {
    std::string_view rest = expected;
    if (means(expected, actual))
        return {};
    for (;;) {
        const std::size_t bar = rest.find('|');
        if (means(rest.substr(0, bar), actual))
            return {};
        if (bar == std::string_view::npos)
            break;
        rest.remove_prefix(bar + 1);
    }
    return "rejected for another reason: expected " + std::string(expected) + ", got " + describe(actual);
}

}  // namespace meridian::spec
