// Any bytes as a block and as a header: what is accepted encodes to the same bytes, and its parts hash.
#include <meridian/base/assert.hpp>
#include <meridian/chain/block.hpp>
#include <meridian/crypto/keccak.hpp>

namespace meridian::chain {
namespace {

void check_header(BytesView input) {
    const auto header = decode_header(input);
    if (!header) {
        MERIDIAN_ASSERT(!header.error().field.empty() && !header.error().reason.empty());
        return;
    }
    MERIDIAN_ASSERT(equal(encode(*header), input));
    MERIDIAN_ASSERT(header_hash(*header) == crypto::keccak256(input));
}

void check_block(BytesView input) {
    const auto block = decode_block(input);
    if (!block) {
        MERIDIAN_ASSERT(!block.error().field.empty() && !block.error().reason.empty());
        return;
    }
    MERIDIAN_ASSERT(equal(encode(*block), input));
    // The parts alone are valid as well.
    for (const Header& ommer : block->ommers)
        check_header(encode(ommer));
    check_header(encode(block->header));
    for (const Transaction& txn : block->transactions) {
        const auto again = decode_transaction(encode(txn));
        MERIDIAN_ASSERT(again && transaction_hash(*again) == transaction_hash(txn));
    }
    MERIDIAN_ASSERT(block->ommers.empty() == (ommers_hash(block->ommers) == kEmptyOmmersHash));
    static_cast<void>(transactions_root(block->transactions));
    if (block->withdrawals)
        static_cast<void>(withdrawals_root(*block->withdrawals));
}

}  // namespace
}  // namespace meridian::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::chain::check_header({data, size});
    meridian::chain::check_block({data, size});
    return 0;
}
