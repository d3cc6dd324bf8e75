#include <meridian/load/endpoint.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace meridian::load {
namespace {

constexpr std::array<std::pair<std::string_view, Endpoint::Kind>, 3> kSchemes{{
    {"http://", Endpoint::Kind::Http},
    {"ws://", Endpoint::Kind::WebSocket},
    {"tcp://", Endpoint::Kind::Binary},
}};

constexpr const char* kAddressCharacters = "0123456789abcdefABCDEF:.";
constexpr const char* kNameCharacters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";

std::unexpected<std::string> refuse(std::string_view text) {
    return fail("want http://HOST:PORT, ws://HOST:PORT or tcp://HOST:PORT, not \"" + std::string(text) +
                "\"");
}

// "host:port", "[::1]:port" or a host alone. False if it is none of these.
bool read_authority(std::string_view authority, Endpoint& out) {
    const bool bracketed = authority.starts_with('[');
    const std::size_t end = bracketed ? authority.find(']') : authority.rfind(':');
    if (bracketed && end == std::string_view::npos)
        return false;
    std::string_view port;
    if (bracketed) {
        out.host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
    } else {
        out.host = authority.substr(0, end);
        port = end == std::string_view::npos ? std::string_view{} : authority.substr(end);
    }
    if (port.empty())
        out.port = 80;
    else if (port.front() != ':' ||
             std::from_chars(port.data() + 1, port.data() + port.size(), out.port).ptr !=
                 port.data() + port.size())
        return false;
    const char* allowed = bracketed ? kAddressCharacters : kNameCharacters;
    return !out.host.empty() && out.port != 0 && out.host.find_first_not_of(allowed) == std::string::npos;
}

// It is to stand in a request's first line as it is.
bool is_path(std::string_view path) {
    return std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string Endpoint::text() const {
    std::string out;
    for (const auto& [scheme, scheme_kind] : kSchemes)
        if (scheme_kind == kind)
            out = scheme;
    out += host.find(':') == std::string::npos ? host : "[" + host + "]";
    out += ":" + std::to_string(port);
    return kind == Kind::Binary || path == "/" ? out : out + path;
}

Endpoint Endpoint::as(Kind other) const {
    Endpoint out = *this;
    out.kind = other;
    return out;
}

Result<Endpoint, std::string> parse_endpoint(std::string_view text) {
    for (const auto& [scheme, kind] : kSchemes) {
        if (!text.starts_with(scheme))
            continue;
        Endpoint out{.kind = kind, .host = {}};
        std::string_view rest = text.substr(scheme.size());
        if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
            out.path = rest.substr(slash);
            rest = rest.substr(0, slash);
        }
        if (!read_authority(rest, out) || !is_path(out.path) ||
            (kind == Endpoint::Kind::Binary && out.path != "/"))
            return refuse(text);
        return out;
    }
    return refuse(text);
}

}  // namespace meridian::load
