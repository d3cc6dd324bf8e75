// The host's side of the oracle: answers the requests of crypto/oracle.hpp by the native accelerator.
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/crypto/oracle.hpp>

namespace meridian::crypto {

enum class [[nodiscard]] OracleError : std::uint8_t {
    UnknownKind,
    WrongLength,  // of the request against its header, or of the payload against its kind
    TooLong,      // payload above kOracleMaxPayload
};

// No precompile call that a block can pay for has a longer input.
inline constexpr std::size_t kOracleMaxPayload = std::size_t{1} << 26;

// `request` is one whole request, from any source. `answer` is overwritten.
Result<void, OracleError> serve_oracle(BytesView request, Bytes& answer);

}  // namespace meridian::crypto
