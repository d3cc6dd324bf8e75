// What the transition tool writes.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/spec/t8n_input.hpp>

#include <array>

namespace meridian::spec {

struct T8nRejected {
    std::size_t index = 0;
    std::string reason;
};

struct T8nOutput {
    state::MemoryState post;
    std::vector<chain::Transaction> transactions;  // those that were applied
    std::vector<chain::Receipt> receipts;          // of these
    std::vector<T8nRejected> rejected;
    std::uint64_t gas_used = 0;
    std::uint64_t blob_gas_used = 0;
    u256 blob_base_fee;
    std::vector<chain::Request> requests;
    std::optional<Hash> requests_hash;
    std::array<std::uint64_t, 256> opcode_counts{};
};

// The reason in geth's words, which harnesses look for.
std::string describe_rejection(chain::TxnError error, const chain::Transaction& txn, const Address& sender,
                               state::State& state, const T8nInput& input);

Result<void, T8nError> write_t8n_output(const T8nOptions& options, const T8nInput& input,
                                        const T8nOutput& output);

}  // namespace meridian::spec
