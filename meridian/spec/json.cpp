#include <meridian/spec/json.hpp>

#include <meridian/base/hex.hpp>

#include <boost/json/parser.hpp>

#include <cstdio>
#include <filesystem>

namespace meridian::spec {
namespace {

// Appends the path from `at` to `where`; false if it is not below. Depth is bounded by the parser.
bool find_path(const Json& at, const Json* where, std::string& path) {
    if (&at == where)
        return true;
    const std::size_t size = path.size();
    const auto descend = [&](std::string_view name, const Json& child) {
        path.resize(size);
        if (size != 0)
            path += '/';
        path += name;
        return find_path(child, where, path);
    };
    if (const auto* members = at.if_object()) {
        for (const auto& item : *members)
            if (descend({item.key().data(), item.key().size()}, item.value()))
                return true;
    } else if (const auto* items = at.if_array()) {
        for (std::size_t i = 0; i < items->size(); ++i)
            if (descend(std::to_string(i), (*items)[i]))
                return true;
    }
    path.resize(size);
    return false;
}

std::string shortened(std::string_view value) {
    constexpr std::size_t kShown = 48;
    return value.size() <= kShown ? std::string(value) : std::string(value.substr(0, kShown)) + "...";
}

// Fixtures write numbers beyond 256 bits as "0x:bigint 0x1000...".
constexpr std::string_view kBigIntPrefix = "0x:bigint ";

u256 parse_number(const Json& where, std::string_view digits) {
    if (digits.starts_with(kBigIntPrefix))
        digits.remove_prefix(kBigIntPrefix.size());
    if (digits.empty() || digits == "0x")
        return 0;
    const auto parsed = parse_u256(digits);
    if (!parsed)
        reject(where, parsed.error() == NumberError::Overflow ? "number beyond 256 bits: " + shortened(digits)
                                                              : "not a number: " + shortened(digits));
    return *parsed;
}

}  // namespace

std::string InputError::text() const {
    std::string out = file;
    for (const std::string& part : {field, reason})
        if (!part.empty())
            out += (out.empty() ? "" : ": ") + part;
    return out;
}

Result<std::string, InputError> read_file(const std::string& path) {
    const auto error = [&](std::string reason) {
        return fail(InputError{InputError::Kind::Io, path, {}, std::move(reason)});
    };
    const bool is_stdin = path == "stdin";
    std::error_code code;
    if (!is_stdin && std::filesystem::is_directory(path, code))
        return error("is a folder");
    std::FILE* file = is_stdin ? stdin : std::fopen(path.c_str(), "rb");
    if (file == nullptr)
        return error("cannot be opened");
    std::string out;
    char buffer[1 << 16];
    std::size_t count = 0;
    while (out.size() < kFileSizeMax && (count = std::fread(buffer, 1, sizeof buffer, file)) != 0)
        out.append(buffer, count);
    const bool failed = std::ferror(file) != 0;
    if (!is_stdin)
        std::fclose(file);
    if (failed)
        return error("cannot be read");
    if (out.size() >= kFileSizeMax)
        return error("is larger than 2 GiB");
    return out;
}

Result<Document, InputError> Document::load(const std::string& path) {
    const auto content = read_file(path);
    if (!content)
        return fail(content.error());
    return parse(*content, path);
}

Result<Document, InputError> Document::parse(std::string_view text, std::string name) {
    Document out;
    out.m_name = std::move(name);
    out.m_memory = std::make_unique<boost::json::monotonic_resource>(text.size() * 2 + 1024);
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;
    boost::json::parser parser({}, options);
    parser.reset(out.m_memory.get());
    boost::json::error_code code;
    const std::size_t consumed = parser.write(text.data(), text.size(), code);
    if (code)
        return fail(InputError{InputError::Kind::Syntax,
                               out.m_name,
                               {},
                               "malformed JSON at byte " + std::to_string(consumed) + ": " + code.message()});
    out.m_root = std::make_unique<Json>(parser.release());
    return out;
}

InputError Document::error(const FieldFailure& failure) const {
    InputError out{InputError::Kind::Field, m_name, {}, failure.reason};
    if (failure.where != nullptr)
        find_path(root(), failure.where, out.field);
    return out;
}

void reject(const Json& where, std::string reason) {
    throw FieldFailure{&where, std::move(reason)};
}

const boost::json::object& object(const Json& value) {
    if (const auto* out = value.if_object())
        return *out;
    reject(value, "expected an object");
}

const boost::json::array& array(const Json& value) {
    if (const auto* out = value.if_array())
        return *out;
    reject(value, "expected an array");
}

std::string_view text(const Json& value) {
    if (const auto* out = value.if_string())
        return {out->data(), out->size()};
    reject(value, "expected a string");
}

bool boolean(const Json& value) {
    if (const bool* out = value.if_bool())
        return *out;
    reject(value, "expected true or false");
}

u256 number(const Json& value) {
    if (const auto* out = value.if_uint64())
        return *out;
    if (const auto* out = value.if_int64(); out != nullptr && *out >= 0)
        return static_cast<std::uint64_t>(*out);
    if (!value.is_string())
        reject(value, "expected a number");
    return parse_number(value, text(value));
}

std::uint64_t number64(const Json& value) {
    const u256 out = number(value);
    if (!fits_u64(out))
        reject(value, "number beyond 64 bits");
    return static_cast<std::uint64_t>(out);
}

Bytes bytes(const Json& value) {
    auto out = from_hex(text(value));
    if (!out)
        reject(value, "not hexadecimal bytes: " + shortened(text(value)));
    return std::move(*out);
}

Address address(const Json& value) {
    const auto out = fixed_from_hex<20>(text(value));
    if (!out)
        reject(value, "not an address: " + shortened(text(value)));
    return *out;
}

Hash hash(const Json& value) {
    const std::string_view digits = text(value);
    if (const auto out = fixed_from_hex<32>(digits))
        return *out;
    if (digits.size() > 66)
        reject(value, "longer than 32 bytes: " + shortened(digits));
    return to_hash(parse_number(value, digits));
}

Address address(const Json& owner, std::string_view key) {
    const auto out = fixed_from_hex<20>(key);
    if (!out)
        reject(owner, "not an address: " + shortened(key));
    return *out;
}

u256 number(const Json& owner, std::string_view key) {
    return parse_number(owner, key);
}

const Json* find(const Json& owner, std::string_view name) {
    const Json* out = object(owner).if_contains({name.data(), name.size()});
    return out == nullptr || out->is_null() ? nullptr : out;
}

const Json& member(const Json& owner, std::string_view name) {
    if (const Json* out = find(owner, name))
        return *out;
    reject(owner, "missing member \"" + std::string(name) + "\"");
}

}  // namespace meridian::spec
