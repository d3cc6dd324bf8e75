// Opening a frame log: what is there is read and held against the rules; a torn tail is cut off, and nothing
// else is ever changed.

#include <meridian/frames/log_mark.hpp>
#include <meridian/frames/log_segment.hpp>

namespace meridian::frames {

// How far a segment checks.
struct FrameLog::Tail {
    std::uint64_t end = kSegmentHeaderSize;  // behind the last entry that checks
    std::string fault;                       // what is wrong there; empty if the file ends there
    std::optional<SignedHeader> last;        // of the last frame; empty if there is none
};

namespace {

constexpr std::size_t kRecordNumberOffset = 10 + 16;

LinkFailure link_failure(const VerifyFailure& failure) {
    switch (failure.error) {
        case VerifyError::WrongChain:
            return {LogError::WrongChain, failure.message};
        case VerifyError::WrongNumber:
            return {LogError::Gap, failure.message};
        default:
            return {LogError::BrokenChain, failure.message};
    }
}

// The bytes of a segment header that are known before it is read; the others are -1.
std::array<int, kSegmentHeaderSize> expected_header(const LogOptions& options, std::uint64_t first_number) {
    const SegmentHeaderBytes bytes =
        encode_segment_header({options.chain_id, first_number, 0, options.genesis_hash, {}});
    std::array<int, kSegmentHeaderSize> out;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    const auto unknown = [&out](std::size_t from, std::size_t to) {
        std::fill(out.begin() + static_cast<std::ptrdiff_t>(from),
                  out.begin() + static_cast<std::ptrdiff_t>(to), -1);
    };
    unknown(12, 16);                  // checksum
    unknown(32, 40);                  // salt
    unknown(72, kSegmentHeaderSize);  // parent hash
    return out;
}

// A header that was being written: each byte is there, or not yet.
bool is_unfinished_header(BytesView bytes, const std::array<int, kSegmentHeaderSize>& expected) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if (expected[i] >= 0 && bytes[i] != expected[i] && bytes[i] != 0)
            return false;
    return true;
}

LogResult<void> check_segment_header(const OpenSegment& segment, std::uint64_t first,
                                     const LogOptions& options) {
    const SegmentHeader& header = segment.header;
    if (header.chain_id != options.chain_id)
        return failure_at(LogError::WrongChain, segment.name, 0,
                          "of chain " + std::to_string(header.chain_id) + ", this is chain " +
                              std::to_string(options.chain_id));
    if (header.genesis_hash != options.genesis_hash)
        return failure_at(LogError::WrongChain, segment.name, 0,
                          "of the genesis " + to_hex0x(header.genesis_hash) + ", this chain's is " +
                              to_hex0x(options.genesis_hash));
    if (header.first_number != first)
        return failure_at(LogError::WrongHeader, segment.name, 0,
                          "begins with frame " + std::to_string(header.first_number) +
                              ", which is not what the file is named for");
    if (first == 1 && header.parent_hash != options.genesis_hash)
        return failure_at(LogError::BrokenChain, segment.name, 0, "frame 1 does not follow block 0");
    return {};
}

}  // namespace

std::uint64_t record_number(BytesView record) noexcept {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i)
        number |= std::uint64_t{record[kRecordNumberOffset + i]} << 8 * i;
    return number;
}

Result<void, LinkFailure> check_link(const FrameHeader& header, const std::optional<SignedHeader>& before,
                                     const LogOptions& options) {
    if (before || header.number == 1) {
        const FrameTip tip = before ? tip_of(*before) : genesis_tip(options.chain_id, options.genesis_hash);
        if (auto linked = verify_link(header, tip); !linked)
            return fail(link_failure(linked.error()));
        return {};
    }
    // The log begins behind a snapshot: of the frame before, no more than the hash is known.
    if (header.chain_id != options.chain_id)
        return fail(LinkFailure{LogError::WrongChain, "chain id: " + std::to_string(header.chain_id) +
                                                          ", expected " + std::to_string(options.chain_id)});
    if (options.first_parent_hash && header.number == options.first_number &&
        header.parent_hash != *options.first_parent_hash)
        return fail(LinkFailure{LogError::BrokenChain, "parent hash: " + to_hex0x(header.parent_hash) +
                                                           ", expected " +
                                                           to_hex0x(*options.first_parent_hash)});
    return {};
}

