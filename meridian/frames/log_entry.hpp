// The bytes of a log segment: its header, and entries, each a head of 16 bytes before a record. Internal to
// frames; docs/frames.md is the specification.
//
// An entry says how much of the segment was durable when it was written. That tells a torn tail from rot:
// what does not check may be cut off only if no entry that checks says that those bytes had been durable.
#pragma once

#include <meridian/frames/codec.hpp>
#include <meridian/frames/disk.hpp>

#include <functional>

namespace meridian::frames {

inline constexpr std::uint32_t kSegmentVersion = 1;

struct SegmentHeader {
    std::uint64_t chain_id = 0;
    std::uint64_t first_number = 0;
    std::uint64_t salt = 0;
    Hash genesis_hash;
    Hash parent_hash;  // of the first frame's parent

    friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

// Magic, version, checksum, then the fields above.
inline constexpr std::size_t kSegmentHeaderSize = 8 + 4 + 4 + 3 * 8 + 2 * 32;
using SegmentHeaderBytes = FixedBytes<kSegmentHeaderSize>;
SegmentHeaderBytes encode_segment_header(const SegmentHeader& header) noexcept;
// What is wrong, as "the magic is not that of a frame log".
Result<SegmentHeader, std::string> decode_segment_header(BytesView bytes);

// "frames-00000000000000000001.log", and back; empty for another file's name.
std::string segment_name(std::uint64_t first_number);
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

// Magic, checksum (of salt, durable size, and the record's length and checksum), durable size.
inline constexpr std::size_t kEntryHeadSize = 4 + 4 + 8;
// Precondition: `entry` begins with room for the head, and the record's prefix is in place behind.
void write_entry_head(std::span<std::uint8_t> entry, std::uint64_t salt, std::uint64_t durable_size) noexcept;

// Reads a file through a window, so that small entries need no call each.
class WindowReader {
public:
    // Precondition: the file outlives this.
    explicit WindowReader(const File& file, std::size_t window_size = 64u << 10)
        : m_file(&file), m_window_size(window_size) {}
    // Bytes [offset, offset + size), cut at `end`; the bytes below `end` never change. Valid until the next
    // call.
    IoResult<BytesView> view(std::uint64_t offset, std::size_t size, std::uint64_t end);

private:
    const File* m_file;
    std::size_t m_window_size;
    Bytes m_window;
    std::uint64_t m_start = 0;
};

struct Entry {
    BytesView record;  // into the reader's window
    std::uint64_t durable_size = 0;
    std::uint64_t next = 0;  // offset of the entry behind
    std::string fault;       // empty if the entry checks, as far as its checksums go
};
// The entry at an offset below `end`.
IoResult<Entry> read_entry(WindowReader& reader, std::uint64_t offset, std::uint64_t end, std::uint64_t salt);

// The offset of an entry behind `offset` that checks and says that more than `offset` bytes had been durable.
IoResult<std::optional<std::uint64_t>> find_later_entry(const File& file, std::uint64_t offset,
                                                        std::uint64_t end, std::uint64_t salt);

}  // namespace meridian::frames
