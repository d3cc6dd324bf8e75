// gzip in memory (RFC 1952).
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <string>

namespace meridian::rpc {

bool is_gzip(BytesView data) noexcept;
Bytes gzip(BytesView plain);
// Refuses what is broken, cut off or larger than `bytes_max` when unpacked.
Result<Bytes, std::string> gunzip(BytesView packed, std::size_t bytes_max);

}  // namespace meridian::rpc
