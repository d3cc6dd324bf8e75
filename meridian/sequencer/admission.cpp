#include <meridian/sequencer/admission.hpp>

#include <meridian/chain/executor.hpp>
#include <meridian/chain/txn_cost.hpp>
#include <meridian/sequencer/txn_words.hpp>

#include <algorithm>
#include <limits>

namespace meridian::sequencer {
namespace {

using chain::Transaction;
using chain::TxnType;
using evm::Revision;

bool is_creation(const Transaction& txn) {
    return !txn.to.has_value();
}

std::optional<Revision> required_revision(TxnType type) {
    switch (type) {
        case TxnType::Legacy:
            return Revision::Frontier;
        case TxnType::AccessList:
            return Revision::Berlin;
        case TxnType::DynamicFee:
            return Revision::London;
        case TxnType::Blob:
            return Revision::Cancun;
        case TxnType::SetCode:
            return Revision::Prague;
        case TxnType::Module:
        case TxnType::Deposit:
            break;
    }
    return std::nullopt;
}

std::string_view fork_name(TxnType type) {
    switch (type) {
        case TxnType::AccessList:
            return "Berlin";
        case TxnType::DynamicFee:
            return "London";
        case TxnType::Blob:
            return "Cancun";
        default:
            return "Prague";
    }
}

// The order of these checks, here and below, is geth's: a transaction with several faults is told the same.
std::optional<SubmitFailure> check_type(const Transaction& txn, Revision revision, bool blobs) {
    const auto required = txn.type == TxnType::Blob && !blobs ? std::nullopt : required_revision(txn.type);
    const std::string type = std::to_string(static_cast<unsigned>(txn.type));
    if (!required)
        return SubmitFailure{SubmitError::TypeNotSupported, "transaction type not supported: tx type " +
                                                                type + " not supported by this pool"};
    if (revision < *required)
        return SubmitFailure{SubmitError::TypeNotSupported, "transaction type not supported: type " + type +
                                                                " rejected, pool not yet in " +
                                                                std::string(fork_name(txn.type))};
    return std::nullopt;
}

// What holds for the transaction alone, by its sizes and fees.
std::optional<SubmitFailure> check_limits(const Transaction& txn, Revision revision,
                                          const chain::ChainConfig& config, const AdmissionRules& rules) {
    if (revision >= Revision::Shanghai && is_creation(txn) && config.max_init_code_size != 0 &&
        txn.data.size() > config.max_init_code_size)
        return SubmitFailure{SubmitError::InitCodeTooLarge,
                             pair("max initcode size exceeded: code size ", txn.data.size(), ", limit ",
                                  config.max_init_code_size)};
    std::uint64_t cap = rules.txn_gas_max;
    if (revision >= Revision::Osaka)
        cap = cap == 0 ? chain::kTxnGasMaximum : std::min(cap, chain::kTxnGasMaximum);
    if (cap != 0 && txn.gas_limit > cap)
        return SubmitFailure{
            SubmitError::GasLimitMaximum,
            pair("transaction gas limit too high (cap: ", cap, ", tx: ", txn.gas_limit) + ")"};
    if (txn.gas_limit > rules.block_gas_max)
        return SubmitFailure{SubmitError::ExceedsBlockGasLimit, "exceeds block gas limit"};
    if (bit_length(txn.max_fee_per_gas) + bit_length(u256{txn.gas_limit}) > 256)
        return SubmitFailure{SubmitError::Malformed, "max fee per gas higher than 2^256-1"};
    if (txn.max_priority_fee_per_gas > txn.max_fee_per_gas)
        return SubmitFailure{SubmitError::TipAboveFeeCap,
                             "max priority fee per gas higher than max fee per gas"};
    return std::nullopt;
}

std::optional<SubmitFailure> check_lists(const Transaction& txn) {
    if (txn.type == TxnType::Blob && txn.blob_hashes.empty())
        return SubmitFailure{SubmitError::Malformed, "blob transaction missing blob hashes"};
    if (txn.type == TxnType::SetCode && txn.authorizations.empty())
        return SubmitFailure{SubmitError::Malformed,
                             "set code tx must have at least one authorization tuple"};
    return std::nullopt;
}

std::optional<SubmitFailure> check_gas(const Transaction& txn, Revision revision, const u256& min_price) {
    const auto intrinsic = chain::intrinsic_gas(revision, txn);
    if (txn.gas_limit < intrinsic.gas)
        return SubmitFailure{SubmitError::IntrinsicGas, pair("intrinsic gas too low: gas ", txn.gas_limit,
                                                             ", minimum needed ", intrinsic.gas)};
    if (txn.gas_limit < intrinsic.floor)
        return SubmitFailure{SubmitError::FloorGas,
                             pair("insufficient gas for floor data gas cost: gas ", txn.gas_limit,
                                  ", minimum needed ", intrinsic.floor)};
    if (txn.max_fee_per_gas < min_price)
        return SubmitFailure{SubmitError::Underpriced,
                             pair("transaction underpriced: gas tip cap ", txn.max_fee_per_gas,
                                  ", minimum needed ", min_price)};
    return std::nullopt;
}

std::optional<SubmitFailure> check_account(const Transaction& txn, const state::Account& account) {
    if (txn.nonce < account.nonce)
        return SubmitFailure{SubmitError::NonceTooLow,
                             pair("nonce too low: next nonce ", account.nonce, ", tx nonce ", txn.nonce)};
    const u256 cost = chain::upfront_cost(txn).value_or(u256::max());
    if (account.balance < cost)
        return SubmitFailure{SubmitError::InsufficientFunds,
                             pair("insufficient funds for gas * price + value: balance ", account.balance,
                                  ", tx cost ", cost) +
                                 ", overshot " + to_decimal(cost - account.balance)};
    return std::nullopt;
}

}  // namespace

std::optional<SubmitFailure> check_transaction(const Transaction& txn, const Address& sender,
                                               const state::Account& account,
                                               const chain::ChainConfig& config, std::uint64_t number,
                                               std::uint64_t timestamp, const AdmissionRules& rules) {
    const Revision revision = config.revision(number, timestamp);
    if (auto failure = check_type(txn, revision, rules.blobs))
        return failure;
    if (auto failure = check_limits(txn, revision, config, rules))
        return failure;
    if (txn.nonce == std::numeric_limits<std::uint64_t>::max())  // EIP-2681
        return SubmitFailure{SubmitError::Malformed, "nonce has max value: " + in_words(sender) +
                                                         ", nonce: " + std::to_string(txn.nonce)};
    if (auto failure = check_gas(txn, revision, rules.min_gas_price))
        return failure;
    if (auto failure = check_lists(txn))
        return failure;
    return check_account(txn, account);
}

std::optional<SubmitFailure> check_module_transaction(const Transaction& txn, const Address& signer,
                                                      state::StateReader& state,
                                                      const chain::ChainConfig& config,
                                                      std::uint64_t timestamp) {
    const auto checked = chain::check_module_transaction(config, state, timestamp, txn, signer);
    if (checked)
        return std::nullopt;
    using chain::TxnError;
    SubmitError error = SubmitError::Malformed;
    switch (checked.error()) {
        case TxnError::ModuleUnknown:
            error = SubmitError::TypeNotSupported;
            break;
        case TxnError::ModuleNonceUsed:
        case TxnError::ModuleNonceTooOld:
            error = SubmitError::NonceTooLow;
            break;
        case TxnError::ModuleNonceTooNew:
            error = SubmitError::NonceTooHigh;
            break;
        case TxnError::ModuleSignerNotAllowed:
        case TxnError::ModuleSessionExpired:
        case TxnError::ModuleSessionScope:
        case TxnError::ModuleSessionCap:
            error = SubmitError::InvalidSignature;
            break;
        case TxnError::InvalidChainId:
            error = SubmitError::WrongChainId;
            break;
        default:
            break;
    }
    return SubmitFailure{error, describe(checked.error(), txn, signer, config, {}, {})};
}

}  // namespace meridian::sequencer
