// Selecting logs by block range, address and topics.
#pragma once

#include <meridian/node/dev_chain.hpp>
#include <meridian/rpc/values.hpp>

namespace meridian::rpc {

// As eth_getLogs takes it.
struct LogFilter {
    std::optional<Hash> block_hash;
    // Numbers; empty: the head at the time of the search.
    std::optional<std::uint64_t> from_block;
    std::optional<std::uint64_t> to_block;
    std::vector<Address> addresses;         // none: any
    std::vector<std::vector<Hash>> topics;  // by position; an empty alternative list: any

    bool matches(const state::Log& log) const;
    // False if no log of a block with this bloom can match.
    bool may_match(const chain::Bloom& bloom) const;
};

inline constexpr std::size_t kFilterAddressesMax = 1000;
inline constexpr std::size_t kFilterTopicsMax = 1000;

// Throws ValueError or RpcError. Tags are resolved against the chain's head.
LogFilter read_log_filter(const json::value& value, node::DevChain& chain);

// The matching logs of one block, in order, as JSON, appended to `out`.
void append_matching_logs(json::array& out, const node::StoredBlock& block, const LogFilter& filter,
                          bool removed = false);

// All matching logs. Throws RpcError for an impossible range or more than `results_max`.
json::array search_logs(node::DevChain& chain, const LogFilter& filter, std::size_t results_max);

}  // namespace meridian::rpc
