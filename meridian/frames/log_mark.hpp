// How far a frame log has come, noted in a file beside its folder ("frames.mark" beside "frames"), so that a
// log which was deleted, emptied or cut short is found out. Internal to frames; docs/frames.md is the
// specification.
//
// A note is made behind the flush of what it tells of, so it never says more than the disk held. It is
// written with each group and flushed with each segment: it outlives the process, and of the machine as much
// as that.
#pragma once

#include <meridian/frames/frame_log.hpp>

namespace meridian::frames {

struct LogMark {
    std::uint64_t segment_first = 0;  // first frame of the newest segment that was begun; zero: none
    std::uint64_t last = 0;           // a frame that is durable, with all before it; zero: none

    friend bool operator==(const LogMark&, const LogMark&) = default;
};

class LogMarkFile {
public:
    LogMarkFile(Disk& disk, const LogOptions& options);

    // What the file says, if there is one. WrongHeader if it does not check, WrongChain if it is another's.
    LogResult<void> read();
    // What is noted; empty: nothing was ever.
    const std::optional<LogMark>& mark() const noexcept { return m_mark; }
    // Durable when it returns. After an error the old one counts, unless mark() says otherwise already: then
    // either may.
    LogResult<void> replace(const LogMark& mark);
    // Goes on to a frame that is durable; nothing is flushed. A disk that is full keeps the older note.
    void advance(std::uint64_t last);

private:
    LogResult<LogMark> decode(BytesView bytes) const;
    Bytes encode(const LogMark& mark) const;

    Disk& m_disk;
    std::string m_path;
    std::string m_name;
    std::uint64_t m_chain_id;
    Hash m_genesis_hash;
    std::optional<LogMark> m_mark;
    std::unique_ptr<File> m_file;  // null: not to be appended to
    std::uint64_t m_size = 0;      // of it, bytes
    std::uint32_t m_checksum = 0;  // of its header
};

}  // namespace meridian::frames
