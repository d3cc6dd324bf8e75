// What the batch function asks of an implementation that permutes several Keccak states at once.
//
// The implementations' files are compiled for processors beyond the baseline. They include this and nothing
// with inline functions, lest the linker keep a copy of one that other processors cannot run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace meridian::crypto::detail {

inline constexpr std::size_t kKeccakRate = 136;
inline constexpr unsigned kKeccakLanesMax = 8;

// The next bytes of one message: kKeccakRate of them, or fewer at its end, where the padding goes.
// The pointer is never null.
struct KeccakBlock {
    const std::uint8_t* data;
    std::size_t size;
};

struct KeccakMessage {
    const std::uint8_t* data;  // never null
    std::size_t size;
    std::uint8_t* digest;  // 32 bytes
};

struct KeccakKernel {
    // States side by side: word i of state j is at i * lanes + j. At most kKeccakLanesMax.
    unsigned lanes;
    // With fewer messages than this a kernel of fewer lanes is faster.
    unsigned messages_min;
    // Absorbs blocks[j] into state j and permutes. States whose bit is set in `fresh` start from zero.
    // The state is aligned to 64 bytes.
    void (*absorb)(std::uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept;
    // Hashes `lanes` whole messages, all with the same number of blocks, their last ones included: no state
    // is kept between calls. May be null.
    void (*hash)(const KeccakMessage* messages) noexcept;
};

// keccak_avx2.cpp
extern const KeccakKernel kKeccakAvx2x4;
// keccak_avx512.cpp; these need AVX-512 F, BW and VL.
extern const KeccakKernel kKeccakAvx512x4;
extern const KeccakKernel kKeccakAvx512x8;

}  // namespace meridian::crypto::detail
