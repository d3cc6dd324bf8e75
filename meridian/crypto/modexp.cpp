// An odd modulus goes to OpenSSL's Montgomery exponentiation. OpenSSL handles an even one by division
// at every step, many times slower than the gas price of MODEXP assumes; hence the modulus is split
// into q * 2^k with q odd. The power modulo 2^k needs only truncation, and the Chinese remainder
// theorem joins the two.
//
// Set-up would dominate the cheapest calls; a short exponent is worked off by division, and a modulus of
// one word by our own arithmetic.
#include <meridian/crypto/modexp.hpp>

#include <meridian/base/assert.hpp>

#include <openssl/bn.h>

#include <algorithm>
#include <bit>

namespace meridian::crypto {
namespace {

// One failure mode remains in these calls: memory, which nobody here can handle.
void check(int result) noexcept {
    MERIDIAN_ASSERT(result == 1);
}

// A thread's working numbers, kept so that small inputs pay no allocation.
struct Workspace {
    BN_CTX* context = BN_CTX_new();
    BN_MONT_CTX* montgomery = BN_MONT_CTX_new();

    Workspace() noexcept { MERIDIAN_ASSERT(context && montgomery); }
    ~Workspace() {
        BN_MONT_CTX_free(montgomery);
        BN_CTX_free(context);
    }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
};

// Scope of the numbers taken from a BN_CTX.
class Frame {
public:
    explicit Frame(BN_CTX* context) noexcept : m_context(context) { BN_CTX_start(context); }
    ~Frame() { BN_CTX_end(m_context); }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    BIGNUM* number() noexcept {
        BIGNUM* n = BN_CTX_get(m_context);
        MERIDIAN_ASSERT(n);
        return n;
    }
    BIGNUM* number(BytesView bytes) noexcept {
        BIGNUM* n = number();
        MERIDIAN_ASSERT(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), n));
        return n;
    }

private:
    BN_CTX* m_context;
};

// x mod 2^bits
void truncate(BIGNUM* x, int bits) noexcept {
    // BN_mask_bits fails where there is nothing to cut.
    if (BN_num_bits(x) > bits)
        check(BN_mask_bits(x, bits));
}

int trailing_zeros(const BIGNUM* x) noexcept {
    int n = 0;
    while (BN_is_bit_set(x, n) == 0)
        ++n;
    return n;
}

void power_mod_odd(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus,
                   Workspace& w) noexcept {
    if (BN_is_one(modulus)) {
        BN_zero(out);
        return;
    }
    Frame frame(w.context);
    BIGNUM* reduced = frame.number();
    check(BN_nnmod(reduced, base, modulus, w.context));
    check(BN_MONT_CTX_set(w.montgomery, modulus, w.context));
    check(BN_mod_exp_mont(out, reduced, exponent, modulus, w.context, w.montgomery));
}

// out = base^exponent mod 2^bits, with bits >= 1.
void power_mod_two_power(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent, int bits,
                         Workspace& w) noexcept {
    Frame frame(w.context);
    BIGNUM* b = frame.number();
    BIGNUM* e = frame.number();
    MERIDIAN_ASSERT(BN_copy(b, base) && BN_copy(e, exponent));
    truncate(b, bits);
    if (BN_is_odd(b)) {
        // The order of every odd number divides 2^(bits-2) (2^(bits-1) for fewer than three bits).
        truncate(e, bits > 2 ? bits - 2 : bits - 1);
    } else if (!BN_is_zero(e) &&
               (BN_is_zero(b) || BN_num_bits(e) > 31 ||
                BN_get_word(e) * static_cast<BN_ULONG>(trailing_zeros(b)) >= static_cast<BN_ULONG>(bits))) {
        BN_zero(out);  // enough factors of two
        return;
    }
    // A window of four bits saves more than half of the multiplications of long exponents.
    BIGNUM* table[16];
    const int exponent_bits = BN_num_bits(e);
    const int window = exponent_bits > 48 ? 4 : 1;
    table[0] = frame.number();
    check(BN_one(table[0]));
    for (int i = 1; i < (1 << window); ++i) {
        table[i] = frame.number();
        check(BN_mul(table[i], table[i - 1], b, w.context));
        truncate(table[i], bits);
    }
    BIGNUM* acc = frame.number();
    check(BN_one(acc));
    for (int i = (exponent_bits + window - 1) / window - 1; i >= 0; --i) {
        int digit = 0;
        for (int j = window - 1; j >= 0; --j) {
            check(BN_sqr(acc, acc, w.context));
            truncate(acc, bits);
            digit = digit * 2 + BN_is_bit_set(e, i * window + j);
        }
        if (digit != 0) {
            check(BN_mul(acc, acc, table[digit], w.context));
            truncate(acc, bits);
        }
    }
    truncate(acc, bits);
    MERIDIAN_ASSERT(BN_copy(out, acc));
}

