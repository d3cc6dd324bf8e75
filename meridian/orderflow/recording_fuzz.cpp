// Readers of recordings on any bytes, and what they read through a book.
#include <meridian/module/arena_fixture.hpp>
#include <meridian/orderflow/replay.hpp>

namespace {

class NoSink final : public meridian::orderflow::QuoteSink {
public:
    void on_quote(const meridian::orderflow::Quote&) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    using namespace meridian::orderflow;
    if (size < 1 || size > 16384)
        return 0;
    const auto format = static_cast<Format>(data[0] % 3);
    const BytesView content(data + 1, size - 1);
    // The formats themselves: what a compressed file expands to has no place in a fuzzer.
    const auto recording = format == Format::Dbn    ? read_dbn(content, {})
                           : format == Format::Itch ? read_itch(content, {})
                                                    : read_lobster(content);
    if (!recording) {
        MERIDIAN_ASSERT(!recording.error().text.empty() && recording.error().offset <= content.size());
        return 0;
    }
    const auto commands = to_commands(*recording);
    if (!commands)
        return 0;
    module::testing::OwnedArena arena(512);
    const auto place = modules::exchange::Book::create(*arena, rules_of(*commands));
    MERIDIAN_ASSERT(place.has_value());
    NoSink sink;
    const auto report = replay(*arena, *place, *commands, sink);
    MERIDIAN_ASSERT(!report || report->fills == 0);
    return 0;
}