LogResult<std::uint64_t> locate(WindowReader& reader, const OpenSegment& segment, OpenSegment::Mark mark,
                                std::uint64_t end, std::uint64_t number) {
    std::uint64_t offset = mark.offset;
    for (std::uint64_t at = mark.number; at < number; ++at) {
        const auto entry = read_entry(reader, offset, end, segment.header.salt);
        if (!entry)
            return fail(io_failure(segment.name, entry.error()));
        if (!entry->fault.empty())
            return corrupt(segment.name, offset, entry->fault);
        offset = entry->next;
    }
    return offset;
}

// --- segments ----------------------------------------------------------------------------------------------

LogResult<std::shared_ptr<OpenSegment>> FrameLog::open_file(const std::string& name, OpenMode mode) const {
    auto file = m_disk.open(path_of(name), mode);
    if (!file)
        return fail(io_failure(name, file.error()));
    Bytes bytes(kSegmentHeaderSize);
    const auto got = (*file)->read_at(0, bytes);
    if (!got)
        return fail(io_failure(name, got.error()));
    const auto header = decode_segment_header(BytesView(bytes).first(*got));
    if (!header)
        return failure_at(LogError::WrongHeader, name, 0, header.error());
    auto segment = std::make_shared<OpenSegment>(name, *std::move(file), *header);
    if (auto checked = check_segment_header(*segment, parse_segment_name(name).value_or(0), m_options);
        !checked)
        return fail(std::move(checked.error()));
    return segment;
}

// Reads a segment up to its first fault, checks how its frames link, and sets its marks.
LogResult<FrameLog::Tail> FrameLog::scan(OpenSegment& segment, std::uint64_t end) const {
    Tail tail;
    WindowReader reader(*segment.file, 1u << 20);
    while (tail.end < end) {
        const auto entry = read_entry(reader, tail.end, end, segment.header.salt);
        if (!entry)
            return fail(io_failure(segment.name, entry.error()));
        if (!entry->fault.empty()) {
            tail.fault = entry->fault;
            break;
        }
        const auto view = peek(entry->record);
        if (!view)
            return corrupt(segment.name, tail.end, view.error().message);
        const FrameHeader& header = view->head.header;
        if (!tail.last && header.number != segment.header.first_number)
            return failure_at(LogError::Gap, segment.name, tail.end,
                              "frame " + std::to_string(header.number) + ", expected " +
                                  std::to_string(segment.header.first_number));
        if (!tail.last && header.parent_hash != segment.header.parent_hash)
            return failure_at(LogError::BrokenChain, segment.name, tail.end,
                              "the first frame does not follow the one that the segment's header names");
        if (auto linked = check_link(header, tail.last, m_options); !linked)
            return failure_at(linked.error().error, segment.name, tail.end, linked.error().message);
        segment.mark(header.number, tail.end);
        segment.last = header.number;
        tail.last = view->head;
        tail.end = entry->next;
    }
    segment.end = tail.end;
    return tail;
}

// A segment that is not the current one, with its marks: it has to check from end to end.
LogResult<std::shared_ptr<OpenSegment>> FrameLog::open_sealed(const Segment& sealed) const {
    auto segment = open_file(sealed.name, OpenMode::Read);
    if (!segment)
        return segment;
    const auto tail = scan(**segment, sealed.size);
    if (!tail)
        return fail(tail.error());
    if (!tail->fault.empty())
        return corrupt(sealed.name, tail->end, tail->fault);
    return segment;
}

// Whether one segment ends where the next begins.
static LogResult<void> check_seam(const OpenSegment& before, const std::optional<SignedHeader>& last,
                                  const SegmentHeader& next) {
    if (before.last + 1 != next.first_number)
        return failure_at(LogError::Gap, before.name, before.end,
                          "ends with frame " + std::to_string(before.last) +
                              ", the next segment begins with " + std::to_string(next.first_number));
    if (last && last->hash != next.parent_hash)
        return failure_at(LogError::BrokenChain, before.name, before.end,
                          "the next segment does not follow frame " + std::to_string(before.last));
    return {};
}

// --- opening -----------------------------------------------------------------------------------------------

LogResult<std::unique_ptr<FrameLog>> FrameLog::open(Disk& disk, LogOptions options) {
    std::unique_ptr<FrameLog> log(new FrameLog(disk, std::move(options)));
    if (!log->m_options.read_only) {
        const std::string& folder = log->m_options.folder;
        if (auto made = disk.make_directory(folder); !made)
            return fail(io_failure({}, made.error()));
        auto lock = disk.lock(folder + "/LOCK");
        if (!lock && lock.error().code == IoCode::Busy)
            return log_failure(LogError::Locked, "another process has the frame log in " + folder + " open");
        if (!lock)
            return fail(io_failure({}, lock.error()));
        log->m_lock = *std::move(lock);
    }
    if (auto read = log->m_mark->read(); !read && log->m_options.missing != MissingFrames::Forgotten)
        return fail(std::move(read.error()));
    if (auto loaded = log->load(); !loaded)
        return fail(std::move(loaded.error()));
    return log;
}

