// GeneralStateTests: one transaction on a given state, for each fork and each combination of data, gas and
// value. https://eest.ethereum.org/main/consuming_tests/state_test/
#pragma once

#include <meridian/spec/case_context.hpp>

namespace meridian::spec {

// Checks the post-state's root, the logs' hash, the reason of a rejection, and that the transaction's
// fields and its bytes are one another's encoding. Throws FieldFailure.
void run_state_test(const Json& test, CaseContext& context);

}  // namespace meridian::spec
