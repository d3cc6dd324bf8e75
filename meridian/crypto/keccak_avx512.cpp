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

// A block with its padding is the message's bytes, selected by a mask, over what this table holds from
// kPadding - size on: a one right behind the bytes.
constexpr std::size_t kPadding = kKeccakRate;
struct PaddingTable {
    std::uint8_t bytes[2 * kKeccakRate + 16];
};
constexpr PaddingTable make_padding_table() {
    PaddingTable out{};
    out.bytes[kPadding] = 1;
    return out;
}
constexpr PaddingTable kPaddingTable = make_padding_table();

// The bytes of a register of `width` bytes, from `offset` on, that belong to the block.
[[gnu::always_inline]] inline std::uint64_t byte_mask(std::size_t size, std::size_t offset,
                                                      std::size_t width) {
    const std::size_t bytes = size > offset ? size - offset : 0;
    return bytes >= width ? ~0ull >> (64 - width) : ~(~0ull << bytes);
}

// Eight words of the block and its padding but for the last bit. Bytes beyond the block are not touched.
[[gnu::always_inline]] inline __m512i load512(const KeccakBlock& block, unsigned word) {
    const std::uint8_t* padding = kPaddingTable.bytes + (kPadding - block.size) + 8 * word;
    return _mm512_mask_loadu_epi8(_mm512_loadu_si512(padding), byte_mask(block.size, 8 * word, 64),
                                  block.data + 8 * word);
}

[[gnu::always_inline]] inline __m256i load256(const KeccakBlock& block, unsigned word) {
    const std::uint8_t* padding = kPaddingTable.bytes + (kPadding - block.size) + 8 * word;
    const auto mask = static_cast<__mmask32>(byte_mask(block.size, 8 * word, 32));
    return _mm256_mask_loadu_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(padding)), mask,
                                  block.data + 8 * word);
}

// The block's last word, the seventeenth, in the lower half.
[[gnu::always_inline]] inline __m128i load_last(const KeccakBlock& block) {
    const std::uint8_t* padding = kPaddingTable.bytes + (kPadding - block.size) + 128;
    const auto mask = static_cast<__mmask16>(byte_mask(block.size, 128, 8));
    return _mm_mask_loadu_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(padding)), mask,
                               block.data + 128);
}

// The last padding bit, in the lanes whose block is a message's last.
[[gnu::always_inline]] inline unsigned ending(const KeccakBlock* blocks, unsigned lanes) {
    unsigned out = 0;
    for (unsigned j = 0; j < lanes; ++j)
        out |= static_cast<unsigned>(blocks[j].size != kKeccakRate) << j;
    return out;
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

// The loops over lanes and blocks are unrolled, without which g++ keeps all of them in memory.

// The seventeen words of every block.
[[gnu::always_inline]] inline void load8(const KeccakBlock* blocks, __m512i* input) {
    __m512i rows[2][8];
    __m128i pairs[4];
#pragma GCC unroll 25
    for (unsigned j = 0; j < 8; ++j) {
        rows[0][j] = load512(blocks[j], 0);
        rows[1][j] = load512(blocks[j], 8);
    }
#pragma GCC unroll 25
    for (unsigned j = 0; j < 4; ++j)
        pairs[j] = _mm_unpacklo_epi64(load_last(blocks[2 * j]), load_last(blocks[2 * j + 1]));
    transpose512(rows[0], input);
    transpose512(rows[1], input + 8);
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(pairs[0]), pairs[1], 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(pairs[2]), pairs[3], 1);
    const __m512i words = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    const __m512i last_bit = _mm512_set1_epi64(static_cast<long long>(1ull << 63));
    input[16] = _mm512_mask_xor_epi64(words, static_cast<__mmask8>(ending(blocks, 8)), words, last_bit);
}