LogResult<std::vector<FrameLog::Segment>> FrameLog::list_segments() {
    const auto names = m_disk.list(m_options.folder);
    if (!names)
        return fail(io_failure({}, names.error()));
    std::vector<Segment> segments;
    for (const std::string& name : *names)
        if (const auto first = parse_segment_name(name))
            segments.push_back({name, *first, 0, nullptr, 0});
    return segments;
}

// A segment whose beginning a crash interrupted has no entry yet.
LogResult<bool> FrameLog::is_unfinished_segment(const std::string& name) {
    const auto file = m_disk.open(path_of(name), OpenMode::Read);
    if (!file)
        return fail(io_failure(name, file.error()));
    Bytes bytes(kSegmentHeaderSize + 1);
    const auto got = (*file)->read_at(0, bytes);
    if (!got)
        return fail(io_failure(name, got.error()));
    bytes.resize(*got);
    if (*got > kSegmentHeaderSize || decode_segment_header(bytes) ||
        !is_unfinished_header(bytes, expected_header(m_options, parse_segment_name(name).value_or(0))))
        return false;
    m_cut = LogCut{name, 0, *got, name + ": removed, as a crash interrupted its beginning; it held no frame"};
    return true;
}

// The one that m_cut tells of.
LogResult<void> FrameLog::remove_unfinished_segment() {
    if (m_options.read_only)
        return {};
    auto removed = m_disk.remove(path_of(m_cut->segment));
    if (removed)
        removed = m_disk.sync_directory(m_options.folder);
    if (!removed)
        return fail(io_failure(m_cut->segment, removed.error()));
    return {};
}

LogResult<void> FrameLog::load() {
    auto segments = list_segments();
    if (!segments)
        return fail(std::move(segments.error()));
    bool unfinished = false;
    if (!segments->empty()) {
        const auto found = is_unfinished_segment(segments->back().name);
        if (!found)
            return fail(found.error());
        unfinished = *found;
        if (unfinished)
            segments->pop_back();
    }
    for (Segment& segment : *segments) {
        const auto opened = open_file(segment.name, OpenMode::Read);
        if (!opened)
            return fail(opened.error());
        const auto size = (*opened)->file->size();
        if (!size)
            return fail(io_failure(segment.name, size.error()));
        segment.size = *size;
    }
    m_segments = *std::move(segments);
    // What came before an unfinished segment had been made durable first.
    if (auto loaded = load_tail(!unfinished); !loaded)
        return loaded;
    if (unfinished)
        if (auto removed = remove_unfinished_segment(); !removed)
            return removed;
    return renew_mark();
}

// The last segment, up to where it checks.
LogResult<FrameLog::Tail> FrameLog::load_last() {
    auto opened =
        open_file(m_segments.back().name, m_options.read_only ? OpenMode::Read : OpenMode::ReadWrite);
    if (!opened)
        return fail(std::move(opened.error()));
    m_current = *std::move(opened);
    auto tail = scan(*m_current, m_segments.back().size);
    if (!tail)
        return tail;
    m_last_header = tail->last;
    m_written_hash = tail->last ? tail->last->hash : m_current->header.parent_hash;
    return tail;
}

// The segment before the last: it was made durable as a whole when the last was begun.
LogResult<void> FrameLog::load_last_but_one() {
    const Segment& sealed = m_segments[m_segments.size() - 2];
    const auto before = open_file(sealed.name, OpenMode::Read);
    if (!before)
        return fail(before.error());
    const auto end = scan(**before, sealed.size);
    if (!end)
        return fail(end.error());
    if (!end->fault.empty())
        return corrupt(sealed.name, end->end, end->fault);
    if (!m_last_header)
        m_last_header = end->last;
    return check_seam(**before, end->last, m_current->header);
}

