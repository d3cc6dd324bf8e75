// Arbitrary bytes as JSON-RPC requests to a small chain: every one is answered, and the answer is JSON.
#include <meridian/base/assert.hpp>
#include <meridian/rpc/test_node.hpp>

namespace {

using namespace meridian;

constexpr std::size_t kRequestsPerNode = 2'000;  // before the chain has grown too far from its beginning

// Bounds are small, so that no input takes long.
struct FuzzedNode {
    rpc::TestNode node;
    std::size_t requests = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::unique_ptr<FuzzedNode> fuzzed;
    if (!fuzzed || ++fuzzed->requests > kRequestsPerNode)
        fuzzed = std::make_unique<FuzzedNode>();
    const std::string answer = fuzzed->node.dispatcher.handle({reinterpret_cast<const char*>(data), size});
    if (!answer.empty()) {
        boost::system::error_code ec;
        boost::json::parse_options options;
        options.max_depth = 4096;
        boost::json::parse({answer.data(), answer.size()}, ec, {}, options);
        MERIDIAN_ASSERT(!ec);
    }
    return 0;
}
