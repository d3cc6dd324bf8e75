#include <meridian/chain/txn_cost.hpp>
#include <meridian/rpc/access_list_tracer.hpp>
#include <meridian/rpc/call_runner.hpp>
#include <meridian/rpc/opcode.hpp>
#include <meridian/sequencer/txn_words.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

using chain::Transaction;
using chain::TxnError;

constexpr std::uint64_t kTransferGas = 21'000;
constexpr std::uint64_t kCallStipend = 2'300;
constexpr int kAccessListRoundsMax = 16;

// Notes the last instruction of the outermost frame.
class OutermostTracer final : public evm::Tracer {
public:
    void on_enter(const evm::Message&, BytesView) override {}
    void on_exit(const evm::Message&, const evm::CallResult&) override {}
    void on_step(const evm::Step& step) override {
        if (step.depth == 1)
            m_last = LastInstruction{step.opcode, step.stack.size()};
    }
    void on_selfdestruct(const Address&, const Address&, const u256&) override {}
    void on_log(const state::Log&) override {}

    const std::optional<LastInstruction>& last() const noexcept { return m_last; }

private:
    std::optional<LastInstruction> m_last;
};

node::CallContext context_for(Service& service, const BlockReference& reference) {
    node::Chain& chain = service.chain();
    if (reference.is_pending())
        return available(node::pending_context(chain));
    const auto block = find_block(chain, reference);
    if (!block)
        refuse(reference.hash ? "header for hash not found" : "header not found");
    return available(node::context_after(chain, *block));
}

}  // namespace

CallRunner::CallRunner(Service& service, CallArgs args, const BlockReference& block,
                       const std::optional<Deadline>& deadline)
    : m_service(service),
      m_deadline(deadline ? *deadline : service.call_deadline()),
      m_args(std::move(args)),
      m_context(context_for(service, block)) {
    // Where no price is named nothing is paid, and the call sees a base fee of zero.
    if (m_context.header.base_fee && (!m_args.names_a_price() || transaction().max_fee_per_gas == u256{}))
        m_context.header.base_fee = u256{};
    if (m_args.max_fee_per_blob_gas.value_or(u256{}) == u256{})
        m_options.blob_base_fee = u256{};
}

evm::Revision CallRunner::revision() const noexcept {
    return m_service.chain().config().revision(m_context.header.number, m_context.header.timestamp);
}

void CallRunner::override_block(const BlockOverrides& overrides) {
    if (overrides.beacon_root)
        throw RpcError(ErrorCode::InvalidParams,
                       "block override \"beaconRoot\" is not supported for this RPC method");
    if (overrides.withdrawals)
        throw RpcError(ErrorCode::InvalidParams,
                       "block override \"withdrawals\" is not supported for this RPC method");
    apply(overrides, m_context.header);
    if (overrides.blob_base_fee)
        m_options.blob_base_fee = overrides.blob_base_fee;
}

void CallRunner::override_state(const StateOverrides& overrides) {
    apply(overrides, *m_context.state, revision(), &m_moves);
    if (!m_moves.empty())
        m_options.precompile_moves = &m_moves;
}

Transaction CallRunner::transaction() const {
    return make_call(m_args, m_service.chain().config(), revision(), m_service.limits().call_gas_max);
}

CallRunner::Outcome CallRunner::run(const Transaction& txn, evm::Tracer* tracer,
                                    state::StateChanges* changes) {
    node::CallOptions options = m_options;
    options.tracer = tracer;
    options.interrupt = &m_deadline;
    if (!m_moves.empty())
        options.precompile_moves = &m_moves;
    auto outcome = node::execute_call(m_service.chain(), m_context, txn, m_args.sender(), options, changes);
    if (!outcome && outcome.error() == TxnError::Interrupted)
        m_deadline.refuse_interrupted();
    return outcome;
}

// Executes once more where the words need to know the last instruction.
std::string CallRunner::failure_text(const Transaction& txn, evm::Status status) {
    if (!needs_last_instruction(status))
        return describe_status(status);
    OutermostTracer tracer;
    static_cast<void>(run(txn, &tracer, nullptr));
    return describe_status(status, tracer.last());
}

void CallRunner::throw_if_failed(const Transaction& txn, const chain::TxnOutcome& outcome) {
    if (outcome.status == evm::Status::Success)
        return;
    if (outcome.status == evm::Status::Revert)
        throw RpcError(ErrorCode::Reverted, revert_message(outcome.output), hex_data(outcome.output));
    refuse(failure_text(txn, outcome.status));
}

state::Account CallRunner::sender_account() {
    return m_context.state->account(m_args.sender()).value_or(state::Account{});
}

void CallRunner::refuse_call(TxnError error, const Transaction& txn) {
    refuse("err: " +
           sequencer::describe(error, txn, m_args.sender(), m_service.chain().config(), m_context.header,
                               sender_account()) +
           " (supplied gas " + std::to_string(txn.gas_limit) + ")");
}

