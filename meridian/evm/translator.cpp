#include <meridian/evm/translator.hpp>

#include <meridian/base/assert.hpp>

#include <algorithm>

namespace meridian::evm {

namespace {

// Bytecode instructions in a block at most: bounds the work between two gas checks.
constexpr int kBlockLength = 256;
// A block this long does not run on through a JUMPDEST, which is translated once more when jumped to.
constexpr int kCrossedBlockLength = 32;
// Stack positions that a block may reach over; far below what the stack holds.
constexpr std::int32_t kReach = 700;

constexpr std::int32_t kSlotBytes = 32;

constexpr bool is_push(Op op) {
    return op >= Op::Push0 && op <= Op::Push32;
}
constexpr bool is_dup(Op op) {
    return op >= Op::Dup1 && op <= Op::Dup16;
}
constexpr bool is_swap(Op op) {
    return op >= Op::Swap1 && op <= Op::Swap16;
}
constexpr bool is_comparison(Op op) {
    return op == Op::Lt || op == Op::Slt || op == Op::Eq || op == Op::Iszero;
}
constexpr bool is_shift(Op op) {
    return op == Op::Shl || op == Op::Shr || op == Op::Sar || op == Op::Byte || op == Op::Signextend;
}
constexpr bool commutes(Op op) {
    return op == Op::Add || op == Op::Mul || op == Op::And || op == Op::Or || op == Op::Xor || op == Op::Eq;
}

bool is_power_of_two(const u256& x) {
    return x && !(x & (x - 1));
}

// The operation on constants. `a` was on top of the stack.
u256 evaluate(Op op, const u256& a, const u256& b) {
    switch (op) {
        case Op::Add:
            return a + b;
        case Op::Mul:
            return a * b;
        case Op::Sub:
            return a - b;
        case Op::Div:
            return a / b;
        case Op::Sdiv:
            return sdiv(a, b);
        case Op::Mod:
            return a % b;
        case Op::Smod:
            return smod(a, b);
        case Op::Lt:
            return a < b;
        case Op::Slt:
            return slt(a, b);
        case Op::Eq:
            return a == b;
        case Op::And:
            return a & b;
        case Op::Or:
            return a | b;
        case Op::Xor:
            return a ^ b;
        case Op::Byte:
            return byte_at(a, b);
        case Op::Shl:
            return b << a;
        case Op::Shr:
            return b >> a;
        case Op::Sar:
            return sar(a, b);
        default:
            MERIDIAN_DEBUG_ASSERT(op == Op::Signextend);
            return signextend(a, b);
    }
}

// A memory or data offset that fits an instruction.
bool is_small(const u256& x) {
    return fits_u64(x) && x[0] < 0x7fff0000;
}

}  // namespace

Translator::Translator() : m_stack(kPositions), m_owner(kPositions, -1), m_sources(kPositions) {}

const IrInstr* Translator::translate(Code& code, std::uint32_t pc) {
    reset(code);
    read_block(pc);
    choose_condition();
    if (m_stepped)
        emit(IrOp::Step, 0).a = static_cast<std::int32_t>(pc);
    write_nodes();
    keep_operands();
    write_moves();
    write_end();
    return finish();
}

void Translator::reset(Code& code) {
    m_code = &code;
    m_costs = &costs(code.revision());
    m_operations = &operations(code.revision());
    m_stepped = code.stepped();
    std::fill(m_owner.begin() + kOrigin + m_first_owned, m_owner.begin() + kOrigin + m_last_owned + 1, -1);
    m_first_owned = m_last_owned = 0;
    m_nodes.clear();
    m_reserved.clear();
    m_height = m_low = m_high = 0;
    m_gas = 0;
    m_gas_sink = -1;
    m_end = End::Halt;
    m_keeps_stack = true;
    m_inverted = false;
    m_target = m_condition = m_left = m_right = -1;
    m_status = Status::Success;
    m_out.clear();
    m_last_move = 0;
    m_constants.clear();
    m_fixups.clear();
    m_moves.clear();
}

// --- building -------------------------------------------------------------------------------------------

void Translator::read_block(std::uint32_t pc) {
    const BytesView code = m_code->bytes();
    for (int length = 0;; ++length) {
        m_length = length;
        m_next_pc = pc;
        if (m_stepped && length == 1) {
            end_block(End::Goto, true);
            return;
        }
        if (pc >= code.size()) {
            end_block(End::Halt, false);
            return;
        }
        const auto op = static_cast<Op>(code[pc]);
        const bool full = length >= kBlockLength || m_high - m_low > kReach ||
                          (op == Op::Jumpdest && length >= kCrossedBlockLength);
        if (full) {
            end_block(End::Goto, true);
            return;
        }
        m_following_pc = pc + 1u + kInstructions[code[pc]].immediate_size;
        if (!read_instruction(op, pc))
            return;
        pc = m_following_pc;
    }
}

bool Translator::read_instruction(Op op, std::uint32_t pc) {
    const auto index = static_cast<std::size_t>(op);
    const std::int32_t cost = (*m_costs)[index];
    if (cost == kUndefinedCost || op == Op::Invalid) {
        m_status = op == Op::Invalid ? Status::InvalidInstruction : Status::UndefinedInstruction;
        end_block(End::Halt, false);
        return false;
    }
    charge(cost);
    if (is_push(op)) {
        push_immediate(pc, kInstructions[index].immediate_size);
    } else if (is_dup(op)) {
        const auto depth = static_cast<std::int32_t>(op) - static_cast<std::int32_t>(Op::Dup1) + 1;
        reach(depth);
        push(at(m_height - depth));
    } else if (is_swap(op)) {
        const auto depth = static_cast<std::int32_t>(op) - static_cast<std::int32_t>(Op::Swap1) + 2;
        reach(depth);
        std::swap(at(m_height - 1), at(m_height - depth));
    } else {
        switch (op) {
            case Op::Jumpdest:
                break;
            case Op::Pop:
                (void)pop();
                break;
            case Op::Pc:
                push(add_constant(pc));
                break;
            case Op::Codesize:
                push(add_constant(m_code->bytes().size()));
                break;
            case Op::Stop:
                end_block(End::Halt, false);
                return false;
            case Op::Jump:
                return read_jump();
            case Op::Jumpi:
                return read_jump_if(pc);
            case Op::Return:
            case Op::Revert:
            case Op::Selfdestruct:
                read_operation(op);
                end_block(End::Halting, false);
                return false;
            default:
                read_operation(op);
        }
    }
    return true;
}

void Translator::charge(std::int32_t cost) {
    if (m_stepped)
        return;  // Step charges
    if (m_gas_sink < 0)
        m_gas += cost;
    else
        node(m_gas_sink).next_gas += cost;
}

void Translator::end_block(End end, bool keeps_stack) {
    m_end = end;
    m_keeps_stack = keeps_stack;
}

Translator::NodeId Translator::add_constant(const u256& value) {
    Node n;
    n.kind = Node::Kind::Constant;
    n.value = value;
    m_nodes.push_back(n);
    return static_cast<NodeId>(m_nodes.size()) - 1;
}

Translator::NodeId Translator::add_operation(Op op, std::span<const NodeId> args, bool pure,
                                             bool has_result) {
    Node n;
    n.kind = Node::Kind::Computed;
    n.op = op;
    n.pure = pure;
    n.has_result = has_result;
    n.arg_count = static_cast<std::uint8_t>(args.size());
    std::copy(args.begin(), args.end(), n.args.begin());
    m_nodes.push_back(n);
    return static_cast<NodeId>(m_nodes.size()) - 1;
}

// Makes the top `depth` positions known.
void Translator::reach(std::int32_t depth) {
    while (m_low > m_height - depth) {
        --m_low;
        Node n;
        n.location = m_low;
        m_nodes.push_back(n);
        at(m_low) = static_cast<NodeId>(m_nodes.size()) - 1;
        owner(m_low) = at(m_low);
        m_first_owned = m_low;
    }
}

Translator::NodeId Translator::pop() {
    reach(1);
    return at(--m_height);
}

void Translator::push(NodeId id) {
    at(m_height++) = id;
    m_high = std::max(m_high, m_height);
}

void Translator::push_immediate(std::uint32_t pc, std::size_t size) {
    const BytesView code = m_code->bytes();
    std::array<std::uint8_t, 32> bytes{};
    // Data beyond the end of the code count as zeros.
    for (std::size_t i = 0; i < size && pc + 1 + i < code.size(); ++i)
        bytes[i] = code[pc + 1 + i];
    push(add_constant(load_be(BytesView{bytes}.first(size))));
}

bool Translator::is_boolean(NodeId id) const {
    const Node& n = node(id);
    return n.kind == Node::Kind::Computed && is_comparison(n.op);
}

void Translator::read_operation(Op op) {
    switch (op) {
        case Op::Gt:
        case Op::Sgt: {
            reach(2);
            std::swap(at(m_height - 1), at(m_height - 2));
            read_binary(op == Op::Gt ? Op::Lt : Op::Slt);
            return;
        }
        case Op::Add:
        case Op::Mul:
        case Op::Sub:
        case Op::Div:
        case Op::Sdiv:
        case Op::Mod:
        case Op::Smod:
        case Op::Lt:
        case Op::Slt:
        case Op::Eq:
        case Op::And:
        case Op::Or:
        case Op::Xor:
        case Op::Byte:
        case Op::Shl:
        case Op::Shr:
        case Op::Sar:
        case Op::Signextend:
            read_binary(op);
            return;
        case Op::Iszero:
        case Op::Not:
        case Op::Clz:
            read_unary(op);
            return;
        default:
            break;
    }
    const Instruction& instruction = kInstructions[static_cast<std::size_t>(op)];
    std::array<NodeId, 7> args{};
    for (std::size_t i = 0; i < instruction.pops; ++i)
        args[i] = pop();
    const bool pure = op == Op::Addmod || op == Op::Mulmod || op == Op::Caller || op == Op::Callvalue ||
                      op == Op::Calldatasize || op == Op::Calldataload;
    const NodeId id =
        add_operation(op, std::span(args).first(instruction.pops), pure, instruction.pushes != 0);
    node(id).operation = (*m_operations)[static_cast<std::size_t>(op)];
    if (observes_gas(op))
        m_gas_sink = id;
    if (op == Op::Mload || op == Op::Mstore)
        fold_offset(node(id));
    if (instruction.pushes != 0)
        push(id);
}

// Takes the addition of a constant to a memory offset into the instruction.
void Translator::fold_offset(Node& n) {
    const Node& sum = node(n.args[0]);
    if (sum.kind != Node::Kind::Computed || sum.op != Op::Add || !is_constant(sum.args[1]) ||
        !is_small(value(sum.args[1])))
        return;
    n.immediate = static_cast<std::int32_t>(value(sum.args[1])[0]);
    n.args[0] = sum.args[0];
}

void Translator::read_unary(Op op) {
    const NodeId a = pop();
    if (is_constant(a)) {
        const u256 x = value(a);
        push(add_constant(op == Op::Iszero ? u256{!x} : op == Op::Not ? ~x : u256{clz(x)}));
        return;
    }
    push(add_operation(op, {&a, 1}, true, true));
}

void Translator::read_binary(Op op) {
    NodeId a = pop();
    NodeId b = pop();
    if (const NodeId known = simplify(op, a, b); known >= 0) {
        push(known);
        return;
    }
    if (commutes(op) && is_constant(a))
        std::swap(a, b);
    const std::array<NodeId, 2> args{a, b};
    const NodeId id = add_operation(op, args, true, true);
    Node& n = node(id);
    if (is_shift(op) && is_constant(a)) {
        n.has_immediate = true;
        n.immediate = static_cast<std::int32_t>(value(a)[0]);
    } else if ((op == Op::Div || op == Op::Mul) && is_constant(b) && is_power_of_two(value(b))) {
        n.op = op == Op::Div ? Op::Shr : Op::Shl;
        n.args = {b, a};
        n.has_immediate = true;
        n.immediate = static_cast<std::int32_t>(bit_length(value(b))) - 1;
    } else if (op == Op::Mod && is_constant(b) && is_power_of_two(value(b))) {
        n.op = Op::And;
        const NodeId mask = add_constant(value(b) - 1);
        node(id).args[1] = mask;
    }
    push(id);
}

Translator::NodeId Translator::simplify(Op op, NodeId a, NodeId b) {
    if (is_constant(a) && is_constant(b))
        return add_constant(evaluate(op, value(a), value(b)));
    if (is_constant(a)) {
        const u256& x = value(a);
        const bool beyond = !fits_u64(x) || x[0] >= 256;
        if ((op == Op::Shl || op == Op::Shr) && beyond)
            return add_constant(0);
        if (op == Op::Sar && beyond) {
            const std::array<NodeId, 2> args{add_constant(255), b};
            const NodeId id = add_operation(op, args, true, true);
            node(id).has_immediate = true;
            node(id).immediate = 255;
            return id;
        }
        if (op == Op::Byte && (!fits_u64(x) || x[0] >= 32))
            return add_constant(0);
        if (op == Op::Signextend && (!fits_u64(x) || x[0] >= 31))
            return b;
        if ((op == Op::Shl || op == Op::Shr || op == Op::Sar || op == Op::Add || op == Op::Or) && !x)
            return b;
    } else if (is_constant(b) && !value(b)) {
        if (op == Op::Add || op == Op::Sub || op == Op::Or)
            return a;
        if (op == Op::Mul || op == Op::And)
            return b;
    }
    if (op == Op::Eq && (is_constant(a) ? !value(a) : is_constant(b) && !value(b))) {
        const NodeId x = is_constant(a) ? b : a;
        return add_operation(Op::Iszero, {&x, 1}, true, true);
    }
    return -1;
}

// A jump to a known place does not end the block: what follows is read from there.
bool Translator::read_jump() {
    const NodeId target = pop();
    end_block(End::Jump, true);
    if (!is_constant(target)) {
        m_target = target;
        return false;
    }
    m_target_pc = fits_u64(value(target)) && value(target)[0] < ~0u
                      ? static_cast<std::uint32_t>(value(target)[0])
                      : ~0u;
    m_following_pc = m_target_pc;
    return !m_stepped && m_length < kCrossedBlockLength && m_code->is_jumpdest(m_target_pc);
}

bool Translator::read_jump_if(std::uint32_t pc) {
    const NodeId target = pop();
    m_condition = pop();
    m_next_pc = pc + 1;
    if (!is_constant(target))
        m_target = target;
    else
        m_target_pc = fits_u64(value(target)) && value(target)[0] < ~0u
                          ? static_cast<std::uint32_t>(value(target)[0])
                          : ~0u;
    if (is_constant(m_condition)) {
        const bool taken = static_cast<bool>(value(m_condition));
        m_condition = -1;
        if (taken) {
            end_block(End::Jump, true);
            return false;
        }
        m_target = -1;
        return true;  // never jumps: the block goes on
    }
    end_block(End::JumpIf, true);
    return false;
}

// --- liveness -------------------------------------------------------------------------------------------

// Lets a conditional jump make the comparison that it depends on, where nobody else needs the result.
void Translator::choose_condition() {
    if (m_end != End::JumpIf || m_target >= 0) {
        mark_live();
        return;
    }
    while (node(m_condition).kind == Node::Kind::Computed && node(m_condition).op == Op::Iszero) {
        m_inverted = !m_inverted;
        m_condition = node(m_condition).args[0];
    }
    const NodeId condition = m_condition;
    const Op op = node(condition).op;
    if (node(condition).kind == Node::Kind::Computed && (op == Op::Lt || op == Op::Slt || op == Op::Eq)) {
        m_condition = -1;
        mark_live();
        if (!node(condition).live) {
            m_comparison = op;
            m_left = node(condition).args[0];
            m_right = node(condition).args[1];
        } else {
            m_condition = condition;
        }
    }
    mark_live();
}

void Translator::mark_live() {
    for (Node& n : m_nodes) {
        n.last_use = -1;
        n.live = n.kind == Node::Kind::Computed && !n.pure;
        n.final_position = kNowhere;
    }
    if (m_keeps_stack)
        for (std::int32_t p = m_height - 1; p >= m_low; --p) {
            Node& n = node(at(p));
            n.live = true;
            n.last_use = kEnd;
            n.final_position = p;
        }
    for (const NodeId id : {m_target, m_condition, m_left, m_right})
        if (id >= 0) {
            node(id).live = true;
            node(id).last_use = kEnd;
        }
    for (auto id = static_cast<NodeId>(m_nodes.size()) - 1; id >= 0; --id) {
        const Node& n = node(id);
        if (!n.live || n.kind != Node::Kind::Computed)
            continue;
        for (std::size_t i = 0; i < n.arg_count; ++i) {
            Node& arg = node(n.args[i]);
            arg.live = true;
            arg.last_use = std::max(arg.last_use, id);
        }
    }
}

bool Translator::is_free(std::int32_t position, std::int32_t time) {
    const NodeId id = owner(position);
    return id < 0 || node(id).last_use <= time;
}

// A slot that holds nothing which the instruction at `time` or a later one reads.
std::int32_t Translator::temporary(std::int32_t time) {
    for (std::int32_t p = std::max(m_keeps_stack ? m_height : 0, 0);; ++p)
        if (is_free(p, time - 1) && std::find(m_reserved.begin(), m_reserved.end(), p) == m_reserved.end())
            return p;
}

// Chooses where the result goes: where the block's end wants it, if nothing there is needed any more.
void Translator::place_result(NodeId id) {
    Node& n = node(id);
    std::int32_t p = n.final_position;
    if (p == kNowhere || !is_free(p, id)) {
        p = std::max(m_keeps_stack ? m_height : 0, 0);
        while (!is_free(p, id))
            ++p;
    }
    n.location = p;
    owner(p) = id;
    m_first_owned = std::min(m_first_owned, p);
    m_last_owned = std::max(m_last_owned, p);
}

// --- writing --------------------------------------------------------------------------------------------

IrInstr& Translator::emit(IrOp op, std::int32_t dst) {
    IrInstr& instruction = m_out.emplace_back();
    instruction.handler = ir_handlers()[static_cast<std::size_t>(op)];
    instruction.dst = dst;
    instruction.imm = 0;
    return instruction;
}

void Translator::emit_edge(std::uint32_t pc, bool falls_through) {
    const IrEdge edge{nullptr, pc, falls_through ? 1u : 0u};
    IrInstr& entry = m_out.emplace_back();
    std::memcpy(&entry, &edge, sizeof(edge));
}

// Two moves in a row become one instruction.
void Translator::emit_move(std::int32_t to, std::int32_t from) {
    if (m_last_move + 1 == m_out.size() && m_last_move != 0) {
        IrInstr& last = m_out.back();
        last.handler = ir_handlers()[static_cast<std::size_t>(IrOp::MoveTwice)];
        last.b = to * 65536 + (from & 0xffff);
        m_last_move = 0;
        return;
    }
    m_last_move = m_out.size();
    emit(IrOp::Move, to * kSlotBytes).a = from * kSlotBytes;
}

void Translator::emit_constant(std::int32_t position, const u256& value) {
    if (fits_u64(value)) {
        emit(IrOp::MoveImmediate, position * kSlotBytes).imm = value[0];
        return;
    }
    emit(IrOp::MoveConstant, position * kSlotBytes);
    const auto found = std::find(m_constants.begin(), m_constants.end(), value);
    const auto index = static_cast<std::size_t>(found - m_constants.begin());
    if (found == m_constants.end())
        m_constants.push_back(value);
    m_fixups.push_back({m_out.size() - 1, m_out.size() - 1, 2, false, index});
}

void Translator::set_constant(std::size_t base, std::size_t entry, std::uint8_t field, NodeId id,
                              bool tagged) {
    const auto found = std::find(m_constants.begin(), m_constants.end(), value(id));
    const auto index = static_cast<std::size_t>(found - m_constants.begin());
    if (found == m_constants.end())
        m_constants.push_back(value(id));
    m_fixups.push_back({base, entry, field, tagged, index});
}

namespace {
std::int32_t& field_of(IrInstr& entry, std::uint8_t field) {
    switch (field) {
        case 0:
            return entry.handler;
        case 1:
            return entry.dst;
        case 2:
            return entry.a;
        default:
            return entry.b;
    }
}
}  // namespace

void Translator::set_tagged(std::size_t base, std::size_t entry, std::uint8_t field, NodeId id) {
    if (is_constant(id))
        set_constant(base, entry, field, id, true);
    else
        field_of(m_out[entry], field) = slot(id);
}

std::int32_t Translator::slot(NodeId id) {
    MERIDIAN_DEBUG_ASSERT(node(id).location != kNowhere);
    return node(id).location * kSlotBytes;
}

// For handlers that take no constant there.
std::int32_t Translator::slot_or_temporary(NodeId id, std::int32_t time) {
    if (!is_constant(id))
        return slot(id);
    const std::int32_t p = temporary(time);
    m_reserved.push_back(p);
    emit_constant(p, value(id));
    return p * kSlotBytes;
}

void Translator::write_nodes() {
    for (NodeId id = 0; id < static_cast<NodeId>(m_nodes.size()); ++id) {
        const Node& n = node(id);
        if (n.kind != Node::Kind::Computed || !n.live)
            continue;
        if (n.has_result)
            place_result(id);
        m_reserved.clear();
        write_node(id);
    }
}

void Translator::write_node(NodeId id) {
    const Node& n = node(id);
    const std::int32_t dst = n.has_result ? n.location * kSlotBytes : 0;
    switch (n.op) {
        case Op::Iszero:
            emit(IrOp::Iszero, dst).a = slot(n.args[0]);
            return;
        case Op::Not:
            emit(IrOp::Not, dst).a = slot(n.args[0]);
            return;
        case Op::Clz:
            emit(IrOp::Clz, dst).a = slot(n.args[0]);
            return;
        case Op::Addmod:
        case Op::Mulmod: {
            emit(n.op == Op::Addmod ? IrOp::Addmod : IrOp::Mulmod, dst);
            m_out.emplace_back();
            const std::size_t base = m_out.size() - 2;
            set_tagged(base, base, 2, n.args[0]);
            set_tagged(base, base, 3, n.args[1]);
            set_tagged(base, base + 1, 2, n.args[2]);
            return;
        }
        case Op::Mload:
        case Op::Mstore:
        case Op::Mstore8:
        case Op::Calldataload:
            write_memory(n, id);
            return;
        case Op::Gas:
            emit(IrOp::Gas, dst).a = n.next_gas;
            return;
        case Op::Caller:
            emit(IrOp::Caller, dst);
            return;
        case Op::Callvalue:
            emit(IrOp::Callvalue, dst);
            return;
        case Op::Calldatasize:
            emit(IrOp::Calldatasize, dst);
            return;
        default:
            break;
    }
    if (n.operation != nullptr)
        write_operation(n);
    else
        write_binary(n);
}

namespace {
// The slot-slot form; the forms with constants follow it.
IrOp two_slot_form(Op op) {
    switch (op) {
        case Op::Add:
            return IrOp::AddSS;
        case Op::Mul:
            return IrOp::MulSS;
        case Op::And:
            return IrOp::AndSS;
        case Op::Or:
            return IrOp::OrSS;
        case Op::Xor:
            return IrOp::XorSS;
        case Op::Eq:
            return IrOp::EqSS;
        case Op::Sub:
            return IrOp::SubSS;
        case Op::Lt:
            return IrOp::LtSS;
        default:
            MERIDIAN_DEBUG_ASSERT(op == Op::Slt);
            return IrOp::SltSS;
    }
}

IrOp immediate_form(Op op) {
    switch (op) {
        case Op::Sar:
            return IrOp::Sar;
        case Op::Byte:
            return IrOp::Byte;
        default:
            MERIDIAN_DEBUG_ASSERT(op == Op::Signextend);
            return IrOp::Signextend;
    }
}

IrOp tagged_form(Op op) {
    switch (op) {
        case Op::Shl:
            return IrOp::ShlT;
        case Op::Shr:
            return IrOp::ShrT;
        case Op::Sar:
            return IrOp::SarT;
        case Op::Byte:
            return IrOp::ByteT;
        case Op::Signextend:
            return IrOp::SignextendT;
        case Op::Div:
            return IrOp::Div;
        case Op::Sdiv:
            return IrOp::Sdiv;
        case Op::Mod:
            return IrOp::Mod;
        default:
            MERIDIAN_DEBUG_ASSERT(op == Op::Smod);
            return IrOp::Smod;
    }
}

bool has_tagged_form(Op op) {
    return is_shift(op) || op == Op::Div || op == Op::Sdiv || op == Op::Mod || op == Op::Smod;
}

IrOp following(IrOp op, int distance) {
    return static_cast<IrOp>(static_cast<int>(op) + distance);
}
}  // namespace

void Translator::write_binary(const Node& n) {
    const std::int32_t dst = n.location * kSlotBytes;
    if (n.has_immediate) {
        const bool shifts = n.op == Op::Shl || n.op == Op::Shr;
        IrInstr& out = shifts
                           ? emit(following(n.op == Op::Shl ? IrOp::Shl0 : IrOp::Shr0, n.immediate / 64), dst)
                           : emit(immediate_form(n.op), dst);
        out.a = slot(n.args[1]);
        out.b = shifts ? n.immediate % 64 : n.immediate;
        return;
    }
    if (has_tagged_form(n.op)) {
        emit(tagged_form(n.op), dst);
        const std::size_t base = m_out.size() - 1;
        set_tagged(base, base, 2, n.args[0]);
        set_tagged(base, base, 3, n.args[1]);
        return;
    }
    write_forms(two_slot_form(n.op), dst, n.args[0], n.args[1]);
}

// Writes the form of `first` (the slot-slot one) that fits the operands.
void Translator::write_forms(IrOp first, std::int32_t dst, NodeId a, NodeId b) {
    const int form = is_constant(b) ? 1 : is_constant(a) ? 2 : 0;
    emit(following(first, form), dst);
    const std::size_t base = m_out.size() - 1;
    if (is_constant(a))
        set_constant(base, base, 2, a, false);
    else
        m_out[base].a = slot(a);
    if (is_constant(b))
        set_constant(base, base, 3, b, false);
    else
        m_out[base].b = slot(b);
}

void Translator::write_memory(const Node& n, NodeId id) {
    const NodeId offset = n.args[0];
    const bool immediate = is_constant(offset) && is_small(value(offset));
    const std::int32_t dst = n.has_result ? n.location * kSlotBytes : 0;
    if (n.op == Op::Mstore8) {
        emit(IrOp::Mstore8, 0);
        const std::size_t base = m_out.size() - 1;
        set_tagged(base, base, 2, offset);
        set_tagged(base, base, 3, n.args[1]);
        return;
    }
    const std::int32_t a =
        immediate ? static_cast<std::int32_t>(value(offset)[0]) : slot_or_temporary(offset, id);
    if (n.op == Op::Mload) {
        IrInstr& load = emit(immediate ? IrOp::MloadI : IrOp::Mload, dst);
        load.a = a;
        load.b = n.immediate;
        return;
    }
    if (n.op == Op::Calldataload) {
        emit(immediate ? IrOp::CalldataloadI : IrOp::Calldataload, dst).a = a;
        return;
    }
    const bool constant = is_constant(n.args[1]);
    emit(constant ? (immediate ? IrOp::MstoreIC : IrOp::MstoreC) : (immediate ? IrOp::MstoreI : IrOp::Mstore),
         n.immediate)
        .a = a;
    const std::size_t base = m_out.size() - 1;
    if (constant)
        set_constant(base, base, 3, n.args[1], false);
    else
        m_out[base].b = slot(n.args[1]);
}

void Translator::write_operation(const Node& n) {
    const bool few = n.arg_count <= 3;
    IrInstr& first = emit(few ? IrOp::Call3 : IrOp::Call7, n.has_result ? n.location * kSlotBytes : 0);
    first.operation = n.operation;
    const std::size_t base = m_out.size() - 1;
    for (int i = few ? 1 : 2; i > 0; --i) {
        IrInstr& entry = m_out.emplace_back();
        entry.handler = entry.dst = 0;
        entry.imm = 0;
    }
    m_out[base + 1].b = n.next_gas;
    for (std::size_t i = 0; i < n.arg_count; ++i) {
        const std::size_t entry = i < 3 ? base + 1 : base + 2;
        set_tagged(base, entry, static_cast<std::uint8_t>(i < 3 ? i : i - 3), n.args[i]);
    }
}

// Operands of the jump are read after the stack is in place: those that it would overwrite go aside.
void Translator::keep_operands() {
    if (!m_keeps_stack)
        return;
    for (const NodeId id : {m_target, m_condition, m_left, m_right}) {
        if (id < 0 || is_constant(id))
            continue;
        Node& n = node(id);
        if (n.location < m_low || n.location >= m_height || at(n.location) == id)
            continue;
        const std::int32_t p = temporary(kEnd);
        emit(IrOp::Move, p * kSlotBytes).a = slot(id);
        owner(p) = id;
        m_last_owned = std::max(m_last_owned, p);
        n.location = p;
    }
}

// Brings every value to the position where the block leaves it: a parallel assignment.
void Translator::write_moves() {
    if (!m_keeps_stack)
        return;
    for (std::int32_t p = m_low; p < m_height; ++p)
        if (!is_constant(at(p)) && node(at(p)).location != p) {
            m_moves.push_back({p, at(p), node(at(p)).location});
            ++m_sources[static_cast<std::size_t>(kOrigin + node(at(p)).location)];
        }
    const auto readers = [this](std::int32_t p) -> std::int32_t& {
        return m_sources[static_cast<std::size_t>(kOrigin + p)];
    };
    while (!m_moves.empty()) {
        const auto ready = std::find_if(m_moves.begin(), m_moves.end(),
                                        [&](const Move& move) { return readers(move.to) == 0; });
        if (ready != m_moves.end()) {
            emit_move(ready->to, ready->from);
            --readers(ready->from);
            m_moves.erase(ready);
            continue;
        }
        // Only cycles are left: an exchange settles one move, and redirects who read either slot.
        const Move move = m_moves.back();
        m_moves.pop_back();
        --readers(move.from);
        emit(IrOp::Swap, move.to * kSlotBytes).a = move.from * kSlotBytes;
        for (Move& other : m_moves)
            if (other.from == move.to)
                other.from = move.from;
            else if (other.from == move.from)
                other.from = move.to;
        std::swap(readers(move.from), readers(move.to));
        std::erase_if(m_moves, [&](const Move& other) {
            if (other.from != other.to)
                return false;
            --readers(other.from);
            return true;
        });
    }
    for (std::int32_t p = m_low; p < m_height; ++p)
        if (is_constant(at(p)))
            emit_constant(p, value(at(p)));
}

void Translator::write_end() {
    const std::int32_t growth = m_height * kSlotBytes;
    switch (m_end) {
        case End::Halt:
            emit(IrOp::Halt, 0).a = static_cast<std::int32_t>(m_status);
            return;
        case End::Goto:
            emit(IrOp::Goto, growth);
            emit_edge(m_next_pc, true);
            return;
        case End::Jump:
            if (m_target < 0) {
                emit(IrOp::Goto, growth);
                emit_edge(m_target_pc, false);
            } else {
                emit(IrOp::JumpDynamic, growth).a = slot(m_target);
            }
            return;
        case End::JumpIf:
            write_jump_if();
            return;
        case End::Halting:
            return;
    }
}

void Translator::write_jump_if() {
    const std::int32_t growth = m_height * kSlotBytes;
    if (m_target >= 0) {
        IrInstr& jump = emit(IrOp::JumpIfDynamic, growth);
        jump.a = slot(m_target);
        jump.b = slot(m_condition);
        emit_edge(m_next_pc, true);
        return;
    }
    if (m_condition >= 0) {
        emit(m_inverted ? IrOp::JumpZero : IrOp::JumpNonzero, growth).a = slot(m_condition);
    } else {
        // The comparison was taken over: the first argument of its operation is the left one.
        const IrOp sense = m_comparison == Op::Eq   ? (m_inverted ? IrOp::JumpNeSS : IrOp::JumpEqSS)
                           : m_comparison == Op::Lt ? (m_inverted ? IrOp::JumpGeSS : IrOp::JumpLtSS)
                                                    : (m_inverted ? IrOp::JumpSgeSS : IrOp::JumpSltSS);
        write_forms(sense, growth, m_left, m_right);
    }
    emit_edge(m_target_pc, false);
    emit_edge(m_next_pc, true);
}

const IrInstr* Translator::finish() {
    const std::size_t constants_at = m_out.size();
    for (const Fixup& fixup : m_fixups) {
        const std::size_t offset =
            (constants_at - fixup.base) * sizeof(IrInstr) + fixup.constant * sizeof(u256);
        field_of(m_out[fixup.entry], fixup.field) =
            static_cast<std::int32_t>(fixup.tagged ? offset | 1 : offset);
    }
    const std::size_t count = 1 + m_out.size() + m_constants.size() * (sizeof(u256) / sizeof(IrInstr));
    IrInstr* const block = m_code->allocate(count);
    const auto limit = static_cast<std::int32_t>(kStackLimit);
    BlockHeader header{m_gas, -m_low * kSlotBytes,
                       static_cast<std::uint32_t>((limit - m_high + m_low) * kSlotBytes), 0};
    if (m_stepped)  // Step checks
        header = BlockHeader{0, 0, static_cast<std::uint32_t>(limit * kSlotBytes), 0};
    std::memcpy(static_cast<void*>(block), &header, sizeof(header));
    std::memcpy(static_cast<void*>(block + 1), m_out.data(), m_out.size() * sizeof(IrInstr));
    if (!m_constants.empty())
        std::memcpy(static_cast<void*>(block + 1 + m_out.size()), m_constants.data(),
                    m_constants.size() * sizeof(u256));
    return block;
}

}  // namespace meridian::evm