void absorb8(std::uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept {
    __m512i input[17];
    load8(blocks, input);
    const auto keep = static_cast<__mmask8>(~fresh);
    __m512i lanes[25];
#pragma GCC unroll 25
    for (unsigned i = 0; i < 25; ++i) {
        lanes[i] = _mm512_maskz_load_epi64(keep, state + 8 * i);
        if (i < 17)
            lanes[i] = _mm512_xor_si512(lanes[i], input[i]);
    }
    KeccakRounds<Ops512>::permute(lanes);
#pragma GCC unroll 25
    for (unsigned i = 0; i < 25; ++i)
        _mm512_store_si512(state + 8 * i, lanes[i]);
}

// Word i of eight digests in words[i].
[[gnu::always_inline]] inline void store_digests(const __m512i* words, const KeccakMessage* messages) {
    const __m512i even01 = _mm512_unpacklo_epi64(words[0], words[1]);
    const __m512i odd01 = _mm512_unpackhi_epi64(words[0], words[1]);
    const __m512i even23 = _mm512_unpacklo_epi64(words[2], words[3]);
    const __m512i odd23 = _mm512_unpackhi_epi64(words[2], words[3]);
    const __m512i from[4] = {
        _mm512_permutex2var_epi64(even01, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), even23),
        _mm512_permutex2var_epi64(odd01, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), odd23),
        _mm512_permutex2var_epi64(even01, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), even23),
        _mm512_permutex2var_epi64(odd01, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), odd23)};
#pragma GCC unroll 25
    for (unsigned j = 0; j < 8; ++j) {
        const __m512i pair = from[(j & 4) / 2 + j % 2];
        const __m256i digest =
            (j & 2) != 0 ? _mm512_extracti64x4_epi64(pair, 1) : _mm512_castsi512_si256(pair);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(messages[j].digest), digest);
    }
}

void hash8(const KeccakMessage* messages) noexcept {
    KeccakBlock blocks[8];
    __m512i input[17];
    __m512i lanes[25];
#pragma GCC unroll 25
    for (__m512i& lane : lanes)
        lane = _mm512_setzero_si512();
    const std::size_t full = messages[0].size / kKeccakRate;
    for (std::size_t i = 0; i < full; ++i) {
#pragma GCC unroll 25
        for (unsigned j = 0; j < 8; ++j)
            blocks[j] = {messages[j].data + i * kKeccakRate, kKeccakRate};
        load8(blocks, input);
#pragma GCC unroll 25
        for (unsigned k = 0; k < 17; ++k)
            lanes[k] = _mm512_xor_si512(lanes[k], input[k]);
        KeccakRounds<Ops512>::permute(lanes);
    }
#pragma GCC unroll 25
    for (unsigned j = 0; j < 8; ++j)
        blocks[j] = {messages[j].data + full * kKeccakRate, messages[j].size - full * kKeccakRate};
    load8(blocks, input);
#pragma GCC unroll 25
    for (unsigned k = 0; k < 17; ++k)
        lanes[k] = _mm512_xor_si512(lanes[k], input[k]);
    KeccakRounds<Ops512>::permute_to_digest(lanes);
    store_digests(lanes, messages);
}

void absorb4(std::uint64_t* state, const KeccakBlock* blocks, unsigned fresh) noexcept {
    __m256i rows[4][4];
    for (unsigned j = 0; j < 4; ++j)
        for (unsigned i = 0; i < 4; ++i)
            rows[i][j] = load256(blocks[j], 4 * i);
    __m256i input[17];
    for (unsigned i = 0; i < 4; ++i)
        transpose256(rows[i], input + 4 * i);
    const __m256i last = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_unpacklo_epi64(load_last(blocks[0]), load_last(blocks[1]))),
        _mm_unpacklo_epi64(load_last(blocks[2]), load_last(blocks[3])), 1);
    const __m256i last_bit = _mm256_set1_epi64x(static_cast<long long>(1ull << 63));
    input[16] = _mm256_mask_xor_epi64(last, static_cast<__mmask8>(ending(blocks, 4)), last, last_bit);

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

constinit const KeccakKernel kKeccakAvx512x4 = {4, 2, absorb4, nullptr};
constinit const KeccakKernel kKeccakAvx512x8 = {8, 5, absorb8, hash8};

}  // namespace meridian::crypto::detail
