// The transaction port: takes raw transactions from many clients at once and tells what becomes of them.
//
// A connection has at most `in_flight_max` submissions that are not answered for the last time, and at most a
// mebibyte of answers that wait to be written; beyond either it is not read until there is room again. So a
// client that floods the node waits in its own socket.
#pragma once

#include <meridian/sequencer/ingress.hpp>
#include <meridian/wire/limits.hpp>
#include <meridian/wire/message.hpp>

#include <memory>

namespace meridian::wire {

struct TxnServerOptions {
    PortOptions port = {};
    std::size_t in_flight_max = 8'192;  // of one connection
    std::uint32_t envelope_size_max = 128u << 10;
    std::uint64_t wait_ms_max = 10'000;  // for a transaction's frame
    std::size_t waiting_max = 200'000;   // transactions that are waited for, of all connections
};

struct TxnServerStatus {
    std::size_t connections = 0;
    std::size_t waiting = 0;
    std::uint64_t submitted = 0;
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::uint64_t included = 0;
    std::uint64_t dropped = 0;
};

class TxnServer {
public:
    // Takes the envelope, and calls back once, on any thread, at once or later, even after stop().
    using SubmitFunction =
        std::function<void(Bytes envelope, sequencer::SubmitCallback done, ClientId client)>;
    TxnServer(const TxnServerOptions& options, const ChainIdentity& chain, SubmitFunction submit);
    // Stops.
    ~TxnServer();
    TxnServer(const TxnServer&) = delete;
    TxnServer& operator=(const TxnServer&) = delete;

    // How many transactions the open block has already, where the node starts amid one. Before on_frame().
    void begin_amid_block(const sequencer::Head& head);
    // Opens the port and serves on a thread of its own. The error is a sentence that says what to do.
    Result<void, std::string> start();
    void stop();
    std::uint16_t port() const noexcept;
    TxnServerStatus status() const;

    // For the node's listener; from any thread, frames in order. Costs little where nobody waits.
    void on_frame(const sequencer::PublishedFramePtr& frame);
    // Was accepted, and cannot be executed.
    void on_rejected(const Hash& hash, std::string_view why);

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::wire
