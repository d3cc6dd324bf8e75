// The operations that begin a nested frame: the four calls and the two creations.
#include <meridian/evm/operation_support.hpp>

namespace meridian::evm {

namespace {

using Args = const u256* const*;

// A call's operands; the value is zero where the instruction has none.
struct CallOperands {
    u256 gas;
    Address address;
    u256 value;
    u256 input_offset;
    u256 input_size;
    u256 output_offset;
    u256 output_size;
};

template <CallKind Kind>
CallOperands read_operands(Args args) {
    constexpr bool kHasValue = Kind == CallKind::Call || Kind == CallKind::CallCode;
    constexpr std::size_t i = kHasValue ? 3 : 2;
    return {*args[0],     to_address(*args[1]), kHasValue ? *args[2] : u256{}, *args[i], *args[i + 1],
            *args[i + 2], *args[i + 3]};
}

// EIP-7702: reading a delegate's code is an access of its own.
template <Revision R>
[[nodiscard]] bool charge_delegate(Frame& frame, state::CachedAccount& account) {
    if constexpr (Traits<R>::kDelegations) {
        state::State& state = frame.machine->state();
        const std::optional<Address> delegate = delegate_of(state.code(account));
        if (delegate.has_value())
            return charge(frame,
                          state.warm_account(state.load(*delegate)) ? kColdAccountCost : kWarmAccessCost);
    }
    return true;
}

template <Revision R, CallKind Kind>
[[nodiscard]] bool charge_call(Frame& frame, const CallOperands& operands) {
    using T = Traits<R>;
    state::CachedAccount& account = frame.machine->state().load(operands.address);
    if (!charge_access<R>(frame, account) || !charge_delegate<R>(frame, account))
        return false;
    std::int64_t cost = operands.value ? kCallValueCost : 0;
    if constexpr (Kind == CallKind::Call) {
        const bool creates =
            T::kEmptyIsAbsent ? operands.value && account.account.is_empty() : !account.exists;
        if (creates)
            cost += kNewAccountCost;
    }
    return charge(frame, cost);
}

// Gas for the callee, without the stipend; negative if the frame has not got what is demanded.
template <Revision R>
std::int64_t callee_gas(const Frame& frame, const u256& asked) {
    if constexpr (Traits<R>::kKeepsSixtyFourth) {
        const std::int64_t most = frame.gas_left() - frame.gas_left() / 64;
        return fits_u64(asked) && asked[0] < static_cast<std::uint64_t>(most)
                   ? static_cast<std::int64_t>(asked[0])
                   : most;
    }
    return fits_u64(asked) && asked[0] <= static_cast<std::uint64_t>(frame.gas_left())
               ? static_cast<std::int64_t>(asked[0])
               : -1;
}

template <CallKind Kind>
Message call_message(const Frame& frame, const CallOperands& operands, std::int64_t gas) {
    const Message& caller = *frame.message;
    Message out;
    out.kind = Kind;
    out.is_static = caller.is_static || Kind == CallKind::StaticCall;
    out.depth = caller.depth + 1;
    out.gas = gas;
    const bool own = Kind == CallKind::CallCode || Kind == CallKind::DelegateCall;
    out.recipient = own ? caller.recipient : operands.address;
    out.code_address = operands.address;
    out.sender = Kind == CallKind::DelegateCall ? caller.sender : caller.recipient;
    out.value = Kind == CallKind::DelegateCall ? caller.value : operands.value;
    out.input = memory_view(frame, operands.input_offset, operands.input_size);
    return out;
}

template <Revision R, CallKind Kind>
Flow call(Frame& frame, Args args, u256& result) {
    const CallOperands operands = read_operands<Kind>(args);
    if (Kind == CallKind::Call && frame.message->is_static && operands.value)
        return halt(Status::StaticModeViolation);
    if (!reach(frame, operands.input_offset, operands.input_size) ||
        !reach(frame, operands.output_offset, operands.output_size) || !charge_call<R, Kind>(frame, operands))
        return kOutOfGas;
    std::int64_t gas = callee_gas<R>(frame, operands.gas);
    if (gas < 0 || !charge(frame, gas))
        return kOutOfGas;
    if (operands.value)
        gas += kCallStipend;
    const Outcome outcome = frame.machine->execute(call_message<Kind>(frame, operands, gas));
    if (outcome.status == Status::Interrupted || frame.machine->interrupted())
        return halt(Status::Interrupted);
    frame.set_gas_left(frame.gas_left() + outcome.gas_left, frame.machine->polls());
    frame.return_data = outcome.output;
    const std::size_t copied = std::min<std::size_t>(operands.output_size[0], outcome.output.size());
    if (copied != 0)
        std::memcpy(frame.memory->data() + operands.output_offset[0], outcome.output.data(), copied);
    result = outcome.status == Status::Success;
    return Flow::Continue;
}

template <Revision R, CallKind Kind>
Flow create(Frame& frame, Args args, u256& result) {
    using T = Traits<R>;
    if (frame.message->is_static)
        return halt(Status::StaticModeViolation);
    const u256 value = *args[0];
    const u256 offset = *args[1];
    const u256 size = *args[2];
    if (!reach(frame, offset, size))
        return kOutOfGas;
    if constexpr (T::kMetersInitCode) {
        const std::size_t size_max = frame.machine->options().max_init_code_size;
        if (size_max != 0 && size[0] > size_max)
            return halt(Status::InitCodeSizeExceeded);
        if (!charge(frame, kInitCodeWordCost * word_count(size[0])))
            return kOutOfGas;
    }
    if (Kind == CallKind::Create2 && !charge(frame, kKeccakWordCost * word_count(size[0])))
        return kOutOfGas;
    Message message;
    message.kind = Kind;
    message.depth = frame.message->depth + 1;
    message.gas = frame.gas_left() - (T::kKeepsSixtyFourth ? frame.gas_left() / 64 : 0);
    message.sender = frame.message->recipient;
    message.value = value;
    message.input = memory_view(frame, offset, size);
    if constexpr (Kind == CallKind::Create2)
        message.salt = to_hash(*args[3]);
    if (!charge(frame, message.gas))
        return kOutOfGas;
    const Outcome outcome = frame.machine->execute(message);
    if (outcome.status == Status::Interrupted || frame.machine->interrupted())
        return halt(Status::Interrupted);
    frame.set_gas_left(frame.gas_left() + outcome.gas_left, frame.machine->polls());
    frame.return_data = outcome.status == Status::Revert ? outcome.output : BytesView{};
    result = outcome.status == Status::Success ? from_address(outcome.created) : u256{};
    return Flow::Continue;
}

template <Revision R>
void set_operations(OperationTable& table) noexcept {
    const auto set = [&table](Op op, Operation operation) {
        table[static_cast<std::size_t>(op)] = operation;
    };
    set(Op::Call, call<R, CallKind::Call>);
    set(Op::Callcode, call<R, CallKind::CallCode>);
    set(Op::Delegatecall, call<R, CallKind::DelegateCall>);
    set(Op::Staticcall, call<R, CallKind::StaticCall>);
    set(Op::Create, create<R, CallKind::Create>);
    set(Op::Create2, create<R, CallKind::Create2>);
}

template <Revision R, CallKind Kind>
bool charge_whole_call(Frame& frame, Args args) {
    const CallOperands operands = read_operands<Kind>(args);
    if (!charge_call<R, Kind>(frame, operands))
        return false;
    const std::int64_t gas = callee_gas<R>(frame, operands.gas);
    return gas >= 0 && charge(frame, gas);
}

template <Revision R>
void set_charges(StateChargeTable& table) noexcept {
    const auto set = [&table](Op op, StateCharge charge) { table[static_cast<std::size_t>(op)] = charge; };
    set(Op::Call, charge_whole_call<R, CallKind::Call>);
    set(Op::Callcode, charge_whole_call<R, CallKind::CallCode>);
    set(Op::Delegatecall, charge_whole_call<R, CallKind::DelegateCall>);
    set(Op::Staticcall, charge_whole_call<R, CallKind::StaticCall>);
}

}  // namespace

namespace detail {
void set_call_charges(Revision revision, StateChargeTable& table) noexcept {
    with_revision(revision, [&table]<Revision R>() { set_charges<R>(table); });
}

void set_call_operations(Revision revision, OperationTable& table) noexcept {
    with_revision(revision, [&table]<Revision R>() { set_operations<R>(table); });
}
}  // namespace detail

}  // namespace meridian::evm
