// Eight Keccak states in 512-bit registers, or four in 256-bit ones. Rotation and three-input logic are
// single instructions here, and there are registers for the whole state.
// See keccak_kernel.hpp for what must not be included.
#include <meridian/crypto/keccak_kernel.hpp>
#include <meridian/crypto/keccak_rounds.hpp>

#include <immintrin.h>

namespace meridian::crypto::detail {

namespace {

// The ternary logic instruction's truth tables: a ^ b ^ c and a ^ (~b & c).
constexpr int kXor3 = 0x96;
constexpr int kChi = 0xd2;

struct Ops512 {
    using Lane = __m512i;
    struct Difference {
        Lane left;
        Lane right;
    };

    [[gnu::always_inline]] static Lane sum(Lane a, Lane b, Lane c, Lane d, Lane e) {
        return _mm512_ternarylogic_epi64(_mm512_ternarylogic_epi64(a, b, c, kXor3), d, e, kXor3);
    }
    template <int Bits>
    [[gnu::always_inline]] static Lane rotate(Lane x) {
        return _mm512_rol_epi64(x, Bits);
    }
    // Left as two terms: adding three is as cheap as adding two.
    [[gnu::always_inline]] static Difference difference(Lane left, Lane right) {
        return {left, rotate<1>(right)};
    }
    [[gnu::always_inline]] static Lane apply(Lane a, Difference d) {
        return _mm512_ternarylogic_epi64(a, d.left, d.right, kXor3);
    }
    [[gnu::always_inline]] static Lane chi(Lane a, Lane b, Lane c) {
        return _mm512_ternarylogic_epi64(a, b, c, kChi);
    }
    [[gnu::always_inline]] static Lane add_constant(Lane a, std::uint64_t constant) {
        return _mm512_xor_si512(a, _mm512_set1_epi64(static_cast<long long>(constant)));
    }
};

struct Ops256 {
    using Lane = __m256i;
    struct Difference {
        Lane left;
        Lane right;
    };

    [[gnu::always_inline]] static Lane sum(Lane a, Lane b, Lane c, Lane d, Lane e) {
        return _mm256_ternarylogic_epi64(_mm256_ternarylogic_epi64(a, b, c, kXor3), d, e, kXor3);
    }
    template <int Bits>
    [[gnu::always_inline]] static Lane rotate(Lane x) {
        return _mm256_rol_epi64(x, Bits);
    }
    [[gnu::always_inline]] static Difference difference(Lane left, Lane right) {
        return {left, rotate<1>(right)};
    }
    [[gnu::always_inline]] static Lane apply(Lane a, Difference d) {
        return _mm256_ternarylogic_epi64(a, d.left, d.right, kXor3);
    }
    [[gnu::always_inline]] static Lane chi(Lane a, Lane b, Lane c) {
        return _mm256_ternarylogic_epi64(a, b, c, kChi);
    }
    [[gnu::always_inline]] static Lane add_constant(Lane a, std::uint64_t constant) {
        return _mm256_xor_si256(a, _mm256_set1_epi64x(static_cast<long long>(constant)));
    }
};

// The bytes of a register of `width` bytes, from `offset` on, that belong to the block.
[[gnu::always_inline]] inline std::uint64_t byte_mask(std::size_t size, std::size_t offset,
                                                      std::size_t width) {
    const std::size_t bytes = size > offset ? size - offset : 0;
    return bytes >= width ? ~0ull >> (64 - width) : ~(~0ull << bytes);
}

// Where the first padding bit goes: the word's number as a bit, and the word. No words in a full block.
struct Padding {
    unsigned words;
    std::uint64_t first;
    std::uint64_t last;
};

[[gnu::always_inline]] inline Padding padding_of(std::size_t size) {
    if (size == kKeccakRate)
        return {0, 0, 0};
    return {1u << (size / 8), 1ull << (size % 8 * 8), 1ull << 63};
}

// The block's last word, the seventeenth.
[[gnu::always_inline]] inline long long last_word(const KeccakBlock& block, const Padding& padding) {
    const auto mask = static_cast<__mmask16>(byte_mask(block.size, 128, 8));
    const auto bytes =
        static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_maskz_loadu_epi8(mask, block.data + 128)));
    return static_cast<long long>(bytes ^ padding.last ^
                                  ((padding.words >> 16 & 1) != 0 ? padding.first : 0));
}

// Eight words of the block and its padding. Bytes beyond the block are not touched.
[[gnu::always_inline]] inline __m512i load512(const KeccakBlock& block, const Padding& padding,
                                              unsigned word) {
    const std::uint64_t mask = byte_mask(block.size, 8 * word, 64);
    const __m512i bytes = _mm512_maskz_loadu_epi8(mask, block.data + 8 * word);
    const auto where = static_cast<__mmask8>(padding.words >> word);
    return _mm512_xor_si512(bytes, _mm512_maskz_set1_epi64(where, static_cast<long long>(padding.first)));
}

[[gnu::always_inline]] inline __m256i load256(const KeccakBlock& block, const Padding& padding,
                                              unsigned word) {
    const auto mask = static_cast<__mmask32>(byte_mask(block.size, 8 * word, 32));
    const __m256i bytes = _mm256_maskz_loadu_epi8(mask, block.data + 8 * word);
    const auto where = static_cast<__mmask8>(padding.words >> word & 15);
    return _mm256_xor_si256(bytes, _mm256_maskz_set1_epi64(where, static_cast<long long>(padding.first)));
}

