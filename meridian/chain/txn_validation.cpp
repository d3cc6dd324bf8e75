#include <meridian/chain/txn_validation.hpp>

#include <algorithm>
#include <limits>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr std::size_t kBlobsPerTxnMaxOsaka = 6;  // EIP-7594
constexpr std::uint8_t kKzgVersion = 0x01;

std::optional<TxnError> check_type(const TxnRules& rules, const Transaction& txn) {
    switch (txn.type) {
        case TxnType::Legacy:
            if (txn.chain_id.has_value() && rules.revision < Revision::SpuriousDragon)
                return TxnError::InvalidSignatureVrs;
            return std::nullopt;
        case TxnType::AccessList:
            return rules.revision < Revision::Berlin ? std::optional(TxnError::Type1TxPreFork) : std::nullopt;
        case TxnType::DynamicFee:
            return rules.revision < Revision::London ? std::optional(TxnError::Type2TxPreFork) : std::nullopt;
        case TxnType::Blob:
            if (rules.config.op)
                return TxnError::TypeNotSupported;
            return rules.revision < Revision::Cancun ? std::optional(TxnError::Type3TxPreFork) : std::nullopt;
        case TxnType::SetCode:
            return rules.revision < Revision::Prague ? std::optional(TxnError::Type4TxPreFork) : std::nullopt;
        case TxnType::Module:
            return TxnError::TypeNotSupported;
        case TxnType::Deposit:
            return TxnError::InvalidDeposit;
    }
    return TxnError::TypeNotSupported;
}

// What is wrong with the transaction whatever block it stands in.
std::optional<TxnError> check_alone(const TxnRules& rules, const Transaction& txn,
                                    const IntrinsicGas& intrinsic) {
    if (intrinsic.gas > txn.gas_limit)
        return TxnError::IntrinsicGasTooLow;
    if (intrinsic.floor > txn.gas_limit)
        return TxnError::IntrinsicGasBelowFloorGasCost;
    if (txn.nonce == std::numeric_limits<std::uint64_t>::max() && !rules.skipped.nonce)
        return TxnError::NonceIsMax;
    const std::size_t init_code_max = rules.config.max_init_code_size;
    if (rules.revision >= Revision::Shanghai && !txn.to.has_value() && init_code_max != 0 &&
        txn.data.size() > init_code_max)
        return TxnError::InitcodeSizeExceeded;
    if (rules.revision >= Revision::Osaka && txn.gas_limit > kTxnGasMaximum && !rules.skipped.gas_maximum)
        return TxnError::GasLimitExceedsMaximum;
    return std::nullopt;
}

std::optional<TxnError> check_block_gas(const TxnRules& rules, const Transaction& txn) {
    const bool fits = rules.block_gas_used <= rules.block.gas_limit &&
                      txn.gas_limit <= rules.block.gas_limit - rules.block_gas_used;
    // The EVM counts gas in signed 64-bit numbers.
    if ((!fits && !rules.skipped.block_gas) || txn.gas_limit > std::numeric_limits<std::int64_t>::max())
        return TxnError::GasAllowanceExceeded;
    if (txn.type != TxnType::Blob)
        return std::nullopt;
    const std::uint64_t blob_gas_max = rules.config.blob_parameters(rules.block.timestamp).max * kGasPerBlob;
    if (rules.block_blob_gas_used + txn.blob_hashes.size() * kGasPerBlob > blob_gas_max)
        return TxnError::Type3TxMaxBlobGasAllowanceExceeded;
    return std::nullopt;
}

// A simulated transaction that offers nothing, where that is enough.
bool is_free(const TxnRules& rules, const Transaction& txn) {
    return rules.skipped.base_fee && !txn.max_fee_per_gas;
}

std::optional<TxnError> check_fees(const TxnRules& rules, const Transaction& txn) {
    if (txn.max_fee_per_gas < txn.max_priority_fee_per_gas)
        return TxnError::PriorityGreaterThanMaxFeePerGas;
    if (txn.max_fee_per_gas < rules.block.base_fee && !is_free(rules, txn))
        return TxnError::InsufficientMaxFeePerGas;
    return std::nullopt;
}

