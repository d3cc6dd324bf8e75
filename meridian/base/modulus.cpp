#include <meridian/base/modulus.hpp>
#include <meridian/base/u256_words.hpp>

namespace meridian {

using namespace detail;

// The quotient's highest bit is known: 2^512 - 1 = 2^256 * d + rest with rest = 2^256 * ~d + (2^256 - 1), and
// d >= 2^255. So rest is divided, whose four lower words are all ones.
Modulus::Modulus(const u256& value) noexcept
    : m_value(value), m_shift(clz(value)), m_divisor(value << m_shift) {
    std::uint64_t rest[8] = {~0ull,         ~0ull,         ~0ull,         ~0ull,
                             ~m_divisor[0], ~m_divisor[1], ~m_divisor[2], ~m_divisor[3]};
    for (unsigned i = 4; i-- > 0;)
        m_reciprocal[i] = divide_digit<4>(rest + i, m_divisor.words);
}

// With x = a * b shifted like the divisor, and x = h * 2^256 + l, the quotient is estimated as
// (x + h * reciprocal) / 2^256, which leaves out terms that are less than three together: it is never too
// large and at most three too small. The remainder so found is below 4 * 2^256, so five words hold it.
u256 Modulus::multiply(const u256& a, const u256& b) const noexcept {
    // Then x < d * 2^256 and the quotient fits in 256 bits, whatever b is.
    const u256 factor = (a < m_value ? a : a % m_value) << m_shift;
    std::uint64_t x[8];
    multiply_full(factor, b, x);
    const u256 h{x[4], x[5], x[6], x[7]};
    std::uint64_t t[8];
    multiply_full(h, m_reciprocal, t);
    unsigned char carry = 0;
    for (unsigned i = 0; i < 4; ++i)
        add_carry(t[i], x[i], carry);
    u256 quotient;
    for (unsigned i = 0; i < 4; ++i)
        quotient[i] = add_carry(t[4 + i], h[i], carry);

    std::uint64_t product[8];
    multiply_full(quotient, m_divisor, product);
    unsigned char borrow = 0;
    u256 remainder;
    for (unsigned i = 0; i < 4; ++i)
        remainder[i] = sub_borrow(x[i], product[i], borrow);
    std::uint64_t top = sub_borrow(x[4], product[4], borrow);
    while (top != 0 || remainder >= m_divisor) [[unlikely]] {
        top -= remainder < m_divisor;
        remainder -= m_divisor;
    }
    return remainder >> m_shift;
}

u256 MulmodCache::multiply_slowly(const u256& a, const u256& b, const u256& modulus) noexcept {
    if (!modulus || modulus != m_last) {
        m_last = modulus;
        return mulmod(a, b, modulus);
    }
    m_modulus = Modulus(modulus);
    m_ready = true;
    return m_modulus.multiply(a, b);
}

}  // namespace meridian
