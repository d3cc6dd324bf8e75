// The implementations behind keccak256_batch, so that tests and benchmarks reach each of them.
#pragma once

#include <meridian/crypto/keccak.hpp>

namespace meridian::crypto {

// In the order of their speed.
enum class KeccakBackend : std::uint8_t { Scalar, Avx2, Avx512 };

// Whether it is compiled in and this processor can run it.
bool is_available(KeccakBackend backend) noexcept;
// The one that keccak256_batch uses.
KeccakBackend fastest_keccak_backend() noexcept;
// As the other overload. Precondition: is_available(backend).
void keccak256_batch(KeccakBackend backend, std::span<const BytesView> inputs,
                     std::span<Hash> outputs) noexcept;

}  // namespace meridian::crypto
