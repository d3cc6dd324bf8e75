// Whatever the decoder accepts encodes to the same bytes again, and the typed readers agree with it.
#include <meridian/base/assert.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>

namespace {

using namespace meridian;

constexpr std::size_t kDepthMax = 64;

void check_string(const rlp::Item& item, Bytes& out) {
    const std::size_t start = out.size();
    rlp::encode_bytes(out, item.payload);
    MERIDIAN_ASSERT(out.size() - start == rlp::length_of_bytes(item.payload));

    BytesView cursor = item.raw;
    if (const auto number = rlp::read_u256(cursor)) {
        Bytes again;
        rlp::encode_u256(again, *number);
        MERIDIAN_ASSERT(equal(again, item.raw) && cursor.empty());
        MERIDIAN_ASSERT(again.size() == rlp::length_of_u256(*number));
        cursor = item.raw;
        const auto word = rlp::read_uint64(cursor);
        MERIDIAN_ASSERT(word.has_value() == fits_u64(*number));
        MERIDIAN_ASSERT(!word || *word == (*number)[0]);
    } else {
        MERIDIAN_ASSERT(item.payload.size() > 32 || item.payload[0] == 0);
        MERIDIAN_ASSERT(!rlp::read_uint64(cursor).has_value() && cursor.size() == item.raw.size());
    }
}

// Recursion is bounded by kDepthMax, which the caller has checked.
void encode_again(const rlp::Item& item, Bytes& out) {
    if (!item.is_list)
        return check_string(item, out);
    Bytes payload;
    rlp::ListReader reader(item.payload);
    while (!reader.at_end())
        encode_again(reader.item(), payload);
    MERIDIAN_ASSERT(reader.finish().has_value());
    rlp::encode_list_header(out, payload.size());
    append(out, payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input(data, size);
    // The typed readers on anything at all: their results are checked where the input is canonical.
    rlp::ListReader reader(input);
    (void)reader.list();
    (void)reader.optional_fixed<20>();
    (void)reader.uint64();
    (void)reader.number();
    (void)reader.fixed<32>();
    MERIDIAN_ASSERT(reader.finish().has_value() == (reader.ok() && reader.at_end()));

    if (!rlp::check_canonical(input, kDepthMax).has_value())
        return 0;
    Bytes out;
    encode_again(*rlp::decode_exact(input), out);
    MERIDIAN_ASSERT(equal(out, input));
    return 0;
}
