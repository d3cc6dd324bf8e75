// What a tracer sees: the instruction about to execute, what it will cost, and why it will fail.
//
// The cost is computed by the very functions that the operations charge with; what those change in the
// state on the way (warmth) is undone.
#include <meridian/evm/operation_support.hpp>

namespace meridian::evm {

namespace {

// An instruction's operands, by what they cost.
struct Ranges {
    // Index of offset and size among the operands; a negative size is a constant number of bytes.
    struct Range {
        std::int8_t offset = -1;
        std::int8_t size = 0;
    };
    Range first;
    Range second;
    std::int8_t words = -1;  // operand whose words are charged
    std::int64_t word_cost = 0;
};

Ranges ranges_of(Op op, Revision revision) {
    switch (op) {
        case Op::Mload:
        case Op::Mstore:
            return {.first = {0, -32}, .second = {}};
        case Op::Mstore8:
            return {.first = {0, -1}, .second = {}};
        case Op::Return:
        case Op::Revert:
        case Op::Log0:
        case Op::Log4:
            return {.first = {0, 1}, .second = {}};
        case Op::Keccak256:
            return {.first = {0, 1}, .second = {}, .words = 1, .word_cost = kKeccakWordCost};
        case Op::Calldatacopy:
        case Op::Codecopy:
        case Op::Returndatacopy:
            return {.first = {0, 2}, .second = {}, .words = 2, .word_cost = kCopyWordCost};
        case Op::Mcopy:
            return {.first = {0, 2}, .second = {1, 2}, .words = 2, .word_cost = kCopyWordCost};
        case Op::Extcodecopy:
            return {.first = {1, 3}, .second = {}, .words = 3, .word_cost = kCopyWordCost};
        case Op::Create:
        case Op::Create2: {
            const std::int64_t metered = revision >= Revision::Shanghai ? kInitCodeWordCost : 0;
            const std::int64_t hashed = op == Op::Create2 ? kKeccakWordCost : 0;
            return {.first = {1, 2}, .second = {}, .words = 2, .word_cost = metered + hashed};
        }
        case Op::Call:
        case Op::Callcode:
            return {.first = {3, 4}, .second = {5, 6}};
        case Op::Delegatecall:
        case Op::Staticcall:
            return {.first = {2, 3}, .second = {4, 5}};
        default:
            return op > Op::Log0 && op < Op::Log4 ? Ranges{.first = {0, 1}, .second = {}} : Ranges{};
    }
}

bool is_log(Op op) {
    return op >= Op::Log0 && op <= Op::Log4;
}

// Memory's size once the range is in it; false beyond all gas.
bool cover(const u256* const* args, Ranges::Range range, std::uint64_t& size) {
    if (range.offset < 0)
        return true;
    const u256 length = range.size < 0 ? u256{static_cast<std::uint64_t>(-range.size)} : *args[range.size];
    if (!length)
        return true;
    const u256& offset = *args[range.offset];
    if (!fits_u64(length) || length[0] >= kMemorySizeMax || !fits_u64(offset) || offset[0] >= kMemorySizeMax)
        return false;
    const std::uint64_t end = (offset[0] + length[0] + 31) / 32 * 32;
    size = std::max(size, end);
    return end <= kMemorySizeMax;
}

bool charge_memory(Frame& frame, Op op, const u256* const* args) {
    const Ranges ranges = ranges_of(op, frame.machine->revision());
    std::uint64_t size = frame.memory->size();
    if (!cover(args, ranges.first, size) || !cover(args, ranges.second, size))
        return false;
    std::int64_t cost = memory_cost(size) - memory_cost(frame.memory->size());
    if (ranges.words >= 0) {
        const u256& bytes = *args[ranges.words];
        if (!fits_u64(bytes) || bytes[0] >= kMemorySizeMax)
            return false;
        cost += ranges.word_cost * word_count(bytes[0]);
    }
    if (is_log(op))
        cost += kLogByteCost * static_cast<std::int64_t>((*args[1])[0]);
    return charge(frame, cost);
}

// Charges everything that the instruction will charge.
bool charge_all(Frame& frame, Op op, const u256* const* args) {
    const Revision revision = frame.machine->revision();
    const auto index = static_cast<std::size_t>(op);
    if (!charge(frame, costs(revision)[index]) || !charge_memory(frame, op, args))
        return false;
    if (op == Op::Exp)
        return charge(frame, byte_length(*args[1]) * (revision >= Revision::SpuriousDragon
                                                          ? Traits<Revision::SpuriousDragon>::kExpByteCost
                                                          : Traits<Revision::Frontier>::kExpByteCost));
    if (const StateCharge state_charge = state_charges(revision)[index]; state_charge != nullptr)
        return state_charge(frame, args);
    return true;
}

bool writes(Op op, const u256* const* args) {
    return op == Op::Sstore || op == Op::Tstore || is_log(op) || op == Op::Create || op == Op::Create2 ||
           op == Op::Selfdestruct || (op == Op::Call && *args[2]);
}

bool jumps_astray(Frame& frame, Op op, const u256* const* args) {
    if (op != Op::Jump && (op != Op::Jumpi || !*args[1]))
        return false;
    return !fits_u64(*args[0]) || !frame.code->is_jumpdest((*args[0])[0]);
}

bool reads_beyond_return_data(const Frame& frame, const u256* const* args) {
    const u256& offset = *args[1];
    const u256& size = *args[2];
    const std::size_t available = frame.return_data.size();
    return !fits_u64(offset) || !fits_u64(size) || offset[0] > available || size[0] > available - offset[0];
}

bool is_init_code_too_long(const Frame& frame, Op op, const u256* const* args) {
    const std::size_t size_max = frame.machine->options().max_init_code_size;
    return (op == Op::Create || op == Op::Create2) && frame.machine->revision() >= Revision::Shanghai &&
           size_max != 0 && *args[2] > size_max;
}

// How the instruction fails, apart from gas.
Status failure(Frame& frame, Op op, const u256* const* args) {
    if (op == Op::Invalid)
        return Status::InvalidInstruction;
    if (frame.message->is_static && writes(op, args))
        return Status::StaticModeViolation;
    if (jumps_astray(frame, op, args))
        return Status::BadJumpDestination;
    if (op == Op::Returndatacopy && reads_beyond_return_data(frame, args))
        return Status::InvalidMemoryAccess;
    if (is_init_code_too_long(frame, op, args))
        return Status::InitCodeSizeExceeded;
    return Status::Success;
}

// Fills in the cost, and the status with which the instruction fails.
void foresee(Frame& frame, Op op, std::size_t height, const u256* stack_end, Step& out) {
    const Instruction& instruction = kInstructions[static_cast<std::size_t>(op)];
    const std::int32_t base = costs(frame.machine->revision())[static_cast<std::size_t>(op)];
    if (base == kUndefinedCost) {
        out.status = Status::UndefinedInstruction;
        return;
    }
    if (height < instruction.pops) {
        out.status = Status::StackUnderflow;
        return;
    }
    if (height + instruction.pushes - instruction.pops > kStackLimit) {
        out.status = Status::StackOverflow;
        return;
    }
    const u256* args[17];
    for (std::size_t i = 0; i < instruction.pops; ++i)
        args[i] = stack_end - 1 - i;
    state::State& state = frame.machine->state();
    const auto checkpoint = state.checkpoint();
    const Frame before = frame;
    const bool paid = charge_all(frame, op, args);
    out.cost = before.gas_left() - frame.gas_left();
    frame.gas = before.gas;
    frame.gas_reserve = before.gas_reserve;
    state.revert(checkpoint);
    out.status = paid ? failure(frame, op, args) : Status::OutOfGas;
}

}  // namespace

Flow step(Frame& frame, std::uint32_t pc, const u256* stack_end) {
    const BytesView code = frame.code->bytes();
    const Op op = pc < code.size() ? static_cast<Op>(code[pc]) : Op::Stop;
    const auto height = static_cast<std::size_t>(stack_end - frame.stack_base);
    Step out;
    out.pc = pc;
    out.opcode = static_cast<std::uint8_t>(op);
    out.gas = frame.gas_left();
    out.depth = frame.message->depth + 1;
    out.stack = {frame.stack_base, height};
    out.memory = frame.memory->view();
    out.return_data = frame.return_data;
    out.refund = frame.machine->state().refund();
    out.contract = frame.message->recipient;
    foresee(frame, op, height, stack_end, out);
    frame.machine->tracer()->on_step(out);
    if (out.status != Status::Success)
        return halt(out.status);
    frame.gas -= costs(frame.machine->revision())[static_cast<std::size_t>(op)];
    return Flow::Continue;
}

}  // namespace meridian::evm
