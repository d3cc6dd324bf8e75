// Keys in words: units, types, values; and the checks of texts.
#include <meridian/base/hex.hpp>
#include <meridian/config/schema.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace meridian::config {
namespace {

struct Unit {
    std::string_view word;  // in the name
    std::string_view name;  // in sentences
};
constexpr std::array<Unit, 7> kUnits{{{"us", "microseconds"},
                                      {"ms", "milliseconds"},
                                      {"s", "seconds"},
                                      {"bytes", "bytes"},
                                      {"kib", "KiB"},
                                      {"mib", "MiB"},
                                      {"wei", "wei"}}};

// A text as TOML's basic string.
std::string quote(std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20 || byte == 0x7f) {
            out.append("\\u00").append({kDigits[byte >> 4], kDigits[byte & 15]});
        } else {
            out.push_back(c);
        }
    }
    return out + "\"";
}

// 1000000 as 1_000_000.
std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;)
        digits.insert(at -= 3, 1, '_');
    return digits;
}

bool is_port(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= 65'535;
}

}  // namespace

std::string_view unit_of(std::string_view name) noexcept {
    // The unit is the last word, or stands before min or max.
    for (const std::string_view ending : {"_max", "_min"})
        if (name.ends_with(ending))
            name.remove_suffix(ending.size());
    if (name.ends_with("_per_s"))
        return "a second";
    const auto at = name.rfind('_');
    for (const Unit& unit : kUnits)
        if (name.substr(at == std::string_view::npos ? 0 : at + 1) == unit.word)
            return unit.name;
    return {};
}

std::string describe_type(const Key& key) {
    if (std::holds_alternative<bool*>(key.slot))
        return "true or false";
    if (std::holds_alternative<std::vector<std::string>*>(key.slot))
        return "list of texts";
    if (std::holds_alternative<std::uint64_t*>(key.slot)) {
        std::string out = grouped(key.min) + " to " + grouped(key.max);
        if (const auto unit = unit_of(key.name); !unit.empty())
            out.append(" ").append(unit);
        return out;
    }
    if (key.choices.empty())
        return key.path ? "path" : "text";
    std::string out;
    for (const std::string_view each : key.choices)
        out.append(out.empty() ? "" : ", ").append(quote(each));
    return out;
}

std::string value_text(const Slot& slot) {
    struct Write {
        std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
        std::string operator()(const std::uint64_t* value) const { return grouped(*value); }
        std::string operator()(const std::string* value) const { return quote(*value); }
        std::string operator()(const std::vector<std::string>* value) const {
            std::string out = "[";
            for (const std::string& each : *value)
                out.append(out.size() == 1 ? "" : ", ").append(quote(each));
            return out + "]";
        }
    };
    return std::visit(Write{}, slot);
}

std::string check_ip_address(std::string_view text) {
    std::array<std::uint8_t, 16> address;
    const std::string terminated(text);
    if (inet_pton(AF_INET, terminated.c_str(), address.data()) == 1 ||
        inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1)
        return {};
    return "is not an IP address; take 127.0.0.1 for this machine alone, 0.0.0.0 for every interface";
}

std::string check_address(std::string_view text) {
    if (text.empty() || (text.starts_with("0x") && fixed_from_hex<20>(text)))
        return {};
    return "is not an address: 0x and 40 hexadecimal digits";
}

std::string check_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos && colon > 0 && is_port(text.substr(colon + 1)))
        return {};
    return "is not HOST:PORT";
}

std::string check_host_name(std::string_view text) {
    const std::string_view name =
        text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : text;
    if (text == "*" || (!name.empty() && check_ip_address(name).empty()))
        return {};
    const bool word = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
    });
    return word ? "" : "is not the name of a host, as node.example.org, nor * for all";
}

std::string check_origin(std::string_view text) {
    std::string_view rest = text;
    const auto scheme = rest.find("://");
    const bool named = scheme != std::string_view::npos;
    if (named)
        rest.remove_prefix(scheme + 3);
    const auto colon = rest.rfind(':');
    if (colon != std::string_view::npos && is_port(rest.substr(colon + 1)))
        rest = rest.substr(0, colon);
    const bool known =
        !named || std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme),
                              [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
    if (text == "*" || (known && scheme != 0 && rest != "*" && check_host_name(rest).empty()))
        return {};
    return "is not an origin: [SCHEME://]HOST[:PORT], as https://app.example.org, or * for all";
}

std::string check_method_pattern(std::string_view text) {
    const std::string_view name = text.ends_with("_*") ? text.substr(0, text.size() - 2) : text;
    const bool word = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_';
    });
    return word ? "" : "is not the name of a method, as eth_call, nor of a namespace, as debug_*";
}

std::string check_extra_data(std::string_view text) {
    constexpr std::size_t kBytesMax = 32;
    return text.size() <= kBytesMax ? "" : "has more than 32 bytes";
}

}  // namespace meridian::config
