// The guest's wire to its oracle: two pipes that the runner leaves open on fixed descriptors.
//
// A request goes out as crypto/oracle.hpp frames it; an answer comes back as a u32 little-endian length
// and that many bytes. This is the development transport: a proof replaces it by the preimage oracle.
#pragma once

#include <cstdint>

namespace meridian::guest {

inline constexpr int kOracleRequestDescriptor = 3;
inline constexpr int kOracleAnswerDescriptor = 4;
inline constexpr std::uint32_t kOracleMaxAnswer = std::uint32_t{1} << 26;

// Makes crypto::accelerator() ask over the pipes. A guest that is started without them ends with exit
// code kNoOracle at its first question.
void install_oracle() noexcept;

inline constexpr int kNoOracle = 70;

}  // namespace meridian::guest
