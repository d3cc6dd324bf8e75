// Any bytes as a transaction, and as one with a sidecar: what is accepted encodes to the same bytes, keeps
// its hash, and gives a sender or a reason.
//
// Blobs are too long to be found by mutation. An input that begins with kSidecarMark is a recipe for one:
// the mark, a version, the numbers of blobs, commitments and proofs, and the envelope to wrap.
#include <meridian/base/assert.hpp>
#include <meridian/chain/transaction.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::chain {
namespace {

// No envelope begins with it.
constexpr std::uint8_t kSidecarMark = 0x00;
constexpr std::size_t kRecipeSize = 5;
constexpr std::size_t kBlobSize = 131072;
constexpr std::size_t kBlobsMax = 3;
constexpr std::size_t kCellsPerBlob = 128;

void check_accepted(BytesView envelope, const Transaction& txn) {
    MERIDIAN_ASSERT(equal(encode(txn), envelope));
    MERIDIAN_ASSERT(transaction_hash(txn) == crypto::keccak256(envelope));
    Bytes in_block;
    append_to_block(in_block, txn);
    const auto item = rlp::decode_exact(in_block);
    MERIDIAN_ASSERT(item.has_value() && equal(item->is_list ? item->raw : item->payload, envelope));

    const auto frontier = recover_sender(txn, false);
    const auto homestead = recover_sender(txn, true);
    MERIDIAN_ASSERT(!homestead || (frontier && *homestead == *frontier));
    for (const Authorization& authorization : txn.authorizations)
        static_cast<void>(recover_authority(authorization));
    if (txn.type != TxnType::Deposit)
        static_cast<void>(signing_hash(txn));
}

// The plain form is a pooled form, too.
void check_plain(BytesView envelope) {
    const auto txn = decode_transaction(envelope);
    const auto pooled = decode_pooled_transaction(envelope);
    if (!txn) {
        MERIDIAN_ASSERT(!txn.error().field.empty() && !txn.error().reason.empty());
        // A sidecar in the input itself: what is left of it is a plain transaction.
        if (pooled)
            check_accepted(encode(*pooled), *pooled);
        return;
    }
    check_accepted(envelope, *txn);
    MERIDIAN_ASSERT(pooled && equal(encode(*pooled), envelope));
}

void append_strings(rlp::ListBuilder& out, std::size_t count, const Bytes& value) {
    rlp::ListBuilder list;
    for (std::size_t i = 0; i < count; ++i)
        list.bytes(value);
    out.list(list);
}

void check_with_sidecar(BytesView recipe) {
    const BytesView envelope = recipe.subspan(kRecipeSize);
    if (!rlp::decode_exact(envelope.subspan(1)))
        return;
    rlp::ListBuilder wrapper;
    wrapper.encoded(envelope.subspan(1));
    if (recipe[1] != 0)
        wrapper.uint(recipe[1]);
    append_strings(wrapper, recipe[2] % (kBlobsMax + 1), Bytes(kBlobSize, 0));
    append_strings(wrapper, recipe[3] % (kBlobsMax + 1), Bytes(48, 0xaa));
    append_strings(wrapper, recipe[4] % 8 != 0 ? recipe[4] % 8 : kCellsPerBlob, Bytes(48, 0xbb));
    Bytes pooled{envelope[0]};
    wrapper.append_to(pooled);
    const auto txn = decode_pooled_transaction(pooled);
    MERIDIAN_ASSERT(!decode_transaction(pooled));
    if (!txn)
        return;
    MERIDIAN_ASSERT(txn->type == TxnType::Blob);
    MERIDIAN_ASSERT(txn->blob_hashes.size() == recipe[2] % (kBlobsMax + 1));
    check_accepted(envelope, *txn);
}

}  // namespace
}  // namespace meridian::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const meridian::BytesView input(data, size);
    if (size > meridian::chain::kRecipeSize && input[0] == meridian::chain::kSidecarMark)
        meridian::chain::check_with_sidecar(input);
    else
        meridian::chain::check_plain(input);
    return 0;
}
