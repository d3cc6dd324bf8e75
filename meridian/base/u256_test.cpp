// u256 against an independent model that works bit by bit on vectors of bool.
#include <meridian/base/u256.hpp>

#include <gtest/gtest.h>

#include <random>
#include <unordered_set>

namespace meridian {
namespace {

// The model: bits, least significant first, of any length.
using Bits = std::vector<bool>;

Bits bits_of(const u256& x) {
    Bits out(256);
    for (std::size_t i = 0; i < 256; ++i)
        out[i] = (x[i / 64] >> (i % 64) & 1) != 0;
    return out;
}

u256 number_of(const Bits& bits) {
    u256 out;
    for (std::size_t i = 0; i < bits.size() && i < 256; ++i)
        out[i / 64] |= std::uint64_t{bits[i]} << (i % 64);
    return out;
}

Bits model_add(const Bits& a, const Bits& b, std::size_t size) {
    Bits out(size);
    bool carry = false;
    for (std::size_t i = 0; i < size; ++i) {
        const bool x = i < a.size() && a[i];
        const bool y = i < b.size() && b[i];
        out[i] = (x != y) != carry;
        carry = (x && y) || (carry && (x || y));
    }
    return out;
}

Bits model_negate(Bits a) {
    a.flip();
    return model_add(a, {true}, a.size());
}

bool model_less(const Bits& a, const Bits& b) {
    for (std::size_t i = std::max(a.size(), b.size()); i-- > 0;) {
        const bool x = i < a.size() && a[i];
        const bool y = i < b.size() && b[i];
        if (x != y)
            return y;
    }
    return false;
}

Bits model_shift_left(const Bits& a, std::size_t shift, std::size_t size) {
    Bits out(size);
    for (std::size_t i = shift; i < size; ++i)
        out[i] = i - shift < a.size() && a[i - shift];
    return out;
}

Bits model_multiply(const Bits& a, const Bits& b, std::size_t size) {
    Bits out(size);
    for (std::size_t i = 0; i < b.size(); ++i)
        if (b[i])
            out = model_add(out, model_shift_left(a, i, size), size);
    return out;
}

struct ModelDivision {
    Bits quotient;
    Bits remainder;
};

// Long division, one bit at a time. Both zero for a zero divisor.
ModelDivision model_divide(const Bits& a, const Bits& b) {
    const std::size_t size = std::max(a.size(), b.size()) + 1;
    ModelDivision out{Bits(size), Bits(size)};
    if (!model_less({}, b))
        return out;
    const Bits minus_b = model_negate(model_shift_left(b, 0, size));
    for (std::size_t i = a.size(); i-- > 0;) {
        out.remainder = model_shift_left(out.remainder, 1, size);
        out.remainder[0] = a[i];
        if (!model_less(out.remainder, b)) {
            out.remainder = model_add(out.remainder, minus_b, size);
            out.quotient[i] = true;
        }
    }
    return out;
}

// Numbers that reach the corners of the algorithms: boundaries of words, runs of ones, short lengths.
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : m_random(seed) {}

    u256 next() {
        u256 out;
        for (auto& word : out.words)
            word = next_word();
        switch (m_random() % 4) {
            case 0:
                return out >> m_random() % 256;
            case 1:
                return out & ((u256{1} << m_random() % 256) - 1);
            case 2:
                return (u256{1} << m_random() % 256) + u256{m_random() % 3} - 1;
            default:
                return out;
        }
    }
    std::uint64_t word() { return m_random(); }

private:
    std::uint64_t next_word() {
        switch (m_random() % 6) {
            case 0:
                return 0;
            case 1:
                return ~0ull;
            case 2:
                return 1ull << 63;
            case 3:
                return (1ull << 63) - m_random() % 2;
            default:
                return m_random();
        }
    }

