// Addition, subtraction and comparison of words in memory, for the main loop.
//
// g++ 12 stores every partial sum of its carry builtins to the native stack, which costs the loop's
// commonest instructions as many stores again as they need. In assembly the chain stays in registers.
#pragma once

#include <meridian/base/u256.hpp>

namespace meridian::evm {

#if defined(__x86_64__) && !defined(__clang__)

inline u256 add_words(const u256& a, const u256& b) noexcept {
    std::uint64_t w0 = a[0];
    std::uint64_t w1 = a[1];
    std::uint64_t w2 = a[2];
    std::uint64_t w3 = a[3];
    __asm__("addq %4, %0\n\tadcq %5, %1\n\tadcq %6, %2\n\tadcq %7, %3"
            : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
            : "m"(b[0]), "m"(b[1]), "m"(b[2]), "m"(b[3])
            : "cc");
    return {w0, w1, w2, w3};
}

inline u256 subtract_words(const u256& a, const u256& b) noexcept {
    std::uint64_t w0 = a[0];
    std::uint64_t w1 = a[1];
    std::uint64_t w2 = a[2];
    std::uint64_t w3 = a[3];
    __asm__("subq %4, %0\n\tsbbq %5, %1\n\tsbbq %6, %2\n\tsbbq %7, %3"
            : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
            : "m"(b[0]), "m"(b[1]), "m"(b[2]), "m"(b[3])
            : "cc");
    return {w0, w1, w2, w3};
}

inline bool is_less(const u256& a, const u256& b) noexcept {
    std::uint64_t w0 = a[0];
    std::uint64_t w1 = a[1];
    std::uint64_t w2 = a[2];
    std::uint64_t w3 = a[3];
    bool less;
    __asm__("cmpq %5, %1\n\tsbbq %6, %2\n\tsbbq %7, %3\n\tsbbq %8, %4"
            : "=@ccc"(less), "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
            : "m"(b[0]), "m"(b[1]), "m"(b[2]), "m"(b[3]));
    return less;
}

// As two's complement numbers.
inline bool is_less_signed(const u256& a, const u256& b) noexcept {
    std::uint64_t w0 = a[0];
    std::uint64_t w1 = a[1];
    std::uint64_t w2 = a[2];
    std::uint64_t w3 = a[3];
    bool less;
    __asm__("cmpq %5, %1\n\tsbbq %6, %2\n\tsbbq %7, %3\n\tsbbq %8, %4"
            : "=@ccl"(less), "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
            : "m"(b[0]), "m"(b[1]), "m"(b[2]), "m"(b[3]));
    return less;
}

#else

inline u256 add_words(const u256& a, const u256& b) noexcept {
    return a + b;
}
inline u256 subtract_words(const u256& a, const u256& b) noexcept {
    return a - b;
}
inline bool is_less(const u256& a, const u256& b) noexcept {
    return a < b;
}
inline bool is_less_signed(const u256& a, const u256& b) noexcept {
    return slt(a, b);
}

#endif

}  // namespace meridian::evm
