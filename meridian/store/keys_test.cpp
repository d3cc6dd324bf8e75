#include <meridian/store/keys.hpp>

#include <meridian/store/record_codec.hpp>
#include <meridian/store/write_batch.hpp>

#include <gtest/gtest.h>

namespace meridian::store {
namespace {

TEST(StoreKeys, SortAsTheirNumbers) {
    EXPECT_LT(number_key(255), number_key(256));
    EXPECT_LT(group_key(1, kBodyRest), group_key(2, 0));
    EXPECT_LT(storage_key(Address{}, 255), storage_key(Address{}, 256));
    EXPECT_LT(posting_key(TermKey{}, 255), posting_key(TermKey{}, 256));
    EXPECT_EQ(number_at(number_key(0x0102030405060708)), 0x0102030405060708u);
}

TEST(StoreKeys, TermsTellPositionsApart) {
    const Hash value = to_hash(7);
    EXPECT_NE(log_term(1, value), log_term(2, value));
    EXPECT_EQ(log_term(1, value), log_term(1, value));
    EXPECT_NE(log_term(0, to_address(7)), log_term(0, to_address(8)));
}

TEST(StoreKeys, AccountsKeepEveryField) {
    for (const std::uint64_t nonce : {0ull, 1ull, 255ull, 256ull, ~0ull})
        for (const u256& balance : {u256{}, u256{1}, u256{1} << 64, u256::max()})
            for (const Hash& code : {crypto::kEmptyKeccak, to_hash(0), to_hash(5)}) {
                const state::Account account{.nonce = nonce, .balance = balance, .code_hash = code};
                const Bytes value = encode_account_value(account);
                EXPECT_LE(value.size(), kAccountValueSizeMax);
                EXPECT_EQ(decode_account_value(value), account);
            }
}

TEST(StoreKeys, AccountsAreReadStrictly) {
    const Bytes good = encode_account_value({.nonce = 300, .balance = 5, .code_hash = to_hash(1)});
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(decode_account_value(BytesView(good).first(size))) << size;
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_FALSE(decode_account_value(longer));
    EXPECT_FALSE(decode_account_value(Bytes{1, 0, 0}));  // a nonce with a leading zero
    EXPECT_FALSE(decode_account_value(Bytes{0, 1, 0}));  // a balance with a leading zero
    Bytes empty_code{0x80, 0};
    append(empty_code, crypto::kEmptyKeccak);
    EXPECT_FALSE(decode_account_value(empty_code));
}

TEST(StoreKeys, SlotsAreReadStrictly) {
    for (const u256& value : {u256{}, u256{1}, u256{256}, u256::max()})
        EXPECT_EQ(decode_slot_value(encode_slot_value(value)), value);
    EXPECT_FALSE(decode_slot_value(Bytes{0}));
    EXPECT_FALSE(decode_slot_value(Bytes(33, 1)));
}

TEST(StoreKeys, ChangeSetsAreReadStrictly) {
    const ChangeSet set{
        {{to_address(1), true, {1, 2}}, {to_address(2), false, {3}}, {to_address(3), true, {}}}};
    const Bytes value = encode_change_set(set);
    EXPECT_EQ(decode_change_set(value), set);
    EXPECT_EQ(set.change_count(), 5u);
    EXPECT_EQ(decode_change_set({}), ChangeSet{});
    EXPECT_FALSE(decode_change_set(BytesView(value).first(value.size() - 1)));
    EXPECT_FALSE(decode_change_set(encode_change_set({{{to_address(1), false, {}}}})));
    EXPECT_FALSE(
        decode_change_set(encode_change_set({{{to_address(2), true, {}}, {to_address(1), true, {}}}})));
}

TEST(StoreKeys, PagesAreReadStrictly) {
    const ChangeSet set{{{to_address(1), false, {}, {0, 7, 0x80000000}}, {to_address(2), true, {3}, {1}}}};
    const Bytes value = encode_change_set(set);
    EXPECT_EQ(decode_change_set(value), set);
    EXPECT_EQ(set.change_count(), 6u);
    EXPECT_FALSE(decode_change_set(BytesView(value).first(value.size() - 1)));
    EXPECT_FALSE(decode_change_set(encode_change_set({{{to_address(1), false, {}, {7, 7}}}})));
    state::PagePatch patch{.lines = 0x8001, .contents = {}};
    patch.contents.resize(2);
    patch.contents[1][5] = 9;
    EXPECT_EQ(decode_page_patch(encode_page_patch(patch)), patch);
    EXPECT_FALSE(decode_page_patch(BytesView(encode_page_patch(patch)).first(8 + 64)));
    EXPECT_FALSE(decode_page_patch(Bytes(8)));
    EXPECT_EQ(page_at(arena_page_key(to_address(1), 0x80000003)), 0x80000003u);
}

TEST(StoreKeys, PostingsAreReadStrictly) {
    for (const std::vector<std::uint32_t>& indexes :
         {std::vector<std::uint32_t>{}, {0}, {0, 1, 200, 70000}, {0xfffffffe, 0xffffffff}})
        EXPECT_EQ(decode_posting(encode_posting(indexes)), indexes);
    EXPECT_FALSE(decode_posting(Bytes{0x80}));
    EXPECT_FALSE(decode_posting(Bytes{0x81, 0x00}));
    EXPECT_FALSE(decode_posting(Bytes{5, 0}));
    EXPECT_FALSE(decode_posting(Bytes{0xff, 0xff, 0xff, 0xff, 0x7f}));
}

TEST(WriteBatch, KeepsOrder) {
    WriteBatch batch;
    batch.put(Table::Code, as_bytes("a"), as_bytes("1"));
    batch.erase(Table::Code, as_bytes("a"));
    batch.erase_range(Table::Code, as_bytes("b"), as_bytes("b"));
    WriteBatch more;
    more.erase_prefix(Table::Storage, Bytes{1, 0xff});
    batch.append(more);
    EXPECT_EQ(batch.operation_count(), 3u);
    std::vector<WriteBatch::Kind> kinds;
    Bytes end;
    batch.for_each([&](const WriteBatch::Operation& operation) {
        kinds.push_back(operation.kind);
        end = to_bytes(operation.value);
    });
    using enum WriteBatch::Kind;
    EXPECT_EQ(kinds, (std::vector{Put, Erase, EraseRange}));
    EXPECT_EQ(end, Bytes{2});
    EXPECT_TRUE(prefix_end(Bytes{0xff, 0xff}).empty());
}

TEST(StoreRecords, ReceiptsKeepTheHostsFields) {
    chain::Receipt receipt;
    receipt.type = chain::TxnType::Deposit;
    receipt.success = true;
    receipt.cumulative_gas_used = 5;
    receipt.gas_used = 4;
    receipt.deposit_nonce = 0;
    receipt.deposit_receipt_version = 1;
    receipt.contract_address = to_address(9);
    receipt.effective_gas_price = 7;
    receipt.blob_gas_used = 131072;
    receipt.logs.push_back({to_address(1), {to_hash(2)}, {3}});
    receipt.bloom = chain::bloom_of(receipt.logs);
    chain::Receipt old;
    old.state_root = to_hash(1);
    const std::vector<chain::Receipt> both{receipt, old};
    const auto found = decode_receipt_group(encode_receipt_group(both, 11), Blooms::Compute);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->at(0).first_log_index, 11u);
    EXPECT_EQ(found->at(1).first_log_index, 12u);
    EXPECT_EQ(chain::encode(found->at(0).receipt), chain::encode(receipt));
    EXPECT_EQ(chain::encode(found->at(1).receipt), chain::encode(old));
    EXPECT_EQ(found->at(0).receipt.deposit_nonce, 0u);
    EXPECT_EQ(found->at(0).receipt.contract_address, receipt.contract_address);
    EXPECT_EQ(found->at(0).receipt.blob_gas_used, 131072u);
}

}  // namespace
}  // namespace meridian::store
