#include <meridian/evm/interpreter.hpp>

#include <meridian/evm/analysis.hpp>
#include <meridian/evm/carry_chain.hpp>
#include <meridian/evm/machine.hpp>

namespace meridian::evm {

bool expand_memory(Frame& frame, const u256& offset, std::uint64_t size) noexcept {
    Memory& memory = *frame.memory;
    if (!fits_u64(offset) || offset[0] >= kMemorySizeMax || size >= kMemorySizeMax)
        return false;
    const std::uint64_t end = offset[0] + size;
    if (end <= memory.size())
        return true;
    const std::uint64_t rounded = (end + 31) / 32 * 32;
    if (rounded > kMemorySizeMax)
        return false;
    frame.gas -= memory_cost(rounded) - memory_cost(memory.size());
    if (frame.gas < 0 && !frame.draw_on_reserve())
        return false;
    memory.grow(static_cast<std::size_t>(rounded));
    return true;
}

namespace {

__attribute__((noinline)) std::int64_t extend_on_reserve(Frame& frame, std::int64_t gas,
                                                         std::size_t size) noexcept {
    frame.gas = gas;
    if (!frame.draw_on_reserve())
        return -1;
    frame.memory->grow(size);
    return frame.gas;
}

// The slow path of loads and stores: gas left after the extension, or negative. `memory` is the frame's.
__attribute__((noinline)) std::int64_t extend(Memory& memory, std::int64_t gas, std::uint64_t offset,
                                              std::uint64_t size, Frame& frame) noexcept {
    const std::uint64_t rounded = (offset + size + 31) / 32 * 32;
    if (rounded > kMemorySizeMax)
        return -1;
    gas -= memory_cost(rounded) - memory_cost(memory.size());
    if (gas < 0) [[unlikely]]
        return extend_on_reserve(frame, gas, static_cast<std::size_t>(rounded));
    memory.grow(static_cast<std::size_t>(rounded));
    return gas;
}

// From the loop's gas, which went below zero: polls, and gives the loop its next part of the gas. Negative if
// the frame has no more or is interrupted.
__attribute__((noinline)) std::int64_t refill(Frame& frame, std::int64_t gas) noexcept {
    frame.gas = gas;
    if (frame.gas_reserve == 0 || !frame.draw_on_reserve())
        return -1;
    frame.interrupted = frame.machine->interrupted();
    if (frame.interrupted)
        return -1;
    gas = std::min(frame.gas_reserve, kGasBetweenPolls);
    frame.gas_reserve -= gas;
    return gas;
}

// Word by word: an aggregate would be assembled on the native stack first, and read back.
inline void put(u256& to, const u256& value) noexcept {
    const std::uint64_t w0 = value[0];
    const std::uint64_t w1 = value[1];
    const std::uint64_t w2 = value[2];
    const std::uint64_t w3 = value[3];
    to[0] = w0;
    to[1] = w1;
    to[2] = w2;
    to[3] = w3;
}

constexpr bool fits_memory(const u256& x) noexcept {
    return (x[1] | x[2] | x[3] | (x[0] >> 32)) == 0;
}

// base + constant, which may wrap, for a base that no memory reaches.
__attribute__((noinline)) std::uint64_t far_offset(const u256& base, std::uint64_t constant) noexcept {
    const u256 offset = base + constant;
    return fits_memory(offset) ? offset[0] : kMemorySizeMax;
}

// Of a shift by `bits` < 64: the word that `low` becomes, with `high` above it, or the other way round.
inline std::uint64_t shift_right(std::uint64_t low, std::uint64_t high, unsigned bits) noexcept {
    return low >> bits | (high << 1) << (63 - bits);
}
inline std::uint64_t shift_left(std::uint64_t low, std::uint64_t high, unsigned bits) noexcept {
    return high << bits | (low >> 1) >> (63 - bits);
}

u256 load_padded(BytesView data, std::uint64_t offset) noexcept {
    if (offset >= data.size())
        return {};
    std::uint8_t word[32] = {};
    const std::size_t size = std::min<std::size_t>(32, data.size() - static_cast<std::size_t>(offset));
    std::memcpy(word, data.data() + offset, size);
    return load_be32(word);
}

}  // namespace

// The handlers' distances hold for one copy of the function.
#if defined(__clang__)
#define MERIDIAN_ONE_COPY __attribute__((noinline))
#else
#define MERIDIAN_ONE_COPY __attribute__((noinline, noclone))
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Wgnu-label-as-value"
#endif

// The loop itself; with `handlers`, it only tells where its handlers are.
MERIDIAN_ONE_COPY static Status run(Frame* const frame_pointer, const std::int32_t** handlers) {
#define X(name) static_cast<std::int32_t>(static_cast<char*>(&&on_##name) - static_cast<char*>(&&on_AddSS)),
    static const std::int32_t table[] = {MERIDIAN_IR_COMMUTATIVE(MERIDIAN_IR_FORM2) MERIDIAN_IR_ORDERED(
        MERIDIAN_IR_FORM3) MERIDIAN_IR_JUMP_COMPARE(MERIDIAN_IR_FORM3) MERIDIAN_IR_IMMEDIATE(X)
                                             MERIDIAN_IR_TAGGED(X) MERIDIAN_IR_OTHER(X)};
#undef X
    static_assert(sizeof(table) / sizeof(table[0]) == static_cast<std::size_t>(IrOp::Count));
    if (handlers != nullptr) {
        *handlers = table;
        return Status::Success;
    }

    Frame& frame = *frame_pointer;
    Memory& memory = *frame.memory;
    u256* sp = frame.stack_base;
    std::int64_t gas = frame.gas;
    const IrInstr* ip = nullptr;
    Flow flow;

#define SLOT(offset) (*reinterpret_cast<u256*>(reinterpret_cast<char*>(sp) + (offset)))
#define CONSTANT(offset) (*reinterpret_cast<const u256*>(reinterpret_cast<const char*>(ip) + (offset)))
#define TAGGED(offset)                                                                                  \
    (*reinterpret_cast<const u256*>(                                                                    \
        (((offset) & 1) != 0 ? reinterpret_cast<const char*>(ip) : reinterpret_cast<const char*>(sp)) + \
        ((offset) & ~1)))
#define DISPATCH() goto*(static_cast<char*>(&&on_AddSS) + ip->handler)
#define NEXT(length)    \
    do {                \
        ip += (length); \
        DISPATCH();     \
    } while (false)
// After gas has been taken apart from the block's.
#define NEXT_IF_PAID(length)         \
    do {                             \
        ip += (length);              \
        if (gas < 0) [[unlikely]]    \
            goto instruction_unpaid; \
        DISPATCH();                  \
    } while (false)
// Checks gas and stack for the block at ip and starts it.
#define ENTER_BLOCK()                                                                                \
    do {                                                                                             \
        const auto& header = *reinterpret_cast<const BlockHeader*>(ip);                              \
        gas -= header.gas;                                                                           \
        if (gas < 0) [[unlikely]]                                                                    \
            goto block_unpaid;                                                                       \
        const auto height =                                                                          \
            reinterpret_cast<const char*>(sp) - reinterpret_cast<const char*>(frame.stack_base);     \
        if (static_cast<std::uint64_t>(height - header.min_bytes) > header.range_bytes) [[unlikely]] \
            goto stack_fault;                                                                        \
        NEXT(1);                                                                                     \
    } while (false)
#define GROW_STACK() sp = reinterpret_cast<u256*>(reinterpret_cast<char*>(sp) + ip->dst)
#define FOLLOW(edge_index)                                                      \
    do {                                                                        \
        const auto& edge = *reinterpret_cast<const IrEdge*>(ip + (edge_index)); \
        GROW_STACK();                                                           \
        ip = edge.target;                                                       \
        if (ip == nullptr) [[unlikely]] {                                       \
            ip = frame.code->follow(edge);                                      \
            if (ip == nullptr)                                                  \
                goto bad_jump;                                                  \
        }                                                                       \
        ENTER_BLOCK();                                                          \
    } while (false)
#define BRANCH(condition) \
    do {                  \
        if (condition)    \
            FOLLOW(1);    \
        FOLLOW(2);        \
    } while (false)

    ip = frame.code->entry();
    ENTER_BLOCK();

    // --- arithmetic and logic: slot-slot, slot-constant, constant-slot -------------------------------
#define BINARY(name, expression)        \
    {                                   \
        const u256 result = expression; \
        put(SLOT(ip->dst), result);     \
        NEXT(1);                        \
    }
#define FORM_SS(name, f)             \
    on_##name##SS : {                \
        const u256& a = SLOT(ip->a); \
        const u256& b = SLOT(ip->b); \
        BINARY(name, f)              \
    }
#define FORM_SC(name, f)                 \
    on_##name##SC : {                    \
        const u256& a = SLOT(ip->a);     \
        const u256& b = CONSTANT(ip->b); \
        BINARY(name, f)                  \
    }
