// What an observer of execution is told. Tracing never changes the outcome.
#pragma once

#include <meridian/evm/message.hpp>
#include <meridian/evm/revision.hpp>
#include <meridian/state/state.hpp>

#include <span>

namespace meridian::evm {

// The machine just before an instruction executes.
struct Step {
    std::uint64_t pc = 0;
    std::uint8_t opcode = 0;
    std::int64_t gas = 0;         // left before the instruction
    std::int64_t cost = 0;        // of this instruction, dynamic part and (for calls) forwarded gas included
    std::int32_t depth = 1;       // 1 for the outermost frame
    std::span<const u256> stack;  // bottom first
    BytesView memory;
    BytesView return_data;
    std::int64_t refund = 0;
    Address contract;                 // whose storage is used
    Status status = Status::Success;  // a failure that this instruction runs into before executing
};

class Tracer {
public:
    virtual ~Tracer() = default;
    // A frame begins; `message.recipient` is the new address for a creation.
    virtual void on_enter(const Message& message, BytesView code) = 0;
    virtual void on_exit(const Message& message, const CallResult& result) = 0;
    virtual void on_step(const Step& step) = 0;
    // A frame that was called by SELFDESTRUCT's transfer: never entered, only reported.
    virtual void on_selfdestruct(const Address& contract, const Address& beneficiary,
                                 const u256& balance) = 0;
    // A log that was just emitted (undone if its frame reverts).
    virtual void on_log(const state::Log& log) = 0;
};

}  // namespace meridian::evm