// out = odd^-1 mod 2^bits by Newton's iteration, which doubles the correct low bits at each step.
void inverse_mod_two_power(BIGNUM* out, const BIGNUM* odd, int bits, Workspace& w) noexcept {
    Frame frame(w.context);
    BIGNUM* t = frame.number();
    BIGNUM* low = frame.number();
    BIGNUM* power = frame.number();
    check(BN_one(out));
    for (int correct = 1; correct < bits;) {
        correct = std::min(correct * 2, bits);
        MERIDIAN_ASSERT(BN_copy(low, odd));
        truncate(low, correct);
        // out <- out * (2 - low * out) mod 2^correct, kept positive by adding 2^correct.
        check(BN_mul(t, low, out, w.context));
        truncate(t, correct);
        BN_zero(power);
        check(BN_set_bit(power, correct));
        check(BN_add_word(power, 2));
        check(BN_sub(t, power, t));
        check(BN_mul(out, out, t, w.context));
        truncate(out, correct);
    }
}

void power_mod_even(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus,
                    Workspace& w) noexcept {
    Frame frame(w.context);
    const int bits = trailing_zeros(modulus);
    BIGNUM* odd = frame.number();
    BIGNUM* mod_odd = frame.number();
    BIGNUM* difference = frame.number();
    BIGNUM* inverse = frame.number();
    check(BN_rshift(odd, modulus, bits));
    power_mod_odd(mod_odd, base, exponent, odd, w);
    power_mod_two_power(difference, base, exponent, bits, w);
    // out = mod_odd + odd * ((mod_two_power - mod_odd) * odd^-1 mod 2^bits)
    inverse_mod_two_power(inverse, odd, bits, w);
    check(BN_sub(difference, difference, mod_odd));
    const bool negative = BN_is_negative(difference);
    BN_set_negative(difference, 0);
    truncate(difference, bits);
    check(BN_mul(difference, difference, inverse, w.context));
    truncate(difference, bits);
    if (negative && !BN_is_zero(difference)) {
        BIGNUM* power = frame.number();
        BN_zero(power);
        check(BN_set_bit(power, bits));
        check(BN_sub(difference, power, difference));
    }
    check(BN_mul(out, odd, difference, w.context));
    check(BN_add(out, out, mod_odd));
}

// Square and multiply with a division at each step.
void power_by_division(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus,
                       Workspace& w) noexcept {
    Frame frame(w.context);
    BIGNUM* b = frame.number();
    check(BN_nnmod(b, base, modulus, w.context));
    check(BN_one(out));
    for (int i = BN_num_bits(exponent) - 1; i >= 0; --i) {
        if (!BN_is_one(out))
            check(BN_mod_sqr(out, out, modulus, w.context));
        if (BN_is_bit_set(exponent, i) == 0)
            continue;
        if (BN_is_one(out))
            MERIDIAN_ASSERT(BN_copy(out, b));
        else
            check(BN_mod_mul(out, out, b, modulus, w.context));
    }
}

void power(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus,
           Workspace& w) noexcept {
    // Measured: where the set-up of the better algorithms has paid off.
    constexpr int kShortForOdd = 5;
    constexpr int kShortForEven = 12;
    const bool odd = BN_is_odd(modulus);
    if (BN_num_bits(exponent) <= (odd ? kShortForOdd : kShortForEven))
        power_by_division(out, base, exponent, modulus, w);
    else if (odd)
        power_mod_odd(out, base, exponent, modulus, w);
    else
        power_mod_even(out, base, exponent, modulus, w);
}

// --- moduli of one word ----------------------------------------------------------------------------

__extension__ typedef unsigned __int128 u128;

BytesView without_leading_zeros(BytesView number) noexcept {
    while (!number.empty() && number.front() == 0)
        number = number.subspan(1);
    return number;
}

std::uint64_t load_word(BytesView number) noexcept {
    std::uint64_t word = 0;
    for (const std::uint8_t byte : number)
        word = word << 8 | byte;
    return word;
}

// -odd^-1 mod 2^64: an odd number is its own inverse modulo 8, and each step doubles the right bits.
std::uint64_t negative_inverse(std::uint64_t odd) noexcept {
    std::uint64_t inverse = odd;
    for (int bits = 3; bits < 64; bits *= 2)
        inverse *= 2 - odd * inverse;
    return 0 - inverse;
}