chain::TxnOutcome CallRunner::execute(evm::Tracer* tracer, state::StateChanges* changes) {
    const Transaction txn = transaction();
    auto outcome = run(txn, tracer, changes);
    if (!outcome)
        refuse_call(outcome.error(), txn);
    return *std::move(outcome);
}

// --- eth_estimateGas ------------------------------------------------------------------------------------

CallRunner::Attempt CallRunner::attempt(Transaction& txn, std::uint64_t gas) {
    txn.gas_limit = gas;
    auto outcome = run(txn, nullptr, nullptr);
    if (!outcome) {
        if (outcome.error() == TxnError::IntrinsicGasTooLow ||
            outcome.error() == TxnError::IntrinsicGasBelowFloorGasCost)
            return {};
        refuse("failed with " + std::to_string(gas) + " gas: " +
               sequencer::describe(outcome.error(), txn, m_args.sender(), m_service.chain().config(),
                                   m_context.header, sender_account()));
    }
    return {outcome->status == evm::Status::Success, *std::move(outcome)};
}

// What the block, the sender's balance and our bound allow.
std::uint64_t CallRunner::gas_ceiling(const Transaction& txn) {
    std::uint64_t ceiling = m_context.header.gas_limit;
    if (m_args.gas && *m_args.gas >= kTransferGas)
        ceiling = *m_args.gas;
    if (revision() >= evm::Revision::Osaka)
        ceiling = std::min(ceiling, chain::kTxnGasMaximum);
    if (txn.max_fee_per_gas != u256{}) {
        u256 available = sender_account().balance;
        if (txn.value >= available && txn.value != u256{})
            refuse("insufficient funds for transfer");
        available -= txn.value;
        const u256 allowance = available / txn.max_fee_per_gas;
        if (fits_u64(allowance))
            ceiling = std::min(ceiling, allowance[0]);
    }
    return std::min(ceiling, m_service.limits().call_gas_max);
}

bool CallRunner::is_plain_transfer(const Transaction& txn) {
    if (!txn.to || !txn.data.empty() || !txn.access_list.empty() || !txn.authorizations.empty())
        return false;
    return !m_context.state->account(*txn.to).value_or(state::Account{}).has_code() &&
           !is_precompile(*txn.to, revision());
}

std::uint64_t CallRunner::estimate_gas() {
    Transaction txn = transaction();
    std::uint64_t high = gas_ceiling(txn);
    if (is_plain_transfer(txn) && high >= kTransferGas && attempt(txn, kTransferGas).enough)
        return kTransferGas;
    const Attempt most = attempt(txn, high);
    if (!most.enough) {
        if (most.outcome.status != evm::Status::OutOfGas && most.outcome.status != evm::Status::Success)
            throw_if_failed(txn, most.outcome);
        refuse("gas required exceeds allowance (" + std::to_string(high) + ")");
    }
    // What was used before refunds is the least that can be enough.
    const std::uint64_t used = most.outcome.receipt.gas_used;
    std::uint64_t low = used - 1;
    const std::uint64_t likely = (used + most.outcome.gas_refunded + kCallStipend) * 64 / 63;
    if (likely < high) {
        if (attempt(txn, likely).enough)
            high = likely;
        else
            low = likely;
    }
    while (low + 1 < high) {
        if (static_cast<double>(high - low) / static_cast<double>(high) < 0.015)
            break;
        const std::uint64_t middle = std::min((high + low) / 2, low * 2);
        if (attempt(txn, middle).enough)
            high = middle;
        else
            low = middle;
    }
    return high;
}

// --- eth_createAccessList -------------------------------------------------------------------------------

CallRunner::AccessListOutcome CallRunner::create_access_list() {
    Transaction txn = transaction();
    if (txn.type == chain::TxnType::Legacy && revision() >= evm::Revision::Berlin)
        txn.type = chain::TxnType::AccessList;
    std::set<Address> excluded{m_args.sender()};
    if (txn.to)
        excluded.insert(*txn.to);
    else
        excluded.insert(evm::create_address(m_args.sender(), m_args.nonce.value_or(sender_account().nonce)));
    for (const Address& address : precompile_addresses(revision()))
        excluded.insert(address);
    AccessListOutcome out;
    for (int round = 0; round < kAccessListRoundsMax; ++round) {
        AccessListTracer tracer(excluded, txn.access_list);
        const auto outcome = run(txn, &tracer, nullptr);
        if (!outcome)
            refuse_call(outcome.error(), txn);
        chain::AccessList list = tracer.list();
        out.gas_used = outcome->receipt.gas_used;
        out.error = outcome->status == evm::Status::Success ? "" : failure_text(txn, outcome->status);
        const bool stable = list == txn.access_list;
        txn.access_list = list;
        out.list = std::move(list);
        if (stable)
            break;
    }
    return out;
}

}  // namespace meridian::rpc
