#include <meridian/gateway/access.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>

namespace meridian::gateway {
namespace {

// Longer than any domain name (253) or address.
constexpr std::size_t kHostSizeMax = 255;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// What follows a host: nothing, or a colon and a port, which may be empty. False if it is neither.
bool parse_port(std::string_view text, std::optional<std::uint16_t>& port) {
    if (text.empty() || text == ":")
        return true;
    if (text.front() != ':')
        return false;
    std::uint16_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, ec] = std::from_chars(text.data() + 1, end, value);
    if (ec != std::errc{} || rest != end)
        return false;
    port = value;
    return true;
}

std::optional<Authority> parse_bracketed(std::string_view text) {
    const auto closing = text.find(']');
    if (closing == std::string_view::npos)
        return std::nullopt;
    const std::string_view inner = text.substr(1, closing - 1);
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address_v6(std::string(inner), ec);
    // A zone (%eth0) is of no use in a header.
    if (ec || inner.find('%') != std::string_view::npos)
        return std::nullopt;
    Authority out{address.to_string(), {}, true};
    if (!parse_port(text.substr(closing + 1), out.port))
        return std::nullopt;
    return out;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
    if (text.empty() || text.size() > kHostSizeMax)
        return std::nullopt;
    if (text.front() == '[')
        return parse_bracketed(text);
    const auto colon = text.find(':');
    Authority out{lower(text.substr(0, colon)), {}, false};
    const bool plain = std::all_of(out.host.begin(), out.host.end(), [](char c) {
        return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
    });
    if (out.host.empty() || !plain)
        return std::nullopt;
    if (colon != std::string_view::npos && !parse_port(text.substr(colon), out.port))
        return std::nullopt;
    boost::system::error_code ec;
    boost::asio::ip::make_address_v4(out.host, ec);
    out.is_address = !ec;
    return out;
}

bool is_ip_address(std::string_view text) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(std::string(text), ec);
    return !ec;
}

// --- AllowedHosts ---------------------------------------------------------------------------------------

AllowedHosts::AllowedHosts(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (name == "*")
            m_all = true;
        else
            m_names.push_back(lower(name));
    }
}

bool AllowedHosts::is_name(std::string_view name) {
    const auto parsed = parse_authority(name);
    return name == "*" || (parsed && name.find(':') == std::string_view::npos);
}

bool AllowedHosts::allow(const Authority& host) const {
    return m_all || host.is_address || std::find(m_names.begin(), m_names.end(), host.host) != m_names.end();
}

// --- AllowedOrigins -------------------------------------------------------------------------------------

std::optional<AllowedOrigins::Origin> AllowedOrigins::parse(std::string_view text, bool scheme_required) {
    constexpr std::string_view kSeparator = "://";
    Origin out;
    const auto separator = text.find(kSeparator);
    if (separator != std::string_view::npos) {
        out.scheme = lower(text.substr(0, separator));
        text.remove_prefix(separator + kSeparator.size());
        const bool plain = std::all_of(out.scheme.begin(), out.scheme.end(), [](char c) {
            return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.';
        });
        if (out.scheme.empty() || !plain)
            return std::nullopt;
    } else if (scheme_required) {
        return std::nullopt;
    }
    auto authority = parse_authority(text);
    if (!authority)
        return std::nullopt;
    out.authority = *std::move(authority);
    return out;
}

AllowedOrigins::AllowedOrigins(const std::vector<std::string>& rules) {
    for (const std::string& rule : rules) {
        if (rule == "*")
            m_all = true;
        else if (auto parsed = parse(rule, false))
            m_rules.push_back(*std::move(parsed));
    }
}

bool AllowedOrigins::is_rule(std::string_view rule) {
    return rule == "*" || parse(rule, false);
}

bool AllowedOrigins::allow(std::string_view origin) const {
    if (m_all)
        return true;
    const auto parsed = parse(origin, true);  // "null" is none
    return parsed && std::any_of(m_rules.begin(), m_rules.end(), [&](const Origin& rule) {
               return (rule.scheme.empty() || rule.scheme == parsed->scheme) &&
                      rule.authority.host == parsed->authority.host &&
                      (!rule.authority.port || rule.authority.port == parsed->authority.port);
           });
}

// --- lists and types ------------------------------------------------------------------------------------

bool is_json_rpc_type(std::string_view content_type) {
    const std::string type = lower(trimmed(content_type.substr(0, content_type.find(';'))));
    return type == "application/json" || type == "application/json-rpc" || type == "application/jsonrequest";
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        if (const std::string_view item = trimmed(text.substr(0, comma)); !item.empty())
            out.emplace_back(item);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

}  // namespace meridian::gateway
