// BLAKE2b's compression function with a free number of rounds (RFC 7693, EIP-152).
#pragma once

#include <array>
#include <cstdint>

namespace meridian::evm {

// h is the state, m the message block, t the byte counter, `final` marks the last block.
void blake2f(std::uint32_t rounds, std::array<std::uint64_t, 8>& h, const std::array<std::uint64_t, 16>& m,
             const std::array<std::uint64_t, 2>& t, bool final) noexcept;

}  // namespace meridian::evm
