// Who may ask: a request's Host, Origin and Content-Type against what the operator allows. Reads untrusted
// text; no I/O.
//
// The Host check keeps a web page from reaching the chain through a domain name of its own that resolves to
// this machine (DNS rebinding); the Origin check keeps other web pages out altogether.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::gateway {

// "host", "host:port", "[::1]:port".
struct Authority {
    std::string host;  // in lower case; an IPv6 address without its brackets, in its canonical form
    std::optional<std::uint16_t> port;
    bool is_address = false;  // an IP address, not a name
};

// Nothing if it is malformed.
std::optional<Authority> parse_authority(std::string_view text);

// What a port can be opened on: an IPv4 or IPv6 address, without brackets.
bool is_ip_address(std::string_view text);

class AllowedHosts {
public:
    // Each name is a host without port, or "*" for all. The caller has checked them with is_name().
    explicit AllowedHosts(const std::vector<std::string>& names);
    static bool is_name(std::string_view name);

    // IP addresses always are: no name leads to them.
    bool allow(const Authority& host) const;

private:
    std::vector<std::string> m_names;
    bool m_all = false;
};

class AllowedOrigins {
public:
    // Each rule is [SCHEME://]HOST[:PORT], where what is left out may be anything, or "*" for every origin.
    // The caller has checked them with is_rule().
    explicit AllowedOrigins(const std::vector<std::string>& rules);
    static bool is_rule(std::string_view rule);

    bool allow(std::string_view origin) const;
    bool allow_all() const noexcept { return m_all; }

private:
    struct Origin {
        std::string scheme;  // empty: any, in a rule
        Authority authority;
    };
    static std::optional<Origin> parse(std::string_view text, bool scheme_required);

    std::vector<Origin> m_rules;
    bool m_all = false;
};

// Whether a body of this Content-Type is a JSON-RPC request: the three types that geth takes, with any
// parameters. Browsers ask before they send these to another origin, unlike forms and plain text.
bool is_json_rpc_type(std::string_view content_type);

// The items of a comma-separated list, without white space around them; empty ones are left out.
std::vector<std::string> split_list(std::string_view text);

}  // namespace meridian::gateway
