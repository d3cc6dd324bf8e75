// What one port and each of its connections may take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace meridian::wire {

struct SessionLimits {
    std::uint64_t hello_ms_max = 5'000;     // from the connection to the end of the greetings
    std::uint64_t message_ms_max = 60'000;  // from a message's first byte to its last
    std::uint64_t idle_ms_max = 30'000;     // without a byte from the peer; it is pinged at a third of it
    std::uint64_t write_ms_max = 30'000;    // without the peer taking a byte of what waits for it
    std::uint64_t close_ms_max = 1'000;     // for the peer to read why it is cut off
};

struct PortOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // zero: any free one
    std::size_t connections_max = 64;
    SessionLimits session = {};
    std::uint64_t stop_ms_max = 500;  // for connections to end when the port closes
};

}  // namespace meridian::wire
