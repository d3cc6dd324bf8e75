#include <meridian/state/account_rlp.hpp>

#include <meridian/rlp/encode.hpp>

namespace meridian::state {

Bytes encode_account(const Account& account, const Hash& storage_root) {
    return rlp::ListBuilder()
        .uint(account.nonce)
        .number(account.balance)
        .bytes(storage_root)
        .bytes(account.code_hash)
        .build();
}

Result<TrieAccount, rlp::DecodeError> decode_account(BytesView rlp) {
    const auto item = rlp::decode_exact(rlp);
    if (!item)
        return fail(item.error());
    if (!item->is_list)
        return fail(rlp::DecodeError::UnexpectedString);
    rlp::ListReader reader(item->payload);
    TrieAccount out;
    out.account.nonce = reader.uint64();
    out.account.balance = reader.number();
    out.storage_root = reader.fixed<32>();
    out.account.code_hash = reader.fixed<32>();
    if (const auto done = reader.finish(); !done)
        return fail(done.error().error);
    return out;
}

Bytes encode_slot(const u256& value) {
    Bytes out;
    rlp::encode_u256(out, value);
    return out;
}

Result<u256, rlp::DecodeError> decode_slot(BytesView rlp) {
    const auto value = rlp::read_u256(rlp);
    if (value && !rlp.empty())
        return fail(rlp::DecodeError::TrailingBytes);
    return value;
}

Hash slot_trie_key(const u256& key) {
    return crypto::keccak256(to_hash(key));
}

Hash account_trie_key(const Address& address) {
    return crypto::keccak256(address);
}

}  // namespace meridian::state