// The last two segments, or the fresh start of a log without any.
LogResult<void> FrameLog::load_tail(bool may_be_torn) {
    m_written_hash =
        m_options.first_number == 1 ? m_options.genesis_hash : m_options.first_parent_hash.value_or(Hash{});
    m_current = nullptr;
    m_synced_size = 0;
    m_last_header.reset();
    Tail tail;
    if (!m_segments.empty()) {
        auto loaded = load_last();
        if (!loaded)
            return fail(std::move(loaded.error()));
        tail = *std::move(loaded);
    }
    if (m_segments.size() >= 2)
        if (auto loaded = load_last_but_one(); !loaded)
            return loaded;
    const std::uint64_t last = m_current != nullptr ? m_current->last : m_options.first_number - 1;
    if (!tail.fault.empty() && !may_be_torn)
        return corrupt(m_current->name, tail.end, tail.fault);
    if (auto whole = check_promised(last, tail); !whole)
        return whole;
    if (!tail.fault.empty())
        if (auto cut = cut_tail(*m_current, tail); !cut)
            return cut;
    m_first = m_segments.empty() ? last + 1 : m_segments.front().first;
    m_last = m_written = last;
    m_durable = std::min(last, std::max(m_options.promised, m_first - 1));
    show_released();
    if (m_current == nullptr)
        return {};
    return settle(*m_current);
}

// Where the log ends, and what is wrong there.
std::string FrameLog::describe_end(std::uint64_t last, const Tail& tail) const {
    if (m_current == nullptr)
        return (m_cut ? m_cut->segment + ": ends within its header, at offset " +
                            std::to_string(m_cut->size) + "; no other segment is in "
                      : std::string("no segment of the frame log is in ")) +
               m_options.folder;
    const std::string place = m_current->name + ", offset " + std::to_string(tail.end) + ": ";
    return place + (tail.fault.empty() ? "" : tail.fault + "; ") + "the frame log ends here, with frame " +
           std::to_string(last);
}

// A log that is shorter than what was promised was not cut by a crash.
LogResult<void> FrameLog::check_promised(std::uint64_t last, const Tail& tail) const {
    const std::optional<LogMark>& mark = m_mark->mark();
    const bool noted = m_options.missing == MissingFrames::Refuse && mark;
    const std::uint64_t promised = std::max(m_options.promised, noted ? mark->last : 0);
    const bool empty = m_current == nullptr;
    std::string missing;
    if (last < promised)
        missing = "frame " + std::to_string(promised) + " has been promised";
    else if (noted && last < mark->segment_first &&
             (empty || m_current->header.first_number != mark->segment_first))
        missing = segment_name(mark->segment_first) + " had been begun";
    else if (empty && !mark && m_options.begun && m_options.missing == MissingFrames::Refuse)
        missing = "the chain's blocks were made of frames, and later frames than theirs may have been shown";
    if (missing.empty())
        return {};
    std::string message = describe_end(last, tail) + ", but " + missing +
                          ". Nothing was changed. Put back what is missing: the folder from a backup, or the "
                          "whole folder of a node that has followed further; `meridian db forget` gives the "
                          "frames up instead";
    const std::string name = !empty ? m_current->name : m_cut ? m_cut->segment : "";
    const std::uint64_t offset = !empty ? tail.end : m_cut ? m_cut->size : 0;
    return fail(LogFailure{LogError::PromisedMissing, name, offset, std::move(message), std::nullopt});
}

// What was found is durable now, and noted so; the notes of before are of no more use.
LogResult<void> FrameLog::renew_mark() {
    if (m_options.read_only)
        return {};
    LogMark mark{m_current != nullptr ? m_current->header.first_number : 0, noted_as_durable(last_written())};
    if (m_options.missing == MissingFrames::Awaited && m_mark->mark())
        mark.last = std::max(mark.last, m_mark->mark()->last);
    const auto before = m_mark->mark();
    auto renewed = m_mark->replace(mark);
    // On a full disk the older note goes on to count, and the next segment makes one anew.
    const bool kept = !renewed && renewed.error().io == IoCode::NoSpace && m_mark->mark() == before;
    if (kept && m_options.missing != MissingFrames::Forgotten)
        return {};
    return renewed;
}

// Cuts off what a crash left half written, unless an entry says that it had been whole.
LogResult<void> FrameLog::cut_tail(OpenSegment& segment, const Tail& tail) {
    const std::uint64_t size = m_segments.back().size;
    const auto later = find_later_entry(*segment.file, tail.end, size, segment.header.salt);
    if (!later)
        return fail(io_failure(segment.name, later.error()));
    if (*later)
        return corrupt(segment.name, tail.end,
                       tail.fault + ", though it had been durable before the entry at offset " +
                           std::to_string(**later) + " was written");
    m_cut = LogCut{segment.name, tail.end, size - tail.end,
                   segment.name + ": " + std::to_string(size - tail.end) + " bytes cut off at offset " +
                       std::to_string(tail.end) + ", behind frame " + std::to_string(segment.last) + ": " +
                       tail.fault};
    if (m_options.read_only)
        return {};
    if (auto cut = segment.file->truncate(tail.end); !cut)
        return fail(io_failure(segment.name, cut.error()));
    return {};
}

