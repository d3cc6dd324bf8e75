// One call on one block, executed as often as a method needs.
#pragma once

#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/call_args.hpp>
#include <meridian/rpc/service.hpp>

namespace meridian::rpc {

class CallRunner {
public:
    // Throws RpcError if the block does not exist. All executions share the deadline, beyond which they throw
    // its RpcError; there is the service's for calls if none is given.
    CallRunner(Service& service, CallArgs args, const BlockReference& block,
               const std::optional<Deadline>& deadline = {});

    void override_block(const BlockOverrides& overrides);
    void override_state(const StateOverrides& overrides);

    // Throws RpcError if the call is not valid at all; a call that reverts or halts is an outcome.
    chain::TxnOutcome execute(evm::Tracer* tracer = nullptr, state::StateChanges* changes = nullptr);
    // Throws what geth answers for an outcome of execute() that is bad; returns for a success.
    void throw_if_failed(const chain::TxnOutcome& outcome) { throw_if_failed(transaction(), outcome); }
    // As geth: a binary search that ends at 1.5 %.
    std::uint64_t estimate_gas();

    struct AccessListOutcome {
        chain::AccessList list;
        std::uint64_t gas_used = 0;
        std::string error;  // of the last execution; empty for a success
    };
    AccessListOutcome create_access_list();

    const CallArgs& args() const noexcept { return m_args; }
    node::CallContext& context() noexcept { return m_context; }
    evm::Revision revision() const noexcept;
    // What is executed.
    chain::Transaction transaction() const;

private:
    using Outcome = Result<chain::TxnOutcome, chain::TxnError>;
    struct Attempt {
        bool enough = false;
        chain::TxnOutcome outcome;
    };

    state::Account sender_account();
    Outcome run(const chain::Transaction& txn, evm::Tracer* tracer, state::StateChanges* changes);
    void throw_if_failed(const chain::Transaction& txn, const chain::TxnOutcome& outcome);
    std::string failure_text(const chain::Transaction& txn, evm::Status status);
    [[noreturn]] void refuse_call(chain::TxnError error, const chain::Transaction& txn);
    Attempt attempt(chain::Transaction& txn, std::uint64_t gas);
    std::uint64_t gas_ceiling(const chain::Transaction& txn);
    bool is_plain_transfer(const chain::Transaction& txn);

    Service& m_service;
    Deadline m_deadline;
    CallArgs m_args;
    node::CallContext m_context;
    node::CallOptions m_options;
    evm::PrecompileMoves m_moves;
};

}  // namespace meridian::rpc
