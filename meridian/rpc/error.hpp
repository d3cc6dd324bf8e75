// What a JSON-RPC method answers when it cannot do what it was asked, with the codes that geth uses.
//
// Inside rpc/ these are thrown; Dispatcher is the one place that catches them.
#pragma once

#include <boost/json/value.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::rpc {

enum class ErrorCode : int {
    ParseError = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    Internal = -32603,
    Default = -32000,  // what geth gives to errors without a code of their own
    LimitExceeded = -32005,
    TimedOut = -32002,
    ResponseTooLarge = -32003,
    Reverted = 3,  // with the revert data
    // eth_sendRawTransactionSync (EIP-7966)
    ReceiptTimeout = 4,  // with the transaction's hash
    NotReady = 5,
    NonceGap = 6,  // with the nonce that is expected
    // eth_simulateV1
    NonceTooLow = -38010,
    NonceTooHigh = -38011,
    FeeCapTooLow = -38012,
    IntrinsicGas = -38013,
    InsufficientFunds = -38014,
    BlockGasLimit = -38015,
    BlockNumberOrder = -38020,
    BlockTimestampOrder = -38021,
    SenderIsNotEoa = -38024,
    MaxInitCodeSize = -38025,
    TooManyBlocks = -38026,
};

class RpcError final : public std::exception {
public:
    RpcError(ErrorCode code, std::string message, std::optional<boost::json::value> data = {})
        : m_code(code), m_message(std::move(message)), m_data(std::move(data)) {}

    ErrorCode code() const noexcept { return m_code; }
    const std::string& message() const noexcept { return m_message; }
    const std::optional<boost::json::value>& data() const noexcept { return m_data; }
    const char* what() const noexcept override { return m_message.c_str(); }

private:
    ErrorCode m_code;
    std::string m_message;
    std::optional<boost::json::value> m_data;
};

// What a client is told where the node could not read its own data; the operator is told what and where.
inline constexpr std::string_view kUnreadable = "internal error: unreadable data; ask another node";

[[noreturn]] inline void refuse(std::string message) {
    throw RpcError(ErrorCode::Default, std::move(message));
}
[[noreturn]] inline void invalid_params(std::string message) {
    throw RpcError(ErrorCode::InvalidParams, std::move(message));
}

}  // namespace meridian::rpc
