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
        !detail::is_small(value(sum.args[1])))
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
    if (detail::is_shift(op) && is_constant(a)) {
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

}  // namespace meridian::evm
