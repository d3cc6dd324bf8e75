// Translates one basic block of bytecode into the register form of ir.hpp.
//
// First the block's instructions become a list of nodes (values) while a model of the stack records which
// value each position holds; then every value that is needed gets a slot, by preference the one in which
// it is due at the block's end; then the instructions are written, then the moves that are left over.
#pragma once

#include <meridian/evm/analysis.hpp>
#include <meridian/evm/instructions.hpp>
#include <meridian/evm/operations.hpp>

#include <array>
#include <span>
#include <vector>

namespace meridian::evm {

namespace detail {
constexpr bool is_shift(Op op) {
    return op == Op::Shl || op == Op::Shr || op == Op::Sar || op == Op::Byte || op == Op::Signextend;
}

// A memory or data offset that fits an instruction.
constexpr bool is_small(const u256& x) {
    return fits_u64(x) && x[0] < 0x7fff0000;
}
}  // namespace detail

// Holds only scratch memory between translations. Not reentrant.
class Translator {
public:
    Translator();

    // The block that begins at pc; owned by `code`. Past the end of the code it is a STOP.
    const IrInstr* translate(Code& code, std::uint32_t pc);

    // By all Code that uses this translator, roughly.
    std::size_t bytes_held() const noexcept { return m_bytes_held; }

private:
    friend class Code;

    using NodeId = std::int32_t;
    // Later than any node.
    static constexpr std::int32_t kEnd = 1 << 20;
    static constexpr std::int32_t kNowhere = 1 << 20;
    // Position 0 of the model's arrays.
    static constexpr std::int32_t kOrigin = 2048;
    static constexpr std::int32_t kPositions = 2 * kOrigin;

    struct Node {
        enum class Kind : std::uint8_t { Entry, Constant, Computed };
        Kind kind = Kind::Entry;
        Op op = Op::Stop;
        bool pure = true;
        bool has_result = true;
        bool live = false;
        std::uint8_t arg_count = 0;
        std::array<NodeId, 7> args{};
        std::int32_t uses = 0;
        std::int32_t last_use = -1;
        std::int32_t location = kNowhere;        // position of the slot that holds it
        std::int32_t final_position = kNowhere;  // where the block's end wants it
        std::int32_t immediate = 0;              // shift or index
        bool has_immediate = false;
        std::int32_t next_gas = 0;  // constant gas of what follows, if it observes gas
        evm::Operation operation = nullptr;
        u256 value;  // of a constant
    };

    enum class End : std::uint8_t { Goto, Jump, JumpIf, Halt, Halting };

    struct Move {
        std::int32_t to;
        NodeId node;
        std::int32_t from;
    };

    // A constant operand to be filled in when the block's length is known.
    struct Fixup {
        std::size_t base;  // the instruction to which the offset is relative
        std::size_t entry;
        std::uint8_t field;
        bool tagged;
        std::size_t constant;
    };

    // --- building -----------------------------------------------------------------------------------
    void reset(Code& code);
    void read_block(std::uint32_t pc);
    // False if the instruction ended the block.
    bool read_instruction(Op op, std::uint32_t pc);
    // Adds constant gas to the segment that is open.
    void charge(std::int32_t cost);

    NodeId add_entry(std::int32_t position);
    NodeId add_constant(const u256& value);
    NodeId add_operation(Op op, std::span<const NodeId> args, bool pure, bool has_result);
    bool is_constant(NodeId id) const { return node(id).kind == Node::Kind::Constant; }
    const u256& value(NodeId id) const { return node(id).value; }
    bool is_boolean(NodeId id) const;
    Node& node(NodeId id) { return m_nodes[static_cast<std::size_t>(id)]; }
    const Node& node(NodeId id) const { return m_nodes[static_cast<std::size_t>(id)]; }

    void reach(std::int32_t depth);
    NodeId pop();
    void push(NodeId id);
    NodeId& at(std::int32_t position) { return m_stack[static_cast<std::size_t>(kOrigin + position)]; }

    void push_immediate(std::uint32_t pc, std::size_t size);
    void read_binary(Op op);
    void read_shift(Op op);
    void read_unary(Op op);
    void read_operation(Op op);
    bool read_jump();
    void fold_offset(Node& n);
    bool read_jump_if(std::uint32_t pc);
    // An equal value without the operation, or -1.
    NodeId simplify(Op op, NodeId a, NodeId b);
    void end_block(End end, bool keeps_stack);

    // --- liveness -----------------------------------------------------------------------------------
    void choose_condition();
    void mark_live();
    void place_result(NodeId id);

    // --- writing ------------------------------------------------------------------------------------
    void write_nodes();
    void write_node(NodeId id);
    void write_binary(const Node& n);
    void write_forms(IrOp first, std::int32_t dst, NodeId a, NodeId b);
    void write_memory(const Node& n, NodeId id);
    void write_operation(const Node& n);
    void write_moves();
    void write_end();
    void write_jump_if();
    void keep_operands();
    const IrInstr* finish();

    IrInstr& emit(IrOp op, std::int32_t dst);
    void emit_edge(std::uint32_t pc, bool falls_through);
    void emit_move(std::int32_t to, std::int32_t from);
    void emit_constant(std::int32_t position, const u256& value);
    std::int32_t& owner(std::int32_t position) {
        return m_owner[static_cast<std::size_t>(kOrigin + position)];
    }
    // Free for a result of the node at `time`, whose operands are read before it is written.
    bool is_free(std::int32_t position, std::int32_t time);
    std::int32_t temporary(std::int32_t time);
    std::int32_t slot(NodeId id);
    std::int32_t slot_or_temporary(NodeId id, std::int32_t time);
    void set_constant(std::size_t base, std::size_t entry, std::uint8_t field, NodeId id, bool tagged);
    // Fills field (0..3) of `entry` with the tagged operand.
    void set_tagged(std::size_t base, std::size_t entry, std::uint8_t field, NodeId id);

    std::size_t m_bytes_held = 0;
    Code* m_code = nullptr;
    const detail::CostTable* m_costs = nullptr;
    const OperationTable* m_operations = nullptr;
    bool m_stepped = false;

    std::vector<Node> m_nodes;
    std::vector<NodeId> m_stack;  // by position
    std::vector<NodeId> m_owner;  // by position
    std::vector<NodeId> m_reserved;
    std::size_t m_last_move = 0;  // index of a move that another may join; 0 if none
    int m_length = 0;
    std::uint32_t m_following_pc = 0;
    std::int32_t m_height = 0;
    std::int32_t m_low = 0;
    std::int32_t m_high = 0;
    std::int32_t m_gas = 0;
    NodeId m_gas_sink = -1;  // node that charges for what follows; -1 for the header

    End m_end = End::Halt;
    bool m_keeps_stack = true;
    bool m_inverted = false;
    std::uint32_t m_target_pc = 0;
    std::uint32_t m_next_pc = 0;
    NodeId m_target = -1;     // of a dynamic jump
    NodeId m_condition = -1;  // of a conditional jump
    Op m_comparison = Op::Eq;
    NodeId m_left = -1;  // operands of a comparison that the jump makes itself
    NodeId m_right = -1;
    Status m_status = Status::Success;

    std::vector<IrInstr> m_out;
    std::vector<u256> m_constants;
    std::vector<Fixup> m_fixups;
    std::vector<Move> m_moves;
    std::vector<std::int32_t> m_sources;  // by position: moves that still read it
    std::int32_t m_first_owned = 0;
    std::int32_t m_last_owned = 0;
};

}  // namespace meridian::evm
