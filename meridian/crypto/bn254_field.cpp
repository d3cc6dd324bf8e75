// Inversion follows Bernstein and Yang, "Fast constant-time gcd computation and modular inversion"
// (2019), in variable time: 62 division steps at a time on the low words give a 2x2 matrix, which is
// then applied to the full numbers.
#include <meridian/crypto/bn254_field.hpp>

#include <bit>

namespace meridian::crypto::bn254 {
namespace {

__extension__ typedef __int128 i128;

constexpr int kBatch = 62;
constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << kBatch) - 1;

// A signed number: five limbs of 62 bits, the last one carrying the sign.
using Signed = std::array<std::int64_t, 5>;

constexpr Signed to_signed(const Words& x) noexcept {
    const auto limb = [](std::uint64_t v) { return static_cast<std::int64_t>(v & kLimbMask); };
    return {limb(x[0]), limb(x[0] >> 62 | x[1] << 2), limb(x[1] >> 60 | x[2] << 4),
            limb(x[2] >> 58 | x[3] << 6), limb(x[3] >> 56)};
}

constexpr Signed kSignedPrime = to_signed(kPrime);
// p^-1 mod 2^62
constexpr std::uint64_t kPrimePositiveInverse = (0 - kPrimeInverse) & kLimbMask;

// 2^62 times the product of the matrices of 62 division steps.
struct Steps {
    std::int64_t u = 1;
    std::int64_t v = 0;
    std::int64_t q = 0;
    std::int64_t r = 1;
};

// `delta` is the negated counter of the division steps; f is odd.
Steps division_steps(std::int64_t& delta, std::uint64_t f, std::uint64_t g) noexcept {
    std::uint64_t u = 1;
    std::uint64_t v = 0;
    std::uint64_t q = 0;
    std::uint64_t r = 1;
    int left = kBatch;
    for (;;) {
        // The guard bits stop the count at the steps that are left.
        const int zeros = std::countr_zero(g | (~std::uint64_t{0} << left));
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        delta -= zeros;
        left -= zeros;
        if (left == 0)
            break;
        if (delta < 0) {
            delta = -delta;
            const std::uint64_t old_f = f;
            const std::uint64_t old_u = u;
            const std::uint64_t old_v = v;
            f = g;
            g = 0 - old_f;
            u = q;
            q = 0 - old_u;
            v = r;
            r = 0 - old_v;
        }
        // No exchange happens in the next delta + 1 steps: clear up to six low bits of g at once with
        // -g / f, as f * (f^2 - 2) is -1 / f modulo 64.
        const auto limit = std::min<std::int64_t>({delta + 1, left, 6});
        const std::uint64_t mask = (std::uint64_t{1} << limit) - 1;
        const std::uint64_t w = (f * g * (f * f - 2)) & mask;
        g += f * w;
        q += u * w;
        r += v * w;
    }
    return {static_cast<std::int64_t>(u), static_cast<std::int64_t>(v), static_cast<std::int64_t>(q),
            static_cast<std::int64_t>(r)};
}

// (a*x + b*y) / 2^62, an exact division.
Signed combine(const Signed& x, const Signed& y, std::int64_t a, std::int64_t b) noexcept {
    Signed out;
    i128 sum = static_cast<i128>(a) * x[0] + static_cast<i128>(b) * y[0];
    sum >>= kBatch;
    for (std::size_t i = 1; i < 5; ++i) {
        sum += static_cast<i128>(a) * x[i] + static_cast<i128>(b) * y[i];
        out[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) & kLimbMask);
        sum >>= kBatch;
    }
    out[4] = static_cast<std::int64_t>(sum);
    return out;
}

