#include <meridian/crypto/keccak.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/rpc/signing.hpp>

namespace meridian::rpc {

void sign(chain::Transaction& txn, const Hash& private_key, std::uint64_t chain_id) {
    txn.chain_id = chain_id;
    const auto signature = crypto::secp256k1::sign(chain::signing_hash(txn), private_key);
    if (!signature)
        refuse("cannot sign with this key");
    txn.r = from_hash(signature->r);
    txn.s = from_hash(signature->s);
    txn.v = signature->recovery_id;
    if (txn.type == chain::TxnType::Legacy)
        txn.v = u256{chain_id} * 2 + 35 + signature->recovery_id;
}

Bytes sign_digest(const Hash& digest, const Hash& private_key) {
    const auto signature = crypto::secp256k1::sign(digest, private_key);
    if (!signature)
        refuse("cannot sign with this key");
    Bytes out;
    append(out, signature->r);
    append(out, signature->s);
    out.push_back(static_cast<std::uint8_t>(27 + signature->recovery_id));
    return out;
}

Hash message_digest(BytesView message) {
    Bytes text =
        to_bytes(as_bytes("\x19"
                          "Ethereum Signed Message:\n" +
                          std::to_string(message.size())));
    append(text, message);
    return crypto::keccak256(text);
}

}  // namespace meridian::rpc
