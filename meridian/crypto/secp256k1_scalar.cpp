#include <meridian/crypto/secp256k1_scalar.hpp>

#include <meridian/base/u256_words.hpp>
#include <meridian/crypto/secp256k1_inverse.hpp>

namespace meridian::crypto::secp256k1 {

namespace {

// Short vectors (a, b) of the lattice a + b * lambda = 0 modulo the group order: (kA1, -kMinusB1) and
// (kA2, kB2). They are odd in both places and odd in the second only, so that adding one or both of them
// makes any pair odd.
constexpr u256 kA1{0xe86c90e49284eb15, 0x3086d221a7d46bcd, 0, 0};
constexpr u256 kMinusB1{0x6f547fa90abfe4c3, 0xe4437ed6010e8828, 0, 0};
constexpr u256 kA2{0x57c1108d9d44cfd8, 0x14ca50f7a8e2f3f6, 1, 0};
constexpr u256 kB2 = kA1;
// 2^384 times kB2 and kMinusB1, divided by the group order and rounded.
constexpr u256 kFactor1{0xe893209a45dbb031, 0x3daa8a1471e8ca7f, 0xe86c90e49284eb15, 0x3086d221a7d46bcd};
constexpr u256 kFactor2{0x1571b4ae8ac47f71, 0x221208ac9df506c6, 0x6f547fa90abfe4c4, 0xe4437ed6010e8828};

// k * factor / 2^384, rounded.
u256 scaled(const u256& k, const u256& factor) {
    std::uint64_t product[8];
    meridian::detail::multiply_full(k, factor, product);
    return u256{product[6], product[7], 0, 0} + u256{product[5] >> 63};
}

bool is_even(const u256& k) {
    return (k[0] & 1) == 0;
}

// k is odd and in two's complement.
u256 bits(const u256& k) {
    static_assert(detail::kSplitBits == 130);
    return (k + u256{0, 0, 4, 0}) >> 1;
}

}  // namespace

const Modulus& group_order() noexcept {
    static const Modulus instance(kGroupOrder);
    return instance;
}

SplitBits split_bits(const u256& k) noexcept {
    const u256 c1 = scaled(k, kFactor1);
    const u256 c2 = scaled(k, kFactor2);
    u256 first = k - c1 * kA1 - c2 * kA2;
    u256 second = c1 * kMinusB1 - c2 * kB2;
    if (is_even(first)) {
        first = first + kA1;
        second = second - kMinusB1;
    }
    if (is_even(second)) {
        first = first + kA2;
        second = second + kB2;
    }
    return {bits(first), bits(second)};
}

u256 fixed_bits(const u256& k) noexcept {
    if (is_even(k))
        return (k - kGroupOrder) >> 1;
    return (k >> 1) | u256{0, 0, 0, 1ull << 63};
}

}  // namespace meridian::crypto::secp256k1
