#include <meridian/chain/block.hpp>

#include <meridian/rlp/encode.hpp>
#include <meridian/trie/trie.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

Header header(int optional_fields) {
    Header h;
    h.parent_hash = to_hash(u256{1});
    h.number = 300;
    h.gas_limit = 30000000;
    h.timestamp = 1700000000;
    h.extra_data = {1, 2, 3};
    h.difficulty = u256::max();
    if (optional_fields > 0)
        h.base_fee = u256{7};
    if (optional_fields > 1)
        h.withdrawals_root = trie::kEmptyRoot;
    if (optional_fields > 2)
        h.blob_gas_used = 131072;
    if (optional_fields > 3)
        h.excess_blob_gas = 0;
    if (optional_fields > 4)
        h.parent_beacon_block_root = to_hash(u256{2});
    if (optional_fields > 5)
        h.requests_hash = to_hash(u256{3});
    return h;
}

Block block() {
    Block out;
    out.header = header(6);
    Transaction legacy;
    legacy.v = 27;
    legacy.r = 1;
    legacy.s = 1;
    Transaction typed = legacy;
    typed.type = TxnType::DynamicFee;
    typed.chain_id = 1;
    typed.v = 1;
    out.transactions = {legacy, typed};
    out.ommers = {header(0)};
    out.withdrawals = {{0, 1, Address{}, 5}, {1, 2, Address{}, 6}};
    return out;
}

TEST(Header, EveryForksFieldsRoundTrip) {
    for (int fields = 0; fields <= 6; ++fields) {
        const Header h = header(fields);
        const auto decoded = decode_header(encode(h));
        ASSERT_TRUE(decoded.has_value()) << fields;
        EXPECT_EQ(*decoded, h);
    }
}

TEST(Header, HashOfMainnetGenesis) {
    Header h;
    h.state_root = "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"_hash;
    h.transactions_root = trie::kEmptyRoot;
    h.receipts_root = trie::kEmptyRoot;
    h.difficulty = 17179869184;
    h.gas_limit = 5000;
    const Hash extra = "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"_hash;
    h.extra_data = to_bytes(extra);
    h.nonce[7] = 0x42;
    EXPECT_EQ(header_hash(h), "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"_hash);
}

TEST(Block, RoundTrip) {
    const Block b = block();
    const Bytes encoded = encode(b);
    const auto decoded = decode_block(encoded);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().field << decoded.error().reason;
    EXPECT_EQ(encode(*decoded), encoded);
    EXPECT_EQ(decoded->header, b.header);
    EXPECT_EQ(decoded->withdrawals, b.withdrawals);
    EXPECT_EQ(decoded->ommers, b.ommers);
}

TEST(Block, WhatDecodesFromDamagedBytesEncodesToThem) {
    const Bytes encoded = encode(block());
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        Bytes damaged = encoded;
        damaged[i] ^= 0x81;
        if (const auto decoded = decode_block(damaged)) {
            EXPECT_EQ(encode(*decoded), damaged);
        }
        EXPECT_FALSE(decode_block(BytesView(encoded).first(i)).has_value());
    }
}

TEST(Block, FailuresNameTheField) {
    rlp::ListBuilder bad_transactions;
    bad_transactions.encoded(encode(header(0))).list(rlp::ListBuilder().bytes(Bytes{0x05, 0xc0}));
    bad_transactions.list(rlp::ListBuilder());
    const auto failed = decode_block(bad_transactions.build());
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().field, "transactions[0]: transaction.type");
    EXPECT_EQ(failed.error().txn_error, std::optional(TxnError::TypeNotSupported));

    const auto short_block = decode_block(rlp::ListBuilder().encoded(encode(header(0))).build());
    ASSERT_FALSE(short_block.has_value());
    EXPECT_EQ(short_block.error().field, "block.transactions");
    EXPECT_EQ(short_block.error().error, BlockError::RlpStructuresEncoding);
    EXPECT_EQ(short_block.error().fault, rlp::DecodeError::TooFewItems);

    // A string that holds a legacy transaction is no typed envelope.
    rlp::ListBuilder wrapped;
    wrapped.encoded(encode(header(0)))
        .list(rlp::ListBuilder().bytes(encode(block().transactions[0])))
        .list(rlp::ListBuilder());
    EXPECT_FALSE(decode_block(wrapped.build()).has_value());
}

// Blob gas used is left out, so that the hash behind it stands where a number belongs.
TEST(Block, AHeaderWithoutAFieldOfItsForkIsOfTheWrongFormat) {
    for (const Hash& root : {Hash{}, to_hash(u256::max())}) {
        Header missing = header(6);
        missing.parent_beacon_block_root = root;
        missing.blob_gas_used.reset();
        const auto failed = decode_header(encode(missing));
        ASSERT_FALSE(failed.has_value());
        EXPECT_EQ(failed.error().error, BlockError::IncorrectBlockFormat);
        EXPECT_EQ(failed.error().field, "header.excessBlobGas");
        EXPECT_EQ(failed.error().fault, rlp::DecodeError::Overflow);
    }
}

TEST(Block, RootsOfEmptyBodies) {
    EXPECT_EQ(transactions_root({}), trie::kEmptyRoot);
    EXPECT_EQ(receipts_root({}), trie::kEmptyRoot);
    EXPECT_EQ(withdrawals_root({}), trie::kEmptyRoot);
    EXPECT_EQ(ommers_hash({}), kEmptyOmmersHash);
    EXPECT_EQ(crypto::keccak256(Bytes{0xc0}), kEmptyOmmersHash);
}

TEST(Receipt, BloomHoldsAddressAndTopics) {
    const Log log{to_address(u256{0x1234}), {to_hash(u256{1}), to_hash(u256{2})}, {}};
    const Bloom bloom = bloom_of({log});
    EXPECT_TRUE(bloom_contains(bloom, log.address));
    EXPECT_TRUE(bloom_contains(bloom, log.topics[1]));
    EXPECT_FALSE(bloom_contains(bloom, to_hash(u256{3})));
    EXPECT_TRUE(bloom_of({}).is_zero());
}

TEST(Receipt, EncodesStatusRootAndDepositFields) {
    Receipt receipt;
    receipt.success = true;
    receipt.cumulative_gas_used = 21000;
    const Bytes plain = encode(receipt);
    receipt.state_root = Hash{};
    EXPECT_EQ(encode(receipt).size(), plain.size() + 32);
    receipt.state_root.reset();
    receipt.type = TxnType::Deposit;
    receipt.deposit_nonce = 4;
    EXPECT_EQ(encode(receipt).size(), plain.size() + 1);
    receipt.deposit_receipt_version = 1;
    EXPECT_EQ(encode(receipt).size(), plain.size() + 3);
    EXPECT_EQ(encode(receipt)[0], 0x7e);
}

}  // namespace
}  // namespace meridian::chain
