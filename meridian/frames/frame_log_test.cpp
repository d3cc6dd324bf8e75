#include <meridian/frames/frame_log_fixture.hpp>

#include <unistd.h>

#include <filesystem>
#include <thread>

namespace meridian::frames {
namespace {

using namespace testing;

// --- writing and reading
// -------------------------------------------------------------------------------------

TEST_F(FrameLogTest, begins_empty) {
    open();
    EXPECT_EQ(log->first(), 1u);
    EXPECT_EQ(log->last(), 0u);
    EXPECT_EQ(log->last_durable(), 0u);
    EXPECT_EQ(log->size(), 0u);
    EXPECT_FALSE(log->last_header());
    EXPECT_FALSE(log->cut());
    EXPECT_TRUE(log->sync());
    EXPECT_FALSE(*log->from(1).next());
    EXPECT_EQ(log->read(1).error().error, LogError::NotYet);
    EXPECT_EQ(log->from(3).next().error().error, LogError::NotYet);
    EXPECT_EQ(log->from(0).next().error().error, LogError::NotRetained);
}

TEST_F(FrameLogTest, readers_see_frames_when_they_are_durable) {
    open();
    append(3);
    EXPECT_EQ(log->last(), 3u);
    EXPECT_EQ(log->last_written(), 0u);
    EXPECT_EQ(log->read(1).error().error, LogError::NotYet);
    Cursor cursor = log->from(1);
    EXPECT_FALSE(*cursor.next());
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(log->last_durable(), 3u);
    EXPECT_EQ(**cursor.next(), records[0]);
    EXPECT_EQ(cursor.number(), 2u);
    EXPECT_EQ(*log->read(3), records[2]);
    EXPECT_EQ(log->last_header(), maker.head());
    expect_frames(3);
}

TEST_F(FrameLogTest, a_group_is_flushed_once) {
    open();
    write();
    const std::uint64_t before = disk.sync_count;
    write(10);
    EXPECT_EQ(disk.sync_count, before + 1);
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(disk.sync_count, before + 1) << "nothing to flush";
}

TEST_F(FrameLogTest, survives_a_restart) {
    open();
    write(5);
    write_each(5);
    open();
    EXPECT_FALSE(log->cut());
    EXPECT_EQ(log->last_header(), maker.head());
    expect_frames(10);
    write();
    open();
    expect_frames(11);
    EXPECT_TRUE(log->check());
}

TEST_F(FrameLogTest, segments_follow_each_other) {
    open();
    write_each(200);
    EXPECT_GT(segments().size(), 20u) << "more than are kept open";
    expect_frames(200);
    std::uint64_t size = 0;
    for (const std::string& path : segments())
        size += disk.content(path).size();
    EXPECT_EQ(log->size(), size);
    open();
    expect_frames(200);
    EXPECT_TRUE(log->check());
    for (std::uint64_t number = 200; number > 0; --number)
        ASSERT_EQ(*log->read(number), records[number - 1]);
}

TEST_F(FrameLogTest, few_files_are_open_at_a_time) {
    open();
    write_each(200);
    ASSERT_GT(segments().size(), 20u);
    EXPECT_LE(disk.open_files, 18) << "the note of how far the log has come, too";
    expect_frames(200);
    EXPECT_LE(disk.open_files, 18);
    log.reset();
    EXPECT_EQ(disk.open_files, 0);
}

TEST_F(FrameLogTest, marks_lead_to_every_frame_of_a_large_segment) {
    options.segment_size_max = 64u << 20;
    open();
    write(300, 20);
    EXPECT_EQ(segments().size(), 1u);
    ASSERT_GT(log->size(), 4u * 64 * 1024);
    for (int restart = 0; restart < 2; ++restart) {
        for (std::uint64_t number = 1; number <= 300; number += 7)
            ASSERT_EQ(*log->read(number), records[number - 1]);
        open();
    }
}

TEST_F(FrameLogTest, takes_only_the_next_frame) {
    open();
    write(2);
    const Bytes next = maker.next();
    EXPECT_EQ(log->append(next, 4).error().error, LogError::WrongNumber);
    EXPECT_EQ(log->append(records[1], 3).error().error, LogError::WrongNumber);
    Bytes damaged = next;
    damaged.back() ^= 1;
    EXPECT_EQ(log->append(damaged, 3).error().error, LogError::BadRecord);
    FrameMaker stranger(99, tips[0]);
    EXPECT_EQ(log->append(stranger.next(), 2).error().error, LogError::WrongNumber);
    stranger.next();
    EXPECT_EQ(log->append(stranger.next(), 3).error().error, LogError::WrongNumber);
    FrameMaker fork(98, tips[0]);
    fork.next();
    FrameTip tip = fork.tip();
    ASSERT_NE(tip.hash, tips[1].hash);
    EXPECT_EQ(log->append(fork.next(), 3).error().error, LogError::BrokenChain);
    FrameTip foreign = tips[1];
    foreign.chain_id = 5;
    EXPECT_EQ(log->append(FrameMaker(97, foreign).next(), 3).error().error, LogError::WrongChain);
    EXPECT_TRUE(log->append(next, 3));
}

TEST_F(FrameLogTest, begins_behind_a_snapshot) {
    for (int i = 0; i < 10; ++i) {
        records.push_back(maker.next());
        tips.push_back(maker.tip());
    }
    options.first_number = 11;
    options.first_parent_hash = "0x99"_hash;
    open();
    EXPECT_EQ(log->first(), 11u);
    const Bytes next = maker.next();
    EXPECT_EQ(log->append(next, 11).error().error, LogError::BrokenChain);
    options.first_parent_hash = tips.back().hash;
    open();
    ASSERT_TRUE(log->append(next, 11));
    ASSERT_TRUE(log->sync());
    open();
    EXPECT_EQ(log->first(), 11u);
    EXPECT_EQ(log->last(), 11u);
    EXPECT_EQ(*log->read(11), next);
    EXPECT_EQ(log->read(10).error().error, LogError::NotRetained);
}

TEST_F(FrameLogTest, the_buffer_is_bounded) {
    open();
    records.push_back(maker.next());
    tips.push_back(maker.tip());
    const Bytes next = maker.next();
    log.reset();
    options.buffered_size_max = records[0].size() + next.size();  // no room for the entries' heads
    open();
    ASSERT_TRUE(log->append(records[0], 1));
    EXPECT_EQ(log->append(next, 2).error().error, LogError::BufferFull);
    ASSERT_TRUE(log->sync());
    EXPECT_TRUE(log->append(next, 2));
}

TEST_F(FrameLogTest, one_process_has_it_open) {
    open();
    EXPECT_EQ(FrameLog::open(disk, options).error().error, LogError::Locked);
    write(3);
    LogOptions looking = options;
    looking.read_only = true;
    auto looked_at = FrameLog::open(disk, looking);
    ASSERT_TRUE(looked_at);
    EXPECT_EQ(*(*looked_at)->read(2), records[1]);
    EXPECT_EQ((*looked_at)->append(maker.next(), 4).error().error, LogError::ReadOnly);
    EXPECT_EQ((*looked_at)->truncate_after(1).error().error, LogError::ReadOnly);
}

// --- durability
// ----------------------------------------------------------------------------------------------

TEST_F(FrameLogTest, without_durability_nothing_is_flushed_but_ended_segments) {
    options.durability = Durability::None;
    open();
    write();
    const std::uint64_t before = disk.sync_count;
    write();
    write();
    EXPECT_EQ(disk.sync_count, before);
    EXPECT_EQ(log->last_durable(), 3u);
    write_each(30);
    EXPECT_GT(disk.sync_count, before);
    log.reset();
    disk.kill();
    open();
    expect_frames(33);
}

TEST_F(FrameLogTest, replicas_decide_what_is_durable) {
    std::uint64_t released = 0;
    options.durability = Durability::Replicated;
    open();
    write();
    EXPECT_EQ(log->last_durable(), 0u) << "nobody has released it";
    log.reset();
    options.released = [&] { return released; };
    open();
    write(2);
    const std::uint64_t flushes = disk.sync_count;
    EXPECT_EQ(log->last_durable(), 0u);
    // The feed reads what it is to replicate.
    EXPECT_EQ(**log->from(3, Reach::Written).next(), records[2]);
    EXPECT_EQ(log->header(3)->header.number, 3u);
    EXPECT_FALSE(*log->from(3).next());
    released = 2;
    EXPECT_EQ(log->last_durable(), 0u);  // until it is told
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(log->last_durable(), 2u);
    for (const std::uint64_t further : {10, 1}) {  // nothing is taken back
        released = further;
        ASSERT_TRUE(log->sync());
        EXPECT_EQ(log->last_durable(), 3u);
    }
    EXPECT_EQ(disk.sync_count, flushes);
}

TEST_F(FrameLogTest, what_is_flushed_and_not_released_is_not_shown_after_a_restart_either) {
    std::uint64_t released = 2;
    options.released = [&] { return released; };
    open();
    write(5);
    EXPECT_EQ(log->last_durable(), 2u);
    EXPECT_EQ(log->read(3).error().error, LogError::NotYet);
    log.reset();
    disk.kill();
    released = 0;
    open();
    EXPECT_EQ(log->last_written(), 5u);
    EXPECT_EQ(log->last_durable(), 0u);
    log.reset();
    options.promised = 3;
    open();
    EXPECT_EQ(log->last_durable(), 3u);
    released = 5;
    ASSERT_TRUE(log->sync());
    EXPECT_EQ(*log->read(5), records[4]);
}

TEST_F(FrameLogTest, a_full_disk_is_told_and_outlived) {
    open();
    write(2);
    append(2);
    const std::uint64_t written = records[2].size() + records[3].size() + 2 * kEntryHeadSize;
    for (std::uint64_t room = 0; room < written; room += 13) {
        disk.room = room;
        const auto synced = log->sync();
        ASSERT_FALSE(synced);
        EXPECT_EQ(synced.error().error, LogError::Io);
        EXPECT_EQ(synced.error().io, IoCode::NoSpace);
        EXPECT_EQ(log->last_durable(), 2u);
    }
    disk.room = ~std::uint64_t{0};
    ASSERT_TRUE(log->sync());
    expect_frames(4);
    open();
    expect_frames(4);
}

TEST_F(FrameLogTest, a_disk_too_full_for_a_new_segment_is_outlived) {
    // Neither its header, nor the note that it was begun.
    for (std::uint64_t room = 0; room < kSegmentHeaderSize + 2 * 72; room += 7) {
        disk.room = room;
        open();
        records.clear();
        maker.rewind(genesis_tip(kChainId, kGenesisHash));
        append();
        EXPECT_EQ(log->sync().error().error, LogError::Io);
        EXPECT_TRUE(segments().empty());
        disk.room = ~std::uint64_t{0};
        ASSERT_TRUE(log->sync());
        expect_frames(1);
        forget_note();
        disk.remove(std::string(kFirstSegment)).value();
    }
}

TEST_F(FrameLogTest, after_a_failed_flush_nothing_is_promised_any_more) {
    open();
    write();
    append();
    disk.failing_syncs = true;
    EXPECT_EQ(log->sync().error().error, LogError::Io);
    disk.failing_syncs = false;
    EXPECT_EQ(log->sync().error().error, LogError::Failed);
    EXPECT_EQ(log->last_durable(), 1u);
    EXPECT_EQ(log->append(maker.next(), 3).error().error, LogError::Failed);
    open();
    expect_frames(2);
}

// --- retention
// -----------------------------------------------------------------------------------------------

TEST_F(FrameLogTest, whole_segments_are_dropped_below_a_number) {
    open();
    write_each(60);
    const std::size_t before = segments().size();
    Cursor early = log->from(1);
    EXPECT_EQ(**early.next(), records[0]);
    const auto first = log->drop_before(30);
    ASSERT_TRUE(first);
    EXPECT_GT(*first, 1u);
    EXPECT_LE(*first, 30u);
    EXPECT_EQ(*first, log->first());
    EXPECT_LT(segments().size(), before);
    EXPECT_EQ(**early.next(), records[1]) << "a file that is being read stays readable";
    EXPECT_EQ(log->read(*first - 1).error().error, LogError::NotRetained);
    expect_frames(60);
    open();
    EXPECT_EQ(log->first(), *first);
    expect_frames(60);
}

TEST_F(FrameLogTest, size_is_bounded_but_the_unsealed_block_stays) {
    options.retained_size_max = 9000;
    open();
    write_each(200);
    EXPECT_GT(log->first(), 100u);
    EXPECT_LE(log->size(), 9000u + 4000 + 2000);
    const SignedHeader last = *log->last_header();
    ASSERT_TRUE(log->drop_to_size(0));
    EXPECT_LE(log->first(), last.header.number - last.header.index);
    EXPECT_FALSE(segments().empty());
    expect_frames(200);
}

TEST_F(FrameLogTest, a_long_block_is_kept_whole) {
    open();
    FrameTip tip = genesis_tip(kChainId, kGenesisHash);
    for (std::uint64_t number = 1; number <= 60; ++number) {  // all of block 1
        FrameHeader header;
        header.chain_id = kChainId;
        header.number = number;
        header.parent_hash = tip.hash;
        header.block_number = 1;
        header.index = static_cast<std::uint32_t>(number - 1);
        const SignedHeader head = *sign_header(header, signer());
        tip = tip_of(head);
        records.push_back(encode_record(head, Sections{}));
        ASSERT_TRUE(log->append(records.back(), number));
        ASSERT_TRUE(log->sync());
    }
    ASSERT_GT(segments().size(), 3u);
    EXPECT_EQ(*log->drop_before(60), 1u);
    EXPECT_EQ(*log->drop_to_size(0), 1u);
}

TEST_F(FrameLogTest, frames_above_a_number_can_be_forgotten) {
    for (const std::uint64_t keep : {59, 40, 13, 1, 0}) {
        log.reset();
        disk.clear();
        forget_above(0);
        open();
        write_each(60);
        append(3);
        ASSERT_TRUE(log->truncate_after(keep));
        forget_above(keep);
        EXPECT_EQ(log->last_durable(), keep);
        expect_frames(keep);
        write_each(20);
        expect_frames(keep + 20);
        open();
        expect_frames(keep + 20);
        EXPECT_TRUE(log->check());
    }
}

TEST_F(FrameLogTest, forgetting_goes_no_further_back_than_the_log) {
    open();
    write_each(60);
    const std::uint64_t first = *log->drop_before(40);
    EXPECT_EQ(log->truncate_after(first - 2).error().error, LogError::NotRetained);
    ASSERT_TRUE(log->truncate_after(first - 1));
    EXPECT_EQ(log->first(), first);
    EXPECT_EQ(log->last(), first - 1);
    forget_above(first - 1);
    write();
    expect_frames(first);
}

// --- torn tails
// ----------------------------------------------------------------------------------------------

TEST_F(FrameLogTest, a_tail_cut_at_any_byte_is_cut_back_to_the_last_whole_frame) {
    options.segment_size_max = 1u << 20;
    open();
    write_each(3);
    const std::uint64_t whole = log->size();
    write();
    const Bytes full = first_segment();
    for (std::size_t size = whole; size < full.size(); ++size) {
        forget_note();
        first_segment() = to_bytes(BytesView(full).first(size));
        open();
        ASSERT_EQ(log->last(), 3u);
        ASSERT_EQ(log->cut().has_value(), size != whole);
        if (log->cut()) {
            EXPECT_EQ(log->cut()->offset, whole);
            EXPECT_EQ(log->cut()->size, size - whole);
            EXPECT_NE(log->cut()->message.find("behind frame 3"), std::string::npos);
        }
        EXPECT_EQ(first_segment().size(), whole);
    }
    forget_above(3);
    write_each(2);
    expect_frames(5);
    open();
    expect_frames(5);
}

TEST_F(FrameLogTest, looking_at_a_torn_tail_leaves_it) {
    open();
    write(3);
    forget_note();
    first_segment().resize(first_segment().size() - 1);
    options.read_only = true;
    const auto before = disk.contents();
    open();
    EXPECT_TRUE(log->cut());
    expect_frames(2);
    EXPECT_TRUE(log->check());
    log.reset();
    EXPECT_TRUE(MemoryDisk::same(before, disk.contents()));
}

TEST_F(FrameLogTest, bytes_never_written_in_the_last_group_are_a_torn_tail) {
    options.segment_size_max = 1u << 20;
    open();
    write_each(2);
    const std::uint64_t durable = log->size();
    append(3);
    ASSERT_TRUE(log->sync());
    const Bytes full = first_segment();
    for (std::uint64_t hole = durable; hole < full.size(); hole += 97) {
        forget_note();
        first_segment() = full;
        std::fill_n(first_segment().begin() + static_cast<std::ptrdiff_t>(hole),
                    std::min<std::uint64_t>(64, full.size() - hole), 0);
        open();
        ASSERT_TRUE(log->cut()) << hole;
        ASSERT_GE(log->last(), 2u);
        ASSERT_LT(log->last(), 5u);
        ASSERT_GE(log->cut()->offset, durable);
        expect_frames(log->last());
    }
}

TEST_F(FrameLogTest, what_had_been_durable_is_never_cut) {
    options.segment_size_max = 1u << 20;
    open();
    write_each(2);
    const std::uint64_t third = log->size();
    write();
    const std::uint64_t fourth = log->size();
    write();
    const Bytes full = first_segment();
    for (std::size_t at = kSegmentHeaderSize; at < fourth; ++at) {
        forget_note();
        first_segment()[at] ^= 0x10;
        const LogFailure failure = failure_of_open();
        ASSERT_EQ(failure.error, LogError::Corrupt) << at;
        ASSERT_EQ(failure.segment, segment_name(1));
        ASSERT_LE(failure.offset, at);
        if (at >= third) {
            ASSERT_EQ(failure.offset, third);
        }
        first_segment() = full;
    }
    // The last entry's own bytes may never have been on the disk.
    first_segment()[fourth + 40] ^= 1;
    open();
    EXPECT_TRUE(log->cut());
    EXPECT_EQ(log->last(), 3u);
}

TEST_F(FrameLogTest, a_promised_frame_is_never_cut) {
    options.segment_size_max = 1u << 20;
    open();
    write_each(4);
    forget_note();
    first_segment().resize(first_segment().size() - 1);
    options.promised = 4;
    EXPECT_EQ(failure_of_open().error, LogError::PromisedMissing);
    options.promised = 3;
    open();
    EXPECT_EQ(log->last(), 3u);
}

TEST_F(FrameLogTest, an_empty_log_holds_no_promised_frame) {
    options.promised = 1;
    EXPECT_EQ(failure_of_open().error, LogError::PromisedMissing);
}

// Somebody who knows the format cannot make his transaction look like an entry, for want of the salt.
TEST_F(FrameLogTest, an_entrys_likeness_in_a_torn_transaction_is_none) {
    options.segment_size_max = 1u << 20;
    open();
    write(1);
    const std::size_t whole = first_segment().size();
    for (const std::uint64_t salt : {options.salt, std::uint64_t{1234}}) {
        Bytes transaction(kEntryHeadSize);
        meridian::append(transaction, records[0]);
        write_entry_head(transaction, salt, ~0ull);
        forget_note();
        first_segment().resize(whole + 300);  // a head that does not check, as the sector was not written
        meridian::append(first_segment(), transaction);
        if (salt == options.salt) {
            EXPECT_EQ(failure_of_open().error, LogError::Corrupt) << "this is how it would look";
            first_segment().resize(whole);
        } else {
            open();
            EXPECT_TRUE(log->cut());
            EXPECT_EQ(log->last(), 1u);
        }
    }
}

// --- the beginning of a segment
// ------------------------------------------------------------------------------

TEST_F(FrameLogTest, a_segment_whose_beginning_was_interrupted_is_removed) {
    open();
    write_each(20);
    ASSERT_GT(segments().size(), 1u);
    const std::string name = segment_name(21);
    const SegmentHeaderBytes header =
        encode_segment_header({kChainId, 21, 77, kGenesisHash, tips.back().hash});
    for (std::size_t size = 0; size <= kSegmentHeaderSize; ++size)
        for (const bool zeros : {false, true}) {
            log.reset();
            Bytes bytes = to_bytes(BytesView(header).first(size));
            if (zeros)
                bytes.resize(kSegmentHeaderSize);
            disk.put("log/" + name, bytes);
            open();
            const bool complete = size == kSegmentHeaderSize;
            ASSERT_EQ(log->cut().has_value(), !complete);
            ASSERT_EQ(disk.contains("log/" + name), complete);
            expect_frames(20);
        }
    // The last one is whole: it is the log's current one.
    write();
    EXPECT_GT(disk.content("log/" + name).size(), kSegmentHeaderSize);
    open();
    expect_frames(21);
}

TEST_F(FrameLogTest, a_file_that_is_not_ours_is_left_alone) {
    open();
    write_each(2);
    log.reset();
    disk.put("log/" + segment_name(3), to_bytes(as_bytes("#!/bin/sh\necho precious\n")));
    const LogFailure failure = failure_of_open();
    EXPECT_EQ(failure.error, LogError::WrongHeader);
    EXPECT_EQ(failure.segment, segment_name(3));
    disk.remove("log/" + segment_name(3)).value();
    disk.put("log/frames-x.log", Bytes(5));
    disk.put("log/notes.txt", Bytes(5));
    open();
    expect_frames(2);
}

TEST_F(FrameLogTest, a_wrong_segment_header_is_an_error) {
    open();
    write_each(3);
    const Bytes full = first_segment();
    for (std::size_t i = 0; i < kSegmentHeaderSize; ++i) {
        first_segment()[i] ^= 1;
        ASSERT_EQ(failure_of_open().error, LogError::WrongHeader) << i;
        first_segment() = full;
    }
}

TEST_F(FrameLogTest, another_chains_log_is_refused) {
    open();
    write_each(3);
    options.chain_id = 5;
    EXPECT_EQ(failure_of_open().error, LogError::WrongChain);
    options.chain_id = kChainId;
    options.genesis_hash[0] ^= 1;
    const LogFailure failure = failure_of_open();
    EXPECT_EQ(failure.error, LogError::WrongChain);
    EXPECT_NE(failure.message.find(to_hex0x(kGenesisHash)), std::string::npos);
}

TEST_F(FrameLogTest, a_missing_segment_is_a_gap) {
    open();
    write_each(60);
    std::vector<std::string> names = segments();
    ASSERT_GT(names.size(), 4u);
    log.reset();
    disk.remove(names[names.size() - 2]).value();
    EXPECT_EQ(failure_of_open().error, LogError::Gap);
}

TEST_F(FrameLogTest, a_gap_between_old_segments_is_found_when_it_is_read) {
    open();
    write_each(60);
    const std::vector<std::string> names = segments();
    log.reset();
    disk.remove(names[1]).value();
    open();
    const auto failure = log->check();
    ASSERT_FALSE(failure);
    EXPECT_EQ(failure.error().error, LogError::Gap);
    Cursor cursor = log->from(1);
    LogResult<std::optional<Bytes>> record;
    std::uint64_t number = 1;
    while ((record = cursor.next()) && *record)
        ASSERT_EQ(**record, records[number++ - 1]);
    ASSERT_FALSE(record) << "the frames of the missing segment are not passed over";
    EXPECT_EQ(record.error().error, LogError::Gap);
}

TEST_F(FrameLogTest, rot_in_an_old_segment_is_found_when_it_is_read) {
    open();
    write_each(60);
    open();
    disk.content(segments()[1])[kSegmentHeaderSize + 100] ^= 1;
    EXPECT_EQ(log->check().error().error, LogError::Corrupt);
    const auto second = *parse_segment_name(segments()[1].substr(4));
    const auto record = log->read(second);
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().error, LogError::Corrupt);
    EXPECT_EQ(record.error().segment, segments()[1].substr(4));
    EXPECT_TRUE(log->read(1));
}

TEST_F(FrameLogTest, whoever_keeps_watch_is_told_of_what_cannot_be_read_and_of_nothing_else) {
    std::vector<LogFailure> told;
    options.on_read_failure = [&told](const LogFailure& failure) { told.push_back(failure); };
    open();
    write_each(60);
    open();
    expect_frames(60);
    ASSERT_FALSE(log->read(61));
    ASSERT_FALSE(log->read(0));
    EXPECT_TRUE(told.empty()) << told.front().message;
    const std::string name = segments()[1];
    const auto second = *parse_segment_name(name.substr(4));
    disk.content(name)[kSegmentHeaderSize + 100] ^= 1;
    ASSERT_FALSE(log->read(second));
    Cursor cursor = log->from(second, Reach::Written);
    ASSERT_FALSE(cursor.next());
    ASSERT_FALSE(log->header(second));
    ASSERT_EQ(told.size(), 3u);
    EXPECT_EQ(told[0].segment, name.substr(4));
    EXPECT_EQ(told[0].error, LogError::Corrupt);
}

TEST_F(FrameLogTest, frames_that_do_not_follow_are_an_error) {
    open();
    write_each(3);
    log.reset();
    const auto with_entry = [&](const Bytes& record) {
        Bytes entry(kEntryHeadSize);
        meridian::append(entry, record);
        write_entry_head(entry, options.salt, kSegmentHeaderSize);
        Bytes& file = first_segment();
        const std::size_t size = file.size();
        meridian::append(file, entry);
        const LogFailure failure = failure_of_open();
        EXPECT_EQ(failure.offset, size);
        first_segment().resize(size);
        return failure.error;
    };
    FrameTip tip = tips[2];
    EXPECT_EQ(with_entry(records[2]), LogError::Gap);
    ++tip.number;
    EXPECT_EQ(with_entry(FrameMaker(5, tip).next()), LogError::Gap);
    tip = tips[2];
    tip.hash[0] ^= 1;
    EXPECT_EQ(with_entry(FrameMaker(5, tip).next()), LogError::BrokenChain);
    tip = tips[2];
    tip.chain_id = 1;
    EXPECT_EQ(with_entry(FrameMaker(5, tip).next()), LogError::WrongChain);
}

// --- against a model
// -------------------------------------------------------------------------------------------

// Random appends, flushes, kills and crashes. What was durable is there afterwards and what is there is what
// was appended; nothing that a crash leaves behind keeps the log from opening.
class Model : public FrameLogTest, public ::testing::WithParamInterface<Durability> {
protected:
    void restart(Random& random, bool machine) {
        const std::uint64_t durable = log->last_durable();
        const std::uint64_t last = log->last();
        const std::uint64_t first = log->first();
        log.reset();
        if (machine)
            disk.crash(random);
        else
            disk.kill();
        ASSERT_NO_FATAL_FAILURE(open());
        ASSERT_LE(log->last(), last);
        ASSERT_LE(log->first(), first) << "retention is undone, or done";
        if (!machine || options.durability == Durability::Fsync) {
            ASSERT_GE(log->last(), durable);
        }
        expect_frames(log->last());
        ASSERT_TRUE(log->check());
        forget_above(log->last());
    }

