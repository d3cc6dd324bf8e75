#include <meridian/module/changes.hpp>
#include <meridian/module/containers_test_model.hpp>
#include <meridian/module/witness.hpp>

#include <gtest/gtest.h>

namespace meridian::module {
namespace {

using namespace testing;

Bytes random_stream(std::uint64_t seed, std::size_t size) {
    Random random(seed);
    Bytes out(size);
    for (std::uint8_t& byte : out)
        byte = static_cast<std::uint8_t>(random.next());
    return out;
}

// Without a look at the results.
void run_all(Arena& arena, const Bytes& stream) {
    World world(arena, false);
    world.run(Choices(stream));
    world.end_all();
}

// A copy that follows by changes alone: what was written past the barrier would be missing.
void expect_followed(Arena& arena, Arena& replica) {
    ASSERT_TRUE(replica.apply(arena.take_changes()));
    ASSERT_EQ(testing::bytes_of(replica), testing::bytes_of(arena));
}

TEST(Containers, RandomOperationsAgreeWithTheStandardLibrary) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE(seed);
        OwnedArena arena(4096, 4096);
        OwnedArena replica(4096);
        World world(*arena);
        for (int part = 0; part < 4; ++part) {
            world.run(Choices(random_stream(seed * 10 + part, 10'000)));
            ASSERT_FALSE(arena->failure());
            world.check();
            world.end_all();
            expect_followed(*arena, *replica);
        }
    }
}

TEST(Containers, RunningOutOfPagesOrUndoLeavesThemWhole) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(seed);
        OwnedArena arena(10 + static_cast<std::uint32_t>(seed), 20 + static_cast<std::uint32_t>(seed) * 3);
        OwnedArena replica(10 + static_cast<std::uint32_t>(seed));
        World world(*arena);
        for (int part = 0; part < 3; ++part) {
            world.run(Choices(random_stream(seed * 1000 + part, 3'000)));
            world.check();
            world.end_all();
            expect_followed(*arena, *replica);
        }
    }
}

// What is left in the arena must not depend on the way there, as far as it is zero: free memory holds links
// only.
TEST(Containers, RevertedRunsLeaveNoTrace) {
    OwnedArena arena(4096);
    World world(*arena);
    world.run(Choices(random_stream(1, 5'000)));
    world.end_all();
    arena->take_changes();
    const Bytes before = testing::bytes_of(*arena);
    for (std::uint64_t seed = 2; seed < 10; ++seed) {
        const auto checkpoint = arena->checkpoint();
        World(*arena, false).run(Choices(random_stream(seed, 1'000)));
        arena->revert(checkpoint);
        ASSERT_EQ(testing::bytes_of(*arena), before);
        ASSERT_TRUE(arena->take_changes().empty());
    }
}

TEST(Containers, PagesOnDemandGiveTheSameRoot) {
    OwnedArena arena(2048);
    World world(*arena);
    for (int part = 0; part < 8; ++part)
        world.run(Choices(random_stream(70 + part, 4'000)));
    world.end_all();
    PageTree tree(*arena);
    const Hash before = tree.update(*arena);
    arena->take_changes();
    const Bytes stream = random_stream(80, 150);

    HeapRegion recording_memory(2048);
    RecordingSource recorder(*arena);
    Arena recording = *Arena::open(recording_memory.region(), &recorder, 1u << 14);
    run_all(recording, stream);
    std::vector<PageNumber> touched = recorder.fetched();
    for (const PageChange& change : recording.take_changes().pages)
        touched.push_back(change.page);
    const auto repeat = [&](const Witness& witness) -> Result<Hash, Error> {
        auto source = *WitnessSource::make(witness, before);
        HeapRegion memory(2048);
        auto on_demand = Arena::open(memory.region(), &source, 1u << 14);
        if (!on_demand)
            return fail(on_demand.error());
        run_all(*on_demand, stream);
        return source.commitment_of(*on_demand);
    };
    const Witness witness = make_witness(*arena, tree, touched);
    EXPECT_LT(witness.contents.size(), arena->page_count());
    const Result<Hash, Error> after = repeat(witness);
    ASSERT_TRUE(after);
    for (const PageNumber page : witness.pages) {
        if (page >= witness.page_count)
            break;
        std::vector<PageNumber> others = witness.pages;
        std::erase(others, page);
        EXPECT_EQ(repeat(make_witness(*arena, tree, others)).error(), Error::MissingPage) << page;
    }
    // The same natively.
    run_all(*arena, stream);
    tree.mark(arena->take_changes());
    EXPECT_EQ(tree.update(*arena), *after);
}

// No crash, no endless loop, and undone like anything else; what comes of it otherwise does not matter.
TEST(Containers, DamagedPagesDoNoMoreDamage) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        OwnedArena arena(64);
        World world(*arena);
        world.run(Choices(random_stream(seed, 1'500)));
        world.end_all();
        damage(*arena, Random(seed), 200);
        const BytesView all(arena.memory.region().base, 64 * kPageSize);
        const Bytes before = to_bytes(all);
        const auto checkpoint = arena->checkpoint();
        run_all(*arena, random_stream(seed + 100, 1'500));
        arena->revert(checkpoint);
        if (!arena->failure()) {
            ASSERT_TRUE(equal(all, before)) << "seed " << seed;
        }
    }
}

TEST(Pool, SlotsAreUsedAgainAndZero) {
    OwnedArena arena(64);
    const Place<PoolState> state(offset_of_page(*arena->allocate_pages(1)));
    Pool<Order> pool(*arena, state);
    std::vector<Ptr<Order>> orders;
    for (int i = 0; i < 1000; ++i) {
        orders.push_back(*pool.allocate());
        arena->edit(orders.back()).amount = ~0ull;
    }
    // 32 bytes each.
    EXPECT_EQ(arena->at(state).page_count, 8u);
    EXPECT_EQ(orders[1].offset() - orders[0].offset(), 32u);
    for (const Ptr<Order> order : orders)
        pool.free(order);
    EXPECT_EQ(pool.size(), 0u);
    for (int i = 0; i < 1000; ++i) {
        const Ptr<Order> order = *pool.allocate();
        EXPECT_EQ(order, orders[999 - static_cast<std::size_t>(i)]);
        EXPECT_TRUE(arena->at(order).id == 0 && arena->at(order).amount == 0 && !arena->at(order).queue.next);
    }
    EXPECT_EQ(arena->at(state).page_count, 8u);
}

TEST(Vector, DirectoriesOfSeveralLevels) {
    struct Page {
        std::uint64_t words[512];
    };
    OwnedArena arena(4096);
    const Place<VectorState> state(offset_of_page(*arena->allocate_pages(1)));
    Vector<Page> vector(*arena, state);
    const std::uint32_t count = 1024 + 5;
    Page page{};
    for (std::uint32_t i = 0; i < count; ++i) {
        page.words[i % 512] = i;
        ASSERT_TRUE(vector.push_back(page));
    }
    EXPECT_EQ(arena->at(state).height, 2u);
    for (std::uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(vector.at(i).words[i % 512], i);
    while (vector.size() > 0)
        vector.pop_back();
    // Three directories remain.
    EXPECT_EQ(arena->header().page_count - arena->header().free_page_count, 2u + 1 + 3);
    ASSERT_TRUE(vector.push_back(page));
    EXPECT_EQ(vector.at(0).words[511], page.words[511]);
}

TEST(HashMap, GrowsByOneBucketAtATime) {
    OwnedArena arena(4096);
    const Place<HashMapState> state(offset_of_page(*arena->allocate_pages(1)));
    HashMap<std::uint64_t, std::uint64_t> map(*arena, state);
    std::uint64_t lines_max = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        const auto checkpoint = arena->checkpoint();
        ASSERT_TRUE(map.put(i, i * i));
        lines_max = std::max<std::uint64_t>(lines_max, arena->undo_lines());
        ASSERT_TRUE(arena->commit(checkpoint));
    }
    EXPECT_EQ(arena->at(state).buckets.size, 20'000u);
    EXPECT_LE(lines_max, 30u);
    for (std::uint64_t i = 0; i < 20'000; ++i)
        ASSERT_EQ(*map.get(i), i * i);
    EXPECT_EQ(map.get(20'000), nullptr);
    EXPECT_TRUE(map.erase(7));
    EXPECT_FALSE(map.erase(7));
}

// What cannot be read reads as zeros, which may be the key that is looked for.
TEST(HashMap, AKeyOfZerosOnAMissingPageIsAnError) {
    OwnedArena arena(64);
    const Place<HashMapState> state(offset_of_page(*arena->allocate_pages(1)));
    HashMap<std::uint64_t, std::uint64_t> map(*arena, state);
    ASSERT_TRUE(map.put(1, 1));
    ASSERT_TRUE(map.put(0, 5));
    GapSource source(*arena, page_of(map.find(0).offset));
    for (int action = 0; action < 3; ++action) {
        HeapRegion memory(64);
        Arena on_demand = *Arena::open(memory.region(), &source);
        HashMap<std::uint64_t, std::uint64_t> gone(on_demand, state);
        if (action == 0)
            gone.erase(0);
        else if (action == 1)
            (void)gone.get(0);
        else
            EXPECT_EQ(gone.put(0, 1).error(), Error::MissingPage);
        EXPECT_EQ(on_demand.failure(), Error::MissingPage);
    }
}

TEST(OrderedMap, LayoutsFillTheirNodes) {
    static_assert(node_layout(8, 4, 4).node_size == 256 && node_layout(8, 4, 4).leaf_max == 20);
    static_assert(node_layout(8, 4, 4).inner_max == 19);
    static_assert(node_layout(20, 64, 1).node_size == 1024);
    static_assert(node_layout(64, 512, 8).node_size == 4096 && node_layout(64, 512, 8).leaf_max == 7);
}

TEST(OrderedMap, StaysShallowWhateverTheOrderOfKeys) {
    for (int order = 0; order < 3; ++order) {
        OwnedArena arena(4096);
        const Place<OrderedMapState> state(offset_of_page(*arena->allocate_pages(1)));
        OrderedMap<std::uint64_t, std::uint32_t> map(*arena, state);
        constexpr std::uint32_t kCount = 30'000;
        const auto key = [&](std::uint64_t i) {
            return order == 0 ? i : order == 1 ? kCount - i : mix_bits(i);
        };
        std::uint64_t lines_max = 0;
        for (std::uint32_t i = 0; i < kCount; ++i) {
            const auto checkpoint = arena->checkpoint();
            ASSERT_TRUE(map.put(key(i), i));
            lines_max = std::max<std::uint64_t>(lines_max, arena->undo_lines());
            ASSERT_TRUE(arena->commit(checkpoint));
        }
        EXPECT_LE(arena->at(state).height, 4u);
        EXPECT_LE(lines_max, 60u);
        for (std::uint32_t i = 0; i < kCount; ++i)
            ASSERT_EQ(map.value(map.find(key(i))), i);
        for (std::uint32_t i = 0; i < kCount; ++i)
            ASSERT_TRUE(map.erase(key(i)));
        EXPECT_TRUE(map.empty() && !map.first() && !map.last());
        EXPECT_EQ(arena->at(state).root, 0u);
        EXPECT_EQ(arena->at(state).nodes.size, 0u);
    }
}

}  // namespace
}  // namespace meridian::module
