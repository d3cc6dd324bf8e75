#include <meridian/module/arena.hpp>

#include <meridian/module/arena_fixture.hpp>
#include <meridian/module/changes.hpp>

#include <gtest/gtest.h>

#include <map>

namespace meridian::module {
namespace {

using testing::bytes_of;
using testing::HeapRegion;
using testing::OwnedArena;
using testing::Random;

struct Pair {
    std::uint64_t first;
    std::uint64_t second;
};

struct Wide {
    std::uint64_t words[40];
};

Place<std::uint64_t> word_at(Offset offset) {
    return Place<std::uint64_t>(offset);
}

TEST(Arena, LinesOfARange) {
    EXPECT_EQ(lines_of(0, 1), 1u);
    EXPECT_EQ(lines_of(63, 1), 1u);
    EXPECT_EQ(lines_of(63, 2), 3u);
    EXPECT_EQ(lines_of(64, 64), 2u);
    EXPECT_EQ(lines_of(0, 4096), ~0ull);
    EXPECT_EQ(lines_of(32, 4096), ~0ull);
    EXPECT_EQ(lines_of(4095, 1), 1ull << 63);
    EXPECT_EQ(lines_of(4095, 8), 1ull << 63);
}

TEST(Arena, FreshOneHasAHeaderAndIsZero) {
    OwnedArena arena(16);
    EXPECT_EQ(arena->page_count(), kPageCountMin);
    Bytes rest = bytes_of(*arena);
    rest.erase(rest.begin(), rest.begin() + sizeof(ArenaHeader));
    EXPECT_EQ(rest, Bytes(rest.size()));
    EXPECT_EQ(arena->header().magic, kArenaMagic);
    EXPECT_EQ(std::memcmp(&arena->header(), "MERIDIAN", 8), 0);
}

TEST(Arena, RefusesWhatIsNoArena) {
    HeapRegion memory(8);
    EXPECT_EQ(Arena::create(memory.region(), 9).error(), Error::RegionTooSmall);
    EXPECT_EQ(Arena::create(memory.region(), 1).error(), Error::BadHeader);
    EXPECT_EQ(Arena::open(memory.region()).error(), Error::BadHeader);
    ASSERT_TRUE(Arena::create(memory.region(), 8));
    EXPECT_TRUE(Arena::open(memory.region()));
    auto& header = *reinterpret_cast<ArenaHeader*>(memory.region().base);
    const ArenaHeader good = header;
    header.layout_version = 2;
    EXPECT_EQ(Arena::open(memory.region()).error(), Error::BadHeader);
    header = good;
    header.page_count = 9;
    EXPECT_EQ(Arena::open(memory.region()).error(), Error::BadHeader);
    header = good;
    header.page_count = 1;
    EXPECT_EQ(Arena::open(memory.region()).error(), Error::BadHeader);
    header = good;
    header.page_limit = 9;
    EXPECT_EQ(Arena::open(memory.region()).error(), Error::RegionTooSmall);
    header.page_limit = kPagesMax + 1;
    EXPECT_EQ(Arena::open(memory.region()).error(), Error::BadHeader);
}

TEST(Arena, NestedCheckpointsUndoAndKeep) {
    OwnedArena arena(16);
    const PageNumber page = *arena->allocate_pages(1);
    const Place<Pair> pair(offset_of_page(page) + 16);
    const auto outer = arena->checkpoint();
    arena->edit(pair).first = 1;
    const auto inner = arena->checkpoint();
    arena->edit(pair).first = 2;
    arena->edit(arena->place(pair, &Pair::second)) = 3;
    EXPECT_EQ(arena->undo_lines(), 2u);
    arena->revert(inner);
    EXPECT_EQ(arena->at(pair).first, 1u);
    EXPECT_EQ(arena->at(pair).second, 0u);
    const auto again = arena->checkpoint();
    arena->edit(pair).second = 9;
    ASSERT_TRUE(arena->commit(again));
    EXPECT_EQ(arena->at(pair).second, 9u);
    EXPECT_EQ(arena->open_checkpoints(), 1u);
    arena->revert(outer);
    EXPECT_EQ(arena->at(pair).first, 0u);
    EXPECT_EQ(arena->at(pair).second, 0u);
    EXPECT_EQ(arena->open_checkpoints(), 0u);
    EXPECT_EQ(arena->undo_lines(), 0u);
}

TEST(Arena, ATransactionRevertsUnlessCommitted) {
    OwnedArena arena(16);
    const auto word = word_at(offset_of_page(*arena->allocate_pages(1)));
    {
        Transaction transaction(*arena);
        arena->edit(word) = 5;
    }
    EXPECT_EQ(arena->at(word), 0u);
    {
        Transaction transaction(*arena);
        arena->edit(word) = 6;
        ASSERT_TRUE(transaction.commit());
    }
    EXPECT_EQ(arena->at(word), 6u);
    EXPECT_EQ(arena->open_checkpoints(), 0u);
}

TEST(Arena, WhatWasRevertedIsNoChange) {
    OwnedArena arena(16);
    const Offset start = offset_of_page(*arena->allocate_pages(1));
    arena->take_changes();
    arena->edit(word_at(start)) = 1;
    const auto outer = arena->checkpoint();
    arena->edit(word_at(start)) = 2;
    arena->edit(word_at(start + 64)) = 2;
    arena->edit(word_at(start + kPageSize)) = 2;  // out of bounds: fails, and is not written
    EXPECT_EQ(arena->failure(), Error::OutOfBounds);
    arena->revert(outer);
    EXPECT_EQ(arena->failure(), Error::OutOfBounds);
    const Changes changes = arena->take_changes();
    EXPECT_EQ(changes.pages, (std::vector<PageChange>{{page_of(start), 1}}));
    EXPECT_EQ(changes.lines[0][0], 1);
    EXPECT_TRUE(arena->take_changes().empty());
}

TEST(Arena, MoreThanCanBeUndoneFailsUntilReverted) {
    OwnedArena arena(16, 8);
    const Offset start = offset_of_page(*arena->allocate_pages(1));
    arena->edit(word_at(start)) = 7;
    const Bytes before = bytes_of(*arena);
    const auto outer = arena->checkpoint();
    arena->edit(word_at(start + 128)) = 1;
    const auto inner = arena->checkpoint();
    arena->edit(Place<Wide>(start + 1024)).words[0] = 1;
    EXPECT_FALSE(arena->failure());
    EXPECT_EQ(arena->undo_lines(), 6u);
    Wide& diverted = arena->edit(Place<Wide>(start));
    EXPECT_EQ(arena->failure(), Error::UndoFull);
    EXPECT_EQ(diverted.words[0], 0u);
    diverted.words[0] = 99;
    // Reads zeros, gives no pages, and cannot be committed.
    EXPECT_EQ(arena->at(word_at(start)), 0u);
    EXPECT_EQ(arena->edit(word_at(start)), 0u);
    EXPECT_EQ(arena->allocate_pages(1).error(), Error::UndoFull);
    arena->free_pages(page_of(start), 1);
    EXPECT_EQ(arena->commit(inner).error(), Error::UndoFull);
    arena->revert(inner);
    EXPECT_FALSE(arena->failure());
    EXPECT_EQ(arena->at(word_at(start + 128)), 1u);
    arena->edit(Place<Wide>(start)).words[1] = 2;
    arena->revert(outer);
    EXPECT_EQ(bytes_of(*arena), before);
    // Without a checkpoint nothing has to be saved.
    for (Offset offset = 0; offset < kPageSize; offset += 8)
        arena->edit(word_at(start + offset)) = 1;
    EXPECT_FALSE(arena->failure());
}

TEST(Arena, ZeroingTouchesOnlyWhatIsNotZero) {
    OwnedArena arena(16);
    const Offset start = offset_of_page(*arena->allocate_pages(1));
    arena->edit(word_at(start + 8)) = 1;
    arena->edit(word_at(start + 200)) = ~0ull;
    arena->take_changes();
    arena->zero(start + 204, 1000);
    EXPECT_EQ(arena->at(word_at(start + 200)), 0xffffffffu);
    EXPECT_EQ(arena->take_changes().pages, (std::vector<PageChange>{{page_of(start), 1u << 3}}));
    arena->zero(start, kPageSize);
    EXPECT_EQ(arena->take_changes().pages, (std::vector<PageChange>{{page_of(start), 1u << 3 | 1}}));
    EXPECT_TRUE(std::ranges::all_of(arena->page(page_of(start)), [](std::uint8_t b) { return b == 0; }));
}

// Random writes with nested checkpoints against copies of the whole memory.
TEST(Arena, RandomWritesAgainstCopies) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        OwnedArena arena(16);
        const PageNumber first = *arena->allocate_pages(8);
        OwnedArena replica(16);
        ASSERT_TRUE(replica->apply(arena->take_changes()));
        std::vector<std::pair<Arena::Checkpoint, Bytes>> open;
        for (int step = 0; step < 400; ++step) {
            const Offset offset = offset_of_page(first) + random.below(8 * kPageSize) / 16 * 16;
            const std::uint32_t action = random.below(20);
            if (action < 12) {
                arena->edit(Place<Pair>(offset)) = {random.next(), random.next()};
            } else if (action < 14 && offset_in_page(offset) + sizeof(Wide) <= kPageSize) {
                arena->edit(Place<Wide>(offset)).words[random.below(40)] = random.next();
            } else if (action < 16) {
                open.emplace_back(arena->checkpoint(), bytes_of(*arena));
            } else if (action < 17) {
                arena->zero(offset, random.below(kPageSize - offset_in_page(offset)));
            } else if (!open.empty()) {
                // Sometimes several at once.
                for (std::uint32_t more = random.below(2); more > 0 && open.size() > 1; --more)
                    open.pop_back();
                if (action == 17) {
                    ASSERT_TRUE(arena->commit(open.back().first));
                } else {
                    arena->revert(open.back().first);
                    ASSERT_EQ(bytes_of(*arena), open.back().second) << "seed " << seed << " step " << step;
                }
                open.pop_back();
            } else if (action == 19) {
                ASSERT_TRUE(replica->apply(arena->take_changes()));
                ASSERT_EQ(bytes_of(*replica), bytes_of(*arena));
            }
        }
        ASSERT_FALSE(arena->failure());
    }
}

