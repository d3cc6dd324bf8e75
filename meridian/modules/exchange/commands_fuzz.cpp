// Any bytes as a command: what decodes encodes to the same bytes.
#include <meridian/modules/exchange/commands_test_model.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    static_cast<void>(modules::exchange::testing::check_command_bytes(BytesView(data, size)));
    return 0;
}
