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

// geth's words for how a frame ended, with the name of the opcode where that is what was wrong. `last` is
// the last instruction that the frame came to, if it is known.
std::string describe_status(evm::Status status, std::optional<std::uint8_t> last = {});

}  // namespace meridian::rpc
