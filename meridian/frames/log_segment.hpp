// An open file of the frame log with the marks that find frames in it. Internal to frames.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/frames/log_entry.hpp>

namespace meridian::frames {

// `end`, `last` and the marks of the current segment change under the log's mutex; the rest is fixed.
struct OpenSegment {
    struct Mark {
        std::uint64_t number = 0;
        std::uint64_t offset = 0;
    };
    // A mark is kept for so many bytes: a thousand for a segment of the default size.
    static constexpr std::uint64_t kMarkDistance = 64u << 10;

    OpenSegment(std::string file_name, std::unique_ptr<File> opened, const SegmentHeader& file_header)
        : name(std::move(file_name)),
          file(std::move(opened)),
          header(file_header),
          last(file_header.first_number - 1) {}

    // Takes note of an entry; to be called in order.
    void mark(std::uint64_t number, std::uint64_t offset) {
        if (marks.empty() || offset - marks.back().offset >= kMarkDistance)
            marks.push_back({number, offset});
    }
    // Precondition: the segment has the frame.
    Mark mark_before(std::uint64_t number) const {
        const auto behind = std::upper_bound(marks.begin(), marks.end(), number,
                                             [](std::uint64_t n, const Mark& m) { return n < m.number; });
        return *(behind - 1);
    }

    const std::string name;
    const std::unique_ptr<File> file;
    const SegmentHeader header;
    std::uint64_t end = 0;   // bytes written
    std::uint64_t last = 0;  // number of the last frame written; the one before the first if there is none
    std::vector<Mark> marks;
};

inline std::unexpected<LogFailure> log_failure(LogError error, std::string message) {
    return fail(LogFailure{error, {}, 0, std::move(message), std::nullopt});
}

inline LogFailure io_failure(const std::string& segment, const IoError& error) {
    return {LogError::Io, segment, 0, error.message, error.code};
}

// A failure at a place in a segment; the message names it.
inline std::unexpected<LogFailure> failure_at(LogError error, const std::string& segment,
                                              std::uint64_t offset, std::string_view what) {
    return fail(LogFailure{error, segment, offset,
                           segment + ", offset " + std::to_string(offset) + ": " + std::string(what),
                           std::nullopt});
}

inline std::unexpected<LogFailure> corrupt(const std::string& segment, std::uint64_t offset,
                                           std::string_view what) {
    return failure_at(LogError::Corrupt, segment, offset, what);
}

// Of a record that has been checked.
std::uint64_t record_number(BytesView record) noexcept;

// The offset of a frame's entry, from a mark at or before it.
LogResult<std::uint64_t> locate(WindowReader& reader, const OpenSegment& segment, OpenSegment::Mark mark,
                                std::uint64_t end, std::uint64_t number);

struct LinkFailure {
    LogError error;
    std::string message;
};
// Whether a frame may come behind `before`; without one, whether the log may begin with it.
Result<void, LinkFailure> check_link(const FrameHeader& header, const std::optional<SignedHeader>& before,
                                     const LogOptions& options);

}  // namespace meridian::frames
