// The Ethereum Virtual Machine: executes messages against a State.
#pragma once

#include <meridian/evm/context.hpp>
#include <meridian/evm/interrupt.hpp>
#include <meridian/evm/message.hpp>
#include <meridian/evm/revision.hpp>
#include <meridian/evm/tracer.hpp>
#include <meridian/state/state.hpp>

#include <map>
#include <optional>

namespace meridian::evm {

class CodeCache;
class NativeContracts;

// A simulation may move precompiled contracts: at a listed address runs the precompile of the address that
// it maps to, or none (then the account's own code). Others are where they always are.
using PrecompileMoves = std::map<Address, std::optional<Address>>;

// Deviations from mainnet that a rollup has, a development chain may ask for or a host needs.
struct Options {
    // EIP-170 and EIP-3860 limits, in bytes; zero means unlimited.
    std::size_t max_code_size = 24576;
    std::size_t max_init_code_size = 49152;
    OpRevision op_revision = OpRevision::None;          // an OP Stack chain's precompiles
    const PrecompileMoves* precompile_moves = nullptr;  // null: none is moved
    const Interrupt* interrupt = nullptr;               // null: runs to its end
    NativeContracts* native = nullptr;                  // null: none
};

class Evm {
public:
    // All references outlive the Evm. `cache` keeps analysed code by its hash and may be shared by many
    // Evms of one thread; `tracer` may be null.
    Evm(Revision revision, state::State& state, const BlockContext& block, const TxnContext& txn,
        CodeCache& cache, Tracer* tracer = nullptr, const Options& options = {});

    // Executes a message to its end, with checkpoint and revert of the state as the outcome demands.
    // For a creation the sender's nonce has not been raised yet when message.depth > 0 (CREATE raises
    // it), and has been by the transaction when depth is 0.
    // EIP-7702: if the code at code_address is a delegation, the delegate's code runs; the caller of the
    // outermost frame has warmed the delegate.
    // After an interrupt the status is Interrupted, and the state as at the message's beginning but for
    // warmth and a creating sender's nonce: the caller ends the transaction with cancel_transaction().
    CallResult execute(const Message& message);

    Revision revision() const noexcept { return m_revision; }
    state::State& state() noexcept { return m_state; }

private:
    Revision m_revision;
    state::State& m_state;
    const BlockContext& m_block;
    const TxnContext& m_txn;
    CodeCache& m_cache;
    Tracer* m_tracer;
    Options m_options;
};

// CREATE: the address that `sender` creates with `nonce`.
Address create_address(const Address& sender, std::uint64_t nonce);
// CREATE2, EIP-1014.
Address create2_address(const Address& sender, const Hash& salt, const Hash& init_code_hash);

}  // namespace meridian::evm
