#include <meridian/config/characters.hpp>

namespace meridian::config {
namespace {

bool is_plain(char c) {
    return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\r' || c == '\n';
}

// Whether the byte begins a code point.
bool begins(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

std::optional<BadCharacter> find_bad_character(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    BadCharacter place;
    place.column = 0;
    char within = 0;  // a quote or '#'; zero: none
    for (std::size_t i = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') {
            ++place.line;
            place.column = 0;
            within = 0;  // no text in single quotes goes on
            continue;
        }
        place.column += begins(c) ? 1 : 0;
        if (within == 0) {
            if (!is_plain(c)) {
                place.message = "a character that can only stand in quotes or in a comment";
                return place;
            }
            if ((c == '"' || c == '\'') && text.substr(i, 3) == std::string(3, c)) {
                place.message = "a text in triple quotes; write it in one line, in single ones";
                return place;
            }
            if (c == '"' || c == '\'' || c == '#')
                within = c;
        } else if (within == '"' && c == '\\' && i + 1 < text.size() && text[i + 1] != '\n') {
            ++i;
            place.column += begins(text[i]) ? 1 : 0;
        } else if (c == within && within != '#') {
            within = 0;
        }
    }
    return std::nullopt;
}

}  // namespace meridian::config
