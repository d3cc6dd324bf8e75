// All containers against the standard library's, with nested checkpoints and few pages and lines; then the
// same stream on pages of which some may be missing, where all that is asked is to stay within the memory and
// say so.
#include <meridian/module/changes.hpp>
#include <meridian/module/containers_test_model.hpp>

namespace {

using namespace meridian;
using namespace meridian::module;
using namespace meridian::module::testing;

constexpr std::uint32_t kPages = 48;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4 || size > 4096)
        return 0;
    const BytesView stream = BytesView(data, size).subspan(2);
    OwnedArena arena(kPages - data[0] % 32, 16 + data[1]);
    OwnedArena replica(kPages - data[0] % 32);
    World world(*arena);
    world.run(Choices(stream));
    world.check();
    world.end_all();
    MERIDIAN_ASSERT(replica->apply(arena->take_changes()).has_value());
    MERIDIAN_ASSERT(module::testing::bytes_of(*replica) == module::testing::bytes_of(*arena));

    GapSource source(*arena, 1 + data[1] % 16);
    const HeapRegion memory(kPages);
    Arena on_demand = *Arena::open(memory.region(), &source, 1000);
    World(on_demand, false).run(Choices(stream));
    const auto failure = on_demand.failure();
    MERIDIAN_ASSERT(!failure || failure == Error::MissingPage || failure == Error::UndoFull);

    damage(*arena, Random(size * 256 + data[1]), 1 + data[0]);
    World(*arena, false).run(Choices(stream));
    return 0;
}
