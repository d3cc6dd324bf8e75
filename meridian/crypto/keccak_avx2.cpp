// Four Keccak states in 256-bit registers. See keccak_kernel.hpp for what must not be included.
#include <meridian/crypto/keccak_kernel.hpp>
#include <meridian/crypto/keccak_rounds.hpp>

#include <immintrin.h>

#include <cstring>

namespace meridian::crypto::detail {

namespace {

struct Ops {
    using Lane = __m256i;
    using Difference = __m256i;

    [[gnu::always_inline]] static Lane add(Lane a, Lane b) { return _mm256_xor_si256(a, b); }
    [[gnu::always_inline]] static Lane sum(Lane a, Lane b, Lane c, Lane d, Lane e) {
        return add(add(add(a, b), add(c, d)), e);
    }
    template <int Bits>
    [[gnu::always_inline]] static Lane rotate(Lane x) {
        // Whole bytes are a shuffle: one instruction in place of three.
        if constexpr (Bits == 8)
            return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                              7, 0, 1, 2, 3, 4, 5, 6, 15, 8, 9, 10, 11, 12, 13, 14)));
        else if constexpr (Bits == 56)
            return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                              1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8)));
        else
            return _mm256_or_si256(_mm256_slli_epi64(x, Bits), _mm256_srli_epi64(x, 64 - Bits));
    }
    [[gnu::always_inline]] static Difference difference(Lane left, Lane right) {
        return add(left, rotate<1>(right));
    }
    [[gnu::always_inline]] static Lane apply(Lane a, Difference d) { return add(a, d); }
    [[gnu::always_inline]] static Lane chi(Lane a, Lane b, Lane c) {
        return add(a, _mm256_andnot_si256(b, c));
    }
    [[gnu::always_inline]] static Lane add_constant(Lane a, std::uint64_t constant) {
        return add(a, _mm256_set1_epi64x(static_cast<long long>(constant)));
    }
};

[[gnu::always_inline]] inline __m256i load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

// Four words of each of four blocks become four registers with one word of every block.
[[gnu::always_inline]] inline void transpose(const std::uint8_t* const* blocks, std::size_t offset,
                                             __m256i* out) {
    const __m256i r0 = load(blocks[0] + offset);
    const __m256i r1 = load(blocks[1] + offset);
    const __m256i r2 = load(blocks[2] + offset);
    const __m256i r3 = load(blocks[3] + offset);
    const __m256i even01 = _mm256_unpacklo_epi64(r0, r1);
    const __m256i odd01 = _mm256_unpackhi_epi64(r0, r1);
    const __m256i even23 = _mm256_unpacklo_epi64(r2, r3);
    const __m256i odd23 = _mm256_unpackhi_epi64(r2, r3);
    out[0] = _mm256_permute2x128_si256(even01, even23, 0x20);
    out[1] = _mm256_permute2x128_si256(odd01, odd23, 0x20);
    out[2] = _mm256_permute2x128_si256(even01, even23, 0x31);
    out[3] = _mm256_permute2x128_si256(odd01, odd23, 0x31);
}

long long load_word(const std::uint8_t* from) {
    long long out;
    std::memcpy(&out, from, sizeof out);
    return out;
}

void absorb(std::uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept {
    std::uint8_t padded[4][kKeccakRate];
    const std::uint8_t* data[4];
    for (unsigned j = 0; j < 4; ++j) {
        data[j] = blocks[j].data;
        if (blocks[j].size == kKeccakRate)
            continue;
        std::memset(padded[j], 0, kKeccakRate);
        if (blocks[j].size != 0)
            std::memcpy(padded[j], blocks[j].data, blocks[j].size);
        padded[j][blocks[j].size] ^= 0x01;
        padded[j][kKeccakRate - 1] ^= 0x80;
        data[j] = padded[j];
    }
    __m256i input[17];
    for (std::size_t i = 0; i < 16; i += 4)
        transpose(data, 8 * i, input + i);
    input[16] = _mm256_setr_epi64x(load_word(data[0] + 128), load_word(data[1] + 128),
                                   load_word(data[2] + 128), load_word(data[3] + 128));

    const __m256i bits = _mm256_setr_epi64x(1, 2, 4, 8);
    const __m256i keep = _mm256_cmpeq_epi64(
        _mm256_and_si256(_mm256_set1_epi64x(static_cast<long long>(fresh)), bits), _mm256_setzero_si256());
    __m256i lanes[25];
    for (unsigned i = 0; i < 25; ++i) {
        lanes[i] = _mm256_and_si256(load(state + 4 * i), keep);
        if (i < 17)
            lanes[i] = _mm256_xor_si256(lanes[i], input[i]);
    }
    KeccakRounds<Ops>::permute(lanes);
    for (unsigned i = 0; i < 25; ++i)
        _mm256_store_si256(reinterpret_cast<__m256i*>(state + 4 * i), lanes[i]);
}

}  // namespace

constinit const KeccakKernel kKeccakAvx2x4 = {4, 3, absorb, nullptr};

}  // namespace meridian::crypto::detail
