// Any bytes as an era1 file: blocks until the end, or a reason and the place.
#include <meridian/base/assert.hpp>
#include <meridian/spec/era1.hpp>

namespace meridian::spec {
namespace {

void run(BytesView input) {
    Era1Reader reader(input);
    Era1Accumulator accumulator;
    Era1Block block;
    std::uint64_t blocks = 0;
    for (;;) {
        const auto more = reader.next(block);
        if (!more) {
            MERIDIAN_ASSERT(!more.error().reason.empty() && more.error().offset <= input.size());
            return;
        }
        if (!*more)
            break;
        ++blocks;
        MERIDIAN_ASSERT(snappy_unframe(snappy_frame(block.header), block.header.size()) == block.header);
    }
    MERIDIAN_ASSERT(reader.trailer().blocks == blocks && blocks <= kEra1BlocksMax);
}

}  // namespace
}  // namespace meridian::spec

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::spec::run({data, size});
    return 0;
}
