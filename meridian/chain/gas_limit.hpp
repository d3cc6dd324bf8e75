// How far a block's gas limit may go from its parent's (yellow paper, section 4.3.4).
#pragma once

#include <cstdint>

namespace meridian::chain {

inline constexpr std::uint64_t kGasLimitMin = 5000;
// The change is less than this part of the parent's limit.
inline constexpr std::uint64_t kGasLimitBound = 1024;

}  // namespace meridian::chain
