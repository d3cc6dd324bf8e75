#include <meridian/base/modulus.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian {
namespace {

// Words of all zeros and all ones reach the estimates' corners.
u256 number(std::mt19937_64& random) {
    u256 out;
    for (auto& word : out.words) {
        const std::uint64_t kind = random() % 5;
        word = kind == 0 ? 0 : kind == 1 ? ~0ull : kind == 2 ? 1ull << 63 : random();
    }
    return out >> (random() % 3 == 0 ? random() % 256 : 0);
}

TEST(modulus, multiplies_as_mulmod) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20000; ++i) {
        const u256 m = number(random);
        if (!m)
            continue;
        const Modulus modulus(m);
        ASSERT_EQ(modulus.value(), m);
        const u256 near[] = {0, 1, m - 1, m, m + 1, u256::max(), number(random), number(random) % m};
        for (const u256& a : near)
            for (const u256& b : near)
                ASSERT_EQ(modulus.multiply(a, b), mulmod(a, b, m))
                    << to_quantity(a) << " * " << to_quantity(b) << " mod " << to_quantity(m);
    }
}

// a^(p - 1) is 1 modulo a prime p: a chain of hundreds of products whose end is known.
TEST(modulus, fermat) {
    for (const u256& p :
         {0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f_u256,
          0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47_u256,
          0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff_u256, 1000003_u256}) {
        const Modulus modulus(p);
        u256 power = 1;
        const u256 exponent = p - 1;
        for (unsigned i = bit_length(exponent); i-- > 0;) {
            power = modulus.multiply(power, power);
            if ((exponent >> i & 1) == 1)
                power = modulus.multiply(power, 3);
        }
        EXPECT_EQ(power, 1) << to_quantity(p);
    }
}

TEST(modulus, cache_changes_no_result) {
    std::mt19937_64 random(2);
    const u256 moduli[] = {0, 1, 2, number(random), number(random), u256::max()};
    MulmodCache cache;
    for (int i = 0; i < 50000; ++i) {
        const u256& m = moduli[random() % 8 < 5 ? 4 : random() % 6];
        const u256 a = number(random);
        const u256 b = number(random);
        ASSERT_EQ(cache.multiply(a, b, m), mulmod(a, b, m));
    }
}

}  // namespace
}  // namespace meridian
