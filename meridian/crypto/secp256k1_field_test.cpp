// The vector field against 256-bit arithmetic, at the bounds that its types promise to hold.
#include <meridian/crypto/secp256k1_field_probe.hpp>
#include <meridian/crypto/secp256k1_inverse.hpp>
#include <meridian/crypto/secp256k1_recover_backend.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian::crypto::secp256k1 {
namespace {

using detail::FieldOperation;

constexpr std::uint64_t kLimb = (1ull << 52) - 1;

struct Number {
    std::uint64_t limb[5];

    u256 value() const {
        u256 out;
        for (int i = 4; i >= 0; --i)
            out = addmod(mulmod(out, u256{1} << 52, kFieldPrime), limb[i], kFieldPrime);
        return out;
    }
};

// With limbs of nothing but ones or zeros often, and a last limb of at most so many bits.
Number random_number(std::mt19937_64& random, unsigned last_bits) {
    Number out;
    for (auto& limb : out.limb) {
        switch (random() % 4) {
            case 0:
                limb = kLimb;
                break;
            case 1:
                limb = random() % 3;
                break;
            case 2:
                limb = kLimb - random() % 3;
                break;
            default:
                limb = random() & kLimb;
                break;
        }
    }
    out.limb[4] &= (1ull << last_bits) - 1;
    return out;
}

// 2^7 times p is congruent to zero, so that a summand of that size shows in overflows alone.
u256 expected(FieldOperation operation, const u256& a, const u256& b) {
    const auto times = [](const u256& x, const u256& y) { return mulmod(x, y, kFieldPrime); };
    switch (operation) {
        case FieldOperation::Product:
        case FieldOperation::ProductPlus:
            return times(a, b);
        case FieldOperation::TripledSquare:
            return times(3, times(a, a));
        case FieldOperation::SquarePlus:
            return times(a, a);
        case FieldOperation::NegativeOfProduct:
            return times(kFieldPrime - u256{8}, times(a, b));
        case FieldOperation::Negative:
            return times(kFieldPrime - u256{1}, a);
        case FieldOperation::Tightened:
            return a;
    }
    return {};
}

void check(FieldOperation operation, const Number (&a)[8], const Number (&b)[8]) {
    std::uint64_t a_limbs[5][8], b_limbs[5][8], out[4][8];
    for (int lane = 0; lane < 8; ++lane) {
        for (int i = 0; i < 5; ++i) {
            a_limbs[i][lane] = a[lane].limb[i];
            b_limbs[i][lane] = b[lane].limb[i];
        }
    }
    detail::probe_field_ifma(operation, a_limbs, b_limbs, out);
    for (int lane = 0; lane < 8; ++lane) {
        const u256 result{out[0][lane], out[1][lane], out[2][lane], out[3][lane]};
        ASSERT_EQ(result, expected(operation, a[lane].value(), b[lane].value()))
            << "operation " << static_cast<int>(operation) << " lane " << lane;
    }
}

TEST(secp256k1_field, operations_at_their_bounds) {
    if (!is_available(RecoverBackend::Ifma))
        GTEST_SKIP() << "this processor has no AVX-512 IFMA";
    std::mt19937_64 random(1);
    const Number largest = {{kLimb, kLimb, kLimb, kLimb, kLimb}};
    // What the headers call tight: below 2^256 + 2^217.
    const Number largest_tight = {{kLimb, kLimb, kLimb, kLimb, (1ull << 48) + (1ull << 9) - 1}};
    for (int round = 0; round < 4000; ++round) {
        for (int operation = 0; operation <= static_cast<int>(FieldOperation::Tightened); ++operation) {
            const auto op = static_cast<FieldOperation>(operation);
            const bool tight = op == FieldOperation::Negative;
            Number a[8], b[8];
            for (int lane = 0; lane < 8; ++lane) {
                a[lane] = random_number(random, tight ? 48 : 52);
                b[lane] = random_number(random, 52);
            }
            a[0] = tight ? largest_tight : largest;
            b[round % 8] = largest;
            ASSERT_NO_FATAL_FAILURE(check(op, a, b));
        }
    }
}

// p and its neighbours, as numbers that are not below it.
TEST(secp256k1_field, numbers_around_the_prime) {
    if (!is_available(RecoverBackend::Ifma))
        GTEST_SKIP() << "this processor has no AVX-512 IFMA";
    constexpr std::uint64_t kLow = kLimb + 1 - 0x1000003d1;
    constexpr std::uint64_t kLast = (1ull << 48) - 1;
    Number a[8], one[8];
    for (int lane = 0; lane < 8; ++lane) {
        a[lane] = {{kLow + static_cast<std::uint64_t>(lane) - 3, kLimb, kLimb, kLimb, kLast}};
        one[lane] = {{1, 0, 0, 0, 0}};
    }
    check(FieldOperation::Product, a, one);
    check(FieldOperation::Tightened, a, one);
    check(FieldOperation::Negative, a, one);
}

}  // namespace
}  // namespace meridian::crypto::secp256k1
