// A Host, an Origin, a Content-Type and a list of rules, one a line: what is allowed is what its rules name,
// and what was read reads the same when written again.
#include <meridian/base/assert.hpp>
#include <meridian/gateway/access.hpp>

#include <algorithm>

namespace meridian::gateway {
namespace {

std::string_view next_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

std::string written(const Authority& authority) {
    std::string out =
        authority.host.find(':') != std::string::npos ? "[" + authority.host + "]" : authority.host;
    return authority.port ? out + ":" + std::to_string(*authority.port) : out;
}

void check_host(std::string_view text, const std::vector<std::string>& rules) {
    const auto host = parse_authority(text);
    if (!host)
        return;
    const auto again = parse_authority(written(*host));
    MERIDIAN_ASSERT(again && again->host == host->host && again->port == host->port &&
                    again->is_address == host->is_address);
    MERIDIAN_ASSERT(AllowedHosts({"localhost"}).allow(*host) ==
                    (host->is_address || host->host == "localhost"));
    MERIDIAN_ASSERT(AllowedHosts({"*"}).allow(*host));
    if (!host->is_address && std::none_of(rules.begin(), rules.end(), [&](const std::string& rule) {
            return rule == "*" || rule.size() == host->host.size();
        }))
        MERIDIAN_ASSERT(!AllowedHosts(rules).allow(*host));
}

void check_origin(std::string_view text, const std::vector<std::string>& rules) {
    // What allows an origin allows it in capitals too, and every rule by itself or not at all.
    const AllowedOrigins together(rules);
    const bool allowed = together.allow(text);
    MERIDIAN_ASSERT(allowed == std::any_of(rules.begin(), rules.end(), [&](const std::string& rule) {
                        return AllowedOrigins({rule}).allow(text);
                    }));
    const AllowedOrigins local({"localhost"});
    if (local.allow(text)) {
        const auto host = parse_authority(text.substr(text.find("://") + 3));
        MERIDIAN_ASSERT(host && host->host == "localhost");
    }
    // An origin that is well-formed is a rule that allows itself.
    if (text.find("://") != std::string_view::npos && AllowedOrigins::is_rule(text))
        MERIDIAN_ASSERT(AllowedOrigins({std::string(text)}).allow(text));
}

void check(std::string_view text) {
    const std::string_view host = next_line(text);
    const std::string_view origin = next_line(text);
    const std::string_view type = next_line(text);
    const auto rules = split_list(text);
    for (const std::string& rule : rules)
        MERIDIAN_ASSERT(!rule.empty() && rule.find(',') == std::string::npos);
    check_host(host, rules);
    check_origin(origin, rules);
    if (is_json_rpc_type(type))
        MERIDIAN_ASSERT(is_json_rpc_type(std::string(type) + ";x") && type.size() >= 16);
}

}  // namespace
}  // namespace meridian::gateway

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    meridian::gateway::check({reinterpret_cast<const char*>(data), size});
    return 0;
}
