// Selecting logs by block range, address and topics.
#pragma once

#include <meridian/node/chain.hpp>
#include <meridian/rpc/deadline.hpp>
#include <meridian/rpc/values.hpp>

namespace meridian::rpc {

// As eth_getLogs takes it.
struct LogFilter {
    std::optional<Hash> block_hash;
    // Numbers; empty: the head at the time of the search.
    std::optional<std::uint64_t> from_block;
    std::optional<std::uint64_t> to_block;
    store::LogQuery terms;  // addresses and topics
};

inline constexpr std::size_t kFilterAddressesMax = 1000;
inline constexpr std::size_t kFilterTopicsMax = 1000;

// Throws ValueError or RpcError. Tags are resolved against the chain's head.
LogFilter read_log_filter(const json::value& value, node::Chain& chain);

// The matching logs of one block from one of them on, in order, as JSON, appended to `out`.
void append_matching_logs(json::array& out, const sequencer::ExecutedBlock& block, const LogFilter& filter,
                          std::uint64_t first_log = 0, bool removed = false);

// All matching logs. Throws RpcError for an impossible range, more than `results_max`, or when it takes too
// long.
json::array search_logs(node::Chain& chain, const LogFilter& filter, std::size_t results_max,
                        const Deadline& deadline);

}  // namespace meridian::rpc
