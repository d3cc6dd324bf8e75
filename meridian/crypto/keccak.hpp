// Keccak-256 as Ethereum uses it (original padding, not SHA-3's).
#pragma once

#include <meridian/base/bytes.hpp>

#include <span>

namespace meridian::crypto {

// Of the empty string: the code hash of an account without code.
inline constexpr Hash kEmptyKeccak = [] {
    constexpr std::uint8_t b[32] = {0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                    0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                    0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70};
    Hash h;
    std::copy_n(b, 32, h.bytes.begin());
    return h;
}();

Hash keccak256(BytesView input) noexcept;

// outputs[i] = keccak256(inputs[i]). Uses several vector lanes where the processor has them, chosen at
// run time; worth it from four messages on. Precondition: the spans are of equal length.
void keccak256_batch(std::span<const BytesView> inputs, std::span<Hash> outputs) noexcept;

}  // namespace meridian::crypto
