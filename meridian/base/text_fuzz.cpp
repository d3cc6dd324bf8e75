// Any text as hexadecimal bytes and as a number: what is accepted reads the same when it is written again.
#include <meridian/base/assert.hpp>
#include <meridian/base/hex.hpp>
#include <meridian/base/u256.hpp>

#include <algorithm>

namespace meridian {
namespace {

bool has_prefix(std::string_view text) {
    return text.starts_with("0x") || text.starts_with("0X");
}

void check_hex(std::string_view text) {
    const auto bytes = from_hex(text);
    const std::string_view digits = has_prefix(text) ? text.substr(2) : text;
    const bool valid = digits.size() % 2 == 0 &&
                       std::all_of(digits.begin(), digits.end(), [](char c) { return hex_digit(c) >= 0; });
    MERIDIAN_ASSERT(bytes.has_value() == valid);
    const auto word = fixed_from_hex<32>(text);
    MERIDIAN_ASSERT(word.has_value() == (valid && digits.size() == 64));
    if (!bytes)
        return;
    MERIDIAN_ASSERT(bytes->size() == digits.size() / 2);
    const std::string again = to_hex(*bytes);
    MERIDIAN_ASSERT(std::equal(again.begin(), again.end(), digits.begin(), digits.end(),
                               [](char a, char b) { return hex_digit(a) == hex_digit(b); }));
    MERIDIAN_ASSERT(*from_hex(to_hex0x(*bytes)) == *bytes);
    MERIDIAN_ASSERT(!word || equal(*word, *bytes));
}

void check_number(std::string_view text) {
    const auto number = parse_u256(text);
    if (!number)
        return;
    const std::string quantity = to_quantity(*number);
    const std::string decimal = to_decimal(*number);
    MERIDIAN_ASSERT(*parse_u256(quantity) == *number && *parse_u256(decimal) == *number);
    // The digits are those that were read, but for leading zeros and the case of letters.
    std::string_view digits = has_prefix(text) ? text.substr(2) : text;
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    const std::string_view written = has_prefix(text) ? std::string_view(quantity).substr(2) : decimal;
    MERIDIAN_ASSERT(std::equal(written.begin(), written.end(), digits.begin(), digits.end(),
                               [](char a, char b) { return hex_digit(a) == hex_digit(b); }));
}

}  // namespace
}  // namespace meridian

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    meridian::check_hex(text);
    meridian::check_number(text);
    return 0;
}
