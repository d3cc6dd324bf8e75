#include <meridian/rpc/opcode.hpp>

#include <meridian/evm/instructions.hpp>

#include <string_view>

namespace meridian::rpc {
namespace {

constexpr std::size_t kStackLimit = 1024;

}  // namespace

std::string opcode_name(std::uint8_t opcode) {
    // geth's tracers kept the name that it had before Paris.
    if (opcode == static_cast<std::uint8_t>(evm::Op::Prevrandao))
        return "DIFFICULTY";
    if (const std::string_view name = evm::kInstructions[opcode].name; !name.empty())
        return std::string(name);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "opcode 0x";
    if (opcode >= 16)
        out.push_back(kDigits[opcode >> 4]);
    out.push_back(kDigits[opcode & 0xf]);
    return out + " not defined";
}

bool needs_last_instruction(evm::Status status) {
    return status == evm::Status::UndefinedInstruction || status == evm::Status::StackUnderflow ||
           status == evm::Status::StackOverflow;
}

std::string describe_status(evm::Status status, const std::optional<LastInstruction>& last) {
    if (status == evm::Status::InvalidInstruction)
        return "invalid opcode: " + opcode_name(op::kInvalid);
    if (!last || !needs_last_instruction(status))
        return std::string(evm::describe(status));
    const evm::Instruction& instruction = evm::kInstructions[last->opcode];
    const std::string size = std::to_string(last->stack_size);
    if (status == evm::Status::StackUnderflow)
        return "stack underflow (" + size + " <=> " + std::to_string(instruction.pops) + ")";
    if (status == evm::Status::StackOverflow)
        return "stack limit reached " + size + " (" +
               std::to_string(kStackLimit + instruction.pops - instruction.pushes) + ")";
    return "invalid opcode: " + opcode_name(last->opcode);
}

}  // namespace meridian::rpc
