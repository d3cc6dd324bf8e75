// What a node answers, and addresses of nodes: any text is taken or refused.
#include <meridian/base/assert.hpp>
#include <meridian/load/submit_message.hpp>

namespace {

class Counting final : public meridian::load::ChannelListener {
public:
    void on_answer(const meridian::load::SubmitAnswer&) override { ++answers; }
    void on_included(std::uint32_t, const meridian::load::Inclusion&,
                     const meridian::load::FrameStamp&) override {}
    void on_dropped(std::uint32_t, std::string_view) override {}
    void on_lost(std::string_view) override {}
    int answers = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Counting listener;
    const bool taken = meridian::load::read_submit_answer(text, listener);
    MERIDIAN_ASSERT(listener.answers == taken);
    if (const auto endpoint = meridian::load::parse_endpoint(text)) {
        const auto again = meridian::load::parse_endpoint(endpoint->text());
        MERIDIAN_ASSERT(again && again->text() == endpoint->text());
    }
    return 0;
}
