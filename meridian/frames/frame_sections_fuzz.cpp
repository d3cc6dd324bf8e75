// Sections: the first byte says which one the rest is, the others being empty lists. What decodes encodes to
// the same bytes.
#include <meridian/base/assert.hpp>
#include <meridian/frames/codec.hpp>
#include <meridian/rlp/encode.hpp>

namespace {

using namespace meridian;
using namespace meridian::frames;

Sections with_section(Section fuzzed, BytesView bytes) {
    const Bytes empty{rlp::kEmptyList};
    const Bytes empty_changes{rlp::kEmptyList + 2, rlp::kEmptyList, rlp::kEmptyList};
    std::array<BytesView, kSectionCount> parts{BytesView{}, empty, empty, empty_changes};
    parts[static_cast<std::size_t>(fuzzed)] = bytes;
    Sections sections;
    for (std::size_t i = 0; i < kSectionCount; ++i) {
        append(sections.bytes, parts[i]);
        sections.sizes[i] = static_cast<std::uint32_t>(parts[i].size());
    }
    return sections;
}

// Receipts need as many transactions: both lists of one input, the transactions' first.
Sections with_both(BytesView bytes) {
    Sections sections = with_section(Section::Base, {});
    const std::size_t split = bytes.empty() ? 0 : std::min<std::size_t>(bytes[0], bytes.size() - 1);
    if (bytes.empty())
        return sections;
    const BytesView transactions = bytes.subspan(1, split);
    const BytesView receipts = bytes.subspan(1 + split);
    const Bytes empty_changes{rlp::kEmptyList + 2, rlp::kEmptyList, rlp::kEmptyList};
    sections.bytes = to_bytes(transactions);
    append(sections.bytes, receipts);
    append(sections.bytes, empty_changes);
    sections.sizes = {0, static_cast<std::uint32_t>(transactions.size()),
                      static_cast<std::uint32_t>(receipts.size()), 3};
    return sections;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const BytesView rest(data + 1, size - 1);
    const unsigned choice = data[0] % (kSectionCount + 1);
    const Sections sections =
        choice == kSectionCount ? with_both(rest) : with_section(static_cast<Section>(choice), rest);
    const auto content = decode_content(sections);
    if (!content) {
        MERIDIAN_ASSERT(content.error().error == CodecError::Content && !content.error().message.empty());
        return 0;
    }
    const auto again = encode_sections(*content);
    MERIDIAN_ASSERT(again && again->bytes == sections.bytes && again->sizes == sections.sizes);
    FrameHeader header;
    commit_sections(header, sections);
    header.index = content->base ? 0 : 1;
    MERIDIAN_ASSERT(verify_sections(header, sections).has_value());
    return 0;
}