std::optional<TxnError> check_blobs(const TxnRules& rules, const Transaction& txn) {
    if (txn.blob_hashes.empty())
        return TxnError::Type3TxZeroBlobs;
    if (rules.revision >= Revision::Osaka && txn.blob_hashes.size() > kBlobsPerTxnMaxOsaka)
        return TxnError::Type3TxBlobCountExceeded;
    for (const Hash& hash : txn.blob_hashes)
        if (hash[0] != kKzgVersion)
            return TxnError::Type3TxInvalidBlobVersionedHash;
    if (txn.max_fee_per_blob_gas < rules.block.blob_base_fee)
        return TxnError::InsufficientMaxFeePerBlobGas;
    return std::nullopt;
}

std::optional<TxnError> check_form(const TxnRules& rules, const Transaction& txn) {
    if (txn.type == TxnType::Blob)
        if (const auto error = check_blobs(rules, txn))
            return error;
    if (txn.type == TxnType::Blob && !txn.to.has_value())
        return TxnError::Type3TxContractCreation;
    if (txn.type == TxnType::SetCode && !txn.to.has_value())
        return TxnError::Type4TxContractCreation;
    if (txn.type == TxnType::SetCode && txn.authorizations.empty())
        return TxnError::Type4EmptyAuthorizationList;
    return std::nullopt;
}

// The most that the sender may have to pay; empty if it exceeds 256 bits.
std::optional<u256> cost_max(const TxnRules& rules, const Transaction& txn) {
    const auto cost = upfront_cost(txn);
    if (!cost || *cost > u256::max() - rules.additional_fee)
        return std::nullopt;
    return *cost + rules.additional_fee;
}

std::optional<TxnError> check_sender(const TxnRules& rules, state::State& state, const Transaction& txn,
                                     const Address& sender) {
    state::CachedAccount& account = state.load(sender);
    if (!rules.skipped.nonce && account.account.nonce > txn.nonce)
        return TxnError::NonceMismatchTooLow;
    if (!rules.skipped.nonce && account.account.nonce < txn.nonce)
        return TxnError::NonceMismatchTooHigh;
    const auto cost = cost_max(rules, txn);
    if (!cost || account.account.balance < *cost)
        return TxnError::InsufficientAccountFunds;
    if (account.account.has_code() && !rules.skipped.sender_code) {
        const bool delegated = rules.revision >= Revision::Prague && delegate_of(state.code(account));
        if (!delegated)
            return TxnError::SenderNotEoa;
    }
    return std::nullopt;
}

}  // namespace

Result<TxnCharge, TxnError> validate_transaction(const TxnRules& rules, state::State& state,
                                                 const Transaction& txn, const Address& sender) {
    if (const auto error = check_type(rules, txn))
        return fail(*error);
    if (const auto error = check_fees(rules, txn))
        return fail(*error);
    TxnCharge charge;
    charge.intrinsic = intrinsic_gas(rules.revision, txn);
    if (const auto error = check_alone(rules, txn, charge.intrinsic))
        return fail(*error);
    if (const auto error = check_block_gas(rules, txn))
        return fail(*error);
    if (txn.chain_id.has_value() && *txn.chain_id != rules.config.chain_id)
        return fail(TxnError::InvalidChainId);
    if (const auto error = check_form(rules, txn))
        return fail(*error);
    if (const auto error = check_sender(rules, state, txn, sender))
        return fail(*error);

    const u256& base_fee = rules.block.base_fee;
    if (!is_free(rules, txn))
        charge.gas_price = base_fee + std::min(txn.max_priority_fee_per_gas, txn.max_fee_per_gas - base_fee);
    charge.blob_gas = txn.blob_hashes.size() * kGasPerBlob;
    charge.blob_fee = rules.block.blob_base_fee * charge.blob_gas;
    return charge;
}

std::optional<Address> delegate_of(BytesView code) noexcept {
    constexpr std::uint8_t kMarker[] = {0xef, 0x01, 0x00};
    if (code.size() != sizeof(kMarker) + Address::kSize || !equal(code.first(3), kMarker))
        return std::nullopt;
    return first_bytes<20>(code.subspan(3));
}

}  // namespace meridian::chain
