#include <meridian/wire/identity.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/crypto/secp256k1.hpp>

#include <unistd.h>

namespace meridian::wire {
namespace {

constexpr std::string_view kType = "MeridianReplica(uint64 chainId,bytes32 genesisHash,bytes32 nonce)";

}  // namespace

Hash identity_hash(const store::ChainIdentity& chain, const Hash& nonce) noexcept {
    FixedBytes<4 * 32> words;
    const auto word = [&words](std::size_t index, const Hash& value) {
        std::copy(value.bytes.begin(), value.bytes.end(), words.bytes.begin() + 32 * index);
    };
    Hash chain_id;
    for (std::size_t i = 0; i < 8; ++i)
        chain_id.bytes[31 - i] = static_cast<std::uint8_t>(chain.chain_id >> 8 * i);
    word(0, crypto::keccak256(as_bytes(kType)));
    word(1, chain_id);
    word(2, chain.genesis_hash);
    word(3, nonce);
    return crypto::keccak256(words);
}

std::optional<Address> recover_identity(const Hash& hash, const frames::FrameSignature& signature) noexcept {
    const BytesView bytes(signature);
    const auto key = crypto::secp256k1::recover(hash, first_bytes<32>(bytes),
                                                first_bytes<32>(bytes.subspan(32)), bytes[64]);
    if (!key || bytes[64] > 1)
        return std::nullopt;
    return crypto::secp256k1::address_of_public_key(*key);
}

Hash draw_nonce() {
    Hash out;
    const int failed = ::getentropy(out.bytes.data(), out.bytes.size());
    MERIDIAN_ASSERT(failed == 0);  // of so few bytes never
    return out;
}

}  // namespace meridian::wire
