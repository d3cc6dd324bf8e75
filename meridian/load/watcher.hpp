// Learns which transactions are included, while the load runs, in the way that the node offers.
#pragma once

#include <meridian/load/run_state.hpp>

#include <memory>
#include <string>

namespace meridian::load {

enum class ReceiptSource : std::uint8_t {
    Auto,    // the first of the next three that the node has
    Frames,  // the subscription `frames`, with receipts
    Heads,   // the subscription `newHeads`, then eth_getBlockReceipts
    Poll,    // eth_blockNumber again and again, then eth_getBlockReceipts
    Answer,  // the answers to the submissions themselves (Sync, or the binary port)
};

std::string_view to_string(ReceiptSource source) noexcept;

class Watcher {
public:
    virtual ~Watcher() = default;  // ends it
    virtual ReceiptSource source() const noexcept = 0;
    // Why it ended before it was told to; empty if it runs.
    virtual std::string failure() const = 0;
};

// Runs on a thread of its own when it returns. `endpoint` is where JSON-RPC is, over HTTP or, for the
// subscriptions, over a WebSocket at the same place. For Poll: `reconnect_s` is for how long to try again
// when the node is gone. Null for Answer. Throws LoadFailure.
std::unique_ptr<Watcher> make_watcher(ReceiptSource source, const Endpoint& endpoint, double reconnect_s,
                                      RunState& state);

}  // namespace meridian::load
