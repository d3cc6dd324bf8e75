#include <meridian/chain/transaction.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/rlp/encode.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

constexpr Address kTo = "0x3535353535353535353535353535353535353535"_address;

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

Transaction sample(TxnType type) {
    Transaction txn;
    txn.type = type;
    txn.nonce = 9;
    txn.max_fee_per_gas = 20000000000;
    txn.max_priority_fee_per_gas = type >= TxnType::DynamicFee ? u256{7} : txn.max_fee_per_gas;
    txn.gas_limit = 21000;
    txn.to = kTo;
    txn.value = 1000000000000000000_u256;
    txn.data = {1, 2, 3};
    txn.v = 1;
    txn.r = 0x1234;
    txn.s = 0x5678;
    if (type == TxnType::Legacy)
        txn.v = 27;
    else
        txn.chain_id = 5;
    if (type >= TxnType::AccessList && type != TxnType::Deposit)
        txn.access_list = {{kTo, {to_hash(u256{1}), to_hash(u256{2})}}, {Address{}, {}}};
    if (type == TxnType::Blob) {
        txn.max_fee_per_blob_gas = 3;
        txn.blob_hashes = {"0x0100000000000000000000000000000000000000000000000000000000000001"_hash};
    }
    if (type == TxnType::SetCode)
        txn.authorizations = {{5, kTo, 3, 1, 0x99, 0x88}, {0, Address{}, 0, 0, 1, 1}};
    return txn;
}

Transaction deposit() {
    Transaction txn;
    txn.type = TxnType::Deposit;
    txn.source_hash = to_hash(u256{77});
    txn.from = kTo;
    txn.to = Address{};
    txn.mint = u256{5};
    txn.value = 6;
    txn.gas_limit = 1000000;
    txn.is_system = true;
    txn.data = {0xff};
    return txn;
}

std::vector<Transaction> samples() {
    return {sample(TxnType::Legacy), sample(TxnType::AccessList), sample(TxnType::DynamicFee),
            sample(TxnType::Blob),   sample(TxnType::SetCode),    deposit()};
}

TEST(Transaction, Eip155Example) {
    const Bytes encoded =
        hex("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61"
            "340bd9"
            "39bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc"
            "64214b"
            "297fb1966a3b6d83");
    const auto txn = decode_transaction(encoded);
    ASSERT_TRUE(txn.has_value());
    EXPECT_EQ(txn->chain_id, std::optional<std::uint64_t>(1));
    EXPECT_EQ(txn->nonce, 9u);
    EXPECT_EQ(txn->to, std::optional(kTo));
    EXPECT_EQ(txn->y_parity(), 0);
    EXPECT_EQ(encode(*txn), encoded);
    EXPECT_EQ(signing_hash(*txn), "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"_hash);
    EXPECT_EQ(recover_sender(*txn).value(), "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"_address);
}

TEST(Transaction, EveryTypeRoundTrips) {
    for (const Transaction& txn : samples()) {
        const Bytes encoded = encode(txn);
        const auto decoded = decode_transaction(encoded);
        ASSERT_TRUE(decoded.has_value()) << static_cast<int>(txn.type) << decoded.error().field;
        EXPECT_EQ(decoded->type, txn.type);
        EXPECT_EQ(encode(*decoded), encoded);
        EXPECT_EQ(decoded->access_list, txn.access_list);
        EXPECT_EQ(decoded->authorizations, txn.authorizations);
        EXPECT_EQ(decoded->blob_hashes, txn.blob_hashes);
        EXPECT_EQ(decoded->mint, txn.mint);
        EXPECT_EQ(decoded->max_priority_fee_per_gas, txn.max_priority_fee_per_gas);
        EXPECT_EQ(signing_hash(*decoded), signing_hash(txn));
    }
}

TEST(Transaction, WhatDecodesFromDamagedBytesEncodesToThem) {
    for (const Transaction& txn : samples()) {
        const Bytes encoded = encode(txn);
        for (std::size_t i = 0; i < encoded.size(); ++i) {
            for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
                Bytes damaged = encoded;
                damaged[i] ^= static_cast<std::uint8_t>(flip);
                if (const auto decoded = decode_transaction(damaged)) {
                    EXPECT_EQ(encode(*decoded), damaged);
                }
            }
            EXPECT_FALSE(decode_transaction(BytesView(encoded).first(i)).has_value());
        }
    }
}

