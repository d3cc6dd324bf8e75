// The implementations behind recover_batch, so that tests and benchmarks reach each of them.
#pragma once

#include <meridian/crypto/secp256k1_recover.hpp>

namespace meridian::crypto::secp256k1 {

// In the order of their speed.
enum class RecoverBackend : std::uint8_t { Libsecp256k1, Ifma };

// Whether it is compiled in and this processor can run it.
bool is_available(RecoverBackend backend) noexcept;
// The one that recover_batch uses.
RecoverBackend fastest_recover_backend() noexcept;
// As recover_batch. The number of signatures that went to libsecp256k1. Precondition: is_available(backend).
std::size_t recover_batch(RecoverBackend backend, std::span<const RecoverRequest> requests,
                          std::span<std::optional<FixedBytes<64>>> keys) noexcept;

}  // namespace meridian::crypto::secp256k1
