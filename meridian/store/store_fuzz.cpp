// Records of the store's tables from any bytes: what decodes has to encode to the same bytes.
#include <meridian/base/assert.hpp>
#include <meridian/store/log_index.hpp>
#include <meridian/store/record_codec.hpp>

using namespace meridian;
using namespace meridian::store;

namespace {

void check_record(std::uint8_t kind, BytesView input) {
    if (kind == 0) {
        if (const auto account = decode_account_value(input))
            MERIDIAN_ASSERT(equal(encode_account_value(*account), input));
    } else if (kind == 1) {
        if (const auto slot = decode_slot_value(input))
            MERIDIAN_ASSERT(equal(encode_slot_value(*slot), input));
    } else if (kind == 2) {
        if (const auto set = decode_change_set(input))
            MERIDIAN_ASSERT(equal(encode_change_set(*set), input));
    } else if (kind == 3) {
        if (const auto posting = decode_posting(input))
            MERIDIAN_ASSERT(equal(encode_posting(*posting), input));
    } else if (kind == 4) {
        if (const auto record = decode_block_record(input))
            MERIDIAN_ASSERT(equal(encode_block_record(*record), input));
    } else if (kind == 5) {
        if (const auto receipts = decode_receipt_group(input, Blooms::Leave)) {
            std::vector<chain::Receipt> plain;
            for (const StoredReceipt& receipt : *receipts)
                plain.push_back(receipt.receipt);
            MERIDIAN_ASSERT(equal(encode_receipt_group(plain, receipts->front().first_log_index), input));
        }
    } else if (kind == 6) {
        StoredBody body;
        static_cast<void>(decode_body_rest(input, body));
    } else if (const auto txns = decode_body_group(input)) {
        MERIDIAN_ASSERT(!txns->empty() && txns->size() <= kGroupSize);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0)
        check_record(data[0] % 8, {data + 1, size - 1});
    return 0;
}
