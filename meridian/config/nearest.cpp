#include <meridian/config/nearest.hpp>

#include <algorithm>
#include <vector>

namespace meridian::config {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> known) {
    // Longer than any name that was meant: not worth the quadratic time.
    if (word.size() > 128)
        return std::nullopt;
    const auto nearest = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        return edit_distance(word, a) < edit_distance(word, b);
    });
    // Half of a long word may be wrong, two letters of a short one, but never all.
    const std::size_t distance_max =
        std::min(std::max<std::size_t>(2, word.size() / 2), word.size() - !word.empty());
    if (nearest == known.end() || edit_distance(word, *nearest) > distance_max)
        return std::nullopt;
    return *nearest;
}

}  // namespace meridian::config