TEST(PageAllocator, RunsAreAlignedZeroAndDoNotOverlap) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Random random(seed);
        OwnedArena arena(6000);
        std::map<PageNumber, std::uint32_t> runs;
        std::uint32_t used = 0;
        for (int step = 0; step < 600; ++step) {
            if (runs.empty() || random.below(5) < 3) {
                const std::uint32_t count = 1 + random.below(1u << random.below(8));
                const std::uint32_t size = std::bit_ceil(count);
                const auto first = arena->allocate_pages(count);
                ASSERT_TRUE(first) << describe(first.error());
                ASSERT_EQ(*first % size, 0u);
                ASSERT_LE(*first + size, arena->page_count());
                const auto next = runs.lower_bound(*first);
                ASSERT_TRUE(next == runs.end() || next->first >= *first + size);
                ASSERT_TRUE(next == runs.begin() ||
                            std::prev(next)->first + std::bit_ceil(std::prev(next)->second) <= *first);
                for (std::uint32_t i = 0; i < size; ++i) {
                    const auto word = word_at(offset_of_page(*first + i));
                    ASSERT_EQ(arena->at(word), 0u);
                    arena->edit(word) = random.next();
                }
                runs[*first] = count;
                used += size;
            } else {
                auto run = std::next(runs.begin(), random.below(static_cast<std::uint32_t>(runs.size())));
                arena->free_pages(run->first, run->second);
                used -= std::bit_ceil(run->second);
                runs.erase(run);
            }
            // The header and the maps are neither used nor free.
            const std::uint32_t maps = 1 + (arena->page_count() - 1) / 4096;
            ASSERT_EQ(arena->header().free_page_count + used + 1 + maps, arena->page_count());
        }
    }
}

