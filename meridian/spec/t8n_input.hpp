// What the transition tool reads.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/chain/config.hpp>
#include <meridian/spec/t8n.hpp>
#include <meridian/state/memory_state.hpp>

#include <map>
#include <vector>

namespace meridian::spec {

struct T8nOmmer {
    std::uint64_t delta = 0;
    Address address;
};

// A transaction to be applied, or why it could not be decoded.
struct T8nTransaction {
    std::optional<chain::Transaction> txn;
    std::string error;
};

struct T8nInput {
    chain::ChainConfig config;
    state::MemoryState pre;
    // What is known before execution; see chain::BlockExecutor.
    chain::Header header;
    // Given or computed; printed whatever the fork.
    std::optional<u256> base_fee;
    // Neither given nor computable: blob transactions are rejected.
    bool lacks_excess_blob_gas = false;
    std::optional<std::map<std::uint64_t, Hash>> block_hashes;
    std::vector<T8nOmmer> ommers;
    std::optional<std::vector<chain::Withdrawal>> withdrawals;
    std::vector<T8nTransaction> transactions;
};

Result<T8nInput, T8nError> read_t8n_input(const T8nOptions& options);

}  // namespace meridian::spec
