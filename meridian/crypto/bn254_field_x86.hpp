// The field's two hot kernels in x86-64 assembly (BMI2, which the baseline has): compilers turn the
// carry chains of the portable code into several times the instructions. Same contracts as there.
//
// A row adds the product of a four-word number (words at `m0`..`m3`) and rdx to the five-word
// accumulator. The products of words 0 and 2 do not overlap, nor do those of 1 and 3, so that each pair
// is one carry chain.
#pragma once

#include <array>
#include <cstdint>

#define MERIDIAN_BN254_ROW(m0, m1, m2, m3, t0, t1, t2, t3, t4) \
    "mulxq " m0                                                \
    ", %[lo], %[hi]\n\t"                                       \
    "addq %[lo], " t0                                          \
    "\n\t"                                                     \
    "adcq %[hi], " t1                                          \
    "\n\t"                                                     \
    "mulxq " m2                                                \
    ", %[lo], %[hi]\n\t"                                       \
    "adcq %[lo], " t2                                          \
    "\n\t"                                                     \
    "adcq %[hi], " t3                                          \
    "\n\t"                                                     \
    "adcq $0, " t4                                             \
    "\n\t"                                                     \
    "mulxq " m1                                                \
    ", %[lo], %[hi]\n\t"                                       \
    "addq %[lo], " t1                                          \
    "\n\t"                                                     \
    "adcq %[hi], " t2                                          \
    "\n\t"                                                     \
    "mulxq " m3                                                \
    ", %[lo], %[hi]\n\t"                                       \
    "adcq %[lo], " t3                                          \
    "\n\t"                                                     \
    "adcq %[hi], " t4 "\n\t"

// Adds the multiple of p that clears t0, which then serves as the zero top word of the next round.
#define MERIDIAN_BN254_REDUCE(t0, t1, t2, t3, t4) \
    "movq %[inverse], %%rdx\n\t"                  \
    "imulq " t0 ", %%rdx\n\t" MERIDIAN_BN254_ROW("%[p0]", "%[p1]", "%[p2]", "%[p3]", t0, t1, t2, t3, t4)

// One round of a product: word `i` (a byte offset) of `b` times `a`.
#define MERIDIAN_BN254_PRODUCT(a, b, i, t0, t1, t2, t3, t4)                                           \
    "movq " i "(%[" b "]), %%rdx\n\t" MERIDIAN_BN254_ROW("(%[" a "])", "8(%[" a "])", "16(%[" a "])", \
                                                         "24(%[" a "])", t0, t1, t2, t3, t4)

// Subtracts p from (t4, t1, t2, t3 renamed as x0..x3) if it is not smaller. Uses all scratch registers.
#define MERIDIAN_BN254_FINISH(x0, x1, x2, x3, scratch) \
    "movq " x0                                         \
    ", %[lo]\n\t"                                      \
    "movq " x1                                         \
    ", %[hi]\n\t"                                      \
    "movq " x2                                         \
    ", %%rdx\n\t"                                      \
    "movq " x3 ", " scratch                            \
    "\n\t"                                             \
    "subq %[p0], %[lo]\n\t"                            \
    "sbbq %[p1], %[hi]\n\t"                            \
    "sbbq %[p2], %%rdx\n\t"                            \
    "sbbq %[p3], " scratch                             \
    "\n\t"                                             \
    "cmovncq %[lo], " x0                               \
    "\n\t"                                             \
    "cmovncq %[hi], " x1                               \
    "\n\t"                                             \
    "cmovncq %%rdx, " x2                               \
    "\n\t"                                             \
    "cmovncq " scratch ", " x3 "\n\t"

