// Shell-like patterns: * stands for any text, ? for one character; without either, a substring.
#pragma once

#include <string_view>

namespace meridian::spec {

bool matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace meridian::spec
