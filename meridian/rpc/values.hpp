// JSON values to and from Ethereum's: QUANTITY, DATA, addresses, hashes. Strict as geth, in its words.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>
#include <meridian/rpc/error.hpp>

#include <boost/json.hpp>

namespace meridian::rpc {

namespace json = boost::json;

// Thrown by the readers below and given its place ("invalid argument 0: ...") by whoever knows it.
class ValueError final : public std::exception {
public:
    explicit ValueError(std::string message) : m_message(std::move(message)) {}
    const std::string& message() const noexcept { return m_message; }
    const char* what() const noexcept override { return m_message.c_str(); }

private:
    std::string m_message;
};

std::string_view text_of(const json::string& text);
// Throws ValueError naming `type` if the value is no string.
std::string_view read_text(const json::value& value, std::string_view type);

// The beginning of a caller's text, for a message: at most `size_max` bytes, and whole characters.
std::string excerpt(std::string_view text, std::size_t size_max = 80);

// "0x0", without leading zeros.
u256 read_quantity(const json::value& value);
std::uint64_t read_uint64(const json::value& value);
// Also takes JSON numbers and decimal text, as development tools send them.
u256 read_lenient_quantity(const json::value& value);
std::uint64_t read_lenient_uint64(const json::value& value);
Bytes read_data(const json::value& value);
Address read_address(const json::value& value);
Hash read_hash(const json::value& value);
bool read_bool(const json::value& value);
const json::object& read_object(const json::value& value, std::string_view type);
const json::array& read_array(const json::value& value, std::string_view type);
// A storage slot: up to 32 bytes in hexadecimal, leading zeros or not.
Hash read_slot(std::string_view text);

// Null if the member is missing or null.
const json::value* member(const json::object& object, std::string_view key);

json::value quantity(const u256& value);
json::value quantity(std::uint64_t value);
json::value hex_data(BytesView bytes);

}  // namespace meridian::rpc
