// A segment file, or the note of how far a log has come, with any bytes: opening never crashes; a log that is
// refused is left as it was; one that is accepted keeps all it holds, takes the next frame, and opens again
// with it.
#include <meridian/base/assert.hpp>
#include <meridian/frames/frame_log.hpp>
#include <meridian/frames/log_entry.hpp>
#include <meridian/frames/memory_disk_test_model.hpp>

namespace {

using namespace meridian;
using namespace meridian::frames;
using namespace meridian::frames::testing;

// With a valid header in front, and heads mended where an entry's magic is followed by a record's prefix.
Bytes mended(BytesView input, const LogOptions& options) {
    Bytes file;
    meridian::append(file, encode_segment_header({options.chain_id, 1, options.salt, options.genesis_hash,
                                                  options.genesis_hash}));
    const std::size_t start = file.size();
    meridian::append(file, input);
    constexpr std::uint8_t kMagic[] = {0x4d, 0x46, 0x45, 0x31};
    for (std::size_t i = start; i + kEntryHeadSize + kRecordPrefixSize <= file.size(); ++i)
        if (std::equal(std::begin(kMagic), std::end(kMagic), file.begin() + static_cast<std::ptrdiff_t>(i)))
            write_entry_head(std::span(file).subspan(i), options.salt, file[i + 8] * std::uint64_t{64});
    return file;
}

void check_open(const Bytes& file, const LogOptions& options) {
    MemoryDisk disk;
    const std::string path = options.folder + "/" + segment_name(1);
    disk.put(path, file);
    auto log = FrameLog::open(disk, options);
    if (!log) {
        MERIDIAN_ASSERT(disk.content(path) == file);
        return;
    }
    const bool kept = disk.contains(path);
    MERIDIAN_ASSERT(kept || file.size() <= kSegmentHeaderSize);
    MERIDIAN_ASSERT(!kept || (*log)->cut() || disk.content(path) == file);
    const std::uint64_t last = (*log)->last();
    for (std::uint64_t number = (*log)->first(); number <= last; ++number)
        MERIDIAN_ASSERT((*log)->read(number).has_value());
    MERIDIAN_ASSERT((*log)->check().has_value());
    const auto head = (*log)->last_header();
    if (head && (head->header.block_number == ~0ull || head->header.number == ~0ull ||
                 head->header.timestamp_us > ~0ull - 100'000 || head->header.index == ~0u))
        return;
    FrameMaker maker(1, head ? tip_of(*head) : genesis_tip(options.chain_id, options.genesis_hash));
    MERIDIAN_ASSERT((*log)->append(maker.next(0), last + 1).has_value());
    MERIDIAN_ASSERT((*log)->sync().has_value());
    log->reset();
    log = FrameLog::open(disk, options);
    MERIDIAN_ASSERT(log && (*log)->last() == last + 1 && !(*log)->cut());
}

// The note alone: it checks, or it is left as it is.
void check_note(BytesView input, const LogOptions& options) {
    MemoryDisk disk;
    disk.put(options.folder + ".mark", to_bytes(input));
    if (!FrameLog::open(disk, options))
        MERIDIAN_ASSERT(equal(disk.content(options.folder + ".mark"), input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    LogOptions options;
    options.folder = "log";
    options.chain_id = kChainId;
    options.genesis_hash = kGenesisHash;
    options.salt = 7;
    const BytesView input(data, size);
    check_open(to_bytes(input), options);
    check_open(mended(input, options), options);
    check_note(input, options);
    return 0;
}