    void step(Random& random) {
        const std::uint64_t choice = random.below(100);
        if (choice < 45)
            append(1 + random.below(4), random.below(4));
        else if (choice < 75)
            ASSERT_TRUE(log->sync());
        else if (choice < 80)
            ASSERT_TRUE(log->drop_before(random.below(log->last() + 2)));
        else if (choice < 82)
            fill_up(random);
        else if (choice < 84 && log->last() >= log->first()) {
            const std::uint64_t keep = log->first() - 1 + random.below(log->last() - log->first() + 2);
            ASSERT_TRUE(log->truncate_after(keep));
            forget_above(keep);
        } else if (choice < 92)
            restart(random, false);
        else if (choice < 96)
            restart(random, true);
        else
            expect_readable(random);
    }

    // The disk fills up, and either is emptied or the machine crashes.
    void fill_up(Random& random) {
        append(2, 2);
        disk.room = random.below(600);
        const auto synced = log->sync();
        if (!synced) {
            ASSERT_EQ(synced.error().io, IoCode::NoSpace);
        }
        if (random.chance(50)) {
            ASSERT_NO_FATAL_FAILURE(restart(random, true));
        }
        disk.room = ~std::uint64_t{0};
    }

    void expect_readable(Random& random) {
        const std::uint64_t number = log->first() + random.below(log->last() - log->first() + 2);
        const auto record = log->read(number);
        if (number <= log->last_durable()) {
            ASSERT_EQ(*record, records[number - 1]);
        } else
            ASSERT_EQ(record.error().error, LogError::NotYet);
    }
};

TEST_P(Model, keeps_its_promises) {
    options.durability = GetParam();
    options.released = [] { return ~std::uint64_t{0}; };
    options.segment_size_max = 5000;
    for (std::uint64_t seed = 1; seed <= 40 && !HasFatalFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        log.reset();
        disk.clear();
        forget_above(0);
        open();
        for (int i = 0; i < 150 && !HasFatalFailure(); ++i)
            step(random);
    }
}

INSTANTIATE_TEST_SUITE_P(durabilities, Model,
                         ::testing::Values(Durability::Fsync, Durability::Replicated, Durability::None),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

// --- threads, on the machine's own disk
// --------------------------------------------------------------------------

TEST(frame_log, many_read_while_one_writes) {
    LogOptions options = small_options();
    options.folder =
        (std::filesystem::temp_directory_path() / ("meridian-frame-log-test-" + std::to_string(::getpid())))
            .string();
    options.segment_size_max = 20'000;
    std::filesystem::remove_all(options.folder);
    std::filesystem::remove(options.folder + ".mark");
    auto log = *FrameLog::open(posix_disk(), options);
    constexpr std::uint64_t kFrames = 600;
    std::vector<Bytes> records;
    FrameMaker maker(20);
    for (std::uint64_t i = 0; i < kFrames; ++i)
        records.push_back(maker.next(1));
    std::atomic<bool> failed = false;
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            Cursor cursor = log->from(1);
            while (cursor.number() <= kFrames && !failed) {
                const std::uint64_t number = cursor.number();
                const auto record = cursor.next();
                if (!record || (*record && **record != records[number - 1]))
                    failed = true;
                else if (*record && number % 50 == 0)
                    failed = failed || *log->read(number / 2) != records[number / 2 - 1];
                else if (!*record)
                    std::this_thread::yield();
            }
        });
    for (std::uint64_t number = 1; number <= kFrames; ++number) {
        ASSERT_TRUE(log->append(records[number - 1], number));
        if (number % 5 == 0) {
            ASSERT_TRUE(log->sync());
        }
    }
    for (std::thread& reader : readers)
        reader.join();
    EXPECT_FALSE(failed);
    log.reset();
    log = *FrameLog::open(posix_disk(), options);
    EXPECT_EQ(log->last(), kFrames);
    EXPECT_TRUE(log->check());
    std::filesystem::remove_all(options.folder);
    std::filesystem::remove(options.folder + ".mark");
}

}  // namespace
}  // namespace meridian::frames