// base^exponent by squaring, given the product, the unit and the base in the product's representation.
template <class Multiply>
std::uint64_t power_by(Multiply multiply, std::uint64_t unit, std::uint64_t base,
                       BytesView exponent) noexcept {
    std::uint64_t table[16];
    table[0] = unit;
    for (std::size_t i = 1; i < 16; ++i)
        table[i] = multiply(table[i - 1], base);
    std::uint64_t result = unit;
    for (const std::uint8_t byte : exponent) {
        for (const int digit : {byte >> 4, byte & 15}) {
            for (int i = 0; i < 4; ++i)
                result = multiply(result, result);
            if (digit != 0)
                result = multiply(result, table[digit]);
        }
    }
    return result;
}

std::uint64_t power_mod_odd_word(std::uint64_t base, BytesView exponent, std::uint64_t modulus) noexcept {
    const std::uint64_t inverse = negative_inverse(modulus);
    const auto multiply = [=](std::uint64_t a, std::uint64_t b) {
        const u128 product = static_cast<u128>(a) * b;
        const std::uint64_t m = static_cast<std::uint64_t>(product) * inverse;
        // The low words cancel; their carry is one unless both are zero.
        const u128 multiple = static_cast<u128>(m) * modulus;
        const u128 sum = static_cast<u128>(static_cast<std::uint64_t>(product >> 64)) +
                         static_cast<std::uint64_t>(multiple >> 64) +
                         (static_cast<std::uint64_t>(product) != 0 ? 1 : 0);
        return static_cast<std::uint64_t>(sum >= modulus ? sum - modulus : sum);
    };
    const auto unit = static_cast<std::uint64_t>((static_cast<u128>(1) << 64) % modulus);
    const auto scaled = static_cast<std::uint64_t>((static_cast<u128>(base) << 64) % modulus);
    return multiply(power_by(multiply, unit, scaled, exponent), 1);
}

std::uint64_t power_mod_word(std::uint64_t base, BytesView exponent, std::uint64_t modulus) noexcept {
    const int bits = std::countr_zero(modulus);
    const std::uint64_t odd = modulus >> bits;
    const std::uint64_t mod_odd = odd == 1 ? 0 : power_mod_odd_word(base % odd, exponent, odd);
    if (bits == 0)
        return mod_odd;
    const auto wrapping = [](std::uint64_t a, std::uint64_t b) { return a * b; };
    const std::uint64_t mod_two_power = power_by(wrapping, 1, base, exponent);
    // As in power_mod_even(); the result is below the modulus, hence no product overflows.
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    const std::uint64_t factor = ((mod_two_power - mod_odd) * (0 - negative_inverse(odd))) & mask;
    return mod_odd + odd * factor;
}

// base mod modulus
std::uint64_t reduce(BytesView base, std::uint64_t modulus) noexcept {
    std::uint64_t remainder = 0;
    while (!base.empty()) {
        const BytesView head = base.first(base.size() % 8 == 0 ? 8 : base.size() % 8);
        remainder =
            static_cast<std::uint64_t>((static_cast<u128>(remainder) << 64 | load_word(head)) % modulus);
        base = base.subspan(head.size());
    }
    return remainder;
}

}  // namespace

void modexp(BytesView base, BytesView exponent, BytesView modulus, std::span<std::uint8_t> out) noexcept {
    MERIDIAN_ASSERT(out.size() == modulus.size());
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    base = without_leading_zeros(base);
    exponent = without_leading_zeros(exponent);
    modulus = without_leading_zeros(modulus);
    if (modulus.empty() || (modulus.size() == 1 && modulus[0] == 1))
        return;
    if (modulus.size() <= 8) {
        const std::uint64_t m = load_word(modulus);
        std::uint64_t result = power_mod_word(reduce(base, m), exponent, m);
        for (auto byte = out.rbegin(); result != 0; ++byte, result >>= 8)
            *byte = static_cast<std::uint8_t>(result);
        return;
    }
    static thread_local Workspace workspace;
    Frame frame(workspace.context);
    BIGNUM* result = frame.number();
    power(result, frame.number(base), frame.number(exponent), frame.number(modulus), workspace);
    MERIDIAN_ASSERT(BN_bn2binpad(result, out.data(), static_cast<int>(out.size())) ==
                    static_cast<int>(out.size()));
}

}  // namespace meridian::crypto
