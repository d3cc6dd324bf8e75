// The exchange beside the naive one.
#include <meridian/modules/exchange/exchange_test_model.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    using namespace meridian::modules::exchange;
    if (size > 1024)
        return 0;
    testing::Choices choices(BytesView(data, size));
    testing::ExchangePair pair(choices);
    pair.run(choices);
    return 0;
}
