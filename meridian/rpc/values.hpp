// JSON values to and from Ethereum's: QUANTITY, DATA, addresses, hashes. Strict as geth, in its words.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>
#include <meridian/rpc/error.hpp>

#include <boost/json.hpp>

#include <optional>
#include <vector>

namespace meridian::rpc {

namespace json = boost::json;

// Thrown by the readers below. Whoever knows a part of the place adds it, so that a message ends up as
// "invalid argument 0: accessList[2].storageKeys[0]: ...".
class ValueError final : public std::exception {
public:
    explicit ValueError(std::string message) : m_reason(std::move(message)), m_message(m_reason) {}
    // With the place in front.
    const std::string& message() const noexcept { return m_message; }
    // Members and indices from the outermost known on; empty if none is known.
    const std::string& place() const noexcept { return m_place; }
    // The same, inside of `step`: a member's name, or an index as "[2]".
    ValueError within(std::string_view step) const;
    const char* what() const noexcept override { return m_message.c_str(); }

private:
    std::string m_place;
    std::string m_reason;
    std::string m_message;
};

// Applies a reader; its complaints name the step, and so where in the argument they arose.
template <class Read, class Value>
auto read_within(std::string_view step, Read&& read, const Value& value) -> decltype(read(value)) {
    try {
        return read(value);
    } catch (const ValueError& error) {
        throw error.within(step);
    }
}

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
// A storage slot: up to 32 bytes in hexadecimal, leading zeros or not. Throws RpcError.
Hash read_slot(std::string_view text);
// The same for a value inside an argument: throws ValueError.
Hash read_word(const json::value& value);

// Null if the member is missing or null.
const json::value* member(const json::object& object, std::string_view key);

// The value of a member through a reader, or nothing if it is missing or null. Complaints name the member.
template <class Read>
auto optional_member(const json::object& object, std::string_view key, Read&& read)
    -> std::optional<decltype(read(std::declval<const json::value&>()))> {
    const json::value* found = member(object, key);
    if (found == nullptr)
        return std::nullopt;
    return read_within(key, read, *found);
}

// The items of an array through a reader. Complaints name the index.
template <class Read>
auto read_list(const json::value& value, std::string_view type, Read&& read) {
    std::vector<decltype(read(value))> out;
    for (const auto& item : read_array(value, type))
        out.push_back(read_within("[" + std::to_string(out.size()) + "]", read, item));
    return out;
}

json::value quantity(const u256& value);
json::value quantity(std::uint64_t value);
json::value hex_data(BytesView bytes);

}  // namespace meridian::rpc