namespace meridian::crypto::bn254::x86 {

using Words = std::array<std::uint64_t, 4>;

inline constexpr std::uint64_t kP0 = 0x3c208c16d87cfd47;
inline constexpr std::uint64_t kP1 = 0x97816a916871ca8d;
inline constexpr std::uint64_t kP2 = 0xb85045b68181585d;
inline constexpr std::uint64_t kP3 = 0x30644e72e131a029;
inline constexpr std::uint64_t kInverse = 0x87d20782e4866389;

// a * b / 2^256 mod p
inline Words mul(const Words& a, const Words& b) noexcept {
    std::uint64_t t0;
    std::uint64_t t1;
    std::uint64_t t2;
    std::uint64_t t3;
    std::uint64_t t4;
    std::uint64_t lo;
    std::uint64_t hi;
    // clang-format off
    asm("xorl %k[t0], %k[t0]\n\t"
        "xorl %k[t1], %k[t1]\n\t"
        "xorl %k[t2], %k[t2]\n\t"
        "xorl %k[t3], %k[t3]\n\t"
        "xorl %k[t4], %k[t4]\n\t"
        MERIDIAN_BN254_PRODUCT("a", "b", "0", "%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]")
        MERIDIAN_BN254_REDUCE("%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]")
        MERIDIAN_BN254_PRODUCT("a", "b", "8", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t0]")
        MERIDIAN_BN254_REDUCE("%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t0]")
        MERIDIAN_BN254_PRODUCT("a", "b", "16", "%[t2]", "%[t3]", "%[t4]", "%[t0]", "%[t1]")
        MERIDIAN_BN254_REDUCE("%[t2]", "%[t3]", "%[t4]", "%[t0]", "%[t1]")
        MERIDIAN_BN254_PRODUCT("a", "b", "24", "%[t3]", "%[t4]", "%[t0]", "%[t1]", "%[t2]")
        MERIDIAN_BN254_REDUCE("%[t3]", "%[t4]", "%[t0]", "%[t1]", "%[t2]")
        MERIDIAN_BN254_FINISH("%[t4]", "%[t0]", "%[t1]", "%[t2]", "%[t3]")
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),
          [lo] "=&r"(lo), [hi] "=&r"(hi)
        : [a] "r"(a.data()), [b] "r"(b.data()), "m"(a), "m"(b), [p0] "m"(kP0), [p1] "m"(kP1), [p2] "m"(kP2),
          [p3] "m"(kP3), [inverse] "m"(kInverse)
        : "rdx", "cc");
    // clang-format on
    return {t4, t0, t1, t2};
}

// (a * b + c * d) / 2^256 mod p
inline Words dot(const Words& a, const Words& b, const Words& c, const Words& d) noexcept {
    std::uint64_t t0;
    std::uint64_t t1;
    std::uint64_t t2;
    std::uint64_t t3;
    std::uint64_t t4;
    std::uint64_t lo;
    std::uint64_t hi;
    // clang-format off
    asm("xorl %k[t0], %k[t0]\n\t"
        "xorl %k[t1], %k[t1]\n\t"
        "xorl %k[t2], %k[t2]\n\t"
        "xorl %k[t3], %k[t3]\n\t"
        "xorl %k[t4], %k[t4]\n\t"
        MERIDIAN_BN254_PRODUCT("a", "b", "0", "%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]")
        MERIDIAN_BN254_PRODUCT("c", "d", "0", "%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]")
        MERIDIAN_BN254_REDUCE("%[t0]", "%[t1]", "%[t2]", "%[t3]", "%[t4]")
        MERIDIAN_BN254_PRODUCT("a", "b", "8", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t0]")
        MERIDIAN_BN254_PRODUCT("c", "d", "8", "%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t0]")
        MERIDIAN_BN254_REDUCE("%[t1]", "%[t2]", "%[t3]", "%[t4]", "%[t0]")
        MERIDIAN_BN254_PRODUCT("a", "b", "16", "%[t2]", "%[t3]", "%[t4]", "%[t0]", "%[t1]")
        MERIDIAN_BN254_PRODUCT("c", "d", "16", "%[t2]", "%[t3]", "%[t4]", "%[t0]", "%[t1]")
        MERIDIAN_BN254_REDUCE("%[t2]", "%[t3]", "%[t4]", "%[t0]", "%[t1]")
        MERIDIAN_BN254_PRODUCT("a", "b", "24", "%[t3]", "%[t4]", "%[t0]", "%[t1]", "%[t2]")
        MERIDIAN_BN254_PRODUCT("c", "d", "24", "%[t3]", "%[t4]", "%[t0]", "%[t1]", "%[t2]")
        MERIDIAN_BN254_REDUCE("%[t3]", "%[t4]", "%[t0]", "%[t1]", "%[t2]")
        MERIDIAN_BN254_FINISH("%[t4]", "%[t0]", "%[t1]", "%[t2]", "%[t3]")
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4),
          [lo] "=&r"(lo), [hi] "=&r"(hi)
        : [a] "r"(a.data()), [b] "r"(b.data()), [c] "r"(c.data()), [d] "r"(d.data()), "m"(a), "m"(b), "m"(c),
          "m"(d), [p0] "m"(kP0), [p1] "m"(kP1), [p2] "m"(kP2), [p3] "m"(kP3), [inverse] "m"(kInverse)
        : "rdx", "cc");
    // clang-format on
    return {t4, t0, t1, t2};
}

