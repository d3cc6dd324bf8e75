#include "number_option.hpp"

#include <meridian/base/u256.hpp>

#include <string>

namespace meridian::app {
namespace {

std::string check(std::string& text, std::uint64_t min, std::uint64_t max) {
    const auto value = parse_u256(text);
    if (!value || *value < u256{min} || *value > u256{max})
        return "want a whole number from " + std::to_string(min) + " to " + std::to_string(max) + ", not \"" +
               text + "\"";
    text = to_decimal(*value);
    return {};
}

std::string check_signed(std::string& text, std::int64_t min) {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    const bool negative = text.starts_with('-');
    const auto magnitude = parse_u256(negative ? text.substr(1) : text);
    const std::uint64_t bound =
        negative ? (min < 0 ? 0 - static_cast<std::uint64_t>(min) : 0) : static_cast<std::uint64_t>(kMax);
    if (!magnitude || *magnitude > u256{bound} ||
        (!negative && min > 0 && *magnitude < u256{static_cast<std::uint64_t>(min)}))
        return "want a whole number from " + std::to_string(min) + " to " + std::to_string(kMax) +
               ", not \"" + text + "\"";
    text = (negative ? "-" : "") + to_decimal(*magnitude);
    return {};
}

}  // namespace

CLI::Validator whole_number(std::uint64_t min, std::uint64_t max) {
    return {[min, max](std::string& text) { return check(text, min, max); }, ""};
}

CLI::Validator whole_number_from(std::int64_t min) {
    return {[min](std::string& text) { return check_signed(text, min); }, ""};
}

}  // namespace meridian::app
