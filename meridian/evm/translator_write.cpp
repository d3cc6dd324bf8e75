// The second half of a translation: slots are chosen for the values and the block is written.
#include <meridian/evm/translator.hpp>

#include <meridian/base/assert.hpp>

#include <algorithm>

namespace meridian::evm {

namespace {
constexpr std::int32_t kSlotBytes = 32;
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
    return detail::is_shift(op) || op == Op::Div || op == Op::Sdiv || op == Op::Mod || op == Op::Smod;
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
    const bool immediate = is_constant(offset) && detail::is_small(value(offset));
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