// (a*x + b*y) / 2^62 mod p. Operands and result lie between -2p and p.
Signed combine_mod(const Signed& x, const Signed& y, std::int64_t a, std::int64_t b) noexcept {
    // Multiples of p: to lift negative operands, and to make the low limb divisible.
    std::int64_t m = (x[4] < 0 ? a : 0) + (y[4] < 0 ? b : 0);
    i128 sum = static_cast<i128>(a) * x[0] + static_cast<i128>(b) * y[0];
    const std::uint64_t low = static_cast<std::uint64_t>(sum);
    m -= static_cast<std::int64_t>((kPrimePositiveInverse * low + static_cast<std::uint64_t>(m)) & kLimbMask);
    sum += static_cast<i128>(m) * kSignedPrime[0];
    sum >>= kBatch;
    Signed out;
    for (std::size_t i = 1; i < 5; ++i) {
        sum += static_cast<i128>(a) * x[i] + static_cast<i128>(b) * y[i] +
               static_cast<i128>(m) * kSignedPrime[i];
        out[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) & kLimbMask);
        sum >>= kBatch;
    }
    out[4] = static_cast<std::int64_t>(sum);
    return out;
}

bool is_zero(const Signed& x) noexcept {
    return (x[0] | x[1] | x[2] | x[3] | x[4]) == 0;
}

void carry(Signed& x) noexcept {
    for (std::size_t i = 0; i < 4; ++i) {
        x[i + 1] += x[i] >> kBatch;
        x[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(x[i]) & kLimbMask);
    }
}

void add_prime(Signed& x) noexcept {
    for (std::size_t i = 0; i < 5; ++i)
        x[i] += kSignedPrime[i];
    carry(x);
}

// x, or -x if `negate`, brought from (-2p, p) to [0, p).
Words normalized(Signed x, bool negate) noexcept {
    if (x[4] < 0)
        add_prime(x);
    if (negate) {
        for (auto& limb : x)
            limb = -limb;
        carry(x);
    }
    while (x[4] < 0)
        add_prime(x);
    const auto w = [&](std::size_t i) { return static_cast<std::uint64_t>(x[i]); };
    const Words words = {w(0) | w(1) << 62, w(1) >> 2 | w(2) << 60, w(2) >> 4 | w(3) << 58,
                         w(3) >> 6 | w(4) << 56};
    return detail::reduce_once(words);
}

constexpr Fp kMontgomeryCube = {detail::montgomery_mul(kMontgomerySquare, kMontgomerySquare)};

}  // namespace

Fp inverse(const Fp& a) noexcept {
    Signed f = kSignedPrime;
    Signed g = to_signed(a.w);
    Signed d = {};
    Signed e = {1};
    std::int64_t delta = -1;
    while (!is_zero(g)) {
        const auto low = [](const Signed& x) {
            return static_cast<std::uint64_t>(x[0]) | static_cast<std::uint64_t>(x[1]) << kBatch;
        };
        const Steps t = division_steps(delta, low(f), low(g));
        const Signed next_d = combine_mod(d, e, t.u, t.v);
        e = combine_mod(d, e, t.q, t.r);
        d = next_d;
        const Signed next_f = combine(f, g, t.u, t.v);
        g = combine(f, g, t.q, t.r);
        f = next_f;
    }
    // f is the gcd, one of +1 and -1 (p for a = 0, where d is 0). The plain inverse of aR is 1/(aR);
    // two more factors R make it the Montgomery form of 1/a.
    return Fp{normalized(d, f[4] < 0)} * kMontgomeryCube;
}

bool read(Fp& out, const std::uint8_t* in) noexcept {
    Words plain;
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint64_t word = 0;
        for (std::size_t j = 0; j < 8; ++j)
            word = word << 8 | in[(3 - i) * 8 + j];
        plain[i] = word;
    }
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 4; ++i)
        detail::sub_borrow(plain[i], kPrime[i], borrow);
    if (borrow == 0)
        return false;
    out = to_fp(plain);
    return true;
}

void write(std::uint8_t* out, const Fp& a) noexcept {
    const Words plain = to_plain(a);
    for (std::size_t i = 0; i < 32; ++i)
        out[31 - i] = static_cast<std::uint8_t>(plain[i / 8] >> (i % 8 * 8));
}

Fp2 inverse(const Fp2& a) noexcept {
    const Fp norm = inverse(squared(a.c0) + squared(a.c1));
    return {a.c0 * norm, -(a.c1 * norm)};
}

}  // namespace meridian::crypto::bn254