#define FORM_CS(name, f)                 \
    on_##name##CS : {                    \
        const u256& a = CONSTANT(ip->a); \
        const u256& b = SLOT(ip->b);     \
        BINARY(name, f)                  \
    }
#define COMMUTATIVE(name, f) FORM_SS(name, f) FORM_SC(name, f)
#define ORDERED(name, f) FORM_SS(name, f) FORM_SC(name, f) FORM_CS(name, f)

    COMMUTATIVE(Add, add_words(a, b))
    COMMUTATIVE(Mul, a * b)
    COMMUTATIVE(And, a & b)
    COMMUTATIVE(Or, a | b)
    COMMUTATIVE(Xor, a ^ b)
    COMMUTATIVE(Eq, a == b)
    ORDERED(Sub, subtract_words(a, b))
    ORDERED(Lt, is_less(a, b))
    ORDERED(Slt, is_less_signed(a, b))

#define JUMP_FORM_SS(name, f)        \
    on_##name##SS : {                \
        const u256& a = SLOT(ip->a); \
        const u256& b = SLOT(ip->b); \
        BRANCH(f);                   \
    }
#define JUMP_FORM_SC(name, f)            \
    on_##name##SC : {                    \
        const u256& a = SLOT(ip->a);     \
        const u256& b = CONSTANT(ip->b); \
        BRANCH(f);                       \
    }
