// The state-transition function: a block as a pure function of parent state, block and configuration;
// and the same steps one by one, for building blocks.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/chain/config.hpp>
#include <meridian/chain/frames.hpp>
#include <meridian/evm/context.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/evm/message.hpp>
#include <meridian/evm/tracer.hpp>
#include <meridian/state/state.hpp>

#include <memory>

namespace meridian::evm {
class CodeCache;
}
namespace meridian::module {
class ModuleHost;
}

namespace meridian::chain {

// A block's rejection: what, at which transaction, and in words.
struct BlockFailure {
    BlockError error = BlockError::IncorrectBlockFormat;
    std::optional<TxnError> txn_error;
    std::optional<std::size_t> txn_index;
    std::string message;
};

// EIP-7685 request: a type byte and its data.
struct Request {
    std::uint8_t type = 0;
    Bytes data;
};

struct BlockOutcome {
    std::vector<Receipt> receipts;  // none if the environment keeps none
    std::uint64_t gas_used = 0;
    std::uint64_t blob_gas_used = 0;
    Bloom bloom;
    std::vector<Request> requests;
    std::optional<Hash> requests_hash;
    state::StateChanges changes;
};

// Checks of a transaction that a simulated call does without (eth_call, eth_estimateGas,
// eth_simulateV1). On a chain none is skipped.
struct SkippedChecks {
    bool nonce = false;        // any nonce will do
    bool sender_code = false;  // EIP-3607
    bool gas_maximum = false;  // EIP-7825
    bool block_gas = false;    // the block's gas limit
    bool base_fee = false;     // for a transaction that offers no fee at all: it is free
};

struct ExecutionEnvironment {
    evm::CodeCache& code_cache;
    evm::BlockHashSource& block_hashes;
    evm::Tracer* tracer = nullptr;
    // Called after each transaction where pre-Byzantium receipts need the state root; may be null.
    class IntermediateRoot* intermediate_root = nullptr;
    SkippedChecks skipped_checks = {};
    // Simulated calls may name another blob base fee than the header's excess gives.
    std::optional<u256> blob_base_fee = std::nullopt;
    // For simulated calls; see evm::Options.
    const evm::PrecompileMoves* precompile_moves = nullptr;
    // Polled while transactions execute, not in the system calls, which have gas for a fraction of a second.
    // Once requested, execute() gives TxnError::Interrupted, and execute_block() BlockError::Interrupted.
    const evm::Interrupt* interrupt = nullptr;
    // Without, the block's receipts are only with whom execute() gave them to.
    bool keep_receipts = true;
};

// Computes the state root amid a block, for receipts before Byzantium (EIP-658).
class IntermediateRoot {
public:
    virtual ~IntermediateRoot() = default;
    virtual Hash root_after(const state::StateChanges& changes) = 0;
};

// What the message of one transaction gave, with the gas that was charged.
struct TxnOutcome {
    Receipt receipt;
    evm::Status status = evm::Status::Success;
    Bytes output;
    std::uint64_t gas_refunded = 0;
};

// Gas that a transaction costs before execution, and its EIP-7623 floor (zero before Prague).
struct IntrinsicGas {
    std::uint64_t gas = 0;
    std::uint64_t floor = 0;
};
IntrinsicGas intrinsic_gas(evm::Revision revision, const Transaction& txn);

// Executes a block step by step. Order: start(), then execute() per transaction, then finish(); on a chain
// with frames begin_frame() before the transactions of each.
class BlockExecutor {
public:
    // `header` needs what is known before execution: number, timestamp, gas limit, coinbase, base fee,
    // prevRandao or difficulty, excess blob gas, parent hash and beacon root. References outlive this.
    BlockExecutor(const ChainConfig& config, const Header& header, state::State& state,
                  const ExecutionEnvironment& environment);
    ~BlockExecutor();
    BlockExecutor(const BlockExecutor&) = delete;
    BlockExecutor& operator=(const BlockExecutor&) = delete;

    // Irregular changes and system calls at the beginning (EIP-779, EIP-2935, EIP-4788), and the modules'.
    Result<void, BlockFailure> start();
    // Between transactions: what contracts see from here on. Does nothing where the chain has no frames.
    // Fails, with the state as before, if the frame does not follow on the one before: number and index by
    // one, the first index of a block zero; the time not before that one's, nor before the block's second.
    // The very first frame may have any number but zero.
    Result<void, BlockFailure> begin_frame(const FrameContext& frame);
    // Validates and executes; on error, an interrupt included, the state is as before. `sender` is the
    // recovered one.
    Result<TxnOutcome, TxnError> execute(const Transaction& txn, const Address& sender);
    // Which pages of arenas the block changed before this executor was made, for the commitment.
    void note_arena_changes(const std::map<Address, state::ArenaPatch>& arenas);
    // The modules' end of the block and their commitments; withdrawals, ommer and block rewards, requests
    // (EIP-6110, 7002, 7251), and the totals.
    Result<BlockOutcome, BlockFailure> finish(std::span<const Header> ommers,
                                              const std::optional<std::vector<Withdrawal>>& withdrawals);

