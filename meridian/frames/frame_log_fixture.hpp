// A frame log on a disk in memory, and the frames that were put into it.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/frames/log_entry.hpp>
#include <meridian/frames/memory_disk_test_model.hpp>

#include <gtest/gtest.h>

namespace meridian::frames::testing {

inline constexpr std::string_view kFirstSegment = "log/frames-00000000000000000001.log";

inline LogOptions small_options() {
    LogOptions options;
    options.folder = "log";
    options.chain_id = kChainId;
    options.genesis_hash = kGenesisHash;
    options.segment_size_max = 4000;
    options.salt = 0x5a17;
    return options;
}

using LogPtr = std::unique_ptr<FrameLog>;

class FrameLogTest : public ::testing::Test {
protected:
    LogOptions options = small_options();
    MemoryDisk disk;
    FrameMaker maker{1};
    std::vector<Bytes> records;  // record of frame i + 1
    std::vector<FrameTip> tips;  // after it
    LogPtr log;

    void open() {
        log.reset();
        auto opened = FrameLog::open(disk, options);
        ASSERT_TRUE(opened) << opened.error().message;
        log = *std::move(opened);
    }
    LogFailure failure_of_open() {
        log.reset();
        const auto before = disk.contents();
        auto opened = FrameLog::open(disk, options);
        EXPECT_FALSE(opened);
        EXPECT_TRUE(MemoryDisk::same(before, disk.contents())) << "a log that does not check was changed";
        return opened ? LogFailure{} : opened.error();
    }
    void append(std::size_t count = 1, std::size_t transactions = 1) {
        for (; count > 0; --count) {
            records.push_back(maker.next(transactions));
            tips.push_back(maker.tip());
            const auto appended = log->append(records.back(), records.size());
            ASSERT_TRUE(appended) << appended.error().message;
        }
    }
    void write(std::size_t count = 1, std::size_t transactions = 1) {
        append(count, transactions);
        const auto synced = log->sync();
        ASSERT_TRUE(synced) << synced.error().message;
    }
    // One group a frame.
    void write_each(std::size_t count) {
        for (; count > 0; --count)
            write();
    }
    // The log ends with `last`, and what it holds is what was appended.
    void expect_frames(std::uint64_t last) {
        ASSERT_EQ(log->last(), last);
        Cursor cursor = log->from(log->first());
        for (std::uint64_t number = log->first(); number <= last; ++number) {
            const auto record = cursor.next();
            ASSERT_TRUE(record) << record.error().message;
            ASSERT_TRUE(*record) << number;
            ASSERT_EQ(**record, records[number - 1]) << number;
        }
        EXPECT_FALSE(*cursor.next());
    }
    // Makes new frames behind `last`, as a restarted sequencer does.
    void forget_above(std::uint64_t last) {
        records.resize(last);
        tips.resize(last);
        maker.rewind(last == 0 ? genesis_tip(kChainId, kGenesisHash) : tips.back());
    }
    Bytes& first_segment() { return disk.content(std::string(kFirstSegment)); }
    std::vector<std::string> segments() {
        std::vector<std::string> names;
        for (const auto& [path, inode] : disk.contents())
            if (path.starts_with("log/"))
                names.push_back(path);
        return names;
    }
    // As a machine does that stops before the note of how far the log has come is on its disk.
    void forget_note() {
        log.reset();
        if (disk.contains("log.mark")) {
            disk.remove("log.mark").value();
        }
    }
};

}  // namespace meridian::frames::testing