    std::mt19937_64 m_random;
};

TEST(u256, addition_and_subtraction_match_model) {
    Numbers numbers(1);
    for (int i = 0; i < 20000; ++i) {
        const u256 a = numbers.next();
        const u256 b = numbers.next();
        ASSERT_EQ(a + b, number_of(model_add(bits_of(a), bits_of(b), 256)));
        ASSERT_EQ(a - b, number_of(model_add(bits_of(a), model_negate(bits_of(b)), 256)));
        ASSERT_EQ(-b, number_of(model_negate(bits_of(b))));
    }
}

TEST(u256, multiplication_matches_model) {
    Numbers numbers(2);
    for (int i = 0; i < 700; ++i) {
        const u256 a = numbers.next();
        const u256 b = numbers.next();
        ASSERT_EQ(a * b, number_of(model_multiply(bits_of(a), bits_of(b), 256)))
            << to_quantity(a) << " * " << to_quantity(b);
    }
}

void check_division(const u256& a, const u256& b) {
    const auto [quotient, remainder] = model_divide(bits_of(a), bits_of(b));
    const auto got = divide(a, b);
    ASSERT_EQ(got.quotient, number_of(quotient)) << to_quantity(a) << " / " << to_quantity(b);
    ASSERT_EQ(got.remainder, number_of(remainder)) << to_quantity(a) << " % " << to_quantity(b);
    ASSERT_EQ(a / b, got.quotient);
    ASSERT_EQ(a % b, got.remainder);
}

TEST(u256, division_matches_model) {
    Numbers numbers(3);
    for (int i = 0; i < 1500; ++i)
        check_division(numbers.next(), numbers.next());
}

// Every case at much less cost than the model: a quotient and remainder that fit are the only ones.
TEST(u256, division_is_consistent) {
    Numbers numbers(4);
    for (int i = 0; i < 300000; ++i) {
        const u256 a = numbers.next();
        const u256 b = numbers.next();
        const auto [quotient, remainder] = divide(a, b);
        if (!b) {
            ASSERT_EQ(quotient, 0);
            ASSERT_EQ(remainder, 0);
            continue;
        }
        ASSERT_LT(remainder, b);
        ASSERT_EQ(quotient * b + remainder, a) << to_quantity(a) << " / " << to_quantity(b);
        ASSERT_LE(bit_length(quotient), bit_length(a) - std::min(bit_length(a), bit_length(b)) + 1);
    }
}

// Dividends just around multiples of the divisor, where the estimated digit is one too large, and dividends
// whose leading words equal the divisor's, where no estimate exists.
TEST(u256, division_corrects_the_estimated_digit) {
    Numbers numbers(5);
    for (int i = 0; i < 400; ++i) {
        const u256 b = numbers.next();
        const u256 multiple = b * (numbers.next() >> (bit_length(b)));
        check_division(multiple, b);
        check_division(multiple - 1, b);
        check_division(multiple + b - 1, b);
        check_division(b << (clz(b) % 256), b);
        check_division((b << (clz(b) % 256)) - 1, b);
    }
}

TEST(u256, division_edge_cases) {
    const u256 max = u256::max();
    const u256 cases[] = {0,
                          1,
                          2,
                          3,
                          ~0ull,
                          {0, 1, 0, 0},
                          {1, 1, 0, 0},
                          {~0ull, ~0ull, 0, 0},
                          {0, 0, 1, 0},
                          {~0ull, ~0ull, ~0ull, 0},
                          {0, 0, 0, 1},
                          {0, 0, 0, 1ull << 63},
                          {1, 0, 0, 1ull << 63},
                          {~0ull, 0, 0, 1ull << 63},
                          {0, ~0ull, ~0ull, 0},
                          max,
                          max - 1,
                          max >> 1};
    for (const u256& a : cases)
        for (const u256& b : cases)
            check_division(a, b);
}

TEST(u256, signed_division_truncates_towards_zero) {
    const u256 lowest = u256{1} << 255;
    EXPECT_EQ(sdiv(-u256{7}, 2), -u256{3});
    EXPECT_EQ(sdiv(7, -u256{2}), -u256{3});
    EXPECT_EQ(sdiv(-u256{7}, -u256{2}), 3);
    EXPECT_EQ(smod(-u256{7}, 2), -u256{1});
    EXPECT_EQ(smod(7, -u256{2}), 1);
    EXPECT_EQ(smod(-u256{8}, -u256{3}), -u256{2});
    EXPECT_EQ(sdiv(lowest, -u256{1}), lowest);
    EXPECT_EQ(smod(lowest, -u256{1}), 0);
    EXPECT_EQ(sdiv(lowest, 0), 0);
    EXPECT_EQ(smod(lowest, 0), 0);
    EXPECT_EQ(sdiv(5, lowest), 0);
    EXPECT_EQ(smod(-u256{5}, lowest), -u256{5});
}

TEST(u256, addmod_and_mulmod_match_model) {
    Numbers numbers(6);
    for (int i = 0; i < 300; ++i) {
        const u256 a = numbers.next();
        const u256 b = numbers.next();
        const u256 m = i % 3 == 0 ? numbers.next() | u256{1} << 255 : numbers.next();
        const Bits sum = model_add(bits_of(a), bits_of(b), 257);
        ASSERT_EQ(addmod(a, b, m), number_of(model_divide(sum, bits_of(m)).remainder))
            << to_quantity(a) << " + " << to_quantity(b) << " mod " << to_quantity(m);
        const Bits product = model_multiply(bits_of(a), bits_of(b), 512);
        ASSERT_EQ(mulmod(a, b, m), number_of(model_divide(product, bits_of(m)).remainder))
            << to_quantity(a) << " * " << to_quantity(b) << " mod " << to_quantity(m);
    }
}

TEST(u256, addmod_of_all_magnitudes_is_consistent) {
    Numbers numbers(7);
    for (int i = 0; i < 200000; ++i) {
        const u256 m = numbers.next();
        const u256 a = numbers.next();
        const u256 b = numbers.next();
        if (!m) {
            ASSERT_EQ(addmod(a, b, m), 0);
            ASSERT_EQ(mulmod(a, b, m), 0);
            continue;
        }
        const u256 x = a % m;
        const u256 y = b % m;
        ASSERT_EQ(addmod(a, b, m), x >= m - y ? x - (m - y) : x + y);
        ASSERT_EQ(mulmod(a, b, m), mulmod(x, y, m));
        // (a + 1) * b == a * b + b
        ASSERT_EQ(mulmod(addmod(a, 1, m), b, m), addmod(mulmod(a, b, m), b, m));
    }
}

TEST(u256, exp_matches_repeated_multiplication) {
    Numbers numbers(8);
    for (int i = 0; i < 200; ++i) {
        const u256 base = numbers.next();
        u256 power = 1;
        for (unsigned e = 0; e < 300; ++e) {
            ASSERT_EQ(exp(base, e), power);
            power *= base;
        }
        const u256 e = numbers.next();
        ASSERT_EQ(exp(base, e + 1), exp(base, e) * base);
    }
    EXPECT_EQ(exp(0, 0), 1);
    EXPECT_EQ(exp(0, 1), 0);
    EXPECT_EQ(exp(1, u256::max()), 1);
    EXPECT_EQ(exp(2, 255), u256{1} << 255);
    EXPECT_EQ(exp(2, 256), 0);
    EXPECT_EQ(exp(4, 1ull << 63), 0);
}

TEST(u256, shifts_match_model) {
    Numbers numbers(9);
    for (int i = 0; i < 100; ++i) {
        const u256 x = numbers.next();
        const Bits bits = bits_of(x);
        for (std::uint64_t shift = 0; shift < 260; ++shift) {
            const Bits left = model_shift_left(bits, shift, 256);
            ASSERT_EQ(x << shift, number_of(left));
            ASSERT_EQ(x << u256{shift}, number_of(left));
            Bits right(256);
            Bits arithmetic(256, bits[255]);
            for (std::size_t k = shift; k < 256; ++k) {
                right[k - shift] = bits[k];
                arithmetic[k - shift] = bits[k];
            }
            ASSERT_EQ(x >> shift, number_of(right));
            ASSERT_EQ(x >> u256{shift}, number_of(right));
            ASSERT_EQ(sar(shift, x), number_of(arithmetic));
        }
        for (const u256& huge : {u256{1ull << 32}, u256{0, 1, 0, 0}, u256{1, 0, 0, 1}, u256::max()}) {
            ASSERT_EQ(x << huge, 0);
            ASSERT_EQ(x >> huge, 0);
            ASSERT_EQ(sar(huge, x), is_negative(x) ? u256::max() : u256{});
        }
    }
}

TEST(u256, comparisons_match_model) {
    Numbers numbers(10);
    for (int i = 0; i < 20000; ++i) {
        const u256 a = numbers.next();
        const u256 b = i % 4 == 0 ? a + numbers.word() % 2 : numbers.next();
        const bool less = model_less(bits_of(a), bits_of(b));
        const bool greater = model_less(bits_of(b), bits_of(a));
        ASSERT_EQ(a < b, less);
        ASSERT_EQ(a > b, greater);
        ASSERT_EQ(a <= b, !greater);
        ASSERT_EQ(a >= b, !less);
        ASSERT_EQ(a == b, !less && !greater);
        ASSERT_EQ(a != b, less || greater);
        ASSERT_EQ((a <=> b) < 0, less);
        ASSERT_EQ((a <=> b) > 0, greater);
        // Flipping the sign bits turns the signed order into the unsigned one.
        const u256 sign = u256{1} << 255;
        ASSERT_EQ(slt(a, b), (a ^ sign) < (b ^ sign));
    }
}

TEST(u256, lengths_and_bits) {
    EXPECT_EQ(clz(0), 256u);
    EXPECT_EQ(byte_length(0), 0u);
    for (unsigned i = 0; i < 256; ++i) {
        const u256 x = u256{1} << i;
        EXPECT_EQ(clz(x), 255 - i);
        EXPECT_EQ(bit_length(x | 1), i + 1);
        EXPECT_EQ(byte_length(x), i / 8 + 1);
        EXPECT_EQ(fits_u64(x), i < 64);
        EXPECT_EQ(is_negative(x), i == 255);
    }
}

TEST(u256, signextend_and_byte_at_match_bytes) {
    Numbers numbers(11);
    for (int i = 0; i < 2000; ++i) {
        const u256 x = numbers.next();
        const Hash bytes = to_hash(x);
        for (std::size_t k = 0; k < 40; ++k) {
            ASSERT_EQ(byte_at(k, x), k < 32 ? bytes[k] : 0);
            Hash extended = bytes;
            if (k < 31)
                for (std::size_t j = 0; j < 31 - k; ++j)
                    extended[j] = (bytes[31 - k] & 0x80) != 0 ? 0xff : 0;
            ASSERT_EQ(signextend(k, x), from_hash(extended));
        }
        ASSERT_EQ(signextend({0, 1, 0, 0}, x), x);
        ASSERT_EQ(byte_at({0, 0, 0, 1}, x), 0);
    }
}

TEST(u256, bytes_round_trip) {
    constexpr u256 x = 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20_u256;
    const Hash hash = to_hash(x);
    for (std::size_t i = 0; i < 32; ++i)
        EXPECT_EQ(hash[i], i + 1);
    EXPECT_EQ(from_hash(hash), x);
    static_assert(from_hash(to_hash(x)) == x);
    EXPECT_EQ(to_address(x), first_bytes<20>({hash.data() + 12, 20}));
    EXPECT_EQ(from_address(to_address(x)), x & (u256::max() >> 96));
    for (std::size_t size = 0; size <= 32; ++size)
        EXPECT_EQ(load_be({hash.data() + 32 - size, size}), size == 32 ? x : x & ((u256{1} << 8 * size) - 1));
}

TEST(u256, text) {
    EXPECT_EQ(to_quantity(0), "0x0");
    EXPECT_EQ(to_quantity(0x400), "0x400");
    EXPECT_EQ(to_quantity(u256::max()), "0x" + std::string(64, 'f'));
    EXPECT_EQ(to_decimal(0), "0");
    EXPECT_EQ(to_decimal(10), "10");
    EXPECT_EQ(to_decimal(10'000'000'000'000'000'000ull), "10000000000000000000");
    EXPECT_EQ(to_decimal(u256::max()),
              "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    Numbers numbers(12);
    for (int i = 0; i < 2000; ++i) {
        const u256 x = numbers.next();
        ASSERT_EQ(parse_u256(to_decimal(x)), x);
        ASSERT_EQ(parse_u256(to_quantity(x)), x);
    }
}

TEST(u256, parse_rejects) {
    const auto error = [](std::string_view text) { return parse_u256(text).error(); };
    EXPECT_EQ(error(""), NumberError::Empty);
    EXPECT_EQ(error("0x"), NumberError::Empty);
    EXPECT_EQ(error("12a"), NumberError::InvalidDigit);
    EXPECT_EQ(error("0xg"), NumberError::InvalidDigit);
    EXPECT_EQ(error("-1"), NumberError::InvalidDigit);
    EXPECT_EQ(error(" 1"), NumberError::InvalidDigit);
    EXPECT_EQ(error("115792089237316195423570985008687907853269984665640564039457584007913129639936"),
              NumberError::Overflow);
    EXPECT_EQ(error("0x1" + std::string(64, '0')), NumberError::Overflow);
    EXPECT_EQ(parse_u256("0X0000" + std::string(64, 'F')), u256::max());
    EXPECT_EQ(parse_u256("007"), 7);
}

TEST(u256, compile_time_values) {
    static_assert(115792089237316195423570985008687907853269984665640564039457584007913129639935_u256 ==
                  u256::max());
    static_assert(0xff_u256 == 255);
    static_assert((0x10_u256 << 252) == 0);
    static_assert(u256::max() + 1 == 0 && u256{} - 1 == u256::max());
    static_assert(u256::max() * u256::max() == 1);
    const std::unordered_set<u256> set = {1, 2, u256::max()};
    EXPECT_TRUE(set.contains(2));
    EXPECT_FALSE(set.contains(3));
}

}  // namespace
}  // namespace meridian
