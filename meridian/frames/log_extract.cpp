// One record out of a log's files, which a node may be using and which may be damaged elsewhere.

#include <meridian/frames/log_segment.hpp>

namespace meridian::frames {
namespace {

// The segment that has the frame, if any has.
LogResult<std::string> segment_with(Disk& disk, const std::string& folder, std::uint64_t number) {
    const auto names = disk.list(folder);
    if (!names)
        return fail(io_failure({}, names.error()));
    std::string found;
    for (const std::string& name : *names)
        if (const auto first = parse_segment_name(name); first && *first <= number)
            found = name;
    if (found.empty())
        return log_failure(LogError::NotRetained,
                           "frame " + std::to_string(number) + " is in no segment in " + folder);
    return found;
}

}  // namespace

LogResult<Bytes> read_record(Disk& disk, const std::string& folder, std::uint64_t number) {
    const auto name = segment_with(disk, folder, number);
    if (!name)
        return fail(name.error());
    const auto file = disk.open(folder + "/" + *name, OpenMode::Read);
    if (!file)
        return fail(io_failure(*name, file.error()));
    const auto end = (*file)->size();
    if (!end)
        return fail(io_failure(*name, end.error()));
    WindowReader reader(**file, 1u << 20);
    const auto bytes = reader.view(0, kSegmentHeaderSize, *end);
    if (!bytes)
        return fail(io_failure(*name, bytes.error()));
    const auto header = decode_segment_header(*bytes);
    if (!header)
        return failure_at(LogError::WrongHeader, *name, 0, header.error());
    std::uint64_t offset = kSegmentHeaderSize;
    while (offset < *end) {
        const auto entry = read_entry(reader, offset, *end, header->salt);
        if (!entry)
            return fail(io_failure(*name, entry.error()));
        if (!entry->fault.empty())
            return corrupt(*name, offset, entry->fault);
        if (const auto view = peek(entry->record); !view)
            return corrupt(*name, offset, view.error().message);
        if (record_number(entry->record) == number)
            return to_bytes(entry->record);
        offset = entry->next;
    }
    return failure_at(LogError::NotYet, *name, *end, "ends before frame " + std::to_string(number));
}

}  // namespace meridian::frames
