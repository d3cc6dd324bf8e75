// JSON files of test suites, read with errors that name the file and the field.
//
// The reading functions below throw FieldFailure, which carries the offending value; it never leaves this
// folder: every public entry point turns it into an InputError by finding the value's path in its document.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>
#include <meridian/base/u256.hpp>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace meridian::spec {

using Json = boost::json::value;

// Input that cannot be used.
struct InputError {
    enum class Kind : std::uint8_t { Io, Syntax, Field };
    Kind kind = Kind::Field;
    std::string file;
    std::string field;  // such as "case/blocks/2/rlp"; empty if the file as a whole is at fault
    std::string reason;

    // "file: field: reason".
    std::string text() const;
};

struct FieldFailure {
    const Json* where = nullptr;  // null: the document as a whole
    std::string reason;
};

// Containers nested beyond this are refused.
inline constexpr std::size_t kJsonDepthMax = 64;
inline constexpr std::size_t kFileSizeMax = std::size_t{1} << 31;

// A parsed file. Values stay where they are when the document is moved.
class Document {
public:
    static Result<Document, InputError> load(const std::string& path);
    static Result<Document, InputError> parse(std::string_view text, std::string name);

    const Json& root() const noexcept { return *m_root; }
    const std::string& name() const noexcept { return m_name; }
    InputError error(const FieldFailure& failure) const;

private:
    std::string m_name;
    std::unique_ptr<boost::json::monotonic_resource> m_memory;
    std::unique_ptr<Json> m_root;
};

// The whole content of a file, or of standard input for the path "stdin".
Result<std::string, InputError> read_file(const std::string& path);

[[noreturn]] void reject(const Json& where, std::string reason);

const boost::json::object& object(const Json& value);
const boost::json::array& array(const Json& value);
std::string_view text(const Json& value);
bool boolean(const Json& value);
// A JSON number, or a string with a decimal or 0x-number ("" and "0x" are zero, as old tests have it).
u256 number(const Json& value);
std::uint64_t number64(const Json& value);
Bytes bytes(const Json& value);
Address address(const Json& value);
// 32 bytes; shorter texts are taken as numbers.
Hash hash(const Json& value);
// Of a key of an object, which has no address to report: `owner` is reported instead.
Address address(const Json& owner, std::string_view key);
u256 number(const Json& owner, std::string_view key);

// Null if the member is missing or null.
const Json* find(const Json& object, std::string_view name);
const Json& member(const Json& object, std::string_view name);

template <std::size_t N>
FixedBytes<N> fixed_bytes(const Json& value) {
    const Bytes data = bytes(value);
    if (data.size() != N)
        reject(value, "expected " + std::to_string(N) + " bytes, got " + std::to_string(data.size()));
    return first_bytes<N>(data);
}

}  // namespace meridian::spec