TEST(PageAllocator, FreedNeighboursBecomeOneRun) {
    OwnedArena arena(4096);
    const PageNumber big = *arena->allocate_pages(2048);
    EXPECT_EQ(big, 2048u);
    EXPECT_EQ(arena->allocate_pages(2048).error(), Error::OutOfPages);
    arena->free_pages(big, 2048);
    std::vector<PageNumber> pages;
    while (const auto page = arena->allocate_pages(1))
        pages.push_back(*page);
    EXPECT_EQ(pages.size(), 4096u - 2);
    EXPECT_EQ(arena->allocate_pages(1).error(), Error::OutOfPages);
    EXPECT_EQ(arena->header().free_page_count, 0u);
    for (const PageNumber page : pages)
        arena->free_pages(page, 1);
    EXPECT_EQ(*arena->allocate_pages(2048), 2048u);
    EXPECT_EQ(*arena->allocate_pages(1024), 1024u);
}

TEST(PageAllocator, RefusesRunsThatNoBlockHolds) {
    OwnedArena arena(64);
    EXPECT_EQ(arena->allocate_pages(0).error(), Error::RunTooLong);
    EXPECT_EQ(arena->allocate_pages(kRunPagesMax + 1).error(), Error::RunTooLong);
    EXPECT_EQ(arena->allocate_pages(kRunPagesMax).error(), Error::OutOfPages);
    EXPECT_TRUE(arena->allocate_pages(32));
}

