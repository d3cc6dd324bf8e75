// Taking an arena's changes, applying another's, and their encoding.
#include <meridian/module/arena.hpp>
#include <meridian/module/changes.hpp>

namespace meridian::module {

namespace {

template <class Number>
void put(Bytes& out, Number number) {
    append(out, {reinterpret_cast<const std::uint8_t*>(&number), sizeof number});
}

// Takes a number off the front. False if there are too few bytes.
template <class Number>
bool take(BytesView& input, Number& number) noexcept {
    if (input.size() < sizeof number)
        return false;
    std::memcpy(&number, input.data(), sizeof number);
    input = input.subspan(sizeof number);
    return true;
}

bool is_well_formed(const Changes& changes) noexcept {
    std::size_t lines = 0;
    for (std::size_t i = 0; i < changes.pages.size(); ++i) {
        const PageChange& change = changes.pages[i];
        if (change.lines == 0 || (i > 0 && change.page <= changes.pages[i - 1].page))
            return false;
        lines += static_cast<std::size_t>(std::popcount(change.lines));
    }
    return lines == changes.lines.size();
}

// What the arena's header will be; only its first line matters here.
ArenaHeader header_after(const ArenaHeader& now, const Changes& changes) noexcept {
    ArenaHeader after = now;
    if (!changes.empty() && changes.pages[0].page == 0 && (changes.pages[0].lines & 1) != 0)
        std::memcpy(&after, changes.lines[0].data(), kLineSize);
    return after;
}

}  // namespace

Changes Arena::changes() const {
    MERIDIAN_ASSERT(m_depth == 0);
    Changes changes;
    std::vector<PageNumber> pages = m_listed;
    std::sort(pages.begin(), pages.end());
    for (const PageNumber page : pages) {
        const std::uint64_t changed = m_marks[page].changed;
        if (changed == 0)
            continue;
        changes.pages.push_back({page, changed});
        const std::uint8_t* content = m_region.base + offset_of_page(page);
        for (std::uint64_t rest = changed; rest != 0; rest &= rest - 1)
            std::memcpy(changes.lines.emplace_back().data(), content + std::countr_zero(rest) * kLineSize,
                        kLineSize);
    }
    return changes;
}

Changes Arena::take_changes() {
    Changes out = changes();
    for (const PageNumber page : m_listed)
        m_marks[page].listed = 0, m_marks[page].changed = 0;
    m_listed.clear();
    ++m_epoch;
    return out;
}

Result<void, Error> Arena::apply(const Changes& changes) {
    MERIDIAN_ASSERT(m_depth == 0 && m_source == nullptr);
    if (m_failure)
        return fail(*m_failure);
    if (changes.empty() && changes.lines.empty())
        return {};
    const ArenaHeader after = header_after(header(), changes);
    if (!is_well_formed(changes) || after.magic != kArenaMagic ||
        after.layout_version != kArenaLayoutVersion || after.page_limit != header().page_limit ||
        after.page_count < page_count() || after.page_count > after.page_limit ||
        changes.pages.back().page >= after.page_count)
        return fail(Error::BadChanges);
    const Line* line = changes.lines.data();
    for (const PageChange& change : changes.pages) {
        std::uint8_t* content = write_first(offset_of_page(change.page), change.lines);
        for (std::uint64_t rest = change.lines; rest != 0; rest &= rest - 1)
            std::memcpy(content + std::countr_zero(rest) * kLineSize, (line++)->data(), kLineSize);
        // Page 0 comes first, and says that the others are there.
        if (change.page == 0)
            refresh_resident();
    }
    return {};
}

Bytes encode(const Changes& changes) {
    Bytes out;
    out.reserve(4 + changes.pages.size() * 12 + changes.lines.size() * kLineSize);
    put(out, static_cast<std::uint32_t>(changes.pages.size()));
    const Line* line = changes.lines.data();
    for (const PageChange& change : changes.pages) {
        put(out, change.page);
        put(out, change.lines);
        for (int i = std::popcount(change.lines); i > 0; --i)
            append(out, *line++);
    }
    return out;
}

Result<Changes, Error> decode_changes(BytesView encoded) {
    std::uint32_t count = 0;
    if (!take(encoded, count) || count > kPagesMax)
        return fail(Error::BadChanges);
    Changes changes;
    for (std::uint32_t i = 0; i < count; ++i) {
        PageChange change{};
        if (!take(encoded, change.page) || !take(encoded, change.lines) || change.page >= kPagesMax)
            return fail(Error::BadChanges);
        const auto lines = static_cast<std::size_t>(std::popcount(change.lines));
        if (encoded.size() < lines * kLineSize || changes.lines.size() + lines > kChangedLinesMax)
            return fail(Error::BadChanges);
        changes.pages.push_back(change);
        for (std::size_t k = 0; k < lines; ++k) {
            changes.lines.push_back(first_bytes<kLineSize>(encoded));
            encoded = encoded.subspan(kLineSize);
        }
    }
    if (!encoded.empty() || !is_well_formed(changes))
        return fail(Error::BadChanges);
    return changes;
}

}  // namespace meridian::module
