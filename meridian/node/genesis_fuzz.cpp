// Any text as a genesis file: refused with a reason, or a chain begins with it and takes a block or
// declines to.
#include <meridian/base/assert.hpp>
#include <meridian/node/dev_chain.hpp>

#include <algorithm>

namespace meridian::node {
namespace {

template <class T>
bool strictly_ascending(const std::vector<T>& values) {
    return std::adjacent_find(values.begin(), values.end(), std::greater_equal<T>()) == values.end();
}

void run(std::string_view text) {
    const auto genesis = parse_genesis(text);
    if (!genesis) {
        MERIDIAN_ASSERT(!genesis.error().reason.empty());
        return;
    }
    MERIDIAN_ASSERT(strictly_ascending(genesis->fork_blocks) && strictly_ascending(genesis->fork_times));

    ChainOptions options;
    options.clock = [] { return std::uint64_t{1'700'000'000}; };
    DevChain chain(*genesis, std::move(options));
    const chain::Header& first = chain.head()->header();
    const auto decoded = chain::decode_header(chain::encode(first));
    MERIDIAN_ASSERT(decoded && *decoded == first && chain::header_hash(first) == chain.head()->hash);

    const Hash before = chain.head()->hash;
    const auto mined = chain.mine();
    MERIDIAN_ASSERT(chain.head()->number() == (mined ? 1u : 0u));
    MERIDIAN_ASSERT(mined ? (*mined)->header().parent_hash == before : chain.head()->hash == before);
}

}  // namespace
}  // namespace meridian::node

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::node::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
