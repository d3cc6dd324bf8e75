// A host's request that an execution end before its gas does: a deadline of eth_call, a draining node.
//
// Executions poll it at the beginning and end of every call, creation and precompiled contract, and in
// between after at most kGasBetweenPolls gas. So after a request no more than that, a basic block and one
// instruction or precompiled contract is still executed: about a millisecond for code on cached state. What
// cannot be interrupted is a single instruction or precompiled contract (MODEXP is the slowest): what bounds
// it is the gas that it costs alone, hence the gas limit that the host gives to the call.
//
// It never decides state: an interrupted transaction has no outcome, and the state is as before it.
#pragma once

#include <cstdint>

namespace meridian::evm {

inline constexpr std::int64_t kGasBetweenPolls = 1 << 16;

// The host's: an atomic flag, a clock.
class Interrupt {
public:
    virtual ~Interrupt() = default;
    // Called on the executing thread, some ten thousand times a second, for each call besides. Once true it
    // stays true until the execution has ended.
    virtual bool requested() const noexcept = 0;
};

}  // namespace meridian::evm
