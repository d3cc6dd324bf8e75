// The write barrier's slow half, undo, and what an arena does once it has failed.
#include <meridian/module/arena.hpp>

namespace meridian::module {

namespace {

struct alignas(64) ZeroPage {
    std::uint8_t bytes[kPageSize] = {};
};
constexpr ZeroPage kZeroPage;

bool is_zero(const std::uint8_t* bytes, std::size_t size) noexcept {
    return std::memcmp(bytes, kZeroPage.bytes, size) == 0;
}

}  // namespace

Arena::Arena(Region region, PageSource* source, std::uint32_t undo_lines_max)
    : m_region(region),
      m_marks(region.marks()),
      m_log_capacity(undo_lines_max),
      // Not touched before it is used, so a generous bound costs nothing.
      m_log(std::make_unique_for_overwrite<LoggedLine[]>(undo_lines_max)),
      m_log_contents(std::make_unique_for_overwrite<LineContent[]>(undo_lines_max)),
      m_source(source),
      m_scratch(std::make_unique<Scratch>()) {}

Result<Arena, Error> Arena::create(Region region, std::uint32_t page_limit, std::uint32_t undo_lines_max) {
    if (page_limit < kPageCountMin || page_limit > kPagesMax)
        return fail(Error::BadHeader);
    if (region.page_capacity < page_limit)
        return fail(Error::RegionTooSmall);
    Arena arena(region, nullptr, undo_lines_max);
    arena.m_resident_pages = kPageCountMin;
    ArenaHeader& header = arena.edit(Place<ArenaHeader>());
    header.magic = kArenaMagic;
    header.layout_version = kArenaLayoutVersion;
    header.page_count = kPageCountMin;
    header.page_limit = page_limit;
    return arena;
}

Result<Arena, Error> Arena::open(Region region, PageSource* source, std::uint32_t undo_lines_max) {
    if (region.page_capacity < kPageCountMin)
        return fail(Error::RegionTooSmall);
    Arena arena(region, source, undo_lines_max);
    if (source != nullptr) {
        // Page 0 is always wanted, and says how many there are.
        arena.m_source_pages = 1;
        if (!arena.make_present(0))
            return fail(Error::MissingPage);
    }
    if (const auto valid = arena.check_header(); !valid)
        return fail(valid.error());
    arena.m_source_pages = source != nullptr ? arena.page_count() : 0;
    arena.refresh_resident();
    return arena;
}

Result<void, Error> Arena::check_header() const noexcept {
    const ArenaHeader& h = header();
    if (h.magic != kArenaMagic || h.layout_version != kArenaLayoutVersion)
        return fail(Error::BadHeader);
    if (h.page_count < kPageCountMin || h.page_count > h.page_limit || h.page_limit > kPagesMax)
        return fail(Error::BadHeader);
    if (h.page_limit > m_region.page_capacity)
        return fail(Error::RegionTooSmall);
    return {};
}

void Arena::refresh_resident() noexcept {
    m_resident_pages = m_source != nullptr || m_failure ? 0 : pages_here();
}

void Arena::fail_with(Error error) const noexcept {
    if (!m_failure)
        m_failure = error;
    m_resident_pages = 0;
}

// A damaged header must not lead out of the region.
std::uint32_t Arena::pages_here() const noexcept {
    return std::min(page_count(), m_region.page_capacity);
}

std::uint8_t* Arena::scratch() noexcept {
    // Whoever gets it sees zeros, whatever others wrote to it.
    *m_scratch = {};
    return m_scratch->bytes;
}

bool Arena::make_present(PageNumber page) const noexcept {
    PageMarks& marks = m_marks[page];
    if (marks.present != 0)
        return true;
    std::uint8_t* content = m_region.base + offset_of_page(page);
    if (page < m_source_pages &&
        !m_source->fetch(page, std::span<std::uint8_t, kPageSize>(content, kPageSize))) {
        fail_with(Error::MissingPage);
        return false;
    }
    marks.present = 1;
    return true;
}

const std::uint8_t* Arena::read_absent(Offset offset) const noexcept {
    if (m_failure)
        return kZeroPage.bytes;
    const PageNumber page = page_of(offset);
    if (page >= pages_here()) {
        fail_with(Error::OutOfBounds);
        return kZeroPage.bytes;
    }
    if (!make_present(page))
        return kZeroPage.bytes;
    return m_region.base + offset;
}

// Apart, so that the usual way needs no registers for it.
[[gnu::noinline]] void Arena::list_page(PageNumber page) noexcept {
    m_marks[page].listed = 1;
    m_listed.push_back(page);
}

// Inlined: a transaction's first write to a line is the usual one.
[[gnu::always_inline]] inline bool Arena::save_lines(PageNumber page, std::uint64_t lines) noexcept {
    if (static_cast<std::uint32_t>(std::popcount(lines)) > m_log_capacity - m_log_size) {
        fail_with(Error::UndoFull);
        return false;
    }
    const std::uint64_t changed = m_marks[page].changed;
    for (; lines != 0; lines &= lines - 1) {
        const auto index = static_cast<std::uint32_t>(std::countr_zero(lines));
        const LoggedLine line = page * kLinesPerPage + index;
        m_log[m_log_size] = (changed >> index & 1) != 0 ? line | kWasChanged : line;
        std::memcpy(m_log_contents[m_log_size].bytes, m_region.base + std::size_t{line} * kLineSize,
                    kLineSize);
        ++m_log_size;
    }
    return true;
}

// Of the write barrier: the first time that these lines are written to since the last checkpoint.
std::uint8_t* Arena::write_first(Offset offset, std::uint64_t lines) noexcept {
    const PageNumber page = page_of(offset);
    if (page >= m_resident_pages && read_absent(offset) == kZeroPage.bytes)
        return scratch();
    PageMarks& marks = m_marks[page];
    if (marks.epoch != m_epoch) {
        marks.epoch = m_epoch;
        marks.saved = 0;
    }
    if (m_depth > 0 && !save_lines(page, lines & ~marks.saved))
        return scratch();
    marks.saved |= lines;
    marks.changed |= lines;
    if (marks.listed == 0)
        list_page(page);
    return m_region.base + offset;
}

Arena::Checkpoint Arena::checkpoint() noexcept {
    ++m_epoch;
    return {m_log_size, m_depth++};
}

Result<void, Error> Arena::commit(Checkpoint checkpoint) noexcept {
    MERIDIAN_ASSERT(checkpoint.depth < m_depth && checkpoint.log_size <= m_log_size);
    if (m_failure)
        return fail(*m_failure);
    // What was saved since serves the enclosing checkpoint: a line that is there twice was older below.
    m_depth = checkpoint.depth;
    if (m_depth == 0)
        m_log_size = 0;
    return {};
}

void Arena::revert(Checkpoint checkpoint) noexcept {
    MERIDIAN_ASSERT(checkpoint.depth < m_depth && checkpoint.log_size <= m_log_size);
    while (m_log_size > checkpoint.log_size) {
        const LoggedLine logged = m_log[--m_log_size];
        const LoggedLine line = logged & ~kWasChanged;
        std::memcpy(m_region.base + std::size_t{line} * kLineSize, m_log_contents[m_log_size].bytes,
                    kLineSize);
        if (logged == line)
            m_marks[line / kLinesPerPage].changed &= ~(std::uint64_t{1} << line % kLinesPerPage);
    }
    m_depth = checkpoint.depth;
    ++m_epoch;
    if (m_failure == Error::UndoFull)
        m_failure.reset();
    refresh_resident();
}

void Arena::zero(Offset offset, std::uint64_t size) noexcept {
    const Offset end = offset + size;
    while (offset < end) {
        const Offset line_end = (offset / kLineSize + 1) * kLineSize;
        const auto part = static_cast<std::uint32_t>(std::min(end, line_end) - offset);
        if (!is_zero(read(offset), part))
            std::memset(write(offset, part), 0, part);
        offset += part;
    }
}

}  // namespace meridian::module
