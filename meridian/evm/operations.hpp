// The operations that the main loop calls: everything that reads or writes state, copies memory, or is
// too rare to live in the loop.
#pragma once

#include <meridian/evm/instructions.hpp>
#include <meridian/evm/ir.hpp>

#include <array>

namespace meridian::evm {

// By opcode; null where the main loop or the translator has the instruction itself.
using OperationTable = std::array<Operation, 256>;

const OperationTable& operations(Revision revision) noexcept;

// What an operation pays for the state that it meets; side effects are the operation's own.
using StateCharge = bool (*)(Frame& frame, const u256* const* args);
using StateChargeTable = std::array<StateCharge, 256>;
const StateChargeTable& state_charges(Revision revision) noexcept;

// Opcodes after which constant gas has to be exact: what they do depends on the gas that is left.
constexpr bool observes_gas(Op op) noexcept {
    return op == Op::Gas || op == Op::Sstore || op == Op::Call || op == Op::Callcode ||
           op == Op::Delegatecall || op == Op::Staticcall || op == Op::Create || op == Op::Create2;
}

namespace detail {
// Sets the entries whose behaviour depends on the revision.
void set_state_operations(Revision revision, OperationTable& table) noexcept;
void set_call_operations(Revision revision, OperationTable& table) noexcept;
void set_state_charges(Revision revision, StateChargeTable& table) noexcept;
void set_call_charges(Revision revision, StateChargeTable& table) noexcept;
}  // namespace detail

}  // namespace meridian::evm
