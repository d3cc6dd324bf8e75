#include <meridian/sequencer/txn_words.hpp>

#include <meridian/chain/executor.hpp>
#include <meridian/chain/txn_cost.hpp>
#include <meridian/crypto/keccak.hpp>

namespace meridian::sequencer {

using chain::Transaction;
using chain::TxnError;
using evm::Revision;

std::string checksum_address(const Address& address) {
    std::string text = to_hex(address);
    const Hash digest = crypto::keccak256(as_bytes(text));
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned nibble = digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf;
        if (nibble >= 8 && text[i] >= 'a')
            text[i] = static_cast<char>(text[i] - 'a' + 'A');
    }
    return "0x" + text;
}

std::string in_words(const Address& address) {
    return "address " + checksum_address(address);
}

std::string pair(const char* first, const u256& a, const char* second, const u256& b) {
    return std::string(first) + to_decimal(a) + second + to_decimal(b);
}

std::string describe(TxnError error, const Transaction& txn, const Address& sender,
                     const chain::ChainConfig& config, const chain::Header& header,
                     const state::Account& account) {
    const Revision revision = config.revision(header.number, header.timestamp);
    switch (error) {
        case TxnError::NonceMismatchTooLow:
            return "nonce too low: " + in_words(sender) +
                   pair(", tx: ", txn.nonce, " state: ", account.nonce);
        case TxnError::NonceMismatchTooHigh:
            return "nonce too high: " + in_words(sender) +
                   pair(", tx: ", txn.nonce, " state: ", account.nonce);
        case TxnError::NonceIsMax:
        case TxnError::NonceTooBig:
        case TxnError::NonceOverflow:
            return "nonce has max value: " + in_words(sender) + ", nonce: " + std::to_string(account.nonce);
        case TxnError::SenderNotEoa:
            return "sender not an eoa: " + in_words(sender) + ", codehash: " + to_hex0x(account.code_hash);
        case TxnError::InsufficientAccountFunds:
        case TxnError::GaslimitPriceProductOverflow:
            return "insufficient funds for gas * price + value: " + in_words(sender) +
                   pair(" have ", account.balance, " want ", chain::upfront_cost(txn).value_or(u256::max()));
        case TxnError::InsufficientMaxFeePerGas:
            return "max fee per gas less than block base fee: " + in_words(sender) +
                   pair(", maxFeePerGas: ", txn.max_fee_per_gas,
                        ", baseFee: ", header.base_fee.value_or(u256{}));
        case TxnError::InsufficientMaxFeePerBlobGas:
            return "max fee per blob gas less than block blob gas fee: " + in_words(sender) +
                   pair(" blobGasFeeCap: ", txn.max_fee_per_blob_gas, ", blobBaseFee: ",
                        chain::blob_base_fee(config, header.timestamp, header.excess_blob_gas.value_or(0)));
        case TxnError::PriorityGreaterThanMaxFeePerGas:
            return "max priority fee per gas higher than max fee per gas: " + in_words(sender) +
                   pair(", maxPriorityFeePerGas: ", txn.max_priority_fee_per_gas,
                        ", maxFeePerGas: ", txn.max_fee_per_gas);
        case TxnError::GasAllowanceExceeded:
            return "gas limit reached";
        case TxnError::GasLimitExceedsMaximum:
            return pair("transaction gas limit too high (cap: ", chain::kTxnGasMaximum,
                        ", tx: ", txn.gas_limit) +
                   ")";
        case TxnError::IntrinsicGasTooLow:
            return pair("intrinsic gas too low: have ", txn.gas_limit, ", want ",
                        chain::intrinsic_gas(revision, txn).gas);
        case TxnError::IntrinsicGasBelowFloorGasCost:
            return pair("insufficient gas for floor data gas cost: have ", txn.gas_limit, ", want ",
                        chain::intrinsic_gas(revision, txn).floor);
        case TxnError::InitcodeSizeExceeded:
            return pair("max initcode size exceeded: code size ", txn.data.size(), " limit ",
                        config.max_init_code_size);
        case TxnError::Type3TxZeroBlobs:
        case TxnError::Type3TxZeroBlobsPreFork:
            return "blob transaction missing blob hashes";
        case TxnError::Type3TxContractCreation:
            return "blob transaction of type create";
        case TxnError::Type3TxInvalidBlobVersionedHash:
            return "blob has invalid hash version";
        case TxnError::Type4TxContractCreation:
            return "EIP-7702 transaction cannot be used to create contract (sender " +
                   checksum_address(sender) + ")";
        case TxnError::Type4EmptyAuthorizationList:
            return "EIP-7702 transaction with empty auth list (sender " + checksum_address(sender) + ")";
        case TxnError::Type0NotSupported:
        case TxnError::Type1TxPreFork:
        case TxnError::Type2TxPreFork:
        case TxnError::Type3TxPreFork:
        case TxnError::Type4TxPreFork:
            return "transaction type not supported";
        case TxnError::InvalidChainId:
            return "invalid chain id for signer";
        case TxnError::InvalidSignatureVrs:
        case TxnError::EcRecoverFailed:
            return "invalid sender";
        case TxnError::ModuleStateMissing:
            return "pages of a module's arena are not to be had in this state";
        case TxnError::ModuleUnknown:
            return "the chain has no module " + std::to_string(txn.module_id);
        case TxnError::ModuleSignerNotAllowed:
            return in_words(sender) + " is no session key of " + checksum_address(txn.from);
        case TxnError::ModuleSessionExpired:
            return "the session of " + in_words(sender) + " has expired";
        case TxnError::ModuleSessionScope:
            return "the session of " + in_words(sender) + " does not allow such commands";
        case TxnError::ModuleSessionCap:
            return "the session of " + in_words(sender) + " has not so many commands left";
        case TxnError::ModuleTxnExpired:
            return "the module transaction has expired";
        case TxnError::ModuleNonceUsed:
            return "nonce already used: " + in_words(sender) + ", nonce: " + std::to_string(txn.nonce);
        case TxnError::ModuleNonceTooOld:
            return "nonce too low: " + in_words(sender) + ", nonce: " + std::to_string(txn.nonce) +
                   "; want milliseconds since 1970, within two days, and above the lowest of the last 100";
        case TxnError::ModuleNonceTooNew:
            return "nonce too high: " + in_words(sender) + ", nonce: " + std::to_string(txn.nonce) +
                   "; want milliseconds since 1970, at most a day ahead";
        case TxnError::ModuleCommands:
            return "want 1 to 1024 commands of at most 4096 bytes";
        default:
            break;
    }
    return std::string(chain::name(error));
}

}  // namespace meridian::sequencer
