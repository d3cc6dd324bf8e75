// Call objects and overrides, as eth_call, eth_simulateV1 and eth_sendTransaction take them.
#pragma once

#include <meridian/node/call.hpp>
#include <meridian/rpc/values.hpp>

namespace meridian::rpc {

class Service;

struct CallArgs {
    std::optional<Address> from;
    std::optional<Address> to;
    std::optional<std::uint64_t> gas;
    std::optional<u256> gas_price;
    std::optional<u256> max_fee_per_gas;
    std::optional<u256> max_priority_fee_per_gas;
    std::optional<u256> max_fee_per_blob_gas;
    std::optional<u256> value;
    std::optional<std::uint64_t> nonce;
    std::optional<u256> chain_id;
    Bytes data;
    std::optional<chain::AccessList> access_list;
    std::optional<std::vector<Hash>> blob_hashes;
    std::optional<std::vector<chain::Authorization>> authorizations;

    Address sender() const { return from.value_or(Address{}); }
    bool names_a_price() const { return gas_price || max_fee_per_gas || max_priority_fee_per_gas; }
};

CallArgs read_call_args(const json::value& value);

// The unsigned transaction that the arguments describe. Gas is capped at `gas_max` where that is not
// zero; without a price it is free. The type is the oldest that can carry the fields.
chain::Transaction make_call(const CallArgs& args, const chain::ChainConfig& config, evm::Revision revision,
                             std::uint64_t gas_max);

struct BlockOverrides {
    std::optional<std::uint64_t> number;
    std::optional<u256> difficulty;
    std::optional<std::uint64_t> time;
    std::optional<std::uint64_t> gas_limit;
    std::optional<Address> coinbase;
    std::optional<Hash> prev_randao;
    std::optional<u256> base_fee;
    std::optional<u256> blob_base_fee;
    std::optional<Hash> beacon_root;
    std::optional<std::vector<chain::Withdrawal>> withdrawals;
};

BlockOverrides read_block_overrides(const json::value& value);
void apply(const BlockOverrides& overrides, chain::Header& header);

struct AccountOverride {
    std::optional<std::uint64_t> nonce;
    std::optional<Bytes> code;
    std::optional<u256> balance;
    std::optional<std::map<u256, u256>> state;       // replaces the storage
    std::optional<std::map<u256, u256>> state_diff;  // single slots
    std::optional<Address> move_precompile_to;
};
using StateOverrides = std::map<Address, AccountOverride>;

StateOverrides read_state_overrides(const json::value& value);
// Throws RpcError for contradictions. `moves` may be null if moving precompiles is not offered.
void apply(const StateOverrides& overrides, node::OverlayState& state, evm::Revision revision,
           evm::PrecompileMoves* moves);

bool is_precompile(const Address& address, evm::Revision revision);
// All of a revision, ascending.
std::vector<Address> precompile_addresses(evm::Revision revision);

// "execution reverted", with the reason if the data holds an Error(string) or Panic(uint256).
std::string revert_message(BytesView output);

}  // namespace meridian::rpc
