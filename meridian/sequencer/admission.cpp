#include <meridian/sequencer/admission.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/chain/executor.hpp>
#include <meridian/crypto/keccak.hpp>

#include <limits>

namespace meridian::sequencer {
namespace {

using chain::Transaction;
using chain::TxnType;
using evm::Revision;

constexpr std::uint64_t kTxnGasMaximum = 1 << 24;  // EIP-7825

std::string pair(const char* first, const u256& a, const char* second, const u256& b) {
    return std::string(first) + to_decimal(a) + second + to_decimal(b);
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
        case TxnType::Deposit:
            break;
    }
    return std::nullopt;
}

// Without looking at the state.
std::optional<SubmitFailure> check_form(const Transaction& txn, Revision revision,
                                        const AdmissionRules& rules) {
    const auto required = required_revision(txn.type);
    if (!required || revision < *required || (txn.type == TxnType::Blob && !rules.blobs))
        return SubmitFailure{SubmitError::TypeNotSupported, "transaction type not supported"};
    if (txn.type == TxnType::Blob && txn.blob_hashes.empty())
        return SubmitFailure{SubmitError::Malformed, "blob transaction missing blob hashes"};
    if (txn.type == TxnType::SetCode && txn.authorizations.empty())
        return SubmitFailure{SubmitError::Malformed,
                             "set code tx must have at least one authorization tuple"};
    if (txn.max_priority_fee_per_gas > txn.max_fee_per_gas)
        return SubmitFailure{SubmitError::TipAboveFeeCap,
                             "max priority fee per gas higher than max fee per gas"};
    if (bit_length(txn.max_fee_per_gas) + bit_length(u256{txn.gas_limit}) > 256)
        return SubmitFailure{SubmitError::Malformed, "max fee per gas higher than 2^256-1"};
    return std::nullopt;
}

std::optional<SubmitFailure> check_gas(const Transaction& txn, Revision revision,
                                       const chain::ChainConfig& config, const AdmissionRules& rules) {
    if (revision >= Revision::Shanghai && !txn.to && config.max_init_code_size != 0 &&
        txn.data.size() > config.max_init_code_size)
        return SubmitFailure{SubmitError::InitCodeTooLarge,
                             pair("max initcode size exceeded: code size ", txn.data.size(), ", limit ",
                                  config.max_init_code_size)};
    if (txn.gas_limit > rules.block_gas_max)
        return SubmitFailure{SubmitError::ExceedsBlockGasLimit, "exceeds block gas limit"};
    std::uint64_t cap = rules.txn_gas_max;
    if (revision >= Revision::Osaka)
        cap = cap == 0 ? kTxnGasMaximum : std::min(cap, kTxnGasMaximum);
    if (cap != 0 && txn.gas_limit > cap)
        return SubmitFailure{
            SubmitError::GasLimitMaximum,
            pair("transaction gas limit too high (cap: ", cap, ", tx: ", txn.gas_limit) + ")"};
    const auto intrinsic = chain::intrinsic_gas(revision, txn);
    if (txn.gas_limit < intrinsic.gas)
        return SubmitFailure{SubmitError::IntrinsicGas, pair("intrinsic gas too low: gas ", txn.gas_limit,
                                                             ", minimum needed ", intrinsic.gas)};
    if (txn.gas_limit < intrinsic.floor)
        return SubmitFailure{SubmitError::FloorGas,
                             pair("insufficient gas for floor data gas cost: gas ", txn.gas_limit,
                                  ", minimum needed ", intrinsic.floor)};
    if (txn.max_fee_per_gas < rules.min_gas_price)
        return SubmitFailure{SubmitError::Underpriced,
                             pair("transaction underpriced: gas tip cap ", txn.max_fee_per_gas,
                                  ", minimum needed ", rules.min_gas_price)};
    return std::nullopt;
}

}  // namespace

u256 upfront_cost(const Transaction& txn) {
    const unsigned bits = bit_length(txn.max_fee_per_gas) + bit_length(u256{txn.gas_limit});
    if (bits > 255)
        return u256::max();
    u256 cost = txn.max_fee_per_gas * txn.gas_limit;
    cost += txn.max_fee_per_blob_gas * (txn.blob_hashes.size() << 17);
    return cost > u256::max() - txn.value ? u256::max() : cost + txn.value;
}

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

std::optional<SubmitFailure> check_transaction(const Transaction& txn, const Address& sender,
                                               const state::Account& account,
                                               const chain::ChainConfig& config, std::uint64_t number,
                                               std::uint64_t timestamp, const AdmissionRules& rules) {
    const Revision revision = config.revision(number, timestamp);
    if (auto failure = check_form(txn, revision, rules))
        return failure;
    if (auto failure = check_gas(txn, revision, config, rules))
        return failure;
    if (txn.nonce == std::numeric_limits<std::uint64_t>::max())  // EIP-2681
        return SubmitFailure{SubmitError::Malformed, "nonce has max value: address " +
                                                         checksum_address(sender) +
                                                         ", nonce: " + std::to_string(txn.nonce)};
    if (txn.nonce < account.nonce)
        return SubmitFailure{SubmitError::NonceTooLow,
                             pair("nonce too low: next nonce ", account.nonce, ", tx nonce ", txn.nonce)};
    const u256 cost = upfront_cost(txn);
    if (account.balance < cost)
        return SubmitFailure{SubmitError::InsufficientFunds,
                             pair("insufficient funds for gas * price + value: balance ", account.balance,
                                  ", tx cost ", cost) +
                                 ", overshot " + to_decimal(cost - account.balance)};
    return std::nullopt;
}

}  // namespace meridian::sequencer
