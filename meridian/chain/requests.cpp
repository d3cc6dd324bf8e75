#include <meridian/chain/requests.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>

namespace meridian::chain {

namespace {

// DepositEvent(bytes,bytes,bytes,bytes,bytes)
constexpr Hash kDepositEvent = "0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5"_hash;
constexpr std::size_t kEventSize = 576;

// A dynamic argument of the event: where its length stands, and its length. Both are fixed.
struct Field {
    std::size_t offset;
    std::size_t size;
};
// Public key, withdrawal credentials, amount, signature, index.
constexpr Field kFields[] = {{160, 48}, {256, 32}, {320, 8}, {384, 96}, {512, 8}};

bool append_deposit(BytesView data, Bytes& out) {
    if (data.size() != kEventSize)
        return false;
    for (std::size_t i = 0; i < std::size(kFields); ++i) {
        const Field& field = kFields[i];
        if (load_be(data.subspan(32 * i, 32)) != u256{field.offset} ||
            load_be(data.subspan(field.offset, 32)) != u256{field.size})
            return false;
        append(out, data.subspan(field.offset + 32, field.size));
    }
    return true;
}

}  // namespace

Result<Bytes, BlockError> deposit_requests(const Address& deposit_contract,
                                           const std::vector<Receipt>& receipts) {
    Bytes out;
    for (const Receipt& receipt : receipts)
        for (const Log& log : receipt.logs)
            if (log.address == deposit_contract && !log.topics.empty() && log.topics[0] == kDepositEvent)
                if (!append_deposit(log.data, out))
                    return fail(BlockError::InvalidDepositEventLayout);
    return out;
}

Hash requests_hash(const std::vector<Request>& requests) {
    Bytes hashes;
    for (const Request& request : requests) {
        Bytes data{request.type};
        append(data, request.data);
        append(hashes, crypto::accelerator().sha256(data));
    }
    return crypto::accelerator().sha256(hashes);
}

}  // namespace meridian::chain
