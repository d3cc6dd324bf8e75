// Writing, reading and retention. Opening and recovery are in frame_log_open.cpp.

#include <meridian/frames/log_mark.hpp>
#include <meridian/frames/log_segment.hpp>

#include <meridian/base/assert.hpp>

namespace meridian::frames {

namespace {

constexpr std::size_t kOpenSegmentsMax = 16;

std::uint64_t block_first_of(const FrameHeader& header) {
    return header.number - header.index;
}

std::unexpected<LogFailure> not_retained(std::uint64_t number, std::uint64_t first) {
    return log_failure(LogError::NotRetained, "frame " + std::to_string(number) +
                                                  " is no longer in the log, which begins with frame " +
                                                  std::to_string(first));
}

}  // namespace

std::string_view to_string(Durability durability) noexcept {
    switch (durability) {
        case Durability::Fsync:
            return "fsync";
        case Durability::Replicated:
            return "replicated";
        case Durability::None:
            return "none";
    }
    return "unknown";
}

std::string_view to_string(LogError error) noexcept {
    switch (error) {
        case LogError::Io:
            return "the disk failed";
        case LogError::Locked:
            return "locked";
        case LogError::WrongHeader:
            return "wrong segment header";
        case LogError::WrongChain:
            return "another chain's log";
        case LogError::Corrupt:
            return "corrupt entry";
        case LogError::Gap:
            return "missing frames";
        case LogError::BrokenChain:
            return "broken hash chain";
        case LogError::PromisedMissing:
            return "promised frames missing";
        case LogError::NotRetained:
            return "not retained";
        case LogError::NotYet:
            return "not there yet";
        case LogError::WrongNumber:
            return "wrong number";
        case LogError::BadRecord:
            return "bad record";
        case LogError::BufferFull:
            return "buffer full";
        case LogError::ReadOnly:
            return "read only";
        case LogError::Failed:
            return "failed earlier";
    }
    return "unknown";
}

FrameLog::FrameLog(Disk& disk, LogOptions options)
    : m_disk(disk), m_options(std::move(options)), m_mark(std::make_unique<LogMarkFile>(m_disk, m_options)) {}
FrameLog::~FrameLog() = default;

// --- appending ---------------------------------------------------------------------------------------------

LogResult<void> FrameLog::check_writable() const {
    if (m_options.read_only)
        return log_failure(LogError::ReadOnly, "the frame log was opened to be looked at only");
    if (m_failure)
        return log_failure(LogError::Failed, "the frame log has to be opened again: " + m_failure->message);
    return {};
}

// After an error that leaves unknown what the files hold.
std::unexpected<LogFailure> FrameLog::broken(LogFailure failure) {
    m_failure = failure;
    return fail(std::move(failure));
}

LogResult<void> FrameLog::check_follows(const SignedHeader& head, std::uint64_t number) const {
    const FrameHeader& header = head.header;
    if (number != last() + 1 || header.number != number)
        return log_failure(LogError::WrongNumber, "frame " + std::to_string(header.number) +
                                                      " was appended as " + std::to_string(number) +
                                                      ", the next is " + std::to_string(last() + 1));
    if (auto linked = check_link(header, m_last_header, m_options); !linked)
        return log_failure(linked.error().error,
                           "frame " + std::to_string(number) + ": " + linked.error().message);
    return {};
}

LogResult<void> FrameLog::append(BytesView record, std::uint64_t number) {
    if (auto writable = check_writable(); !writable)
        return writable;
    const auto view = peek(record);
    if (!view)
        return log_failure(LogError::BadRecord,
                           "frame " + std::to_string(number) + ": " + view.error().message);
    if (auto follows = check_follows(view->head, number); !follows)
        return follows;
    const std::size_t size = kEntryHeadSize + record.size();
    if (!m_buffer.empty() && m_buffer.size() + size > m_options.buffered_size_max)
        return log_failure(LogError::BufferFull, "frame " + std::to_string(number) + ": more than " +
                                                     std::to_string(m_options.buffered_size_max) +
                                                     " bytes are waiting for the disk");
    m_places.push_back(m_buffer.size());
    m_buffer.resize(m_buffer.size() + kEntryHeadSize);
    meridian::append(m_buffer, record);
    const std::lock_guard lock(m_mutex);
    m_last_header = view->head;
    m_last.store(number, std::memory_order_release);
    return {};
}

// --- writing -----------------------------------------------------------------------------------------------

// Makes the current segment's file durable as far as it is written.
LogResult<void> FrameLog::sync_current() {
    if (m_current == nullptr || m_synced_size == m_current->end)
        return {};
    if (auto synced = m_current->file->sync(); !synced)
        return broken(io_failure(m_current->name, synced.error()));
    m_synced_size = m_current->end;
    return {};
}

// The header is durable, and the file's name, before an entry is written: what is torn in a segment is always
// an entry. So is the note that the segment was begun, so that it cannot vanish with its entries.
LogResult<void> FrameLog::begin_segment() {
    if (auto synced = sync_current(); !synced)
        return synced;
    const std::uint64_t first = m_written.load() + 1;
    const SegmentHeader header{m_options.chain_id, first, m_options.salt, m_options.genesis_hash,
                               m_written_hash};
    const std::string name = segment_name(first);
    const std::string path = path_of(name);
    auto file = m_disk.create(path);
    if (!file)
        return fail(io_failure(name, file.error()));
    auto done = (*file)->append(encode_segment_header(header));
    if (done)
        done = (*file)->sync();
    if (done)
        done = m_disk.sync_directory(m_options.folder);
    if (!done) {
        const LogFailure failure = io_failure(name, done.error());
        if (auto removed = m_disk.remove(path); !removed)
            return broken(failure);
        return fail(failure);
    }
    if (auto noted = m_mark->replace({first, std::max(noted_as_durable(first - 1), this->noted())}); !noted) {
        const bool replaced = m_mark->mark() && m_mark->mark()->segment_first == first;
        if (replaced || !m_disk.remove(path))
            return broken(std::move(noted.error()));
        return noted;
    }
    m_current = std::make_shared<OpenSegment>(name, *std::move(file), header);
    m_current->end = m_synced_size = kSegmentHeaderSize;
    const std::lock_guard lock(m_mutex);
    m_segments.push_back({name, first, kSegmentHeaderSize, m_current, ++m_use_count});
    close_unused();
    return {};
}

LogResult<void> FrameLog::write_group() {
    if (m_places.empty())
        return {};
    const bool full = m_current != nullptr && m_current->end > m_options.segment_size_max;
    if (m_current == nullptr || full) {
        if (auto begun = begin_segment(); !begun)
            return begun;
        if (m_options.retained_size_max != 0)
            if (auto dropped = drop_to_size(m_options.retained_size_max); !dropped)
                return fail(std::move(dropped.error()));
    }
    OpenSegment& segment = *m_current;
    for (const std::size_t place : m_places)
        write_entry_head(std::span(m_buffer).subspan(place), segment.header.salt, m_synced_size);
    if (auto written = segment.file->append(m_buffer); !written) {
        const LogFailure failure = io_failure(segment.name, written.error());
        if (auto back = segment.file->truncate(segment.end); !back)
            return broken(failure);
        return fail(failure);
    }
    const std::uint64_t first = m_written.load() + 1;
    {
        const std::lock_guard lock(m_mutex);
        for (std::size_t i = 0; i < m_places.size(); ++i)
            segment.mark(first + i, segment.end + m_places[i]);
        segment.end += m_buffer.size();
        segment.last = last();
        m_segments.back().size = segment.end;
    }
    m_written_hash = m_last_header->hash;
    m_written.store(last(), std::memory_order_release);
    m_buffer.clear();
    m_places.clear();
    return {};
}

LogResult<void> FrameLog::make_durable() {
    if (m_options.durability == Durability::Fsync) {
        if (auto synced = sync_current(); !synced)
            return synced;
        m_mark->advance(last_written());
    }
    show_released();
    return {};
}

std::uint64_t FrameLog::noted() const noexcept {
    return m_mark->mark() ? m_mark->mark()->last : 0;
}

// How far frames that are flushed bind: what replicas do not hold was shown to nobody, and may be made again.
std::uint64_t FrameLog::noted_as_durable(std::uint64_t flushed) const noexcept {
    return m_options.durability == Durability::Replicated ? std::min(flushed, last_durable()) : flushed;
}

void FrameLog::show_released() {
    std::uint64_t number = last_written();
    if (m_options.released)
        number = std::min(number, m_options.released());
    else if (m_options.durability == Durability::Replicated)
        number = 0;
    if (number > last_durable())
        m_durable.store(number, std::memory_order_release);
}

LogResult<void> FrameLog::sync() {
    if (auto writable = check_writable(); !writable)
        return writable;
    if (auto written = write_group(); !written)
        return written;
    return make_durable();
}

// --- retention ---------------------------------------------------------------------------------------------

// Drops the oldest segment as long as it can be spared: the current one cannot, nor one with a frame of the
// unsealed block. Each removal is durable before the next, so that no crash leaves a gap.
LogResult<void> FrameLog::drop_while(
    const std::function<bool(std::uint64_t next_first, std::uint64_t size)>& dispensable) {
    if (auto writable = check_writable(); !writable)
        return writable;
    for (;;) {
        std::string name;
        {
            const std::lock_guard lock(m_mutex);
            if (m_segments.size() < 2 || !m_last_header)
                return {};
            std::uint64_t size = 0;
            for (const Segment& segment : m_segments)
                size += segment.size;
            const std::uint64_t next_first = m_segments[1].first;
            if (next_first > block_first_of(m_last_header->header) || !dispensable(next_first, size))
                return {};
            name = m_segments.front().name;
            m_segments.erase(m_segments.begin());
            m_first.store(next_first, std::memory_order_release);
        }
        auto removed = m_disk.remove(path_of(name));
        if (removed)
            removed = m_disk.sync_directory(m_options.folder);
        if (!removed)
            return broken(io_failure(name, removed.error()));
    }
}

LogResult<std::uint64_t> FrameLog::drop_before(std::uint64_t number) {
    auto dropped =
        drop_while([number](std::uint64_t next_first, std::uint64_t) { return next_first <= number; });
    if (!dropped)
        return fail(std::move(dropped.error()));
    return first();
}

LogResult<std::uint64_t> FrameLog::drop_to_size(std::uint64_t size_max) {
    auto dropped = drop_while([size_max](std::uint64_t, std::uint64_t size) { return size > size_max; });
    if (!dropped)
        return fail(std::move(dropped.error()));
    return first();
}

std::uint64_t FrameLog::size() const {
    const std::lock_guard lock(m_mutex);
    std::uint64_t size = 0;
    for (const Segment& segment : m_segments)
        size += segment.size;
    return size;
}

LogResult<SignedHeader> FrameLog::header(std::uint64_t number) const {
    auto record = from(number, Reach::Written).next();
    if (!record)
        return fail(std::move(record.error()));
    if (!*record)
        return log_failure(LogError::NotYet, "frame " + std::to_string(number) + " is not in the log yet");
    return peek(**record)->head;  // as it was checked when it was read
}

std::optional<SignedHeader> FrameLog::last_header() const {
    const std::lock_guard lock(m_mutex);
    return m_last_header;
}

// --- reading -----------------------------------------------------------------------------------------------

// Forgets the files of segments that were not read lately; the current one is kept. With m_mutex held.
void FrameLog::close_unused() const {
    for (;;) {
        std::size_t open = 0;
        Segment* oldest = nullptr;
        for (Segment& segment : m_segments) {
            if (segment.open == nullptr || segment.open == m_segments.back().open)
                continue;
            ++open;
            if (oldest == nullptr || segment.last_use < oldest->last_use)
                oldest = &segment;
        }
        if (open <= kOpenSegmentsMax)
            return;
        oldest->open.reset();
    }
}

// The segment with a frame that has been written. Files are opened, and read for their marks, outside the
// lock.
LogResult<std::shared_ptr<OpenSegment>> FrameLog::open_for_reading(std::uint64_t number) const {
    Segment wanted;
    {
        const std::lock_guard lock(m_mutex);
        const auto behind = std::upper_bound(m_segments.begin(), m_segments.end(), number,
                                             [](std::uint64_t n, const Segment& s) { return n < s.first; });
        if (behind == m_segments.begin())
            return not_retained(number, first());
        Segment& segment = *(behind - 1);
        segment.last_use = ++m_use_count;
        if (segment.open != nullptr)
            return segment.open;
        wanted = segment;
    }
    auto opened = open_sealed(wanted);
    if (!opened)
        return number < first() ? LogResult<std::shared_ptr<OpenSegment>>(not_retained(number, first()))
                                : opened;
    const std::lock_guard lock(m_mutex);
    for (Segment& segment : m_segments)
        if (segment.first == wanted.first)
            segment.open = *opened;
    close_unused();
    return opened;
}

LogResult<Bytes> FrameLog::read(std::uint64_t number) const {
    auto record = from(number).next();
    if (!record)
        return fail(std::move(record.error()));
    if (!*record)
        return log_failure(LogError::NotYet, "frame " + std::to_string(number) +
                                                 " is not in the log yet, which ends with frame " +
                                                 std::to_string(last_durable()));
    return **std::move(record);
}

Cursor FrameLog::from(std::uint64_t number, Reach reach) const {
    return {*this, number, reach};
}

Cursor::Cursor(const FrameLog& log, std::uint64_t number, Reach reach)
    : m_log(&log), m_number(number), m_reach(reach) {}
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor& Cursor::operator=(Cursor&&) noexcept = default;
Cursor::~Cursor() = default;

// Looks up where m_number lies.
LogResult<void> Cursor::enter_segment() {
    auto opened = m_log->open_for_reading(m_number);
    if (!opened)
        return fail(std::move(opened.error()));
    const std::shared_ptr<OpenSegment> segment = *std::move(opened);
    OpenSegment::Mark mark;
    std::uint64_t end = 0;
    {
        const std::lock_guard lock(m_log->m_mutex);
        end = segment->end;
        if (segment->last < m_number)
            return failure_at(LogError::Gap, segment->name, end,
                              "ends with frame " + std::to_string(segment->last) + ", and frame " +
                                  std::to_string(m_number) + " is in no other segment");
        mark = segment->mark_before(m_number);
    }
    auto reader = std::make_unique<WindowReader>(*segment->file);
    const auto offset = locate(*reader, *segment, mark, end, m_number);
    if (!offset)
        return fail(offset.error());
    m_segment = segment;
    m_reader = std::move(reader);
    m_offset = *offset;
    return {};
}

LogResult<std::optional<Bytes>> Cursor::next() {
    auto out = read_next();
    const bool asked_beyond =
        !out && (out.error().error == LogError::NotRetained || out.error().error == LogError::NotYet);
    if (!out && !asked_beyond && m_log->m_options.on_read_failure)
        m_log->m_options.on_read_failure(out.error());
    return out;
}

LogResult<std::optional<Bytes>> Cursor::read_next() {
    const std::uint64_t limit = m_reach == Reach::Durable ? m_log->last_durable() : m_log->last_written();
    if (m_number > limit) {
        if (m_number > limit + 1 && m_number > m_log->last() + 1)
            return log_failure(LogError::NotYet, "frame " + std::to_string(m_number) +
                                                     " is beyond the log's end, frame " +
                                                     std::to_string(limit));
        return std::nullopt;
    }
    std::uint64_t end = 0;
    bool inside = false;
    if (m_segment != nullptr) {
        const std::lock_guard lock(m_log->m_mutex);
        inside = m_number <= m_segment->last;
        end = m_segment->end;
    }
    if (!inside) {
        if (auto entered = enter_segment(); !entered)
            return fail(std::move(entered.error()));
        const std::lock_guard lock(m_log->m_mutex);
        end = m_segment->end;
    }
    const auto entry = read_entry(*m_reader, m_offset, end, m_segment->header.salt);
    if (!entry)
        return fail(io_failure(m_segment->name, entry.error()));
    if (!entry->fault.empty())
        return corrupt(m_segment->name, m_offset, entry->fault);
    if (record_number(entry->record) != m_number)
        return corrupt(m_segment->name, m_offset,
                       "holds frame " + std::to_string(record_number(entry->record)) +
                           " in the place of frame " + std::to_string(m_number));
    m_offset = entry->next;
    ++m_number;
    return to_bytes(entry->record);
}

}  // namespace meridian::frames
