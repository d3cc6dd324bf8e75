// Why an encoded transaction is refused, in geth's words.
#pragma once

#include <meridian/chain/transaction.hpp>

#include <string>

namespace meridian::rpc {

// `failure` is what chain::decode_pooled_transaction() says of `raw`.
std::string describe_raw_failure(BytesView raw, const chain::DecodeFailure& failure);

}  // namespace meridian::rpc
