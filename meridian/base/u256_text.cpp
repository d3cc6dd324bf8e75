// 256-bit integers as text and from text.
#include <meridian/base/u256.hpp>

namespace meridian {

std::string to_quantity(const u256& x) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const unsigned digits = x ? (bit_length(x) + 3) / 4 : 1;
    std::string out = "0x";
    out.reserve(2 + digits);
    for (unsigned i = digits; i-- > 0;)
        out.push_back(kDigits[x[i / 16] >> (i % 16 * 4) & 15]);
    return out;
}

std::string to_decimal(const u256& x) {
    // The greatest power of ten in a word, so that a division yields nineteen digits.
    constexpr std::uint64_t kChunk = 10'000'000'000'000'000'000ull;
    constexpr unsigned kChunkDigits = 19;
    char buffer[80];
    char* const end = buffer + sizeof buffer;
    char* first = end;
    u256 rest = x;
    do {
        const auto [quotient, remainder] = divide(rest, kChunk);
        rest = quotient;
        std::uint64_t chunk = remainder[0];
        for (unsigned i = 0; i < kChunkDigits && (rest || chunk != 0); ++i) {
            *--first = static_cast<char>('0' + chunk % 10);
            chunk /= 10;
        }
    } while (rest);
    return first == end ? "0" : std::string(first, end);
}

}  // namespace meridian
