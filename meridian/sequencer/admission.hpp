// What a transaction has to fulfil before it may wait for its turn, and geth's words for what is wrong.
#pragma once

#include <meridian/chain/config.hpp>
#include <meridian/chain/transaction.hpp>
#include <meridian/state/state_reader.hpp>

#include <string>

namespace meridian::sequencer {

enum class [[nodiscard]] SubmitError : std::uint8_t {
    AlreadyKnown,
    ReplacementUnderpriced,
    PoolFull,
    SenderFull,
    NonceTooLow,
    NonceTooHigh,  // further ahead than the pool keeps
    InsufficientFunds,
    IntrinsicGas,
    FloorGas,
    ExceedsBlockGasLimit,
    GasLimitMaximum,  // EIP-7825
    TipAboveFeeCap,
    Underpriced,  // below the minimum gas price
    InitCodeTooLarge,
    WrongChainId,
    InvalidSignature,
    TypeNotSupported,
    Malformed,  // breaks a rule of its type
    Busy,       // the node cannot take more just now: try again
};
inline constexpr std::size_t kSubmitErrorCount = static_cast<std::size_t>(SubmitError::Busy) + 1;

struct SubmitFailure {
    SubmitError error;
    std::string message;  // in geth's words
};

// What a sequencer asks of transactions beyond the rules of the chain.
struct AdmissionRules {
    std::uint64_t block_gas_max = 0;
    // Of one transaction; zero: the block's.
    std::uint64_t txn_gas_max = 30'000'000;
    u256 min_gas_price;  // wei
    bool blobs = false;  // a rollup has no room for them
};

// Against the block that comes next, given its number and time, and the sender's account now.
std::optional<SubmitFailure> check_transaction(const chain::Transaction& txn, const Address& sender,
                                               const state::Account& account,
                                               const chain::ChainConfig& config, std::uint64_t number,
                                               std::uint64_t timestamp, const AdmissionRules& rules);

// Of a module transaction (type 0x4D), which has rules of its own: in a block of that time after that state.
std::optional<SubmitFailure> check_module_transaction(const chain::Transaction& txn, const Address& signer,
                                                      state::StateReader& state,
                                                      const chain::ChainConfig& config,
                                                      std::uint64_t timestamp);

}  // namespace meridian::sequencer
