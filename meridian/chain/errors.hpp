// Why a transaction or a block is rejected, named as the execution specification's tests name it.
#pragma once

#include <meridian/rlp/decode.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::chain {

// The names are the members of the specification tests' TransactionException, plus ours where it has none.
enum class [[nodiscard]] TxnError : std::uint8_t {
    SenderNotEoa,
    InsufficientAccountFunds,
    InsufficientMaxFeePerGas,
    InsufficientMaxFeePerBlobGas,
    PriorityGreaterThanMaxFeePerGas,
    GaslimitPriceProductOverflow,
    NonceMismatchTooLow,
    NonceMismatchTooHigh,
    NonceIsMax,
    NonceTooBig,
    NonceOverflow,
    GasAllowanceExceeded,
    GasLimitExceedsMaximum,  // EIP-7825
    IntrinsicGasTooLow,
    IntrinsicGasBelowFloorGasCost,  // EIP-7623
    InitcodeSizeExceeded,
    TypeNotSupported,  // an envelope type that no fork knows
    Type0NotSupported,
    Type1TxPreFork,
    Type2TxPreFork,
    Type3TxPreFork,
    Type3TxZeroBlobs,
    Type3TxZeroBlobsPreFork,
    Type3TxInvalidBlobVersionedHash,
    Type3TxBlobCountExceeded,
    Type3TxMaxBlobGasAllowanceExceeded,
    Type3TxWithFullBlobs,
    Type3TxContractCreation,
    Type4TxPreFork,
    Type4TxContractCreation,
    Type4EmptyAuthorizationList,
    Type4InvalidAuthorityList,
    Type4InvalidAuthorizationFormat,
    InvalidChainId,
    InvalidSignatureVrs,
    EcRecoverFailed,
    InvalidDeposit,      // a deposit outside an OP chain, or a malformed one
    RlpInvalidEncoding,  // DecodeFailure says in which field, and of what kind
    Interrupted,         // the host ended the execution (evm::Interrupt): says nothing of the transaction
    ModuleStateMissing,  // pages of a module's arena are not to be had, or damaged
    // Of module transactions (type 0x4D).
    ModuleUnknown,           // the chain has no module of that id
    ModuleSignerNotAllowed,  // the signer is neither the account nor a session key of it
    ModuleSessionExpired,
    ModuleSessionScope,  // the session key may not send such a command
    ModuleSessionCap,    // the session key has sent as many commands as it may
    ModuleTxnExpired,
    ModuleNonceUsed,
    ModuleNonceTooOld,  // below the window, or below all that are remembered
    ModuleNonceTooNew,  // above the window
    ModuleCommands,     // none, too many, or one that is too long
};

// The names are the members of the specification tests' BlockException, plus ours where it has none.
enum class [[nodiscard]] BlockError : std::uint8_t {
    RlpStructuresEncoding,
    RlpInvalidFieldOverflow64,
    RlpInvalidAddress,
    RlpBlockLimitExceeded,  // EIP-7934
    UnknownParent,
    UnknownParentZero,
    ImportImpossibleUnclesOverParis,
    ImportImpossibleDifficultyOverParis,
    ImportImpossibleLegacy,
    InvalidBlockNumber,
    InvalidBlockTimestampOlderThanParent,
    InvalidDifficulty,
    ExtraDataTooBig,
    InvalidDaoExtraData,
    GasUsedOverflow,
    GasLimitTooBig,
    InvalidGasLimit,
    InvalidGasUsed,
    InvalidGasUsedAboveLimit,
    InvalidBaseFeePerGas,
    BaseFeeUnexpected,  // present before London or missing after
    InvalidLogBloom,
    InvalidStateRoot,
    InvalidReceiptsRoot,
    InvalidTransactionsRoot,
    InvalidWithdrawalsRoot,
    InvalidUnclesHash,
    TooManyUncles,
    UncleInChain,  // an ommer that an ancestor has named already, or named twice
    UncleIsAncestor,
    UncleIsBrother,  // of the same parent as the block
    UncleParentIncorrect,
    InvalidUncle,  // the ommer's own header is invalid
    InvalidBlockHash,
    IncorrectBlockFormat,
    IncorrectBlobGasUsed,
    IncorrectExcessBlobGas,
    BlobGasUsedAboveLimit,
    InvalidRequests,
    InvalidDepositEventLayout,
    SystemContractEmpty,
    SystemContractCallFailed,
    InvalidTransaction,  // the transaction's own error says more
    MissingState,        // a partial parent state lacks what the block needs
    InvalidFrames,       // the frames are none that the block can be made of (ADR 6)
    Interrupted,         // the host ended the execution (evm::Interrupt): says nothing of the block
};

// The specification's names, such as "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS".
std::string_view name(TxnError error) noexcept;
std::string_view name(BlockError error) noexcept;

// Why an encoding was refused, and where.
struct DecodeFailure {
    TxnError error = TxnError::RlpInvalidEncoding;
    // The offending field, such as "transaction.gasLimit" or "transaction.accessList[0].address".
    std::string field;
    std::string reason;                     // in words, such as "leading zero in integer"
    std::optional<rlp::DecodeError> fault;  // what the RLP decoder said, if it was that which refused
};

}  // namespace meridian::chain
