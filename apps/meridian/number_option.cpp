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

}  // namespace

CLI::Validator whole_number(std::uint64_t min, std::uint64_t max) {
    return {[min, max](std::string& text) { return check(text, min, max); }, ""};
}

}  // namespace meridian::app
