// Any bytes as a batch of signatures: recovery in batches must give what libsecp256k1 gives one by one.
//
// Of each 42 bytes the first two say how digest, r and s are made of the other forty: as they are, small,
// close to the group order, or related to each other as the exceptional cases ask.
#include <meridian/base/assert.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/crypto/secp256k1_inverse.hpp>
#include <meridian/crypto/secp256k1_recover_backend.hpp>
#include <meridian/crypto/secp256k1_scalar.hpp>

namespace {

using namespace meridian;
using namespace meridian::crypto::secp256k1;

constexpr std::size_t kRecord = 42;
constexpr std::size_t kRecordsMax = 24;

// Two bits of the choice: a number of eight bytes, spread, or one close to the group order.
u256 number(std::uint8_t choice, BytesView bytes) {
    const u256 x = load_be(bytes);
    switch (choice & 3) {
        case 0:
            return x;
        case 1:
            return kGroupOrder - u256{bytes[0]} + u256{bytes[1]};
        case 2:
            return mulmod(x, u256::max() - x, u256::max());
        default:
            return x << bytes[0];
    }
}

RecoverRequest request(BytesView record) {
    const std::uint8_t choice = record[0];
    const std::uint8_t kind = record[1];
    RecoverRequest out;
    out.parity = static_cast<std::uint8_t>(kind >> 6 == 3 ? kind >> 4 & 3 : kind >> 6 & 1);
    const u256 k = number(choice, record.subspan(2, 13)) % kGroupOrder;
    const u256 s = number(choice >> 2, record.subspan(15, 13));
    u256 digest = number(choice >> 4, record.subspan(28, 14));
    // r is k itself, or the x of k * G, where the key's two halves can be made equal or opposite.
    const auto point = public_key(to_hash(k));
    out.r = (kind & 1) == 0 || !point ? to_hash(k) : first_bytes<32>(*point);
    if ((kind & 2) != 0 && point)
        out.parity = (*point)[63] & 1;
    const u256 product = group_order().multiply(s, k);
    if ((kind & 12) == 4)
        digest = product;
    if ((kind & 12) == 8 && product)
        digest = kGroupOrder - product;
    out.digest = to_hash(digest);
    out.s = to_hash(s);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<RecoverRequest> requests;
    for (std::size_t i = 0; i + kRecord <= size && requests.size() < kRecordsMax; i += kRecord)
        requests.push_back(request({data + i, kRecord}));
    std::vector<std::optional<FixedBytes<64>>> keys(requests.size());
    const RecoverBackend backend = fastest_recover_backend();
    MERIDIAN_ASSERT(recover_batch(backend, requests, keys) <= requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto& r = requests[i];
        const auto expected = r.parity > 1 ? std::nullopt : recover(r.digest, r.r, r.s, r.parity);
        MERIDIAN_ASSERT(keys[i] == expected);
    }
    return 0;
}
