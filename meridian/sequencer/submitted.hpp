// What becomes of a submitted transaction.
#pragma once

#include <meridian/sequencer/admission.hpp>
#include <meridian/sequencer/pool.hpp>

#include <functional>

namespace meridian::sequencer {

struct Submitted {
    Hash hash;
    // The nonce that must come before this one can be executed.
    std::optional<std::uint64_t> missing_nonce;
};
using SubmitResult = Result<Submitted, SubmitFailure>;
// Called on a thread of the ingress; must not wait.
using SubmitCallback = std::function<void(SubmitResult)>;

}  // namespace meridian::sequencer
