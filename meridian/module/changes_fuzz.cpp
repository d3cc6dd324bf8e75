// Changes that decode encode to the same bytes; those that an arena takes are in it, and in the changes it
// gives; those that it refuses leave it as it was.
#include <meridian/module/arena_fixture.hpp>
#include <meridian/module/changes.hpp>
#include <meridian/module/page_tree.hpp>

namespace {

using namespace meridian;
using namespace meridian::module;

constexpr std::uint32_t kPages = 24;

// Whatever lies in the header now, allocating has to stay within the region.
void use(Arena& arena) {
    const auto checkpoint = arena.checkpoint();
    const Bytes before = module::testing::bytes_of(arena);
    for (std::uint32_t count = 1; count <= 8; count *= 2) {
        const auto pages = arena.allocate_pages(count);
        if (pages && *pages > 1 && *pages < kPages)
            arena.free_pages(*pages, count);
    }
    arena.revert(checkpoint);
    MERIDIAN_ASSERT(arena.failure() || module::testing::bytes_of(arena) == before);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input(data, size);
    const auto changes = decode_changes(input);
    if (!changes)
        return 0;
    MERIDIAN_ASSERT(equal(encode(*changes), input));
    module::testing::OwnedArena arena(kPages);
    MERIDIAN_ASSERT(arena->allocate_pages(4).has_value());
    arena->take_changes();
    PageTree tree(*arena);
    const Bytes before = module::testing::bytes_of(*arena);
    if (!arena->apply(*changes)) {
        MERIDIAN_ASSERT(module::testing::bytes_of(*arena) == before && arena->take_changes().empty());
        return 0;
    }
    MERIDIAN_ASSERT(arena->take_changes() == *changes);
    tree.mark(*changes);
    tree.update(*arena);
    MERIDIAN_ASSERT(tree.root() == PageTree(*arena).root());
    use(*arena);
    return 0;
}