struct BadCase {
    Bytes encoded;
    const char* field;
    TxnError error;
    std::optional<rlp::DecodeError> fault = {};
};

void expect_refused(const BadCase& bad) {
    const auto decoded = decode_transaction(bad.encoded);
    ASSERT_FALSE(decoded.has_value()) << bad.field;
    EXPECT_EQ(decoded.error().field, bad.field);
    EXPECT_EQ(decoded.error().error, bad.error) << name(decoded.error().error);
    EXPECT_EQ(decoded.error().fault, bad.fault) << bad.field << ": " << decoded.error().reason;
}

rlp::ListBuilder legacy_fields(std::size_t nonce_size, std::size_t to_size, const u256& v) {
    const Bytes nonce(nonce_size, 0x01);
    const Bytes to(to_size, 0x02);
    rlp::ListBuilder list;
    list.bytes(nonce).uint(1).uint(21000).bytes(to).uint(0).bytes({}).number(v).uint(1).uint(1);
    return list;
}

TEST(Transaction, FailuresNameTheField) {
    using enum TxnError;
    using enum rlp::DecodeError;
    expect_refused({legacy_fields(9, 20, 27).build(), "transaction.nonce", RlpInvalidEncoding, Overflow});
    expect_refused({legacy_fields(1, 19, 27).build(), "transaction.to", RlpInvalidEncoding, StringTooShort});
    expect_refused({legacy_fields(1, 21, 27).build(), "transaction.to", RlpInvalidEncoding, StringTooLong});
    expect_refused({legacy_fields(1, 20, 29).build(), "transaction.v", InvalidSignatureVrs});
    expect_refused({legacy_fields(1, 20, u256::max()).build(), "transaction.v", InvalidSignatureVrs});
    expect_refused({{}, "transaction", RlpInvalidEncoding, InputTooShort});
    expect_refused({{0xb8, 0x00}, "transaction", RlpInvalidEncoding, UnexpectedString});
    expect_refused({{0x05, 0xc0}, "transaction.type", TypeNotSupported});
    expect_refused({{0x7f}, "transaction.type", TypeNotSupported});
    expect_refused({{0x02, 0xc0}, "transaction.chainId", RlpInvalidEncoding, TooFewItems});
    expect_refused({{0x02, 0x80}, "transaction", RlpInvalidEncoding, UnexpectedString});
    Bytes trailing = encode(sample(TxnType::Legacy));
    trailing.push_back(0);
    expect_refused({trailing, "transaction", RlpInvalidEncoding, TrailingBytes});
    Transaction set_code = sample(TxnType::SetCode);
    set_code.authorizations[0].y_parity = 256;
    expect_refused({encode(set_code), "transaction.authorizationList[0].yParity",
                    Type4InvalidAuthorizationFormat, Overflow});
}

TEST(Transaction, FailuresNameThePlaceInANestedList) {
    using enum TxnError;
    using enum rlp::DecodeError;
    const auto with_list = [&](const rlp::ListBuilder& list) {
        rlp::ListBuilder fields;
        fields.uint(5).uint(9).uint(1).uint(21000).bytes(kTo).uint(0).bytes({}).list(list);
        fields.uint(1).uint(1).uint(1);
        Bytes out{0x01};
        append(out, fields.build());
        return out;
    };
    using rlp::ListBuilder;
    const auto keys = [](const Bytes& key) { return ListBuilder().bytes(Hash{}).bytes(key); };
    const auto refuse = [&](const ListBuilder& list, const char* field, rlp::DecodeError fault) {
        expect_refused({with_list(list), field, RlpInvalidEncoding, fault});
    };
    const ListBuilder good = ListBuilder().bytes(kTo).list(ListBuilder());
    const auto after_good = [&](const ListBuilder& bad) { return ListBuilder().list(good).list(bad); };
    refuse(after_good(ListBuilder().bytes(Bytes(19, 1)).list(ListBuilder())),
           "transaction.accessList[1].address", StringTooShort);
    refuse(after_good(ListBuilder().bytes(kTo).list(keys(Bytes(33, 1)))),
           "transaction.accessList[1].storageKeys[1]", StringTooLong);
    refuse(after_good(ListBuilder().bytes(kTo)), "transaction.accessList[1].storageKeys", TooFewItems);
    refuse(after_good(ListBuilder().bytes(kTo).list(ListBuilder()).uint(1)), "transaction.accessList[1]",
           TooManyItems);
    refuse(ListBuilder().uint(1), "transaction.accessList[0]", UnexpectedString);
}

