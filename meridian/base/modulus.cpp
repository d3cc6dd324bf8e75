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
    multiply_add(h, m_reciprocal, {x[0], x[1], x[2], x[3]}, t);
    const u256 quotient = h + u256{t[4], t[5], t[6], t[7]};

    std::uint64_t product[8];
    multiply_full(quotient, m_divisor, product);
    unsigned char borrow = 0;
    const std::uint64_t r0 = sub_borrow(x[0], product[0], borrow);
    const std::uint64_t r1 = sub_borrow(x[1], product[1], borrow);
    const std::uint64_t r2 = sub_borrow(x[2], product[2], borrow);
    const std::uint64_t r3 = sub_borrow(x[3], product[3], borrow);
    std::uint64_t top = sub_borrow(x[4], product[4], borrow);
    u256 remainder{r0, r1, r2, r3};
    while (top != 0 || remainder >= m_divisor) [[unlikely]] {
        top -= remainder < m_divisor;
        remainder -= m_divisor;
    }
    return remainder >> m_shift;
}

void MulmodCache::count(const u256& modulus) noexcept {
    if (modulus != m_candidate) {
        if (m_lead > 0)
            --m_lead;
        else
            m_candidate = modulus;
    } else if (modulus && ++m_lead == kLeadMin) {
        m_modulus.emplace(modulus);
        m_lead = 0;
    }
}

u256 MulmodCache::multiply_wide(const u256& a, const u256& b, const u256& modulus) noexcept {
    if (m_modulus.has_value() && modulus == m_modulus->value())
        return m_modulus->multiply(a, b);
    count(modulus);
    return mulmod(a, b, modulus);
}

}  // namespace meridian
