#include <meridian/crypto/secp256k1_inverse.hpp>
#include <meridian/crypto/secp256k1_scalar.hpp>

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace meridian::crypto::secp256k1 {
namespace {

constexpr u256 kLambda{0xdf02967c1b23bd72, 0x122e22ea20816678, 0xa5261c028812645a, 0x5363ad4cc05c30e0};

// Numbers with long runs of equal bits, among others.
std::vector<u256> numbers(const u256& below) {
    std::mt19937_64 random(1);
    std::vector<u256> out = {
        0, 1, 2, 3, below - u256{1}, below - u256{2}, below >> 1, (below >> 1) + u256{1}};
    for (unsigned bit = 0; bit < 256; ++bit) {
        out.push_back((u256{1} << bit) % below);
        out.push_back(((u256{1} << bit) - u256{1}) % below);
        out.push_back((below - (u256{1} << bit)) % below);
    }
    for (int i = 0; i < 3000; ++i)
        out.push_back(u256{random(), random(), random(), random()} % below);
    return out;
}

TEST(secp256k1_scalar, inverses) {
    for (const u256& modulus : {kFieldPrime, kGroupOrder}) {
        for (const u256& x : numbers(modulus)) {
            const u256 inverse = inverse_modulo(x, modulus);
            EXPECT_LT(inverse, modulus);
            EXPECT_EQ(mulmod(inverse, x, modulus), x ? u256{1} : u256{});
        }
    }
}

// The number modulo the group order of which these are the bits: 2 * bits + 1 - 2^width.
u256 value(const u256& bits, unsigned width) {
    EXPECT_TRUE(width == 256 || !(bits >> width));
    const u256 twice = addmod(bits, bits, kGroupOrder);
    const u256 power = addmod(u256{1} << (width - 1), u256{1} << (width - 1), kGroupOrder);
    return addmod(addmod(twice, 1, kGroupOrder), kGroupOrder - power, kGroupOrder);
}

TEST(secp256k1_scalar, split_parts_are_short_and_sum_up) {
    for (const u256& k : numbers(kGroupOrder)) {
        const SplitBits split = split_bits(k);
        const u256 first = value(split.first, detail::kSplitBits);
        const u256 second = value(split.second, detail::kSplitBits);
        EXPECT_EQ(addmod(first, mulmod(second, kLambda, kGroupOrder), kGroupOrder), k);
        // Below 2^129 in magnitude, as the header says.
        for (const u256& part : {first, second})
            EXPECT_TRUE(part < (u256{1} << 129) || kGroupOrder - part < (u256{1} << 129));
    }
}

TEST(secp256k1_scalar, fixed_bits_stand_for_the_number) {
    for (const u256& k : numbers(kGroupOrder))
        EXPECT_EQ(value(fixed_bits(k), 256), k);
}

}  // namespace
}  // namespace meridian::crypto::secp256k1
