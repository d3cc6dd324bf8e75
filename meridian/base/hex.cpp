#include <meridian/base/hex.hpp>

namespace meridian {

namespace {
std::string_view without_prefix(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X"))
        text.remove_prefix(2);
    return text;
}
}  // namespace

std::string to_hex(BytesView bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.resize(bytes.size() * 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out[2 * i] = kDigits[bytes[i] >> 4];
        out[2 * i + 1] = kDigits[bytes[i] & 15];
    }
    return out;
}

std::string to_hex0x(BytesView bytes) {
    return "0x" + to_hex(bytes);
}

Result<void, HexError> from_hex_exact(std::string_view text, std::span<std::uint8_t> out) {
    text = without_prefix(text);
    if (text.size() % 2 != 0)
        return fail(HexError::OddLength);
    if (text.size() != out.size() * 2)
        return fail(HexError::WrongLength);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return fail(HexError::InvalidDigit);
        out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return {};
}

Result<Bytes, HexError> from_hex(std::string_view text) {
    Bytes out(without_prefix(text).size() / 2);
    if (auto r = from_hex_exact(text, out); !r)
        return fail(r.error());
    return out;
}

}  // namespace meridian
