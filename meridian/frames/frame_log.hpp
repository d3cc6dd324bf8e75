// The frame log: every frame's record (codec.hpp) in append-only segments, made durable in groups, read while
// it grows. docs/frames.md specifies the files and the rules of recovery.
//
// One thread writes (append, sync, retention); any number read through cursors of their own. Readers see a
// frame when it is durable, and unless they ask for more, never before. The node's tables can be built again
// from the log and the genesis; the log from nothing but a peer.
#pragma once

#include <meridian/frames/codec.hpp>
#include <meridian/frames/disk.hpp>

#include <atomic>
#include <functional>
#include <mutex>

namespace meridian::frames {

// When sync() calls a frame durable.
enum class Durability : std::uint8_t {
    Fsync,       // the disk has it
    Replicated,  // the operating system has it, and LogOptions::released says that replicas do
    None,        // the operating system has it: survives the process, not the machine
};
std::string_view to_string(Durability durability) noexcept;

// What open() does about promised frames that the log has not.
enum class MissingFrames : std::uint8_t {
    Refuse,    // PromisedMissing
    Awaited,   // others hold them and give them back; noted() says how far they have to
    Forgotten  // the operator gives them up: the log goes on behind what it has
};

struct LogFailure;

struct LogOptions {
    std::string folder;
    std::uint64_t chain_id = 0;
    Hash genesis_hash;  // of block 0; the parent of frame 1
    // What an empty log begins with, and the frame before it: 1 and block 0's hash, unless a snapshot was
    // restored.
    std::uint64_t first_number = 1;
    std::optional<Hash> first_parent_hash;
    // A segment is ended by the first group that makes it larger than this.
    std::uint64_t segment_size_max = 64u << 20;  // bytes
    // Whole old segments are dropped when a new one is begun; zero: none.
    std::uint64_t retained_size_max = 0;  // bytes
    // append() refuses more before the next sync().
    std::size_t buffered_size_max = 64u << 20;  // bytes
    Durability durability = Durability::Fsync;
    // The newest frame that may be shown as far as others are concerned, which need not be in this log yet:
    // that replicas have acknowledged, or of a replica, that its sequencer has shown. Never goes back. Empty:
    // any, but none under Replicated. Called by open() and sync().
    std::function<std::uint64_t()> released;
    // Goes into the checksums of new segments, so that nobody can write an entry's likeness into a
    // transaction's data. Unpredictable on a node, fixed in a simulation.
    std::uint64_t salt = 0;
    // The last frame that is known to have been promised (the store's last block ends with it): a log that
    // would have to be cut below it is refused. Zero: none.
    std::uint64_t promised = 0;
    // The chain has blocks that were made beside a log, so that an empty folder cannot be a new log's.
    bool begun = false;
    MissingFrames missing = MissingFrames::Refuse;
    // Looks on: nothing is created, cut or locked; writing is an error.
    bool read_only = false;
    // A frame that the log holds could not be read back: called by whoever reads it, on any thread. May be
    // empty.
    std::function<void(const LogFailure&)> on_read_failure = {};
};

enum class [[nodiscard]] LogError : std::uint8_t {
    Io,               // the disk's error
    Locked,           // another process has the log open
    WrongHeader,      // a segment's header does not check
    WrongChain,       // another chain's, or another genesis
    Corrupt,          // an entry does not check, and is not a torn tail
    Gap,              // a number is missing, between entries or segments
    BrokenChain,      // a frame does not name the one before it as its parent
    PromisedMissing,  // the log ends before LogOptions::promised, or before what the file beside it notes
    NotRetained,      // below first()
    NotYet,           // above what there is
    WrongNumber,      // append(): not the next, or not the record's own
    BadRecord,        // append(): does not check
    BufferFull,       // append(): sync() first
    ReadOnly,
    Failed,  // an earlier write left the files in an unknown state: open the log again
};
std::string_view to_string(LogError error) noexcept;

struct LogFailure {
    LogError error;
    std::string segment;       // the file's name, if one is concerned
    std::uint64_t offset = 0;  // in it, bytes
    std::string message;       // a sentence with both
    std::optional<IoCode> io;  // if the error is Io
};

template <class T>
using LogResult = Result<T, LogFailure>;

// What open() cut off the end.
struct LogCut {
    std::string segment;
    std::uint64_t offset = 0;  // where it now ends
    std::uint64_t size = 0;    // bytes cut
    std::string message;
};

struct OpenSegment;  // internal
class LogMarkFile;   // internal

// Which frames a cursor gives.
enum class Reach : std::uint8_t {
    Durable,  // what may be shown to anyone
    Written,  // also what the operating system has: for the feed that makes frames durable by replication
};

class FrameLog;
class WindowReader;

// Reads records in order, from one number on. For one thread; the log has to outlive it. Not copied, as it
// keeps a window of the file.
class Cursor {
public:
    Cursor(Cursor&&) noexcept;
    Cursor& operator=(Cursor&&) noexcept;
    ~Cursor();
    // The next record, checked; empty when the end is reached, for now. NotRetained if retention was faster.
    LogResult<std::optional<Bytes>> next();
    // The number that next() gives.
    std::uint64_t number() const noexcept { return m_number; }

private:
    friend class FrameLog;
    Cursor(const FrameLog& log, std::uint64_t number, Reach reach);
    LogResult<void> enter_segment();
    LogResult<std::optional<Bytes>> read_next();

