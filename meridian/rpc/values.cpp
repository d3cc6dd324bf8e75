#include <meridian/base/hex.hpp>
#include <meridian/rpc/values.hpp>

#include <charconv>
#include <cmath>

namespace meridian::rpc {
namespace {

[[noreturn]] void bad(std::string message) {
    throw ValueError(std::move(message));
}

[[noreturn]] void bad_type(std::string_view what, std::string_view type) {
    bad("json: cannot unmarshal " + std::string(what) + " into Go value of type " + std::string(type));
}

bool has_prefix(std::string_view text) {
    return text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

// The digits after 0x; throws geth's complaints.
std::string_view hex_digits(std::string_view text, std::string_view type) {
    if (text.empty())
        bad_type("empty hex string", type);
    if (!has_prefix(text))
        bad_type("hex string without 0x prefix", type);
    return text.substr(2);
}

void check_digits(std::string_view digits, std::string_view type) {
    for (const char c : digits)
        if (hex_digit(c) < 0)
            bad_type("invalid hex string", type);
}

template <std::size_t N>
FixedBytes<N> read_fixed(const json::value& value, std::string_view type) {
    const std::string_view digits = hex_digits(read_text(value, type), type);
    if (digits.size() % 2 != 0)
        bad_type("hex string of odd length", type);
    check_digits(digits, type);
    if (digits.size() != 2 * N)
        bad("hex string has length " + std::to_string(digits.size()) + ", want " + std::to_string(2 * N) +
            " for " + std::string(type));
    return *fixed_from_hex<N>(digits);
}

}  // namespace

ValueError ValueError::within(std::string_view step) const {
    ValueError out(m_reason);
    out.m_place = std::string(step);
    if (!m_place.empty())
        out.m_place.append(m_place.starts_with('[') ? "" : ".").append(m_place);
    out.m_message = out.m_place + ": " + m_reason;
    return out;
}

std::string_view text_of(const json::string& text) {
    return {text.data(), text.size()};
}

std::string excerpt(std::string_view text, std::size_t size_max) {
    if (text.size() <= size_max)
        return std::string(text);
    // Not within a UTF-8 sequence.
    while (size_max > 0 && (static_cast<unsigned char>(text[size_max]) & 0xc0) == 0x80)
        --size_max;
    return std::string(text.substr(0, size_max));
}

std::string_view read_text(const json::value& value, std::string_view type) {
    const auto* text = value.if_string();
    if (text == nullptr)
        bad_type("non-string", type);
    return text_of(*text);
}

u256 read_quantity(const json::value& value) {
    constexpr std::string_view kType = "*hexutil.Big";
    const std::string_view digits = hex_digits(read_text(value, kType), kType);
    if (digits.empty())
        bad_type("hex string \"0x\"", kType);
    if (digits.size() > 1 && digits[0] == '0')
        bad_type("hex number with leading zero digits", kType);
    check_digits(digits, kType);
    if (digits.size() > 64)
        bad_type("hex number > 256 bits", kType);
    return *parse_u256(std::string("0x").append(digits));
}

std::uint64_t read_uint64(const json::value& value) {
    const u256 wide = read_quantity(value);
    if (!fits_u64(wide))
        bad_type("hex number > 64 bits", "hexutil.Uint64");
    return wide[0];
}

u256 read_lenient_quantity(const json::value& value) {
    if (const auto* number = value.if_uint64())
        return *number;
    if (const auto* number = value.if_int64(); number != nullptr && *number >= 0)
        return static_cast<std::uint64_t>(*number);
    if (const auto* number = value.if_double();
        number != nullptr && *number >= 0 && *number < 9007199254740992.0 &&
        *number == static_cast<double>(static_cast<std::uint64_t>(*number)))
        return static_cast<std::uint64_t>(*number);
    if ((value.is_int64() && value.get_int64() < 0) || (value.is_double() && value.get_double() < 0) ||
        (value.is_string() && value.get_string().starts_with('-')))
        bad("negative number");
    if (const auto* number = value.if_double())
        bad(*number == std::floor(*number) ? "a number beyond 2^53 has to be written as text"
                                           : "not a whole number");
    if (!value.is_string())
        bad("not a number");
    const auto parsed = parse_u256(read_text(value, "a number"));
    if (!parsed)
        bad("not a number of up to 256 bits");
    return *parsed;
}

std::uint64_t read_lenient_uint64(const json::value& value) {
    const u256 wide = read_lenient_quantity(value);
    if (!fits_u64(wide))
        bad("number does not fit 64 bits");
    return wide[0];
}

Bytes read_data(const json::value& value) {
    constexpr std::string_view kType = "hexutil.Bytes";
    const std::string_view digits = hex_digits(read_text(value, kType), kType);
    if (digits.size() % 2 != 0)
        bad_type("hex string of odd length", kType);
    check_digits(digits, kType);
    return *from_hex(digits);
}

Address read_address(const json::value& value) {
    return read_fixed<20>(value, "common.Address");
}

Hash read_hash(const json::value& value) {
    return read_fixed<32>(value, "common.Hash");
}

bool read_bool(const json::value& value) {
    const auto* flag = value.if_bool();
    if (flag == nullptr)
        bad_type("non-boolean", "bool");
    return *flag;
}

const json::object& read_object(const json::value& value, std::string_view type) {
    const auto* object = value.if_object();
    if (object == nullptr)
        bad_type("non-object", type);
    return *object;
}

const json::array& read_array(const json::value& value, std::string_view type) {
    const auto* array = value.if_array();
    if (array == nullptr)
        bad_type("non-array", type);
    return *array;
}

Hash read_slot(std::string_view text) {
    std::string digits(has_prefix(text) ? text.substr(2) : text);
    if (digits.size() > 64)
        throw RpcError(ErrorCode::InvalidParams,
                       "storage key too long (want at most 32 bytes): \"" + excerpt(text) + "\"");
    if (digits.size() % 2 != 0)
        digits.insert(digits.begin(), '0');
    const auto bytes = from_hex(digits);
    if (!bytes)
        throw RpcError(ErrorCode::InvalidParams, "invalid hex in storage key: \"" + excerpt(text) + "\"");
    return left_padded<32>(*bytes);
}

Hash read_word(const json::value& value) {
    try {
        return read_slot(read_text(value, "common.Hash"));
    } catch (const RpcError& error) {
        throw ValueError(error.message());
    }
}

const json::value* member(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && !found->is_null() ? found : nullptr;
}

json::value quantity(const u256& value) {
    return fits_u64(value) ? quantity(value[0]) : json::value(to_quantity(value));
}

json::value quantity(std::uint64_t value) {
    char text[18] = {'0', 'x'};
    const auto end = std::to_chars(text + 2, text + sizeof text, value, 16).ptr;
    return json::string(std::string_view{text, static_cast<std::size_t>(end - text)});
}

json::value hex_data(BytesView bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    json::string text(2 + 2 * bytes.size(), '0');
    text[1] = 'x';
    char* out = text.data() + 2;
    for (const std::uint8_t byte : bytes) {
        *out++ = kDigits[byte >> 4];
        *out++ = kDigits[byte & 0xf];
    }
    return text;
}

}  // namespace meridian::rpc