#define JUMP_FORM_CS(name, f)            \
    on_##name##CS : {                    \
        const u256& a = CONSTANT(ip->a); \
        const u256& b = SLOT(ip->b);     \
        BRANCH(f);                       \
    }
#define JUMP_ON(name, f) JUMP_FORM_SS(name, f) JUMP_FORM_SC(name, f) JUMP_FORM_CS(name, f)

    JUMP_ON(JumpEq, a == b)
    JUMP_ON(JumpNe, !(a == b))
    JUMP_ON(JumpLt, is_less(a, b))
    JUMP_ON(JumpGe, !is_less(a, b))
    JUMP_ON(JumpSlt, is_less_signed(a, b))
    JUMP_ON(JumpSge, !is_less_signed(a, b))

#define SHIFT(name, w0, w1, w2, w3)                         \
    on_##name : {                                           \
        const u256& x = SLOT(ip->a);                        \
        const unsigned bits = static_cast<unsigned>(ip->b); \
        const u256 result{w0, w1, w2, w3};                  \
        put(SLOT(ip->dst), result);                         \
        NEXT(1);                                            \
    }
#define L(i) shift_left(x[i - 1], x[i], bits)
#define R(i) shift_right(x[i], x[i + 1], bits)
    SHIFT(Shl0, x[0] << bits, L(1), L(2), L(3))
    SHIFT(Shl1, 0, x[0] << bits, L(1), L(2))
    SHIFT(Shl2, 0, 0, x[0] << bits, L(1))
    SHIFT(Shl3, 0, 0, 0, x[0] << bits)
    SHIFT(Shr0, R(0), R(1), R(2), x[3] >> bits)
    SHIFT(Shr1, R(1), R(2), x[3] >> bits, 0)
    SHIFT(Shr2, R(2), x[3] >> bits, 0, 0)
    SHIFT(Shr3, x[3] >> bits, 0, 0, 0)
#undef L
#undef R
on_Sar: {
    const u256 result = sar(static_cast<std::uint64_t>(ip->b), SLOT(ip->a));
    put(SLOT(ip->dst), result);
    NEXT(1);
}
on_Byte: {
    const auto from_low = 31 - static_cast<std::uint32_t>(ip->b);
    const std::uint64_t byte = SLOT(ip->a)[from_low / 8] >> (from_low % 8 * 8) & 0xff;
    put(SLOT(ip->dst), byte);
    NEXT(1);
}
on_Signextend: {
    const u256 result = signextend(static_cast<std::uint64_t>(ip->b), SLOT(ip->a));
    put(SLOT(ip->dst), result);
    NEXT(1);
}

#define TAGGED_BINARY(name, f)         \
    on_##name : {                      \
        const u256& a = TAGGED(ip->a); \
        const u256& b = TAGGED(ip->b); \
        BINARY(name, f)                \
    }
    TAGGED_BINARY(ShlT, b << a)
    TAGGED_BINARY(ShrT, b >> a)
    TAGGED_BINARY(SarT, sar(a, b))
    TAGGED_BINARY(ByteT, byte_at(a, b))
    TAGGED_BINARY(SignextendT, signextend(a, b))
    TAGGED_BINARY(Div, a / b)
    TAGGED_BINARY(Sdiv, sdiv(a, b))
    TAGGED_BINARY(Mod, a % b)
    TAGGED_BINARY(Smod, smod(a, b))

