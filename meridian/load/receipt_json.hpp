// Receipts as JSON-RPC gives them.
#pragma once

#include <meridian/base/u256.hpp>
#include <meridian/load/channel.hpp>

#include <boost/json.hpp>

#include <optional>

namespace meridian::load {

// Empty if it is no receipt.
std::optional<Inclusion> read_inclusion(const boost::json::object& receipt);
// The transaction that it is of; empty if it does not say.
std::optional<Hash> read_transaction_hash(const boost::json::object& receipt);

}  // namespace meridian::load