// a + b mod p
inline Words add(const Words& a, const Words& b) noexcept {
    std::uint64_t x0 = a[0];
    std::uint64_t x1 = a[1];
    std::uint64_t x2 = a[2];
    std::uint64_t x3 = a[3];
    std::uint64_t y0;
    std::uint64_t y1;
    std::uint64_t y2;
    std::uint64_t y3;
    asm("addq %[b0], %[x0]\n\t"
        "adcq %[b1], %[x1]\n\t"
        "adcq %[b2], %[x2]\n\t"
        "adcq %[b3], %[x3]\n\t"
        "movq %[x0], %[y0]\n\t"
        "movq %[x1], %[y1]\n\t"
        "movq %[x2], %[y2]\n\t"
        "movq %[x3], %[y3]\n\t"
        "subq %[p0], %[y0]\n\t"
        "sbbq %[p1], %[y1]\n\t"
        "sbbq %[p2], %[y2]\n\t"
        "sbbq %[p3], %[y3]\n\t"
        "cmovncq %[y0], %[x0]\n\t"
        "cmovncq %[y1], %[x1]\n\t"
        "cmovncq %[y2], %[x2]\n\t"
        "cmovncq %[y3], %[x3]\n\t"
        : [x0] "+&r"(x0), [x1] "+&r"(x1), [x2] "+&r"(x2), [x3] "+&r"(x3), [y0] "=&r"(y0), [y1] "=&r"(y1),
          [y2] "=&r"(y2), [y3] "=&r"(y3)
        : [b0] "m"(b[0]), [b1] "m"(b[1]), [b2] "m"(b[2]), [b3] "m"(b[3]), [p0] "m"(kP0), [p1] "m"(kP1),
          [p2] "m"(kP2), [p3] "m"(kP3)
        : "cc");
    return {x0, x1, x2, x3};
}

// a - b mod p
inline Words sub(const Words& a, const Words& b) noexcept {
    std::uint64_t x0 = a[0];
    std::uint64_t x1 = a[1];
    std::uint64_t x2 = a[2];
    std::uint64_t x3 = a[3];
    std::uint64_t y0 = kP0;
    std::uint64_t y1 = kP1;
    std::uint64_t y2 = kP2;
    std::uint64_t y3 = kP3;
    std::uint64_t zero = 0;
    asm("subq %[b0], %[x0]\n\t"
        "sbbq %[b1], %[x1]\n\t"
        "sbbq %[b2], %[x2]\n\t"
        "sbbq %[b3], %[x3]\n\t"
        "cmovncq %[zero], %[y0]\n\t"
        "cmovncq %[zero], %[y1]\n\t"
        "cmovncq %[zero], %[y2]\n\t"
        "cmovncq %[zero], %[y3]\n\t"
        "addq %[y0], %[x0]\n\t"
        "adcq %[y1], %[x1]\n\t"
        "adcq %[y2], %[x2]\n\t"
        "adcq %[y3], %[x3]\n\t"
        : [x0] "+&r"(x0), [x1] "+&r"(x1), [x2] "+&r"(x2), [x3] "+&r"(x3), [y0] "+&r"(y0), [y1] "+&r"(y1),
          [y2] "+&r"(y2), [y3] "+&r"(y3)
        : [b0] "m"(b[0]), [b1] "m"(b[1]), [b2] "m"(b[2]), [b3] "m"(b[3]), [zero] "r"(zero)
        : "cc");
    return {x0, x1, x2, x3};
}

}  // namespace meridian::crypto::bn254::x86

#undef MERIDIAN_BN254_ROW
#undef MERIDIAN_BN254_REDUCE
#undef MERIDIAN_BN254_PRODUCT
#undef MERIDIAN_BN254_FINISH
