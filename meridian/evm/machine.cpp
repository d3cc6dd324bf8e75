#include <meridian/evm/machine.hpp>

#include <meridian/evm/interpreter.hpp>
#include <meridian/evm/native.hpp>
#include <meridian/evm/precompiles.hpp>

#include <limits>

namespace meridian::evm {

std::optional<Address> delegate_of(BytesView code) noexcept {
    if (code.size() != 23 || code[0] != 0xef || code[1] != 0x01 || code[2] != 0x00)
        return std::nullopt;
    return first_bytes<20>(code.subspan(3));
}

namespace {
bool is_creation(const Message& message) noexcept {
    return message.kind == CallKind::Create || message.kind == CallKind::Create2;
}
}  // namespace

Machine::Machine(Revision revision, state::State& state, const BlockContext& block, const TxnContext& txn,
                 CodeCache& cache, Tracer* tracer, const Options& options)
    : m_revision(revision),
      m_state(state),
      m_block(block),
      m_txn(txn),
      m_cache(cache),
      m_tracer(tracer),
      m_options(options) {}

Outcome Machine::execute(const Message& message) {
    if (interrupted())
        return {Status::Interrupted, 0, {}, {}};
    if (is_creation(message))
        return create(message);
    if (m_tracer == nullptr)
        return call(message);
    m_tracer->on_enter(message, running_code(message));
    const Outcome outcome = call(message);
    report_exit(message, outcome);
    return outcome;
}

// --- calls ----------------------------------------------------------------------------------------------

Outcome Machine::call(const Message& message) {
    if (message.depth > kCallDepthMax)
        return {Status::CallDepthExceeded, message.gas, {}, {}};
    const bool pays = message.kind == CallKind::Call || message.kind == CallKind::CallCode;
    if (pays && message.value && m_state.balance(message.sender) < message.value)
        return {Status::InsufficientBalance, message.gas, {}, {}};
    const auto checkpoint = m_state.checkpoint();
    const Precompile* const precompile = precompile_at(message.code_address);
    transfer(message, precompile != nullptr);
    const Outcome outcome = precompile != nullptr             ? run_precompile(*precompile, message)
                            : is_native(message.code_address) ? run_native(message)
                                                              : run(message);
    if (outcome.status != Status::Success)
        m_state.revert(checkpoint);
    return outcome;
}

const Precompile* Machine::precompile_at(const Address& address) const {
    if (m_options.precompile_moves != nullptr)
        if (const auto it = m_options.precompile_moves->find(address);
            it != m_options.precompile_moves->end())
            return it->second.has_value() ? find_precompile(m_revision, *it->second, m_options.op_revision)
                                          : nullptr;
    return find_precompile(m_revision, address, m_options.op_revision);
}

// Moves the value of a plain call, and touches the recipient (EIP-161) or brings it into being.
void Machine::transfer(const Message& message, bool to_precompile) {
    if (message.kind != CallKind::Call && message.kind != CallKind::StaticCall)
        return;
    state::CachedAccount& recipient = m_state.load(message.recipient);
    if (message.kind == CallKind::Call && message.value) {
        m_state.sub_balance(message.sender, message.value);
        m_state.add_balance(message.recipient, message.value);
    } else if (recipient.exists || m_revision < Revision::SpuriousDragon || to_precompile) {
        m_state.touch(recipient);
    }
}

Outcome Machine::run_precompile(const Precompile& precompile, const Message& message) {
    const std::uint64_t cost = precompile.gas(message.input);
    if (cost > static_cast<std::uint64_t>(message.gas))
        return {Status::OutOfGas, 0, {}, {}};
    Bytes& output = m_cache.frames().at(message.depth).output;
    if (!precompile.run(message.input, output).has_value())
        return {Status::PrecompileFailure, 0, {}, {}};
    return {Status::Success, message.gas - static_cast<std::int64_t>(cost), output, {}};
}

bool Machine::is_native(const Address& address) const noexcept {
    return m_options.native != nullptr && m_options.native->has(address);
}

namespace {
class MachineCalls final : public NestedCalls {
public:
    explicit MachineCalls(Machine& machine) : m_machine(machine) {}
    CallResult call(const Message& message) override {
        const Outcome outcome = m_machine.execute(message);
        return {outcome.status, outcome.gas_left, to_bytes(outcome.output), outcome.created};
    }

private:
    Machine& m_machine;
};
}  // namespace

Outcome Machine::run_native(const Message& message) {
    Bytes& output = m_cache.frames().at(message.depth).output;
    MachineCalls nested(*this);
    const NativeOutcome done = m_options.native->call(message, m_block, m_txn, m_tracer, nested, output);
    return {done.status, done.gas_left, output, {}};
}

// The code that a call runs: the delegate's if there is one (EIP-7702), but not the delegate's delegate's.
state::CachedAccount& Machine::code_account(const Message& message) {
    state::CachedAccount& account = m_state.load(message.code_address);
    if (m_revision < Revision::Prague || !account.account.has_code())
        return account;
    const std::optional<Address> delegate = delegate_of(m_state.code(account));
    return delegate.has_value() ? m_state.load(*delegate) : account;
}

BytesView Machine::running_code(const Message& message) {
    return m_state.code(code_account(message));
}

Outcome Machine::run(const Message& message) {
    state::CachedAccount& account = code_account(message);
    // A delegation to a precompile finds no code there.
    if (!account.account.has_code())
        return {Status::Success, message.gas, {}, {}};
    Code& code =
        m_cache.find(account.account.code_hash, m_state.code(account), m_revision, m_tracer != nullptr);
    return run_code(code, message);
}

Outcome Machine::run_code(Code& code, const Message& message) {
    FrameStorage& storage = m_cache.frames().at(message.depth);
    storage.memory.clear();
    Frame frame;
    frame.set_gas_left(message.gas, polls());
    frame.stack_base = storage.stack.get();
    frame.memory = &storage.memory;
    frame.machine = this;
    frame.message = &message;
    frame.code = &code;
    frame.self = &m_state.load(message.recipient);
    const Status status = interpret(frame);
    const bool halted = status != Status::Success && status != Status::Revert;
    if (halted)
        return {status, 0, {}, {}};
    return {status, frame.gas_left(), frame.output, {}};
}

// --- creations ------------------------------------------------------------------------------------------

Outcome Machine::create(const Message& request) {
    const std::uint64_t nonce = m_state.nonce(request.sender);
    Message message = request;
    message.recipient = message.code_address = new_address(request, nonce);
    if (m_tracer == nullptr)
        return create_at(message, nonce);
    m_tracer->on_enter(message, message.input);
    const Outcome outcome = create_at(message, nonce);
    report_exit(message, outcome);
    return outcome;
}

Address Machine::new_address(const Message& message, std::uint64_t nonce) const {
    if (message.kind == CallKind::Create2)
        return create2_address(message.sender, message.salt, crypto::keccak256(message.input));
    // A transaction has already raised its sender's nonce.
    return create_address(message.sender, message.depth == 0 ? nonce - 1 : nonce);
}

Outcome Machine::create_at(const Message& message, std::uint64_t nonce) {
    if (message.depth > kCallDepthMax)
        return {Status::CallDepthExceeded, message.gas, {}, {}};
    if (message.value && m_state.balance(message.sender) < message.value)
        return {Status::InsufficientBalance, message.gas, {}, {}};
    if (message.depth > 0) {
        // EIP-2681.
        if (nonce == std::numeric_limits<std::uint64_t>::max())
            return {Status::NonceOverflow, message.gas, {}, {}};
        m_state.set_nonce(m_state.load(message.sender), nonce + 1);
    }
    state::CachedAccount& account = m_state.load(message.recipient);
    if (m_revision >= Revision::Berlin)
        (void)m_state.warm_account(account);
    // EIP-684 and EIP-7610.
    if (account.account.nonce != 0 || account.account.has_code() || m_state.has_storage(message.recipient))
        return {Status::CreateCollision, 0, {}, {}};
    const auto checkpoint = m_state.checkpoint();
    Outcome outcome = run_init_code(message, account);
    if (outcome.status == Status::Success)
        deposit(outcome, account);
    if (outcome.status != Status::Success)
        m_state.revert(checkpoint);
    else
        outcome.created = message.recipient;
    return outcome;
}

Outcome Machine::run_init_code(const Message& message, state::CachedAccount& account) {
    m_state.create_contract(account);
    if (m_revision >= Revision::SpuriousDragon)
        m_state.set_nonce(account, 1);
    if (message.value) {
        m_state.sub_balance(message.sender, message.value);
        m_state.add_balance(message.recipient, message.value);
    }
    const auto code =
        std::make_unique<Code>(message.input, m_revision, m_tracer != nullptr, m_cache.translator());
    Message running = message;
    running.input = {};
    return run_code(*code, running);
}

// Pays for and stores what the init code returned.
void Machine::deposit(Outcome& outcome, state::CachedAccount& account) {
    const BytesView code = outcome.output;
    const std::int64_t cost = kCodeDepositCost * static_cast<std::int64_t>(code.size());
    const auto fails = [&outcome](Status status) { outcome = {status, 0, {}, {}}; };
    if (m_revision >= Revision::SpuriousDragon && m_options.max_code_size != 0 &&
        code.size() > m_options.max_code_size)
        return fails(Status::CodeSizeExceeded);
    if (m_revision >= Revision::London && !code.empty() && code[0] == 0xef)
        return fails(Status::InvalidCode);
    outcome.output = {};
    if (cost > outcome.gas_left) {
        if (m_revision >= Revision::Homestead)
            fails(Status::OutOfGas);
        return;  // Frontier: the contract exists without code
    }
    outcome.gas_left -= cost;
    m_state.set_code(account, to_bytes(code));
    outcome.output = m_state.code(account);
}

void Machine::report_exit(const Message& message, const Outcome& outcome) {
    m_tracer->on_exit(message, {outcome.status, outcome.gas_left, to_bytes(outcome.output), outcome.created});
}

}  // namespace meridian::evm