// What was found may have been written, but not flushed, by a process that was killed.
LogResult<void> FrameLog::settle(OpenSegment& segment) {
    if (!m_options.read_only) {
        auto synced = segment.file->sync();
        if (synced)
            synced = m_disk.sync_directory(m_options.folder);
        if (!synced)
            return fail(io_failure(segment.name, synced.error()));
    }
    m_synced_size = segment.end;
    m_segments.back().size = segment.end;
    m_segments.back().open = m_current;
    return {};
}

// --- recovery and checks
// ------------------------------------------------------------------------------------

// Keeps the first frames that are appended, but not written.
LogResult<void> FrameLog::shorten_buffer(std::uint64_t number) {
    const auto kept = static_cast<std::size_t>(number - last_written());
    m_buffer.resize(m_places[kept]);
    m_places.resize(kept);
    const auto view = peek(BytesView(m_buffer).subspan(m_places.back() + kEntryHeadSize));
    if (!view)
        return log_failure(LogError::BadRecord, view.error().message);
    const std::lock_guard lock(m_mutex);
    m_last_header = view->head;
    m_last = number;
    return {};
}

// Removes the segments above a number, newest first and each durably, so that a crash leaves no gap; then
// cuts the one that is left.
LogResult<void> FrameLog::shorten_files(std::uint64_t number) {
    while (m_segments.size() > 1 && m_segments.back().first > number) {
        auto removed = m_disk.remove(path_of(m_segments.back().name));
        if (removed)
            removed = m_disk.sync_directory(m_options.folder);
        if (!removed)
            return broken(io_failure(m_segments.back().name, removed.error()));
        m_segments.pop_back();
    }
    const auto opened = open_file(m_segments.back().name, OpenMode::ReadWrite);
    if (!opened)
        return fail(opened.error());
    const OpenSegment& segment = **opened;
    WindowReader reader(*segment.file);
    const auto offset = locate(reader, segment, {segment.header.first_number, kSegmentHeaderSize},
                               m_segments.back().size, number + 1);
    if (!offset)
        return fail(offset.error());
    auto cut = segment.file->truncate(*offset);
    if (cut)
        cut = segment.file->sync();
    if (!cut)
        return broken(io_failure(segment.name, cut.error()));
    return {};
}

LogResult<void> FrameLog::truncate_after(std::uint64_t number) {
    if (auto writable = check_writable(); !writable)
        return writable;
    if (number >= last())
        return {};
    if (number + 1 < first())
        return log_failure(LogError::NotRetained, "cannot forget the frames above " + std::to_string(number) +
                                                      ": the log begins with frame " +
                                                      std::to_string(first()));
    if (number > last_written())
        return shorten_buffer(number);
    m_buffer.clear();
    m_places.clear();
    m_options.promised = std::min(m_options.promised, number);
    if (auto noted = m_mark->replace({0, std::min(number, this->noted())}); !noted)
        return broken(std::move(noted.error()));
    if (number < last_written())
        if (auto shortened = shorten_files(number); !shortened)
            return shortened;
    return load();
}

LogResult<void> FrameLog::check(const Progress& progress) const {
    std::vector<Segment> segments;
    {
        const std::lock_guard lock(m_mutex);
        segments = m_segments;
    }
    std::shared_ptr<OpenSegment> before;
    std::optional<SignedHeader> last;
    for (const Segment& listed : segments) {
        auto segment = open_file(listed.name, OpenMode::Read);
        if (!segment && listed.first < first())
            continue;  // dropped meanwhile
        if (!segment)
            return fail(std::move(segment.error()));
        const auto tail = scan(**segment, listed.size);
        if (!tail)
            return fail(tail.error());
        if (!tail->fault.empty())
            return corrupt(listed.name, tail->end, tail->fault);
        if (before != nullptr)
            if (auto seam = check_seam(*before, last, (*segment)->header); !seam)
                return seam;
        before = *std::move(segment);
        last = tail->last;
        if (progress)
            progress(before->last);
    }
    return {};
}

}  // namespace meridian::frames
