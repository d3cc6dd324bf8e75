// The parts that fixtures of several kinds share: allocations, transactions, headers.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/spec/json.hpp>
#include <meridian/state/account.hpp>
#include <meridian/state/memory_state.hpp>

namespace meridian::spec {

// All functions throw FieldFailure.

// "pre", "post", "alloc": an object from address to balance, nonce, code, storage (each may be missing).
state::StateChanges read_alloc(const Json& alloc);

chain::AccessList read_access_list(const Json& list);
std::vector<chain::Authorization> read_authorizations(const Json& list);
std::vector<Hash> read_hashes(const Json& list);
chain::Withdrawal read_withdrawal(const Json& value);

// What differs, one line an account and field; empty if nothing. At most `limit` lines.
std::string describe_difference(const state::StateChanges& expected, const state::MemoryState& actual,
                                std::size_t limit = 20);

// Accounts and slots in the form of a fixture's "alloc".
boost::json::object write_alloc(const state::MemoryState& state);

}  // namespace meridian::spec