    std::uint64_t gas_used() const noexcept { return m_gas_used; }
    std::uint64_t blob_gas_used() const noexcept { return m_blob_gas_used; }
    const evm::BlockContext& block_context() const noexcept { return m_block; }
    evm::Revision revision() const noexcept { return m_revision; }

private:
    evm::CallResult call_system(const Address& contract, BytesView input);
    evm::CallResult run(const Transaction& txn, const Address& sender, const evm::TxnContext& context,
                        std::uint64_t gas);
    struct GasSettlement {
        std::uint64_t used = 0;
        std::uint64_t refunded = 0;
    };
    GasSettlement settle_gas(const Transaction& txn, const IntrinsicGas& intrinsic,
                             const evm::CallResult& result) const;
    Result<TxnOutcome, TxnError> execute_deposit(const Transaction& txn);
    GasSettlement run_deposit(const Transaction& txn, evm::CallResult& result);
    // Who sends, and the nonce before; a delegated sender's own code may raise it further (EIP-7702).
    struct Origin {
        Address sender;
        std::uint64_t nonce = 0;
    };
    TxnOutcome close_transaction(const Transaction& txn, const Origin& origin, evm::CallResult& result,
                                 const GasSettlement& gas);
    // Takes note of a receipt for the block.
    void add(const Receipt& receipt);
    // Ends an interrupted transaction.
    std::unexpected<TxnError> cancel(TxnError error = TxnError::Interrupted);
    bool modules_failed() const noexcept;
    Result<TxnOutcome, TxnError> execute_module(const Transaction& txn, const Address& signer);
    void warm(const Transaction& txn, const Address& sender);
    void apply_authorizations(const Transaction& txn);
    Receipt make_receipt(const Transaction& txn, const Origin& origin, const evm::CallResult& result);
    void pay_rewards(std::span<const Header> ommers);
    void pay_withdrawals(const std::vector<Withdrawal>& withdrawals);
    Result<std::vector<Request>, BlockFailure> collect_requests();
    Result<Bytes, BlockFailure> ask_system(const Address& contract);
    Result<void, BlockFailure> check_state() const;
    state::FinishRules finish_rules() const noexcept;
    evm::OpRevision op_revision() const noexcept;
    evm::Options evm_options() const noexcept;

    const ChainConfig& m_config;
    const Header& m_header;
    state::State& m_state;
    ExecutionEnvironment m_environment;
    std::uint32_t m_frame_count = 0;
    evm::Revision m_revision;
    evm::BlockContext m_block;
    std::uint64_t m_gas_used = 0;
    std::uint64_t m_blob_gas_used = 0;
    std::vector<Receipt> m_receipts;
    Bloom m_bloom;
    std::vector<Receipt> m_deposit_receipts;        // those with logs of the deposit contract (EIP-6110)
    std::unique_ptr<module::ModuleHost> m_modules;  // null on a chain without
};

// Whether a module transaction could be executed after this state in a block of that time: its module, its
// nonce, and who signed it. For those who take transactions in.
Result<void, TxnError> check_module_transaction(const ChainConfig& config, state::StateReader& state,
                                                std::uint64_t timestamp, const Transaction& txn,
                                                const Address& signer);

// Checks of a header against its parent that need no execution (yellow paper 4.4.4 and the EIPs since).
Result<void, BlockFailure> validate_header(const ChainConfig& config, const Header& parent,
                                           const Header& header);

// A block to be verified, and what cannot be known from it.
struct BlockInput {
    const Header& parent;
    const Block& block;
    std::span<const Block> ancestors = {};  // newest first, from the parent on; needed for ommers only
    // In order. Empty on a chain without frames; where there are some every transaction is in one.
    std::span<const FrameBoundary> frames = {};
};

// The whole: header checks, body checks (roots, ommers against the ancestors), sender recovery, execution,
// and comparison of gas, bloom, receipts root and requests with the header. The state root is the caller's
// to compare, from `changes`.
Result<BlockOutcome, BlockFailure> execute_block(const ChainConfig& config, const BlockInput& input,
                                                 state::StateReader& parent_state,
                                                 const ExecutionEnvironment& environment);
// The same for a block without frames.
Result<BlockOutcome, BlockFailure> execute_block(const ChainConfig& config, const Header& parent,
                                                 const Block& block, state::StateReader& parent_state,
                                                 const ExecutionEnvironment& environment,
                                                 std::span<const Block> ancestors = {});

// EIP-1559: the base fee of the block after `parent`.
u256 next_base_fee(const ChainConfig& config, const Header& parent, std::uint64_t timestamp);
// EIP-4844, EIP-7918: the excess blob gas of the block after `parent`.
std::uint64_t next_excess_blob_gas(const ChainConfig& config, const Header& parent, std::uint64_t timestamp);
// Ethash's difficulty of the block after `parent`, before Paris (EIP-2, EIP-100, and the bomb's delays).
u256 next_difficulty(const ChainConfig& config, const Header& parent, std::uint64_t timestamp);
u256 blob_base_fee(const ChainConfig& config, std::uint64_t timestamp, std::uint64_t excess_blob_gas);

}  // namespace meridian::chain
