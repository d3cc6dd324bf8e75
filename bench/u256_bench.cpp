// 256-bit arithmetic beside the compiler's own 128-bit arithmetic on data of the same count. The peer does a
// quarter (multiplication) to a half (the rest) of the work, so a ratio of two to four is on a par.
#include "arguments.hpp"
#include "interleaved.hpp"

#include <meridian/base/modulus.hpp>
#include <meridian/base/u256.hpp>

#include <random>

namespace meridian::bench {
namespace {

using u128 = detail::u128;

constexpr std::size_t kCount = 256;

template <class T>
struct Operands {
    T a[kCount];
    T b[kCount];
    T out[kCount];
};

Operands<u256> wide;
Operands<u128> narrow;

// Divisors of the given size in bits, dividends and other left operands full.
void fill(unsigned bits, unsigned narrow_bits) {
    std::mt19937_64 random(bits);
    const auto word = [&] { return random() | 1ull << 63; };
    for (std::size_t i = 0; i < kCount; ++i) {
        wide.a[i] = {word(), word(), word(), word()};
        wide.b[i] = u256{word(), word(), word(), word()} >> (256 - bits);
        narrow.a[i] = u128{word()} << 64 | word();
        narrow.b[i] = (u128{word()} << 64 | word()) >> (128 - narrow_bits);
    }
}

template <class T, class Operation>
auto loop(Operands<T>& operands, Operation operation) {
    return [&operands, operation] {
        for (std::size_t i = 0; i < kCount; ++i) {
            operands.out[i] = operation(operands.a[i], operands.b[i]);
            // One at a time, as an interpreter does it; else the compiler vectorises the loop.
            keep(operands.out[i]);
        }
    };
}

template <class Operation>
void bench(const char* name, const char* peer, Operation operation) {
    if (wants(name))
        print(name, compare(loop(wide, operation), loop(narrow, operation), kCount, kCount), peer);
}

// Operations that the compiler's integers do not have, beside a multiplication of ours.
template <class Operation>
void bench_alone(const char* name, Operation operation) {
    const auto multiply = [](const u256& a, const u256& b) { return a * b; };
    if (wants(name))
        print(name, compare(loop(wide, operation), loop(wide, multiply), kCount, kCount), "u256 *");
}

void run() {
    fill(256, 128);
    bench("+", "u128 +", [](const auto& a, const auto& b) { return a + b; });
    bench("-", "u128 -", [](const auto& a, const auto& b) { return a - b; });
    bench("*", "u128 *", [](const auto& a, const auto& b) { return a * b; });
    bench("<", "u128 <", [](const auto& a, const auto& b) { return a < b ? a : b; });
    fill(7, 7);
    bench("<< varying", "u128 <<",
          [](const auto& a, const auto& b) { return a << static_cast<std::uint64_t>(b); });
    bench(">> varying", "u128 >>",
          [](const auto& a, const auto& b) { return a >> static_cast<std::uint64_t>(b); });
    for (const unsigned bits : {64, 128, 192, 250}) {
        fill(bits, bits / 2);
        char name[32];
        std::snprintf(name, sizeof name, "256-bit / %u-bit", bits);
        bench(name, "u128 /", [](const auto& a, const auto& b) { return a / b; });
    }
    fill(250, 125);
    static u256 modulus = u256::max() - 188;
    bench_alone("addmod", [](const u256& a, const u256& b) { return addmod(a, b, modulus); });
    bench_alone("mulmod", [](const u256& a, const u256& b) { return mulmod(a, b, modulus); });
    static MulmodCache cache;
    bench_alone("mulmod, modulus remembered",
                [](const u256& a, const u256& b) { return cache.multiply(a, b, modulus); });
    bench_alone("sdiv", [](const u256& a, const u256& b) { return sdiv(a, b); });
    bench_alone("signextend", [](const u256& a, const u256& b) { return signextend(b[0] & 31, a); });
    bench_alone("exp, 16-bit exponent", [](const u256& a, const u256& b) { return exp(a, b[0] & 0xffff); });
    bench_alone("exp, 256-bit exponent", [](const u256& a, const u256& b) { return exp(a, b); });
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) {
    meridian::bench::read_arguments(argc, argv);
    meridian::bench::run();
}