// r[j] holds eight words of block j; out[i] gets word i of every block. This half of the work yields words
// first, first + 2, first + 4 and first + 6 from registers of even or of odd words.
[[gnu::always_inline]] inline void gather512(__m512i r01, __m512i r23, __m512i r45, __m512i r67, __m512i* out,
                                             unsigned first) {
    const __m512i low04 = _mm512_shuffle_i64x2(r01, r23, 0x88);
    const __m512i low26 = _mm512_shuffle_i64x2(r01, r23, 0xdd);
    const __m512i high04 = _mm512_shuffle_i64x2(r45, r67, 0x88);
    const __m512i high26 = _mm512_shuffle_i64x2(r45, r67, 0xdd);
    out[first] = _mm512_shuffle_i64x2(low04, high04, 0x88);
    out[first + 2] = _mm512_shuffle_i64x2(low26, high26, 0x88);
    out[first + 4] = _mm512_shuffle_i64x2(low04, high04, 0xdd);
    out[first + 6] = _mm512_shuffle_i64x2(low26, high26, 0xdd);
}

[[gnu::always_inline]] inline void transpose512(const __m512i* r, __m512i* out) {
    gather512(_mm512_unpacklo_epi64(r[0], r[1]), _mm512_unpacklo_epi64(r[2], r[3]),
              _mm512_unpacklo_epi64(r[4], r[5]), _mm512_unpacklo_epi64(r[6], r[7]), out, 0);
    gather512(_mm512_unpackhi_epi64(r[0], r[1]), _mm512_unpackhi_epi64(r[2], r[3]),
              _mm512_unpackhi_epi64(r[4], r[5]), _mm512_unpackhi_epi64(r[6], r[7]), out, 1);
}

[[gnu::always_inline]] inline void transpose256(const __m256i* r, __m256i* out) {
    const __m256i even01 = _mm256_unpacklo_epi64(r[0], r[1]);
    const __m256i odd01 = _mm256_unpackhi_epi64(r[0], r[1]);
    const __m256i even23 = _mm256_unpacklo_epi64(r[2], r[3]);
    const __m256i odd23 = _mm256_unpackhi_epi64(r[2], r[3]);
    out[0] = _mm256_permute2x128_si256(even01, even23, 0x20);
    out[1] = _mm256_permute2x128_si256(odd01, odd23, 0x20);
    out[2] = _mm256_permute2x128_si256(even01, even23, 0x31);
    out[3] = _mm256_permute2x128_si256(odd01, odd23, 0x31);
}

void absorb8(std::uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept {
    __m512i rows[2][8];
    long long last[8];
    for (unsigned j = 0; j < 8; ++j) {
        const Padding padding = padding_of(blocks[j].size);
        rows[0][j] = load512(blocks[j], padding, 0);
        rows[1][j] = load512(blocks[j], padding, 8);
        last[j] = last_word(blocks[j], padding);
    }
    __m512i input[17];
    transpose512(rows[0], input);
    transpose512(rows[1], input + 8);
    input[16] = _mm512_setr_epi64(last[0], last[1], last[2], last[3], last[4], last[5], last[6], last[7]);

    const auto keep = static_cast<__mmask8>(~fresh);
    __m512i lanes[25];
    for (unsigned i = 0; i < 25; ++i) {
        lanes[i] = _mm512_maskz_load_epi64(keep, state + 8 * i);
        if (i < 17)
            lanes[i] = _mm512_xor_si512(lanes[i], input[i]);
    }
    KeccakRounds<Ops512>::permute(lanes);
    for (unsigned i = 0; i < 25; ++i)
        _mm512_store_si512(state + 8 * i, lanes[i]);
}

void absorb4(std::uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept {
    __m256i rows[4][4];
    long long last[4];
    for (unsigned j = 0; j < 4; ++j) {
        const Padding padding = padding_of(blocks[j].size);
        for (unsigned i = 0; i < 4; ++i)
            rows[i][j] = load256(blocks[j], padding, 4 * i);
        last[j] = last_word(blocks[j], padding);
    }
    __m256i input[17];
    for (unsigned i = 0; i < 4; ++i)
        transpose256(rows[i], input + 4 * i);
    input[16] = _mm256_setr_epi64x(last[0], last[1], last[2], last[3]);

    const auto keep = static_cast<__mmask8>(~fresh & 15);
    __m256i lanes[25];
    for (unsigned i = 0; i < 25; ++i) {
        lanes[i] = _mm256_maskz_load_epi64(keep, state + 4 * i);
        if (i < 17)
            lanes[i] = _mm256_xor_si256(lanes[i], input[i]);
    }
    KeccakRounds<Ops256>::permute(lanes);
    for (unsigned i = 0; i < 25; ++i)
        _mm256_store_si256(reinterpret_cast<__m256i*>(state + 4 * i), lanes[i]);
}

}  // namespace

constinit const KeccakKernel kKeccakAvx512x4 = {4, 2, absorb4};
constinit const KeccakKernel kKeccakAvx512x8 = {8, 5, absorb8};

}  // namespace meridian::crypto::detail
