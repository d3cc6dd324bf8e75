#include <meridian/spec/pattern.hpp>

namespace meridian::spec {

// Linear: on a mismatch only the last * takes one character more.
bool matches(std::string_view pattern, std::string_view text) noexcept {
    if (pattern.find_first_of("*?") == std::string_view::npos)
        return text.find(pattern) != std::string_view::npos;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    for (std::size_t t = 0; t < text.size();) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

}  // namespace meridian::spec
