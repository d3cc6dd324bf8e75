// What was promised and is gone: deleted, emptied, cut and rotten logs, and the note beside them.
#include <meridian/frames/frame_log_fixture.hpp>

namespace meridian::frames {
namespace {

using namespace testing;

TEST_F(FrameLogTest, frames_of_a_log_that_was_deleted_are_missed) {
    open();
    write(1);
    const std::vector<std::string> names = segments();
    log.reset();
    for (const std::string& name : names)
        disk.remove(name).value();
    LogFailure failure = failure_of_open();
    EXPECT_EQ(failure.error, LogError::PromisedMissing);
    EXPECT_NE(failure.message.find("no segment of the frame log is in log"), std::string::npos)
        << failure.message;
    EXPECT_NE(failure.message.find("frame 1 has been promised"), std::string::npos) << failure.message;
    EXPECT_NE(failure.message.find("meridian db forget"), std::string::npos) << failure.message;
    // To be looked at it is missing, too.
    options.read_only = true;
    EXPECT_EQ(failure_of_open().error, LogError::PromisedMissing);
}

TEST_F(FrameLogTest, a_log_that_was_emptied_is_not_one_that_was_begun) {
    options.segment_size_max = 1u << 20;
    open();
    write_each(5);
    const Bytes full = first_segment();
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{50}, kSegmentHeaderSize, kSegmentHeaderSize + 90, full.size() - 1}) {
        log.reset();
        first_segment().resize(size);
        const LogFailure failure = failure_of_open();
        EXPECT_EQ(failure.error, LogError::PromisedMissing) << size;
        EXPECT_EQ(failure.segment, segment_name(1)) << size;
        EXPECT_LE(failure.offset, size);
        EXPECT_NE(failure.message.find("frame 5 has been promised"), std::string::npos) << failure.message;
        first_segment() = full;
    }
    open();
    expect_frames(5);
}

TEST_F(FrameLogTest, a_last_segment_that_was_removed_is_missed) {
    for (const Durability durability : {Durability::Fsync, Durability::None}) {
        log.reset();
        disk.clear();
        forget_above(0);
        options.durability = durability;
        open();
        write_each(60);
        ASSERT_GT(segments().size(), 4u);
        log.reset();
        const std::string last = segments().back();
        const Bytes bytes = disk.content(last);
        disk.remove(last).value();
        const LogFailure failure = failure_of_open();
        EXPECT_EQ(failure.error, LogError::PromisedMissing);
        EXPECT_EQ(failure.segment, segments().back().substr(4));
        disk.put(last, bytes);
        open();
        expect_frames(60);
    }
}

TEST_F(FrameLogTest, a_lost_log_can_be_replaced_by_another_nodes) {
    open();
    write_each(20);
    const std::vector<std::string> names = segments();
    log.reset();
    for (const std::string& name : names)
        disk.remove(name).value();
    // Of a replica, which ends its segments elsewhere.
    LogOptions other = options;
    other.folder = "other";
    other.segment_size_max = 1u << 20;
    auto replica = *FrameLog::open(disk, other);
    for (std::size_t i = 0; i < records.size(); ++i)
        ASSERT_TRUE(replica->append(records[i], i + 1));
    ASSERT_TRUE(replica->sync());
    replica.reset();
    disk.put("log/" + segment_name(1), disk.content("other/" + segment_name(1)));
    open();
    expect_frames(20);
}

TEST_F(FrameLogTest, missing_frames_are_given_up_only_when_that_is_said) {
    open();
    write_each(20);
    const std::uint64_t first = *parse_segment_name(segments().back().substr(4));
    log.reset();
    disk.remove(segments().back()).value();
    EXPECT_EQ(failure_of_open().error, LogError::PromisedMissing);
    options.missing = MissingFrames::Awaited;
    open();
    EXPECT_EQ(log->last(), first - 1);
    EXPECT_EQ(log->noted(), 20u);
    options.missing = MissingFrames::Refuse;
    EXPECT_EQ(failure_of_open().error, LogError::PromisedMissing) << "they have not come";
    options.missing = MissingFrames::Forgotten;
    open();
    EXPECT_EQ(log->noted(), first - 1);
    options.missing = MissingFrames::Refuse;
    open();
    expect_frames(first - 1);
}

// A folder from before notes were made has none: what the store holds tells that there was a log.
TEST_F(FrameLogTest, a_chain_that_was_begun_has_a_log) {
    options.first_number = 8;
    options.promised = 7;
    options.begun = true;
    EXPECT_EQ(failure_of_open().error, LogError::PromisedMissing);
    options.missing = MissingFrames::Forgotten;
    open();
    options.missing = MissingFrames::Refuse;
    open();
    EXPECT_EQ(log->last(), 7u);
    forget_note();
    options.begun = false;
    open();
    EXPECT_EQ(log->last(), 7u) << "a snapshot that was restored";
}

TEST_F(FrameLogTest, rot_before_a_promised_frame_is_told_with_its_place) {
    options.segment_size_max = 1u << 20;
    open();
    write_each(3);
    const std::uint64_t offset = log->size();
    write_each(3);
    forget_note();
    first_segment()[offset + 60] ^= 1;
    options.promised = 6;
    const LogFailure failure = failure_of_open();
    EXPECT_EQ(failure.error, LogError::PromisedMissing);
    EXPECT_EQ(failure.segment, segment_name(1));
    EXPECT_EQ(failure.offset, offset);
    EXPECT_NE(failure.message.find("offset " + std::to_string(offset) + ": record: the checksum"),
              std::string::npos)
        << failure.message;
}

TEST_F(FrameLogTest, a_record_is_read_out_of_a_damaged_log) {
    open();
    write_each(60);
    // In use, and rotten at its end.
    disk.content(segments().back()).back() ^= 1;
    for (const std::uint64_t number : {1, 7, 30})
        EXPECT_EQ(*read_record(disk, "log", number), records[number - 1]);
    const auto rotten = read_record(disk, "log", 60);
    EXPECT_EQ(rotten.error().error, LogError::Corrupt);
    EXPECT_EQ(rotten.error().segment, segments().back().substr(4));
    disk.content(segments().back()).back() ^= 1;
    EXPECT_EQ(read_record(disk, "log", 61).error().error, LogError::NotYet);
    EXPECT_EQ(read_record(disk, "log", 0).error().error, LogError::NotRetained);
}

TEST_F(FrameLogTest, a_note_that_does_not_check_is_an_error) {
    open();
    write_each(3);
    log.reset();
    const Bytes full = disk.content("log.mark");
    for (std::size_t i = 0; i < 72; ++i) {
        disk.content("log.mark")[i] ^= 1;
        ASSERT_EQ(failure_of_open().error, LogError::WrongHeader) << i;
        disk.content("log.mark") = full;
    }
    // Of notes behind the first that counts which is whole.
    for (std::size_t i = 72; i < full.size(); ++i)
        disk.content("log.mark")[i] ^= 1;
    open();
    expect_frames(3);
}

TEST_F(FrameLogTest, a_full_disk_keeps_the_older_note) {
    options.segment_size_max = 1u << 20;
    open();
    write(1);
    append(1);
    // Room for the frame, and for a part of its note.
    disk.room = kEntryHeadSize + records.back().size() + 5;
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(log->noted(), 1u);
    disk.room = ~std::uint64_t{0};
    write(1);
    EXPECT_EQ(log->noted(), 3u);
    open();
    expect_frames(3);
    EXPECT_EQ(log->noted(), 3u);
}

}  // namespace
}  // namespace meridian::frames
