#include <meridian/wire/address.hpp>

#include <charconv>
#include <cstdint>

namespace meridian::wire {

Result<PeerAddress, std::string> parse_address(std::string_view text) {
    const auto refuse = [&](const char* why) {
        return fail("address \"" + std::string(text) + "\": " + why + "; write host:port or [IPv6]:port");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return refuse("no port");
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    if (host.empty())
        return refuse("no host");
    if (!bracketed && host.find(':') != std::string_view::npos)
        return refuse("an IPv6 address needs brackets");
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number == 0)
        return refuse("the port is not a number from 1 to 65535");
    return PeerAddress{std::string(host), std::to_string(number)};
}

}  // namespace meridian::wire
