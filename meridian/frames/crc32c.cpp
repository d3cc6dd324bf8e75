#include <meridian/frames/crc32c.hpp>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#else
#include <boost/crc.hpp>
#endif

namespace meridian::frames {

#ifdef __SSE4_2__

std::uint32_t crc32c(BytesView bytes, std::uint32_t before) noexcept {
    std::uint64_t crc = ~before;
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; left > 0; --left, ++at)
        narrow = _mm_crc32_u8(narrow, *at);
    return ~narrow;
}

#else

std::uint32_t crc32c(BytesView bytes, std::uint32_t before) noexcept {
    // The remainder is kept reflected: boost takes and gives it so only through its constructor's initial
    // value, which is not.
    const auto reflected = [](std::uint32_t value) {
        std::uint32_t out = 0;
        for (int i = 0; i < 32; ++i)
            out |= (value >> i & 1) << (31 - i);
        return out;
    };
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc(reflected(~before));
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

#endif

}  // namespace meridian::frames
