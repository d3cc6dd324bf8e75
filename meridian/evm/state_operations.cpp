// Operations on accounts and storage, whose price and effect depend on the revision.
#include <meridian/evm/operation_support.hpp>

namespace meridian::evm {

namespace {

using Args = const u256* const*;

template <Revision R>
Flow balance(Frame& frame, Args args, u256& result) {
    state::CachedAccount& account = account_at(frame, *args[0]);
    if (!charge_access<R>(frame, account))
        return kOutOfGas;
    result = account.account.balance;
    return Flow::Continue;
}

template <Revision R>
Flow extcodesize(Frame& frame, Args args, u256& result) {
    state::CachedAccount& account = account_at(frame, *args[0]);
    if (!charge_access<R>(frame, account))
        return kOutOfGas;
    result = frame.machine->state().code(account).size();
    return Flow::Continue;
}

template <Revision R>
Flow extcodecopy(Frame& frame, Args args, u256&) {
    const u256& to = *args[1];
    const u256& size = *args[3];
    if (!reach(frame, to, size) || !charge(frame, kCopyWordCost * word_count(size[0])))
        return kOutOfGas;
    state::CachedAccount& account = account_at(frame, *args[0]);
    if (!charge_access<R>(frame, account))
        return kOutOfGas;
    copy_padded(frame, to, frame.machine->state().code(account), *args[2], size);
    return Flow::Continue;
}

template <Revision R>
Flow extcodehash(Frame& frame, Args args, u256& result) {
    state::CachedAccount& account = account_at(frame, *args[0]);
    if (!charge_access<R>(frame, account))
        return kOutOfGas;
    // EIP-1052: zero for an account that is empty or does not exist.
    result = account.account.is_empty() ? u256{} : from_hash(account.account.code_hash);
    return Flow::Continue;
}

// Of one account access; for the tracer's view of the cost.
template <Revision R>
bool charge_account(Frame& frame, Args args) {
    return charge_access<R>(frame, account_at(frame, *args[0]));
}

template <Revision R>
bool charge_sload(Frame& frame, Args args) {
    if constexpr (Traits<R>::kAccessLists) {
        state::State& state = frame.machine->state();
        return !state.warm_slot(state.slot(*frame.self, *args[0])) ||
               charge(frame, kColdSlotCost - kWarmAccessCost);
    }
    return true;
}

template <Revision R>
bool charge_sstore(Frame& frame, Args args) {
    if (Traits<R>::kSstoreGuardsStipend && frame.gas_left() <= kCallStipend)
        return false;
    state::State& state = frame.machine->state();
    state::CachedSlot& slot = state.slot(*frame.self, *args[0]);
    const bool cold = Traits<R>::kAccessLists && state.warm_slot(slot);
    return charge(frame, sstore_effect<R>(slot.original, slot.current, *args[1], cold).cost);
}

template <Revision R>
Flow sload(Frame& frame, Args args, u256& result) {
    state::State& state = frame.machine->state();
    state::CachedSlot& slot = state.slot(*frame.self, *args[0]);
    if constexpr (Traits<R>::kAccessLists)
        if (state.warm_slot(slot) && !charge(frame, kColdSlotCost - kWarmAccessCost))
            return kOutOfGas;
    result = slot.current;
    return Flow::Continue;
}

template <Revision R>
Flow sstore(Frame& frame, Args args, u256&) {
    if (frame.message->is_static)
        return halt(Status::StaticModeViolation);
    if (Traits<R>::kSstoreGuardsStipend && frame.gas_left() <= kCallStipend)
        return kOutOfGas;
    state::State& state = frame.machine->state();
    const u256& key = *args[0];
    const u256& value = *args[1];
    state::CachedSlot& slot = state.slot(*frame.self, key);
    const bool cold = Traits<R>::kAccessLists && state.warm_slot(slot);
    const SstoreEffect effect = sstore_effect<R>(slot.original, slot.current, value, cold);
    if (!charge(frame, effect.cost))
        return kOutOfGas;
    if (effect.refund != 0)
        state.add_refund(effect.refund);
    state.set_storage(*frame.self, key, slot, value);
    return Flow::Continue;
}

template <Revision R>
[[nodiscard]] bool charge_selfdestruct(Frame& frame, state::CachedAccount& beneficiary) {
    using T = Traits<R>;
    if constexpr (T::kAccessLists)
        if (frame.machine->state().warm_account(beneficiary) && !charge(frame, kColdAccountCost))
            return false;
    if constexpr (T::kSelfdestructPaysNewAccount) {
        const bool pays = T::kEmptyIsAbsent ? frame.self->account.balance && beneficiary.account.is_empty()
                                            : !beneficiary.exists;
        return !pays || charge(frame, kNewAccountCost);
    }
    return true;
}

template <Revision R>
Flow selfdestruct(Frame& frame, Args args, u256&) {
    using T = Traits<R>;
    if (frame.message->is_static)
        return halt(Status::StaticModeViolation);
    state::State& state = frame.machine->state();
    state::CachedAccount& self = *frame.self;
    state::CachedAccount& beneficiary = account_at(frame, *args[0]);
    if (!charge_selfdestruct<R>(frame, beneficiary))
        return kOutOfGas;
    const u256 amount = self.account.balance;
    if (Tracer* const tracer = frame.machine->tracer(); tracer != nullptr)
        tracer->on_selfdestruct(self.address, beneficiary.address, amount);
    if (T::kSelfdestructRefund != 0 && !state.is_destroyed(self))
        state.add_refund(T::kSelfdestructRefund);
    // EIP-6780: an older contract only sends its balance, which to itself means nothing.
    const bool destroys = !T::kSelfdestructOnlyNew || state.created_in_transaction(self);
    if (&self != &beneficiary || destroys) {
        state.set_balance(beneficiary, beneficiary.account.balance + amount);
        state.set_balance(self, 0);
    }
    if (destroys)
        state.mark_destroyed(self);
    return halt(Status::Success);
}

template <Revision R>
void set_operations(OperationTable& table) noexcept {
    const auto set = [&table](Op op, Operation operation) {
        table[static_cast<std::size_t>(op)] = operation;
    };
    set(Op::Balance, balance<R>);
    set(Op::Extcodesize, extcodesize<R>);
    set(Op::Extcodecopy, extcodecopy<R>);
    set(Op::Extcodehash, extcodehash<R>);
    set(Op::Sload, sload<R>);
    set(Op::Sstore, sstore<R>);
    set(Op::Selfdestruct, selfdestruct<R>);
}

template <Revision R>
bool charge_selfdestruct_to(Frame& frame, Args args) {
    return charge_selfdestruct<R>(frame, account_at(frame, *args[0]));
}

template <Revision R>
void set_charges(StateChargeTable& table) noexcept {
    const auto set = [&table](Op op, StateCharge charge) { table[static_cast<std::size_t>(op)] = charge; };
    set(Op::Balance, charge_account<R>);
    set(Op::Extcodesize, charge_account<R>);
    set(Op::Extcodecopy, charge_account<R>);
    set(Op::Extcodehash, charge_account<R>);
    set(Op::Sload, charge_sload<R>);
    set(Op::Sstore, charge_sstore<R>);
    set(Op::Selfdestruct, charge_selfdestruct_to<R>);
}

}  // namespace

namespace detail {
void set_state_charges(Revision revision, StateChargeTable& table) noexcept {
    with_revision(revision, [&table]<Revision R>() { set_charges<R>(table); });
}

void set_state_operations(Revision revision, OperationTable& table) noexcept {
    with_revision(revision, [&table]<Revision R>() { set_operations<R>(table); });
}
}  // namespace detail

}  // namespace meridian::evm
