// The exchange beside the naive one, or on any commands in an arena with little room.
#include <meridian/modules/exchange/exchange_chaos_model.hpp>
#include <meridian/modules/exchange/exchange_pair_model.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    using namespace meridian::modules::exchange;
    if (size < 2 || size > 1024)
        return 0;
    testing::Choices choices(BytesView(data, size).subspan(1));
    if ((data[0] & 1) == 0) {
        testing::ExchangePair pair(choices);
        pair.run(choices);
    } else {
        testing::Chaos chaos(choices, 60 + data[0] / 8, 50 + data[0]);
        chaos.run(choices, true);
    }
    return 0;
}
