// Where a replica's transactions go: to its sequencer's transaction port, or nowhere, with an error that says
// so. Connects when the first one comes, and again after the connection was lost.
#pragma once

#include <meridian/sequencer/ingress.hpp>
#include <meridian/wire/txn_client.hpp>

namespace meridian::wire {

struct ForwarderOptions {
    std::string address;  // of the transaction port, host:port; empty: none
    std::uint64_t connect_ms_max = 2'000;
    // After a failed connection everything is refused for that long.
    std::uint64_t retry_ms = 1'000;
    std::size_t in_flight_max = 4'096;  // of one client, as many as there is room left
    SessionLimits session = {};
};

class Forwarder {
public:
    Forwarder(const ForwarderOptions& options, const ChainIdentity& chain);
    // What is in flight is refused.
    ~Forwarder();
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    // From any thread, as Ingress::submit(): the callback is called exactly once, on any thread, with the
    // sequencer's answer; or Busy, with why, if there is none. Never waits. Clients have turns, as there.
    void submit(Bytes envelope, sequencer::SubmitCallback done, ClientId client = kNobody);
    // Why transactions cannot be passed on just now; empty if they can, or nobody has tried yet.
    std::string fault() const;

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace meridian::wire