    const FrameLog* m_log;
    std::uint64_t m_number;
    Reach m_reach;
    std::shared_ptr<const OpenSegment> m_segment;  // null: to be looked up
    std::unique_ptr<WindowReader> m_reader;        // of its file
    std::uint64_t m_offset = 0;                    // of the next entry in it
};

class FrameLog {
public:
    // Creates the folder and an empty log where there is none. Reads the last two segments whole and the
    // others' headers; cuts a torn tail; makes what it found durable.
    static LogResult<std::unique_ptr<FrameLog>> open(Disk& disk, LogOptions options);
    ~FrameLog();
    FrameLog(const FrameLog&) = delete;
    FrameLog& operator=(const FrameLog&) = delete;

    // What open() cut off, if anything.
    const std::optional<LogCut>& cut() const noexcept { return m_cut; }
    const LogOptions& options() const noexcept { return m_options; }
    // The newest frame that is known to have been durable, in this log or in one that was in its place.
    std::uint64_t noted() const noexcept;

    // --- writing
    // -------------------------------------------------------------------------------------------- Takes over
    // the bytes of the next frame; nothing is written yet. The record has to be whole and to name the frame
    // before it.
    LogResult<void> append(BytesView record, std::uint64_t number);
    // Makes all appended frames durable, as the options say, and shows those that are released: call it again
    // when more are. After Io with a full disk the frames stay appended and sync() may be called again; after
    // a failed flush the log is Failed.
    LogResult<void> sync();

    // Drops whole segments whose frames are all below `number`; never the current one, nor one with a frame
    // of the unsealed block (that of the last frame). Says what first() is now.
    LogResult<std::uint64_t> drop_before(std::uint64_t number);
    // The same, oldest first, until the segments' sizes sum to no more than this.
    LogResult<std::uint64_t> drop_to_size(std::uint64_t size_max);
    // Forgets every frame above `number`, appended ones too. For recovery alone: no cursor may be in use, and
    // none of the frames may have been promised.
    LogResult<void> truncate_after(std::uint64_t number);

