// What holds of any bytes as a command: for the fuzzer and its unit test.
#pragma once

#include <meridian/base/assert.hpp>
#include <meridian/modules/exchange/commands.hpp>

namespace meridian::modules::exchange::testing {

// Whether they are one. What was decoded encodes to the same bytes.
inline bool check_command_bytes(BytesView bytes) {
    const auto decoded = decode_command(bytes);
    if (!decoded)
        return false;
    const Bytes again = encode_command(*decoded);
    MERIDIAN_ASSERT(equal(again, bytes));
    MERIDIAN_ASSERT(static_cast<std::uint8_t>(group_of(bytes)) < 64);
    return true;
}

}  // namespace meridian::modules::exchange::testing
