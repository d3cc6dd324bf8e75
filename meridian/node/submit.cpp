// How a transaction enters a DevChain: its checks, and geth's words for what is wrong with it.
#include <meridian/crypto/keccak.hpp>
#include <meridian/node/dev_chain.hpp>

#include <algorithm>
#include <limits>

namespace meridian::node {
namespace {

using chain::Transaction;
using chain::TxnError;
using chain::TxnType;
using evm::Revision;

constexpr std::uint64_t kTxnGasMaximum = 1 << 24;  // EIP-7825

// gas * price + value + blobs; the maximum where that does not fit.
u256 upfront_cost(const Transaction& txn) {
    const unsigned bits = bit_length(txn.max_fee_per_gas) + bit_length(u256{txn.gas_limit});
    if (bits > 255)
        return u256::max();
    u256 cost = txn.max_fee_per_gas * txn.gas_limit;
    cost += txn.max_fee_per_blob_gas * (txn.blob_hashes.size() << 17);
    return cost > u256::max() - txn.value ? u256::max() : cost + txn.value;
}

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
        case TxnType::Deposit:
            break;
    }
    return std::nullopt;
}

std::string in_words(const Address& address) {
    return "address " + checksum_address(address);
}

std::string pair(const char* first, const u256& a, const char* second, const u256& b) {
    return std::string(first) + to_decimal(a) + second + to_decimal(b);
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
std::optional<SubmitFailure> check_type(const Transaction& txn, Revision revision) {
    const auto required = required_revision(txn.type);
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
                                          const chain::ChainConfig& config, std::uint64_t block_gas_limit) {
    if (revision >= Revision::Shanghai && is_creation(txn) && config.max_init_code_size != 0 &&
        txn.data.size() > config.max_init_code_size)
        return SubmitFailure{SubmitError::InitCodeTooLarge,
                             pair("max initcode size exceeded: code size ", txn.data.size(), ", limit ",
                                  config.max_init_code_size)};
    if (revision >= Revision::Osaka && txn.gas_limit > kTxnGasMaximum)
        return SubmitFailure{
            SubmitError::GasLimitMaximum,
            pair("transaction gas limit too high (cap: ", kTxnGasMaximum, ", tx: ", txn.gas_limit) + ")"};
    if (txn.gas_limit > block_gas_limit)
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
    const u256 cost = upfront_cost(txn);
    if (account.balance < cost)
        return SubmitFailure{SubmitError::InsufficientFunds,
                             pair("insufficient funds for gas * price + value: balance ", account.balance,
                                  ", tx cost ", cost) +
                                 ", overshot " + to_decimal(cost - account.balance)};
    return std::nullopt;
}

}  // namespace

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
                   pair(" have ", account.balance, " want ", upfront_cost(txn));
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
            return pair("transaction gas limit too high (cap: ", kTxnGasMaximum, ", tx: ", txn.gas_limit) +
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
        default:
            break;
    }
    return std::string(chain::name(error));
}

const Hash* DevChain::key_of(const Address& address) const {
    for (const DevAccount& account : m_options.accounts)
        if (account.address == address)
            return &account.private_key;
    return nullptr;
}

std::optional<SubmitFailure> DevChain::check(const Transaction& txn, const Address& sender) {
    const chain::Header& parent = head()->header();
    const Revision revision = m_config.revision(parent.number + 1, std::max(now(), parent.timestamp + 1));
    if (auto failure = check_type(txn, revision))
        return failure;
    if (auto failure = check_limits(txn, revision, m_config, m_settings.gas_limit))
        return failure;
    if (txn.nonce == std::numeric_limits<std::uint64_t>::max())  // EIP-2681
        return SubmitFailure{SubmitError::Malformed, "nonce has max value: " + in_words(sender) +
                                                         ", nonce: " + std::to_string(txn.nonce)};
    if (auto failure = check_gas(txn, revision, m_settings.min_gas_price))
        return failure;
    if (auto failure = check_lists(txn))
        return failure;
    return check_account(txn, m_state->account(sender).value_or(state::Account{}));
}

Result<Hash, SubmitFailure> DevChain::submit(const Transaction& txn) {
    if (txn.chain_id && *txn.chain_id != m_config.chain_id)
        return fail(SubmitFailure{
            SubmitError::WrongChainId,
            pair("invalid chain id for signer: have ", *txn.chain_id, " want ", m_config.chain_id)});
    const auto sender = chain::recover_sender(txn);
    if (!sender || txn.type == TxnType::Deposit)
        return fail(SubmitFailure{SubmitError::InvalidSignature, "invalid sender"});
    return enqueue({txn, *sender, chain::transaction_hash(txn), 0});
}

PoolTxn DevChain::stand_in(Transaction txn, const Address& sender) {
    // In the signature's place stands the sender, so that equal transactions of two senders differ.
    txn.v = txn.type == TxnType::Legacy ? u256{27} : u256{0};
    txn.r = from_address(sender);
    txn.s = 1;
    const Hash hash = chain::transaction_hash(txn);
    return {std::move(txn), sender, hash, 0};
}

Result<Hash, SubmitFailure> DevChain::submit_as(Transaction txn, const Address& sender) {
    return enqueue(stand_in(std::move(txn), sender));
}

Result<Hash, SubmitFailure> DevChain::enqueue(PoolTxn txn) {
    if (m_pool.find(txn.hash) || m_txn_places.contains(txn.hash))
        return fail(SubmitFailure{SubmitError::AlreadyKnown, "already known"});
    if (auto failure = check(txn.txn, txn.sender))
        return fail(*std::move(failure));
    const Hash hash = txn.hash;
    const auto added = m_pool.add(std::move(txn));
    if (!added) {
        switch (added.error()) {
            case PoolError::AlreadyKnown:
                return fail(SubmitFailure{SubmitError::AlreadyKnown, "already known"});
            case PoolError::ReplacementUnderpriced:
                return fail(SubmitFailure{SubmitError::ReplacementUnderpriced,
                                          "replacement transaction underpriced"});
            case PoolError::PoolFull:
                return fail(SubmitFailure{SubmitError::PoolFull, "txpool is full"});
            case PoolError::SenderFull:
                break;
        }
        return fail(SubmitFailure{SubmitError::SenderFull, "account limit exceeded"});
    }
    if (m_listener != nullptr)
        m_listener->on_pending_transaction(*m_pool.find(hash));
    if (m_mining.automine)
        automine();
    return hash;
}

// Mines until the pool has nothing left that a block takes.
void DevChain::automine() {
    while (!ready_transactions(next_attributes()).empty()) {
        const auto sealed = mine();
        if (!sealed || (*sealed)->txn_hashes.empty())
            break;
    }
}

}  // namespace meridian::node
