// The book beside the naive one, in an arena with few pages and few lines of undo.
#include <meridian/modules/exchange/book_test_model.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    using namespace meridian::modules::exchange;
    if (size < 4 || size > 4096)
        return 0;
    module::testing::OwnedArena arena(8 + data[0] % 32, 32 + data[1]);
    testing::World world(*arena);
    world.run(testing::Choices(BytesView(data, size).subspan(2)));
    return 0;
}