TEST(PageAllocator, GrowthIsUndoneWithTheRest) {
    OwnedArena arena(64);
    const Bytes before = bytes_of(*arena);
    const auto checkpoint = arena->checkpoint();
    const PageNumber page = *arena->allocate_pages(4);
    arena->edit(word_at(offset_of_page(page + 3))) = 1;
    arena->revert(checkpoint);
    EXPECT_EQ(bytes_of(*arena), before);
    EXPECT_TRUE(std::all_of(arena.memory.region().base + before.size(),
                            arena.memory.region().base + offset_of_page(64),
                            [](std::uint8_t b) { return b == 0; }));
    EXPECT_EQ(*arena->allocate_pages(4), page);
}

TEST(Changes, EncodingIsCanonical) {
    OwnedArena arena(16);
    const Offset start = offset_of_page(*arena->allocate_pages(2));
    arena->edit(word_at(start + 64)) = 1;
    arena->edit(word_at(start + kPageSize)) = 2;
    const Changes changes = arena->take_changes();
    const Bytes encoded = encode(changes);
    EXPECT_EQ(*decode_changes(encoded), changes);
    EXPECT_EQ(encode(Changes{}), Bytes(4));
    for (std::size_t size = 0; size < encoded.size(); ++size)
        EXPECT_EQ(decode_changes(BytesView(encoded).first(size)).error(), Error::BadChanges);
    Bytes longer = encoded;
    longer.push_back(0);
    EXPECT_EQ(decode_changes(longer).error(), Error::BadChanges);
    Changes disorder = changes;
    disorder.pages[1].page = disorder.pages[0].page;
    EXPECT_EQ(decode_changes(encode(disorder)).error(), Error::BadChanges);
    EXPECT_EQ(decode_changes(encode(Changes{{{1, 0}}, {}})).error(), Error::BadChanges);
    EXPECT_EQ(decode_changes(encode(Changes{{{kPagesMax, 1}}, {Line{}}})).error(), Error::BadChanges);
}

TEST(Changes, ThoseOfAnotherArenaAreRefusedWhole) {
    OwnedArena arena(16);
    const Bytes before = bytes_of(*arena);
    Line header;
    std::memcpy(header.data(), &arena->header(), kLineSize);
    const auto refused = [&](const Changes& changes) {
        const auto result = arena->apply(changes);
        return !result && result.error() == Error::BadChanges && bytes_of(*arena) == before;
    };
    EXPECT_TRUE(refused({{{2, 1}}, {Line{}}}));  // no such page
    EXPECT_TRUE(refused({{{0, 1}}, {Line{}}}));  // no header
    EXPECT_TRUE(refused({{{1, 3}}, {Line{}}}));  // a line is missing
    EXPECT_TRUE(refused({{{1, 1}, {0, 1}}, {header, header}}));
    Line grown = header;
    grown[12] = 17;
    EXPECT_TRUE(refused({{{0, 1}}, {grown}}));
    grown[12] = 1;
    EXPECT_TRUE(refused({{{0, 1}}, {grown}}));
    grown[12] = 16;
    ASSERT_TRUE(arena->apply({{{0, 1}, {15, 1ull << 63}}, {grown, grown}}));
    EXPECT_EQ(arena->page_count(), 16u);
    EXPECT_EQ(arena->page(15)[kPageSize - kLineSize], 'M');
}

}  // namespace
}  // namespace meridian::module