on_Iszero: {
    const bool zero = !SLOT(ip->a);
    put(SLOT(ip->dst), zero);
    NEXT(1);
}
on_Not: {
    const u256 result = ~SLOT(ip->a);
    put(SLOT(ip->dst), result);
    NEXT(1);
}
on_Clz: {
    const unsigned result = clz(SLOT(ip->a));
    put(SLOT(ip->dst), result);
    NEXT(1);
}
on_Addmod: {
    const u256 result = addmod(TAGGED(ip->a), TAGGED(ip->b), TAGGED(ip[1].a));
    put(SLOT(ip->dst), result);
    NEXT(2);
}
on_Mulmod: {
    const u256 result = frame.code->mulmod_cache().multiply(TAGGED(ip->a), TAGGED(ip->b), TAGGED(ip[1].a));
    put(SLOT(ip->dst), result);
    NEXT(2);
}

// --- memory ----------------------------------------------------------------------------------------
#define REACH_MEMORY(offset, bytes)                          \
    if ((offset) + (bytes) > memory.size()) [[unlikely]] {   \
        gas = extend(memory, gas, (offset), (bytes), frame); \
        if (gas < 0)                                         \
            goto out_of_gas;                                 \
    }
// An offset from the stack plus a constant, saturated beyond what gas can pay.
#define STACK_OFFSET(x, constant)                                   \
    (fits_memory(x) ? (x)[0] + static_cast<std::uint64_t>(constant) \
                    : far_offset((x), static_cast<std::uint64_t>(constant)))

on_Mload: {
    const u256& base = SLOT(ip->a);
    const std::uint64_t offset = STACK_OFFSET(base, ip->b);
    REACH_MEMORY(offset, 32)
    put(SLOT(ip->dst), load_be32(memory.data() + offset));
    NEXT(1);
}
on_MloadI: {
    const auto offset = static_cast<std::uint64_t>(ip->a);
    REACH_MEMORY(offset, 32)
    put(SLOT(ip->dst), load_be32(memory.data() + offset));
    NEXT(1);
}
on_Mstore: {
    const u256& base = SLOT(ip->a);
    const std::uint64_t offset = STACK_OFFSET(base, ip->dst);
    REACH_MEMORY(offset, 32)
    store_be(SLOT(ip->b), memory.data() + offset);
    NEXT(1);
}
on_MstoreI: {
    const auto offset = static_cast<std::uint64_t>(ip->a);
    REACH_MEMORY(offset, 32)
    store_be(SLOT(ip->b), memory.data() + offset);
    NEXT(1);
}
on_MstoreC: {
    const u256& base = SLOT(ip->a);
    const std::uint64_t offset = STACK_OFFSET(base, ip->dst);
    REACH_MEMORY(offset, 32)
    store_be(CONSTANT(ip->b), memory.data() + offset);
    NEXT(1);
}
on_MstoreIC: {
    const auto offset = static_cast<std::uint64_t>(ip->a);
    REACH_MEMORY(offset, 32)
    store_be(CONSTANT(ip->b), memory.data() + offset);
    NEXT(1);
}
on_Mstore8: {
    const u256& base = TAGGED(ip->a);
    const std::uint64_t offset = STACK_OFFSET(base, 0);
    REACH_MEMORY(offset, 1)
    memory.data()[offset] = static_cast<std::uint8_t>(TAGGED(ip->b)[0]);
    NEXT(1);
}

    // --- stack -----------------------------------------------------------------------------------------
on_Move: {
    put(SLOT(ip->dst), SLOT(ip->a));
    NEXT(1);
}
on_MoveTwice: {
    put(SLOT(ip->dst), SLOT(ip->a));
    const std::int64_t packed = ip->b;
    SLOT((packed >> 16) * 32) = SLOT(static_cast<std::int16_t>(packed) * std::int64_t{32});
    NEXT(1);
}
on_MoveConstant: {
    put(SLOT(ip->dst), CONSTANT(ip->a));
    NEXT(1);
}
on_MoveImmediate: {
    put(SLOT(ip->dst), ip->imm);
    NEXT(1);
}
on_Swap: {
    const u256 held = SLOT(ip->dst);
    put(SLOT(ip->dst), SLOT(ip->a));
    SLOT(ip->a) = held;
    NEXT(1);
}

    // --- surroundings ----------------------------------------------------------------------------------
