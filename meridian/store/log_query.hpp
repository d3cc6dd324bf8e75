// Questions about logs, as eth_getLogs asks them.
#pragma once

#include <meridian/state/account.hpp>

#include <functional>

namespace meridian::store {

// A log matches if its address is one of `addresses` (any, if there is none) and, for each position, its
// topic is one of those listed (any, if none is; but a topic has to be there).
struct LogQuery {
    std::uint64_t from_block = 0;
    std::uint64_t to_block = 0;  // included
    std::vector<Address> addresses;
    std::vector<std::vector<Hash>> topics;
};

// Addresses and topics in one query.
inline constexpr std::size_t kLogTermsMax = 1024;
inline constexpr std::size_t kTopicsMax = 4;

struct LogMatch {
    std::uint64_t block = 0;
    std::uint64_t txn_index = 0;
    std::uint64_t log_index = 0;  // in the block
    const state::Log& log;        // valid during the call
};

using LogVisitor = std::function<bool(const LogMatch&)>;

}  // namespace meridian::store
