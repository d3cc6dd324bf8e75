// Opcodes by value and name, for tracers.
#pragma once

#include <meridian/evm/message.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace meridian::rpc {

namespace op {
inline constexpr std::uint8_t kBalance = 0x31;
inline constexpr std::uint8_t kExtcodesize = 0x3b;
inline constexpr std::uint8_t kExtcodecopy = 0x3c;
inline constexpr std::uint8_t kExtcodehash = 0x3f;
inline constexpr std::uint8_t kSelfbalance = 0x47;
inline constexpr std::uint8_t kSload = 0x54;
inline constexpr std::uint8_t kSstore = 0x55;
inline constexpr std::uint8_t kCreate = 0xf0;
inline constexpr std::uint8_t kCall = 0xf1;
inline constexpr std::uint8_t kCallcode = 0xf2;
inline constexpr std::uint8_t kReturn = 0xf3;
inline constexpr std::uint8_t kDelegatecall = 0xf4;
inline constexpr std::uint8_t kCreate2 = 0xf5;
inline constexpr std::uint8_t kStaticcall = 0xfa;
inline constexpr std::uint8_t kInvalid = 0xfe;
inline constexpr std::uint8_t kSelfdestruct = 0xff;
}  // namespace op

// As geth's tracers print it: "PUSH1", "KECCAK256", or "opcode 0xc not defined".
std::string opcode_name(std::uint8_t opcode);

// The last instruction that a frame came to.
struct LastInstruction {
    std::uint8_t opcode = 0;
    std::size_t stack_size = 0;  // before it
};

// geth's words for how a frame ended, with the opcode or the stack's size where that is what was wrong.
std::string describe_status(evm::Status status, const std::optional<LastInstruction>& last = {});

// Whether describe_status() needs the last instruction.
bool needs_last_instruction(evm::Status status);

}  // namespace meridian::rpc
