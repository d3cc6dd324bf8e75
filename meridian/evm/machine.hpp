// One transaction's execution: nested calls and creations, and what the operations need to reach.
#pragma once

#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/context.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/evm/frame.hpp>
#include <meridian/evm/traits.hpp>

namespace meridian::evm {

struct Precompile;

// CallResult without ownership: the output lies in the storage of the depth that ran, and is valid until
// another frame runs there.
struct Outcome {
    Status status = Status::Success;
    std::int64_t gas_left = 0;
    BytesView output;
    Address created;
};

class Machine {
public:
    Machine(Revision revision, state::State& state, const BlockContext& block, const TxnContext& txn,
            CodeCache& cache, Tracer* tracer, const Options& options);

    // Executes a message of any kind. Recursion is bounded by kCallDepthMax; that many levels need less
    // than 3 MB of native stack, 6 MB under AddressSanitizer (the tests nest to the bound).
    Outcome execute(const Message& message);

    Revision revision() const noexcept { return m_revision; }
    state::State& state() noexcept { return m_state; }
    const BlockContext& block() const noexcept { return m_block; }
    const TxnContext& txn() const noexcept { return m_txn; }
    // Whether there is an interrupt to poll.
    bool polls() const noexcept { return m_options.interrupt != nullptr; }
    bool interrupted() const noexcept { return polls() && m_options.interrupt->requested(); }
    Tracer* tracer() const noexcept { return m_tracer; }
    const Options& options() const noexcept { return m_options; }

private:
    Outcome call(const Message& message);
    const Precompile* precompile_at(const Address& address) const;
    void transfer(const Message& message, bool to_precompile);
    Outcome run_precompile(const Precompile& precompile, const Message& message);
    bool is_native(const Address& address) const noexcept;
    Outcome run_native(const Message& message);
    state::CachedAccount& code_account(const Message& message);
    BytesView running_code(const Message& message);
    Outcome run(const Message& message);
    Outcome run_code(Code& code, const Message& message);

    // `message.recipient` is not set yet.
    Outcome create(const Message& request);
    Address new_address(const Message& message, std::uint64_t nonce) const;
    Outcome create_at(const Message& message, std::uint64_t nonce);
    Outcome run_init_code(const Message& message, state::CachedAccount& account);
    void deposit(Outcome& outcome, state::CachedAccount& account);
    void report_exit(const Message& message, const Outcome& outcome);

    Revision m_revision;
    state::State& m_state;
    const BlockContext& m_block;
    const TxnContext& m_txn;
    CodeCache& m_cache;
    Tracer* m_tracer;
    const Options& m_options;
};

// EIP-7702: the account that a delegation designator names; empty if `code` is none.
std::optional<Address> delegate_of(BytesView code) noexcept;

}  // namespace meridian::evm