    // --- reading: from any thread
    // ------------------------------------------------------------------------------ The oldest frame there
    // is; last() + 1 in an empty log.
    std::uint64_t first() const noexcept { return m_first.load(std::memory_order_acquire); }
    // The newest frame appended, durable or not; first() - 1 in an empty log.
    std::uint64_t last() const noexcept { return m_last.load(std::memory_order_acquire); }
    std::uint64_t last_written() const noexcept { return m_written.load(std::memory_order_acquire); }
    // Durable and released.
    std::uint64_t last_durable() const noexcept { return m_durable.load(std::memory_order_acquire); }
    std::uint64_t size() const;  // bytes in all segments
    // One record. NotRetained or NotYet outside first()..last_durable().
    LogResult<Bytes> read(std::uint64_t number) const;
    // From any number up to last_durable() + 1; checked by the first next().
    Cursor from(std::uint64_t number, Reach reach = Reach::Durable) const;
    // A header that is in the log, released or not.
    LogResult<SignedHeader> header(std::uint64_t number) const;
    // The last frame's header, appended ones included; empty in an empty log.
    std::optional<SignedHeader> last_header() const;
    // Reads everything and checks what open() checks of the last segments, telling how far it is. For the
    // command line.
    using Progress = std::function<void(std::uint64_t frame)>;
    LogResult<void> check(const Progress& progress = {}) const;

private:
    friend class Cursor;
    // A file of the log. Guarded by m_mutex.
    struct Segment {
        std::string name;
        std::uint64_t first = 0;            // frame number
        std::uint64_t size = 0;             // bytes; of the current one: as far as written
        std::shared_ptr<OpenSegment> open;  // null while nobody reads it
        std::uint64_t last_use = 0;
    };
    // What open() found in the last segment.
    struct Tail;

    FrameLog(Disk& disk, LogOptions options);
    LogResult<void> load();
    LogResult<std::vector<Segment>> list_segments();
    LogResult<bool> is_unfinished_segment(const std::string& name);
    LogResult<void> remove_unfinished_segment();
    LogResult<void> check_promised(std::uint64_t last, const Tail& tail) const;
    std::string describe_end(std::uint64_t last, const Tail& tail) const;
    LogResult<void> renew_mark();
    std::uint64_t noted_as_durable(std::uint64_t flushed) const noexcept;
    LogResult<Tail> load_last();
    LogResult<void> load_last_but_one();
    LogResult<void> load_tail(bool may_be_torn);
    LogResult<void> cut_tail(OpenSegment& segment, const Tail& tail);
    LogResult<void> settle(OpenSegment& segment);
    LogResult<Tail> scan(OpenSegment& segment, std::uint64_t end) const;
    LogResult<std::shared_ptr<OpenSegment>> open_file(const std::string& name, OpenMode mode) const;
    LogResult<std::shared_ptr<OpenSegment>> open_sealed(const Segment& segment) const;
    LogResult<std::shared_ptr<OpenSegment>> open_for_reading(std::uint64_t number) const;
    void close_unused() const;

    LogResult<void> check_writable() const;
    LogResult<void> check_follows(const SignedHeader& head, std::uint64_t number) const;
    LogResult<void> begin_segment();
    LogResult<void> write_group();
    LogResult<void> make_durable();
    void show_released();
    LogResult<void> sync_current();
    LogResult<void> drop_while(
        const std::function<bool(std::uint64_t next_first, std::uint64_t size)>& dispensable);
    LogResult<void> shorten_buffer(std::uint64_t number);
    LogResult<void> shorten_files(std::uint64_t number);
    std::unexpected<LogFailure> broken(LogFailure failure);
    std::string path_of(const std::string& name) const { return m_options.folder + "/" + name; }

    Disk& m_disk;
    LogOptions m_options;
    std::unique_ptr<DiskLock> m_lock;
    std::optional<LogCut> m_cut;
    std::unique_ptr<LogMarkFile> m_mark;

    // The writer's own.
    Bytes m_buffer;                          // entries appended, not written; their heads are still blank
    std::vector<std::size_t> m_places;       // their offsets in the buffer
    Hash m_written_hash;                     // of the last frame written
    std::shared_ptr<OpenSegment> m_current;  // null before the first frame
    std::uint64_t m_synced_size = 0;         // of the current segment, bytes
    std::optional<LogFailure> m_failure;

    mutable std::mutex m_mutex;
    mutable std::vector<Segment> m_segments;  // oldest first; the last is the current one
    mutable std::uint64_t m_use_count = 0;
    std::optional<SignedHeader> m_last_header;
    std::atomic<std::uint64_t> m_first = 1;
    std::atomic<std::uint64_t> m_last = 0;
    std::atomic<std::uint64_t> m_written = 0;
    std::atomic<std::uint64_t> m_durable = 0;
};

// One frame's record out of the files of a log that a node may be using, and that may be damaged elsewhere.
LogResult<Bytes> read_record(Disk& disk, const std::string& folder, std::uint64_t number);

}  // namespace meridian::frames
