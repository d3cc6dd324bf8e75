// BlockchainTests: a tree of blocks, valid and invalid, on a genesis state.
// https://eest.ethereum.org/main/consuming_tests/blockchain_test/
#pragma once

#include <meridian/spec/case_context.hpp>

namespace meridian::spec {

// Checks genesis, each block's acceptance or the reason of its rejection, the head and its state. Throws
// FieldFailure.
void run_blockchain_test(const Json& test, CaseContext& context);

}  // namespace meridian::spec
