// Contracts that are not code: native modules, which answer calls at their addresses.
#pragma once

#include <meridian/evm/context.hpp>
#include <meridian/evm/message.hpp>
#include <meridian/evm/tracer.hpp>

namespace meridian::evm {

struct NativeOutcome {
    Status status = Status::Success;  // Success, Revert, OutOfGas, Interrupted
    std::int64_t gas_left = 0;
};

// How such a contract calls others, in the same transaction.
class NestedCalls {
public:
    virtual ~NestedCalls() = default;
    // Unless it succeeds, the state is as before.
    virtual CallResult call(const Message& message) = 0;
};

class NativeContracts {
public:
    virtual ~NativeContracts() = default;
    virtual bool has(const Address& address) const noexcept = 0;
    // Answers a message whose code address it has, of any kind but creations. The caller has moved the value,
    // and undoes everything in the state, what the contract did included, unless this succeeds. `output` is
    // overwritten. `nested` is for messages of one depth more than this one's.
    virtual NativeOutcome call(const Message& message, const BlockContext& block, const TxnContext& txn,
                               Tracer* tracer, NestedCalls& nested, Bytes& output) = 0;
};

}  // namespace meridian::evm