on_Gas: {
    put(SLOT(ip->dst), static_cast<std::uint64_t>(gas + frame.gas_reserve));
    gas -= ip->a;
    NEXT_IF_PAID(1);
}
on_Caller: {
    put(SLOT(ip->dst), from_address(frame.message->sender));
    NEXT(1);
}
on_Callvalue: {
    put(SLOT(ip->dst), frame.message->value);
    NEXT(1);
}
on_Calldatasize: {
    put(SLOT(ip->dst), frame.message->input.size());
    NEXT(1);
}
on_Calldataload: {
    const u256& offset = SLOT(ip->a);
    const bool beyond = !fits_u64(offset);
    const u256 result = beyond ? u256{} : load_padded(frame.message->input, offset[0]);
    put(SLOT(ip->dst), result);
    NEXT(1);
}
on_CalldataloadI: {
    const u256 result = load_padded(frame.message->input, static_cast<std::uint64_t>(ip->a));
    put(SLOT(ip->dst), result);
    NEXT(1);
}

on_Call3: {
    const IrInstr& operands = ip[1];
    const u256* const args[3] = {&TAGGED(operands.handler), &TAGGED(operands.dst), &TAGGED(operands.a)};
    frame.gas = gas;
    flow = ip->operation(frame, args, SLOT(ip->dst));
    if (flow != Flow::Continue) [[unlikely]]
        return halted_with(flow);
    gas = frame.gas - ip[1].b;
    NEXT_IF_PAID(2);
}
on_Call7: {
    const IrInstr& operands = ip[1];
    const IrInstr& more = ip[2];
    const u256* const args[7] = {
        &TAGGED(operands.handler), &TAGGED(operands.dst), &TAGGED(operands.a), &TAGGED(more.handler),
        &TAGGED(more.dst),         &TAGGED(more.a),       &TAGGED(more.b)};
    frame.gas = gas;
    flow = ip->operation(frame, args, SLOT(ip->dst));
    if (flow != Flow::Continue) [[unlikely]]
        return halted_with(flow);
    gas = frame.gas - ip[1].b;
    NEXT_IF_PAID(3);
}
on_Step: {
    frame.gas = gas;
    flow = step(frame, static_cast<std::uint32_t>(ip->a), sp);
    if (flow != Flow::Continue)
        return halted_with(flow);
    gas = frame.gas;
    NEXT_IF_PAID(1);
}

    // --- ends of blocks --------------------------------------------------------------------------------
on_Goto:
    FOLLOW(1);
on_JumpNonzero:
    BRANCH(static_cast<bool>(SLOT(ip->a)));
on_JumpZero:
    BRANCH(!SLOT(ip->a));
on_JumpDynamic: {
    const u256& target = SLOT(ip->a);
    const std::uint64_t pc = fits_u64(target) ? target[0] : ~std::uint64_t{0};
    GROW_STACK();
    ip = frame.code->jump_target(pc);
    if (ip == nullptr) [[unlikely]]
        goto bad_jump;
    ENTER_BLOCK();
}
on_JumpIfDynamic: {
    if (!SLOT(ip->b))
        FOLLOW(1);
    const u256& target = SLOT(ip->a);
    const std::uint64_t pc = fits_u64(target) ? target[0] : ~std::uint64_t{0};
    GROW_STACK();
    ip = frame.code->jump_target(pc);
    if (ip == nullptr) [[unlikely]]
        goto bad_jump;
    ENTER_BLOCK();
}
on_Halt:
    frame.gas = gas;
    return static_cast<Status>(ip->a);

    // --- gas below zero --------------------------------------------------------------------------------
instruction_unpaid:  // the one before ip
    gas = refill(frame, gas);
    if (gas < 0)
        goto out_of_gas;
    DISPATCH();
block_unpaid:
    gas = refill(frame, gas);
    if (gas < 0)
        goto out_of_gas;
    gas += reinterpret_cast<const BlockHeader*>(ip)->gas;
    ENTER_BLOCK();

out_of_gas:
    return frame.interrupted ? Status::Interrupted : Status::OutOfGas;
bad_jump:
    return Status::BadJumpDestination;
stack_fault:
    return sp - frame.stack_base < reinterpret_cast<const BlockHeader*>(ip)->min_bytes / 32
               ? Status::StackUnderflow
               : Status::StackOverflow;
}

#pragma GCC diagnostic pop

const std::int32_t* ir_handlers() noexcept {
    static const std::int32_t* const table = [] {
        const std::int32_t* out = nullptr;
        (void)run(nullptr, &out);
        return out;
    }();
    return table;
}

Status interpret(Frame& frame) {
    return run(&frame, nullptr);
}

}  // namespace meridian::evm
