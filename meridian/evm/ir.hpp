// The form in which code is executed: basic blocks of a register machine.
//
// A block's instructions name their operands by position relative to the stack pointer at the block's
// entry, which does not move until the block ends. So PUSH, DUP, SWAP and POP are resolved when a block
// is translated and cost nothing at run time, except that what a block leaves on the stack is moved into
// place at its end. Constants lie behind the block's last instruction.
//
// Operands (byte offsets, so that addressing needs no scaling):
//   slot      from the stack pointer: 32 * position; position -1 is the top at entry
//   constant  from the instruction itself
//   tagged    bit 0 tells: 0 a slot, 1 a constant
// A handler may write its destination only after it has read every operand: they may be the same slot.
#pragma once

#include <meridian/base/u256.hpp>
#include <meridian/evm/message.hpp>

#include <cstddef>

namespace meridian::evm {

inline constexpr std::size_t kStackLimit = 1024;
// Above the stack, where blocks keep intermediate values.
inline constexpr std::size_t kScratchSlots = 512;

struct Frame;
struct IrInstr;

// How an operation out of the main loop goes on: 0 to the next instruction, otherwise the frame ends with
// status value - 1.
enum class Flow : std::uint8_t { Continue = 0 };

constexpr Flow halt(Status status) noexcept {
    return static_cast<Flow>(static_cast<std::uint8_t>(status) + 1);
}
constexpr Status halted_with(Flow flow) noexcept {
    return static_cast<Status>(static_cast<std::uint8_t>(flow) - 1);
}

// An operation out of the main loop. args[0] is what was on top of the stack; `result` may alias an
// argument. Gas is in the frame.
using Operation = Flow (*)(Frame& frame, const u256* const* args, u256& result);

// 16 bytes; the meaning of a, b and c is the handler's. Some handlers use the following one or two
// entries for further operands.
struct IrInstr {
    std::int32_t handler;  // distance of the handler from the first one
    std::int32_t dst;      // slot of the result; for instructions that end a block, the stack's growth
    union {
        struct {
            std::int32_t a;
            std::int32_t b;
        };
        std::uint64_t imm;
        Operation operation;
        const IrInstr* target;
    };
};
static_assert(sizeof(IrInstr) == 16);

// First entry of a block, in place of an instruction.
struct BlockHeader {
    std::int32_t gas;           // constant gas up to the first instruction that observes gas
    std::int32_t min_bytes;     // 32 * stack height required
    std::uint32_t range_bytes;  // 32 * (highest - lowest) admissible height
    std::uint32_t reserved;
};
static_assert(sizeof(BlockHeader) == sizeof(IrInstr));

// Where a jump leads: the block, or null until it is first taken.
struct IrEdge {
    const IrInstr* target;
    std::uint32_t pc;
    // Set if the destination is where execution falls through to, so that it need not be a JUMPDEST.
    std::uint32_t falls_through;
};
static_assert(sizeof(IrEdge) == sizeof(IrInstr));

// clang-format off
// Binary operations with commuting operands: forms slot-slot and slot-constant.
#define MERIDIAN_IR_COMMUTATIVE(X) X(Add) X(Mul) X(And) X(Or) X(Xor) X(Eq)
// The others: constant-slot as well.
#define MERIDIAN_IR_ORDERED(X) X(Sub) X(Lt) X(Slt)
// Shifts and their like by an immediate; Shl1 shifts by one word and b bits.
#define MERIDIAN_IR_IMMEDIATE(X) X(Shl0) X(Shl1) X(Shl2) X(Shl3) X(Shr0) X(Shr1) X(Shr2) X(Shr3) X(Sar) X(Byte) X(Signextend)
// Both operands tagged.
#define MERIDIAN_IR_TAGGED(X) X(ShlT) X(ShrT) X(SarT) X(ByteT) X(SignextendT) X(Div) X(Sdiv) X(Mod) X(Smod)
// Conditional jumps on a comparison, both senses.
#define MERIDIAN_IR_JUMP_COMPARE(X) X(JumpEq) X(JumpNe) X(JumpLt) X(JumpGe) X(JumpSlt) X(JumpSge)
#define MERIDIAN_IR_OTHER(X)                                                                          \
    X(Iszero) X(Not) X(Clz) X(Addmod) X(Mulmod)                                                       \
    X(Mload) X(MloadI) X(Mstore) X(MstoreI) X(MstoreC) X(MstoreIC) X(Mstore8)                         \
    X(Move) X(MoveTwice) X(MoveConstant) X(MoveImmediate) X(Swap)                                                  \
    X(Gas) X(Caller) X(Callvalue) X(Calldatasize) X(Calldataload) X(CalldataloadI)                    \
    X(Call3) X(Call7) X(Halt) X(Step)                                                                 \
    X(Goto) X(JumpDynamic) X(JumpNonzero) X(JumpZero) X(JumpIfDynamic)
#define MERIDIAN_IR_FORM2(name) X(name##SS) X(name##SC)
#define MERIDIAN_IR_FORM3(name) X(name##SS) X(name##SC) X(name##CS)
// clang-format on

enum class IrOp : std::uint16_t {
#define X(name) name,
    MERIDIAN_IR_COMMUTATIVE(MERIDIAN_IR_FORM2) MERIDIAN_IR_ORDERED(MERIDIAN_IR_FORM3)
        MERIDIAN_IR_JUMP_COMPARE(MERIDIAN_IR_FORM3) MERIDIAN_IR_IMMEDIATE(X) MERIDIAN_IR_TAGGED(X)
            MERIDIAN_IR_OTHER(X) Count
#undef X
};

// Distances of the handlers from the first, by IrOp.
const std::int32_t* ir_handlers() noexcept;

}  // namespace meridian::evm
