#include <meridian/chain/receipt.hpp>

#include <meridian/crypto/keccak.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::chain {

namespace {

// The three bits of a value: the low 11 bits of the first three 16-bit words of its hash (yellow paper,
// section 4.3.1). Bit 0 is the last byte's lowest.
struct BloomBits {
    std::size_t byte[3];
    std::uint8_t mask[3];
};

BloomBits bloom_bits(BytesView data) {
    const Hash hash = crypto::keccak256(data);
    BloomBits out;
    for (std::size_t i = 0; i < 3; ++i) {
        const unsigned bit = (static_cast<unsigned>(hash[2 * i]) << 8 | hash[2 * i + 1]) & 2047;
        out.byte[i] = Bloom::kSize - 1 - bit / 8;
        out.mask[i] = static_cast<std::uint8_t>(1u << bit % 8);
    }
    return out;
}

rlp::ListBuilder log_items(const std::vector<Log>& logs) {
    rlp::ListBuilder out;
    for (const Log& log : logs) {
        rlp::ListBuilder topics;
        for (const Hash& topic : log.topics)
            topics.bytes(topic);
        out.list(rlp::ListBuilder().bytes(log.address).list(topics).bytes(log.data));
    }
    return out;
}

}  // namespace

void add_to_bloom(Bloom& bloom, BytesView data) {
    const BloomBits bits = bloom_bits(data);
    for (std::size_t i = 0; i < 3; ++i)
        bloom[bits.byte[i]] |= bits.mask[i];
}

Bloom bloom_of(const std::vector<Log>& logs) {
    Bloom bloom;
    for (const Log& log : logs) {
        add_to_bloom(bloom, log.address);
        for (const Hash& topic : log.topics)
            add_to_bloom(bloom, topic);
    }
    return bloom;
}

bool bloom_contains(const Bloom& bloom, BytesView data) {
    const BloomBits bits = bloom_bits(data);
    for (std::size_t i = 0; i < 3; ++i)
        if ((bloom[bits.byte[i]] & bits.mask[i]) == 0)
            return false;
    return true;
}

Bytes encode(const Receipt& receipt) {
    rlp::ListBuilder list;
    if (receipt.state_root.has_value())
        list.bytes(*receipt.state_root);
    else
        list.uint(receipt.success ? 1 : 0);
    list.uint(receipt.cumulative_gas_used).bytes(receipt.bloom).list(log_items(receipt.logs));
    // Before Canyon the nonce of a deposit was kept, but not committed to.
    if (receipt.deposit_receipt_version.has_value())
        list.uint(receipt.deposit_nonce.value_or(0)).uint(*receipt.deposit_receipt_version);
    Bytes out;
    if (receipt.type != TxnType::Legacy)
        out.push_back(static_cast<std::uint8_t>(receipt.type));
    list.append_to(out);
    return out;
}

Bytes encode(const Withdrawal& withdrawal) {
    return rlp::ListBuilder()
        .uint(withdrawal.index)
        .uint(withdrawal.validator_index)
        .bytes(withdrawal.address)
        .uint(withdrawal.amount)
        .build();
}

}  // namespace meridian::chain
