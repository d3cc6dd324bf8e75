// Sends signed transactions over many connections by a schedule, or as fast as the bounds allow.
//
// A sender's transactions go over one connection in the order of their nonces. With a rate, transaction i is
// due i / rate seconds after the beginning whatever the node does (open loop): when it falls behind, later
// ones wait, and their waiting counts as latency.
#pragma once

#include <meridian/load/run_state.hpp>

#include <memory>

namespace meridian::load {

struct DriveOptions {
    Endpoint endpoint;
    SubmitMethod method = SubmitMethod::Plain;
    std::size_t connections = 8;
    std::size_t threads = 1;
    std::size_t pipeline = 64;       // unanswered submissions of a connection
    std::size_t in_flight = 20'000;  // transactions sent and not yet in a block or frame
    double rate = 0;                 // a second; zero: flat out
    double duration_s = 0;           // no transaction is sent after it; zero: until all are
    double reconnect_s = 0;          // for how long to try again when a connection is lost; zero: not at all
    std::size_t senders = 1;         // transaction i is of sender i % senders
    // Needed for Endpoint::Kind::Binary.
    std::uint64_t chain_id = 0;
    Hash genesis_hash;
    bool wait = true;  // for the frame with each transaction, which the port then tells
};

class Driver {
public:
    // Connects. Throws LoadFailure.
    Driver(const DriveOptions& options, RunState& state);
    ~Driver();
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    // After RunState::begin().
    void start();
    // Nothing remains to be sent or answered. Answers that tell of inclusion may still come.
    bool done() const;
    // Ends the threads. Throws LoadFailure if one of them failed.
    void stop();

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::load
