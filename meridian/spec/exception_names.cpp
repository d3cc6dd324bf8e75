#include <meridian/spec/exception_names.hpp>

namespace meridian::spec {
namespace {

using B = chain::BlockError;
using T = chain::TxnError;

struct Alias {
    std::string_view name;
    Rejection meaning;
};

// Names that are not the error's own. Where a name has several rows, each of them is what it means: the
// suites' older names cover several causes, or the order of two checks is a client's own choice.
constexpr Alias kAliases[] = {
    // Encodings: the specification tells apart in which field an encoding is wrong; the error has one name
    // for all, and the field is in the decoder's message.
    {"TransactionException.ADDRESS_TOO_LONG", T::RlpInvalidEncoding},
    {"TransactionException.ADDRESS_TOO_SHORT", T::RlpInvalidEncoding},
    {"TransactionException.GASLIMIT_OVERFLOW", T::RlpInvalidEncoding},
    {"TransactionException.GASPRICE_OVERFLOW", T::RlpInvalidEncoding},
    {"TransactionException.PRIORITY_OVERFLOW", T::RlpInvalidEncoding},
    {"TransactionException.VALUE_OVERFLOW", T::RlpInvalidEncoding},
    {"TransactionException.NONCE_OVERFLOW", T::RlpInvalidEncoding},
    {"TransactionException.RLP_ERROR_EOF", T::RlpInvalidEncoding},
    {"TransactionException.RLP_ERROR_SIZE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_ERROR_SIZE_LEADING_ZEROS", T::RlpInvalidEncoding},
    {"TransactionException.RLP_TOO_FEW_ELEMENTS", T::RlpInvalidEncoding},
    {"TransactionException.RLP_TOO_MANY_ELEMENTS", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_LONG", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_SHORT", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_ACCESS_LIST_STORAGE_TOO_LONG", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_ACCESS_LIST_STORAGE_TOO_SHORT", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_DATA", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_GASLIMIT", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_HEADER", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_NONCE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_SIGNATURE_R", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_SIGNATURE_S", T::RlpInvalidEncoding},
    {"TransactionException.RLP_INVALID_TO", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_BASEFEE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_DATA_SIZE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_GASLIMIT", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_GASPRICE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_NONCE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_NONCE_SIZE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_PRIORITY_FEE", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_R", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_S", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_V", T::RlpInvalidEncoding},
    {"TransactionException.RLP_LEADING_ZEROS_VALUE", T::RlpInvalidEncoding},
    {"TR_RLP_WRONGVALUE", T::RlpInvalidEncoding},
    {"TR_TooShort", T::RlpInvalidEncoding},
    {"RLP_BODY_UNMARSHAL_ERROR", T::RlpInvalidEncoding},
    // The greatest nonce, which no transaction can use; one beyond 64 bits is NONCE_OVERFLOW.
    {"TransactionException.NONCE_TOO_BIG", T::NonceIsMax},
    {"InvalidVRS", T::InvalidSignatureVrs},
    // r or s beyond 256 bits does not get as far as the signature's check.
    {"TransactionException.INVALID_SIGNATURE_VRS", T::RlpInvalidEncoding},
    // v tells both the chain and the parity: one that is no legacy transaction's is either's fault.
    {"TransactionException.INVALID_CHAINID", T::InvalidSignatureVrs},
    // What does not begin like a list is a typed envelope since EIP-2718.
    {"TransactionException.RLP_INVALID_HEADER", T::TypeNotSupported},

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

    // Blocks. A block whose transaction is wrongly encoded is wrongly encoded.
    {"BlockException.RLP_STRUCTURES_ENCODING", T::RlpInvalidEncoding},
    // The older suite has the words in which a client's decoder complained, whatever the field.
    {"INPUT_UNMARSHAL_ERROR", B::RlpStructuresEncoding},
    {"INPUT_UNMARSHAL_ERROR", B::RlpInvalidFieldOverflow64},
    {"INPUT_UNMARSHAL_ERROR", T::RlpInvalidEncoding},
    {"INPUT_UNMARSHAL_SIZE_ERROR", B::RlpStructuresEncoding},
    {"INPUT_UNMARSHAL_SIZE_ERROR", B::RlpInvalidFieldOverflow64},
    {"INPUT_UNMARSHAL_SIZE_ERROR", T::RlpInvalidEncoding},
    {"INPUT_UNMARSHAL_ADDRESS_ERROR", B::RlpInvalidAddress},
    {"RLP_BODY_UNMARSHAL_ERROR", B::RlpStructuresEncoding},
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

bool means(std::string_view expected, const Rejection& actual) {
    if (expected == name_of(actual))
        return true;
    for (const Alias& alias : kAliases)
        if (alias.name == expected && alias.meaning == actual)
            return true;
    return false;
}

}  // namespace

std::string_view name_of(const Rejection& rejection) noexcept {
    return std::visit([](auto error) { return chain::name(error); }, rejection);
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
    return "rejected for another reason: expected " + std::string(expected) + ", got " +
           std::string(name_of(actual));
}

}  // namespace meridian::spec