TEST(Transaction, SenderNeedsAValidSignature) {
    Transaction txn = sample(TxnType::DynamicFee);
    txn.r = 0;
    EXPECT_EQ(recover_sender(txn).error(), TxnError::InvalidSignatureVrs);
    txn = sample(TxnType::DynamicFee);
    txn.v = 2;
    EXPECT_EQ(recover_sender(txn).error(), TxnError::InvalidSignatureVrs);
    txn = sample(TxnType::DynamicFee);
    txn.s = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140_u256;
    EXPECT_EQ(recover_sender(txn).error(), TxnError::InvalidSignatureVrs);
    EXPECT_EQ(recover_sender(deposit()).value(), kTo);
}

TEST(Transaction, BlockFormWrapsTypedEnvelopes) {
    Bytes out;
    append_to_block(out, sample(TxnType::Legacy));
    EXPECT_EQ(out, encode(sample(TxnType::Legacy)));
    out.clear();
    append_to_block(out, sample(TxnType::Blob));
    EXPECT_EQ(out, rlp::wrap_bytes(encode(sample(TxnType::Blob))));
}

// --- sidecars -----------------------------------------------------------------------------------------

struct SidecarCase {
    std::size_t blobs = 1;
    std::size_t blob_size = 131072;
    std::size_t proofs = 1;
    std::optional<std::uint64_t> version = std::nullopt;
    std::uint8_t commitment_byte = 0xaa;
};

Bytes pooled(const SidecarCase& c) {
    Transaction txn = sample(TxnType::Blob);
    const Bytes commitment(48, 0xaa);
    txn.blob_hashes[0] = crypto::accelerator().sha256(commitment);
    txn.blob_hashes[0][0] = 1;
    const Bytes body = encode(txn);
    rlp::ListBuilder blobs;
    rlp::ListBuilder proofs;
    for (std::size_t i = 0; i < c.blobs; ++i)
        blobs.bytes(Bytes(c.blob_size, 0));
    for (std::size_t i = 0; i < c.proofs; ++i)
        proofs.bytes(Bytes(48, 0xbb));
    rlp::ListBuilder list;
    list.encoded(BytesView(body).subspan(1));
    if (c.version)
        list.uint(*c.version);
    list.list(blobs).list(rlp::ListBuilder().bytes(Bytes(48, c.commitment_byte))).list(proofs);
    Bytes out{0x03};
    list.append_to(out);
    return out;
}

TEST(PooledTransaction, SidecarsOfBothVersions) {
    EXPECT_TRUE(decode_pooled_transaction(pooled({})).has_value());
    EXPECT_TRUE(decode_pooled_transaction(pooled({.proofs = 128, .version = 1})).has_value());
    EXPECT_TRUE(decode_pooled_transaction(encode(sample(TxnType::Blob))).has_value());
    EXPECT_TRUE(decode_pooled_transaction(encode(sample(TxnType::Legacy))).has_value());
}

TEST(PooledTransaction, RefusesSidecarsThatDoNotBelong) {
    const auto field = [](const SidecarCase& c) {
        const auto decoded = decode_pooled_transaction(pooled(c));
        return decoded ? std::string("accepted") : decoded.error().field;
    };
    EXPECT_EQ(field({.blobs = 2}), "transaction.blobs");
    EXPECT_EQ(field({.blob_size = 131071}), "transaction.blobs[0]");
    EXPECT_EQ(field({.proofs = 2}), "transaction.proofs");
    EXPECT_EQ(field({.proofs = 1, .version = 1}), "transaction.proofs");
    EXPECT_EQ(field({.proofs = 128, .version = 2}), "transaction.wrapperVersion");
    EXPECT_EQ(field({.commitment_byte = 0xab}), "transaction.commitments");
    EXPECT_EQ(decode_transaction(pooled({})).error().error, TxnError::Type3TxWithFullBlobs);
}

}  // namespace
}  // namespace meridian::chain
