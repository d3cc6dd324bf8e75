#include <meridian/store/arena_region.hpp>

#include <meridian/module/arena.hpp>

#include <gtest/gtest.h>

namespace meridian::store {
namespace {

using namespace module;

TEST(ArenaRegion, HoldsAnArenaOfAnySizeAndIsZero) {
    std::optional<ArenaRegion> memory = ArenaRegion::reserve(kPagesMax);
    ASSERT_TRUE(memory);
    ArenaRegion moved = std::move(*memory);
    EXPECT_EQ(memory->region().base, nullptr);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(moved.region().base) % kPageSize, 0u);
    Arena arena = *Arena::create(moved.region(), kPagesMax);
    // Runs of 2048 pages, touching a word of each.
    Place<std::uint64_t> last;
    for (int i = 0; i < 20; ++i) {
        const auto page = arena.allocate_pages(kRunPagesMax);
        ASSERT_TRUE(page);
        last = Place<std::uint64_t>(offset_of_page(*page + kRunPagesMax) - 8);
        ASSERT_EQ(arena.at(last), 0u);
        arena.edit(last) = 1;
    }
    EXPECT_GT(page_of(last.offset), 40'000u);
    EXPECT_FALSE(arena.failure());
}

}  // namespace
}  // namespace meridian::store
