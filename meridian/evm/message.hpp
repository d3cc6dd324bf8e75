// A call or creation, and how it ended.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>

#include <string_view>

namespace meridian::evm {

enum class CallKind : std::uint8_t { Call, CallCode, DelegateCall, StaticCall, Create, Create2 };

struct Message {
    CallKind kind = CallKind::Call;
    bool is_static = false;
    std::int32_t depth = 0;
    std::int64_t gas = 0;
    Address recipient;     // whose storage and balance; for a creation, unused (derived by the EVM)
    Address code_address;  // whose code runs; equals recipient for a plain call
    Address sender;
    u256 value;
    BytesView input;  // call data, or init code
    Hash salt;        // Create2 only
};

// Success and Revert keep the gas that is left; every other status is an exceptional halt.
enum class [[nodiscard]] Status : std::uint8_t {
    Success,
    Revert,
    OutOfGas,
    UndefinedInstruction,
    InvalidInstruction,  // 0xFE
    StackUnderflow,
    StackOverflow,
    BadJumpDestination,
    InvalidMemoryAccess,  // RETURNDATACOPY beyond the buffer
    StaticModeViolation,
    PrecompileFailure,
    CallDepthExceeded,
    InsufficientBalance,
    NonceOverflow,
    CreateCollision,
    InitCodeSizeExceeded,  // EIP-3860
    CodeSizeExceeded,      // EIP-170
    InvalidCode,           // EIP-3541: begins with 0xEF
    // The host asked for the end (evm::Interrupt). Ends every frame, and is no outcome of a transaction.
    Interrupted,
};

// The phrase that geth uses for this status, as tracers and RPC errors print it; "" for Success.
std::string_view describe(Status status) noexcept;

struct CallResult {
    Status status = Status::Success;
    std::int64_t gas_left = 0;
    Bytes output;     // return or revert data; empty for an exceptional halt
    Address created;  // the new contract, if a creation succeeded
};

}  // namespace meridian::evm
