// Encoding, hashing and senders. Decoding is in transaction_decode.cpp.
#include <meridian/chain/transaction.hpp>

#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::chain {

namespace {

constexpr u256 kGroupOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_u256;
constexpr u256 kHalfGroupOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_u256;

rlp::ListBuilder& add_recipient(rlp::ListBuilder& list, const std::optional<Address>& to) {
    return list.bytes(to.has_value() ? BytesView(*to) : BytesView{});
}

rlp::ListBuilder access_list_items(const AccessList& access_list) {
    rlp::ListBuilder out;
    for (const AccessListEntry& entry : access_list) {
        rlp::ListBuilder keys;
        for (const Hash& key : entry.storage_keys)
            keys.bytes(key);
        out.list(rlp::ListBuilder().bytes(entry.address).list(keys));
    }
    return out;
}

rlp::ListBuilder authorization_items(const std::vector<Authorization>& authorizations) {
    rlp::ListBuilder out;
    for (const Authorization& a : authorizations)
        out.list(rlp::ListBuilder()
                     .number(a.chain_id)
                     .bytes(a.address)
                     .uint(a.nonce)
                     .number(a.y_parity)
                     .number(a.r)
                     .number(a.s));
    return out;
}

void add_legacy_fields(rlp::ListBuilder& list, const Transaction& txn) {
    list.uint(txn.nonce).number(txn.max_fee_per_gas).uint(txn.gas_limit);
    add_recipient(list, txn.to).number(txn.value).bytes(txn.data);
}

// The fields of types 1 to 4 that are signed.
void add_typed_fields(rlp::ListBuilder& list, const Transaction& txn) {
    list.uint(txn.chain_id.value_or(0)).uint(txn.nonce);
    if (txn.type != TxnType::AccessList)
        list.number(txn.max_priority_fee_per_gas);
    list.number(txn.max_fee_per_gas).uint(txn.gas_limit);
    add_recipient(list, txn.to).number(txn.value).bytes(txn.data).list(access_list_items(txn.access_list));
    if (txn.type == TxnType::Blob) {
        rlp::ListBuilder hashes;
        for (const Hash& hash : txn.blob_hashes)
            hashes.bytes(hash);
        list.number(txn.max_fee_per_blob_gas).list(hashes);
    }
    if (txn.type == TxnType::SetCode)
        list.list(authorization_items(txn.authorizations));
}

void add_deposit_fields(rlp::ListBuilder& list, const Transaction& txn) {
    list.bytes(txn.source_hash).bytes(txn.from);
    add_recipient(list, txn.to)
        .number(txn.mint.value_or(u256{}))
        .number(txn.value)
        .uint(txn.gas_limit)
        .uint(txn.is_system ? 1 : 0)
        .bytes(txn.data);
}

void add_module_fields(rlp::ListBuilder& list, const Transaction& txn) {
    list.uint(txn.chain_id.value_or(0))
        .uint(txn.module_id)
        .bytes(txn.from)
        .uint(txn.nonce)
        .uint(txn.expiry_ms);
    list.list(rlp::ListBuilder().encoded(txn.data));
}

Bytes envelope(TxnType type, const rlp::ListBuilder& fields) {
    Bytes out;
    if (type != TxnType::Legacy)
        out.push_back(static_cast<std::uint8_t>(type));
    fields.append_to(out);
    return out;
}

bool valid_signature_range(const u256& r, const u256& s, bool low_s) noexcept {
    return r && s && r < kGroupOrder && (low_s ? s <= kHalfGroupOrder : s < kGroupOrder);
}

// v of a legacy transaction: 27 or 28, or as EIP-155 says.
bool valid_legacy_v(const Transaction& txn) noexcept {
    if (!txn.chain_id.has_value())
        return txn.v == u256{27} || txn.v == u256{28};
    const u256 base = u256{*txn.chain_id} * 2 + 35;
    return txn.v == base || txn.v == base + 1;
}

}  // namespace

std::uint8_t Transaction::y_parity() const noexcept {
    const auto low = static_cast<std::uint64_t>(v);
    // 27 and 35 + 2 * chain_id are odd.
    return static_cast<std::uint8_t>(type == TxnType::Legacy ? (low + 1) & 1 : low & 1);
}

Bytes encode(const Transaction& txn) {
    rlp::ListBuilder list;
    switch (txn.type) {
        case TxnType::Legacy:
            add_legacy_fields(list, txn);
            break;
        case TxnType::Deposit:
            add_deposit_fields(list, txn);
            return envelope(txn.type, list);
        case TxnType::AccessList:
        case TxnType::DynamicFee:
        case TxnType::Blob:
        case TxnType::SetCode:
            add_typed_fields(list, txn);
            break;
        case TxnType::Module:
            add_module_fields(list, txn);
            break;
    }
    list.number(txn.v).number(txn.r).number(txn.s);
    return envelope(txn.type, list);
}

void append_to_block(Bytes& out, const Transaction& txn) {
    const Bytes encoded = encode(txn);
    if (txn.type == TxnType::Legacy)
        append(out, encoded);
    else
        rlp::encode_bytes(out, encoded);
}

Hash transaction_hash(const Transaction& txn) {
    return crypto::keccak256(encode(txn));
}

Hash signing_hash(const Transaction& txn) {
    rlp::ListBuilder list;
    if (txn.type == TxnType::Legacy) {
        add_legacy_fields(list, txn);
        if (txn.chain_id.has_value())
            list.uint(*txn.chain_id).uint(0).uint(0);
    } else if (txn.type == TxnType::Deposit) {
        add_deposit_fields(list, txn);
    } else if (txn.type == TxnType::Module) {
        add_module_fields(list, txn);
    } else {
        add_typed_fields(list, txn);
    }
    return crypto::keccak256(envelope(txn.type, list));
}

Result<SenderSignature, TxnError> sender_signature(const Transaction& txn, bool homestead) {
    const bool valid_v = txn.type == TxnType::Legacy ? valid_legacy_v(txn) : txn.v <= u256{1};
    if (txn.type == TxnType::Deposit || !valid_v || !valid_signature_range(txn.r, txn.s, homestead))
        return fail(TxnError::InvalidSignatureVrs);
    return SenderSignature{signing_hash(txn), to_hash(txn.r), to_hash(txn.s), txn.y_parity()};
}

Result<Address, TxnError> recover_sender(const Transaction& txn, bool homestead) {
    if (txn.type == TxnType::Deposit)
        return txn.from;
    const auto signature = sender_signature(txn, homestead);
    if (!signature)
        return fail(signature.error());
    const auto sender =
        crypto::accelerator().ecrecover(signature->digest, signature->r, signature->s, signature->parity);
    if (!sender)
        return fail(TxnError::EcRecoverFailed);
    return *sender;
}

std::optional<Address> recover_authority(const Authorization& authorization) {
    constexpr std::uint8_t kMagic = 0x05;
    if (authorization.y_parity > u256{1} || !valid_signature_range(authorization.r, authorization.s, true))
        return std::nullopt;
    Bytes message{kMagic};
    rlp::ListBuilder()
        .number(authorization.chain_id)
        .bytes(authorization.address)
        .uint(authorization.nonce)
        .append_to(message);
    return crypto::accelerator().ecrecover(crypto::keccak256(message), to_hash(authorization.r),
                                           to_hash(authorization.s),
                                           static_cast<std::uint8_t>(authorization.y_parity[0]));
}

}  // namespace meridian::chain
