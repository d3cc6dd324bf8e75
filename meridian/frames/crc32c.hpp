// CRC-32C (Castagnoli; RFC 3720, appendix B.4), which finds torn and rotten records. No defence against
// anybody who means it.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::frames {

// Of `bytes`, going on from the checksum of what precedes them (zero: nothing does).
std::uint32_t crc32c(BytesView bytes, std::uint32_t before = 0) noexcept;

}  // namespace meridian::frames
