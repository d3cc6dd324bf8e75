#include <meridian/trie/nibbles.hpp>

namespace meridian::trie {

bool is_hex_prefix(BytesView encoded) noexcept {
    if (encoded.empty())
        return false;
    const std::uint8_t first = encoded[0];
    if ((first & ~(kLeafFlag | kOddFlag | 15)) != 0)
        return false;
    return (first & kOddFlag) != 0 || (first & 15) == 0;
}

std::size_t common_nibbles(Path path, BytesView key, std::size_t depth) noexcept {
    const std::size_t limit = std::min(path.size(), 2 * key.size() - depth);
    std::size_t n = 0;
    if ((path.skipped() + depth) % 2 == 0) {
        // Both at the same place in a byte: compare whole bytes.
        if (depth % 2 == 1 && limit > 0) {
            if (path[0] != nibble_at(key.data(), depth))
                return 0;
            n = 1;
        }
        const std::uint8_t* a = path.encoded().data() + (path.skipped() + n) / 2;
        const std::uint8_t* b = key.data() + (depth + n) / 2;
        while (n + 2 <= limit && *a == *b)
            ++a, ++b, n += 2;
    }
    while (n < limit && path[n] == nibble_at(key.data(), depth + n))
        ++n;
    return n;
}

void write_tail(std::uint8_t* out, std::uint8_t flag, const std::uint8_t* end, std::size_t count) noexcept {
    out[0] = flag;
    if (count % 2 == 1)
        out[0] = static_cast<std::uint8_t>(flag | kOddFlag | nibble_before(end, count));
    if (count > 1)
        std::memcpy(out + 1, end - count / 2, count / 2);
}

void write_nibbles(std::uint8_t* out, std::uint8_t flag, std::span<const std::uint8_t> nibbles) noexcept {
    const std::size_t odd = nibbles.size() % 2;
    *out++ = odd ? static_cast<std::uint8_t>(flag | kOddFlag | nibbles[0]) : flag;
    for (std::size_t i = odd; i < nibbles.size(); i += 2)
        *out++ = static_cast<std::uint8_t>(nibbles[i] << 4 | nibbles[i + 1]);
}

void write_range(std::uint8_t* out, std::uint8_t flag, BytesView key, std::size_t first,
                 std::size_t count) noexcept {
    const std::size_t odd = count % 2;
    *out++ = odd ? static_cast<std::uint8_t>(flag | kOddFlag | nibble_at(key.data(), first)) : flag;
    for (std::size_t i = first + odd; i < first + count; i += 2)
        *out++ = static_cast<std::uint8_t>(nibble_at(key.data(), i) << 4 | nibble_at(key.data(), i + 1));
}

}  // namespace meridian::trie
