// A record from anywhere: whatever is accepted encodes to a record of the same meaning. The checksum is
// mended first, as no fuzzer guesses one.
#include <meridian/base/assert.hpp>
#include <meridian/frames/crc32c.hpp>
#include <meridian/frames/evidence.hpp>

namespace {

using namespace meridian;
using namespace meridian::frames;

void check_record(BytesView record) {
    const auto view = peek(record);
    if (!view)
        return;
    MERIDIAN_ASSERT(*record_size(record) == record.size());
    MERIDIAN_ASSERT(view->head.hash == frame_hash(view->head.header));
    const auto parsed = parse_signed_header(signed_header_json(view->head));
    MERIDIAN_ASSERT(parsed && *parsed == view->head);
    const FrameTip tip = genesis_tip(view->head.header.chain_id, view->head.header.parent_hash);
    (void)verify(record, tip, recover_signer(view->head).value_or(Address{})).has_value();
    const auto sections = open_sections(*view);
    if (!sections)
        return;
    MERIDIAN_ASSERT(sections->bytes.size() <= kSectionsSizeMax);
    const auto frame = decode_record(record);
    MERIDIAN_ASSERT(frame.has_value() == decode_content(*sections).has_value());
    if (!frame)
        return;
    const Bytes again = *encode_record(*frame);
    const auto second = peek(again);
    MERIDIAN_ASSERT(second && second->head == view->head);
    MERIDIAN_ASSERT(open_sections(*second)->bytes == sections->bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes record(data, data + size);
    check_record(record);
    // Also as JSON: evidence and headers come in files from strangers.
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parse_signed_header(text).has_value();
    (void)parse_evidence(text).has_value();
    if (size < kRecordHeadSize)
        return 0;
    const auto length = static_cast<std::uint32_t>(size - kRecordPrefixSize);
    const std::uint32_t checksum = crc32c(BytesView(record).subspan(kRecordPrefixSize));
    for (std::size_t i = 0; i < 4; ++i) {
        record[i] = static_cast<std::uint8_t>(length >> 8 * i);
        record[4 + i] = static_cast<std::uint8_t>(checksum >> 8 * i);
    }
    check_record(record);
    return 0;
}
