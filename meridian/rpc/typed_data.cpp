// EIP-712: structured data to a digest.
#include <meridian/base/hex.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/rpc/signing.hpp>

#include <map>
#include <set>

namespace meridian::rpc {
namespace {

constexpr int kNestingMax = 32;  // of structs and arrays in each other

struct Field {
    std::string name;
    std::string type;
};
using Types = std::map<std::string, std::vector<Field>, std::less<>>;

[[noreturn]] void bad(const std::string& where, const std::string& why) {
    invalid_params("typed data: " + where + ": " + why);
}

Field read_field(const json::value& value) {
    const json::object& object = read_object(value, "type field");
    const auto text = [](const json::value& v) { return std::string(read_text(v, "string")); };
    auto name = optional_member(object, "name", text);
    auto type = optional_member(object, "type", text);
    if (!name || !type)
        throw ValueError("a field needs a name and a type");
    return {*std::move(name), *std::move(type)};
}

Types read_types(const json::value& value) {
    const auto read_fields = [](const json::value& v) { return read_list(v, "type fields", read_field); };
    Types out;
    for (const auto& [name, fields] : read_object(value, "types"))
        out[std::string(name)] = read_within(std::string(name), read_fields, fields);
    return out;
}

// The type of an array's elements, or nothing if it is no array.
std::optional<std::string> element_type(const std::string& type) {
    if (type.empty() || type.back() != ']')
        return std::nullopt;
    return type.substr(0, type.rfind('['));
}

std::string base_type(std::string type) {
    return type.substr(0, type.find('['));
}

void collect_dependencies(const Types& types, const std::string& name, std::set<std::string>& out) {
    const auto found = types.find(name);
    if (found == types.end() || !out.insert(name).second)
        return;
    for (const Field& field : found->second)
        collect_dependencies(types, base_type(field.type), out);
}

std::string encode_type(const Types& types, const std::string& name) {
    std::set<std::string> names;
    collect_dependencies(types, name, names);
    names.erase(name);
    std::string out;
    const auto describe = [&](const std::string& one) {
        out += one + "(";
        bool first = true;
        for (const Field& field : types.at(one)) {
            out += (first ? "" : ",") + field.type + " " + field.name;
            first = false;
        }
        out += ")";
    };
    describe(name);
    for (const std::string& other : names)
        describe(other);
    return out;
}

u256 read_integer(const json::value& value, const std::string& where) {
    if (const auto* number = value.if_int64(); number != nullptr && *number < 0)
        return u256{} - u256{static_cast<std::uint64_t>(-(*number + 1)) + 1};
    if (const auto* text = value.if_string(); text != nullptr && text->starts_with("-")) {
        const auto parsed = parse_u256(text_of(*text).substr(1));
        if (!parsed)
            bad(where, "not an integer");
        return u256{} - *parsed;
    }
    try {
        return read_lenient_quantity(value);
    } catch (const ValueError&) {
        bad(where, "not an integer");
    }
}

class Encoder {
public:
    explicit Encoder(const Types& types) : m_types(types) {}

    Hash hash_struct(const std::string& type, const json::value& value, const std::string& where,
                     int depth) const {
        if (depth > kNestingMax)
            bad(where, "nested too deeply");
        const auto* object = value.if_object();
        if (object == nullptr)
            bad(where, "expected an object of type " + type);
        Bytes encoded = to_bytes(crypto::keccak256(as_bytes(encode_type(m_types, type))));
        for (const Field& field : m_types.find(type)->second) {
            const json::value* item = object->if_contains(field.name);
            append(encoded, encode(field.type, item, where + "." + field.name, depth + 1));
        }
        return crypto::keccak256(encoded);
    }

private:
    Hash encode(const std::string& type, const json::value* value, const std::string& where,
                int depth) const {
        if (depth > kNestingMax)
            bad(where, "nested too deeply");
        if (m_types.contains(type))
            return value == nullptr || value->is_null() ? Hash{} : hash_struct(type, *value, where, depth);
        if (value == nullptr)
            bad(where, "missing");
        if (const auto element = element_type(type)) {
            const auto* items = value->if_array();
            if (items == nullptr)
                bad(where, "expected an array");
            Bytes encoded;
            for (std::size_t i = 0; i < items->size(); ++i)
                append(encoded,
                       encode(*element, &(*items)[i], where + "[" + std::to_string(i) + "]", depth + 1));
            return crypto::keccak256(encoded);
        }
        return encode_atom(type, *value, where);
    }

    static Hash encode_atom(const std::string& type, const json::value& value, const std::string& where) {
        try {
            if (type == "string")
                return crypto::keccak256(as_bytes(read_text(value, "string")));
            if (type == "bytes")
                return crypto::keccak256(read_data(value));
            if (type == "bool")
                return to_hash(u256{read_bool(value) ? 1u : 0u});
            if (type == "address")
                return left_padded<32>(read_address(value));
            if (type.starts_with("bytes")) {
                const Bytes bytes = read_data(value);
                if (std::to_string(bytes.size()) != type.substr(5) || bytes.size() > 32)
                    bad(where, "not of type " + type);
                Hash out;
                std::copy(bytes.begin(), bytes.end(), out.begin());
                return out;
            }
            if (type.starts_with("uint") || type.starts_with("int"))
                return to_hash(read_integer(value, where));
        } catch (const ValueError& error) {
            bad(where, error.message());
        }
        bad(where, "unknown type " + type);
    }

    const Types& m_types;
};

const json::value& need(const json::object& object, const char* name) {
    const json::value* found = member(object, name);
    if (found == nullptr)
        bad(name, "missing");
    return *found;
}

}  // namespace

Hash typed_data_digest(const json::value& typed_data) {
    const json::object& object = read_object(typed_data, "apitypes.TypedData");
    Types types = read_within("types", read_types, need(object, "types"));
    const auto read_name = [](const json::value& v) { return std::string(read_text(v, "string")); };
    const std::string primary = read_within("primaryType", read_name, need(object, "primaryType"));
    if (!types.contains("EIP712Domain"))
        bad("types.EIP712Domain", "missing");
    if (!types.contains(primary))
        bad("primaryType", "not among the types");
    const Encoder encoder(types);
    Bytes encoded{0x19, 0x01};
    append(encoded, encoder.hash_struct("EIP712Domain", need(object, "domain"), "domain", 0));
    if (primary != "EIP712Domain")
        append(encoded, encoder.hash_struct(primary, need(object, "message"), "message", 0));
    return crypto::keccak256(encoded);
}

}  // namespace meridian::rpc
