#include <meridian/evm/evm.hpp>
#include <meridian/frames/frame_fixture.hpp>

#include <gtest/gtest.h>

namespace meridian::frames {
namespace {

using namespace testing;

TEST(frame, preimage_is_the_type_and_the_fields_in_words) {
    FrameHeader header;
    header.chain_id = 0x0102;
    header.index = 0xffffffff;
    header.timestamp_us = ~0ull;
    header.changes_hash = "0xabcd"_hash;
    const HeaderPreimage preimage = header_preimage(header);
    const auto word = [&](std::size_t i) { return first_bytes<32>(BytesView(preimage).subspan(32 * i)); };
    EXPECT_EQ(word(0), crypto::keccak256(as_bytes(kHeaderType)));
    EXPECT_EQ(word(1), "0x0102"_hash);
    EXPECT_EQ(word(6), "0xffffffff"_hash);
    EXPECT_EQ(word(7), "0xffffffffffffffff"_hash);
    EXPECT_EQ(word(11), "0xabcd"_hash);
    EXPECT_EQ(frame_hash(header), crypto::keccak256(preimage));
}

TEST(frame, every_field_changes_the_hash) {
    const FrameHeader plain;
    const auto differs = [&](auto FrameHeader::* member) {
        FrameHeader changed = plain;
        if constexpr (requires { (changed.*member)[0]; })
            (changed.*member)[31] = 1;
        else
            changed.*member = 1;
        return frame_hash(changed) != frame_hash(plain);
    };
    EXPECT_TRUE(differs(&FrameHeader::chain_id));
    EXPECT_TRUE(differs(&FrameHeader::term));
    EXPECT_TRUE(differs(&FrameHeader::number));
    EXPECT_TRUE(differs(&FrameHeader::parent_hash));
    EXPECT_TRUE(differs(&FrameHeader::block_number));
    EXPECT_TRUE(differs(&FrameHeader::index));
    EXPECT_TRUE(differs(&FrameHeader::timestamp_us));
    EXPECT_TRUE(differs(&FrameHeader::base_hash));
    EXPECT_TRUE(differs(&FrameHeader::transactions_hash));
    EXPECT_TRUE(differs(&FrameHeader::receipts_hash));
    EXPECT_TRUE(differs(&FrameHeader::changes_hash));
}

TEST(frame, header_of_the_base_holds_what_is_known_in_advance) {
    Random random(1);
    BlockBase base = random_base(random);
    base.parent_closing = {};
    const chain::Header header = header_of(base, 7);
    EXPECT_EQ(header.number, 7u);
    EXPECT_EQ(header.parent_hash, base.parent_hash);
    EXPECT_EQ(header.mix_hash, base.prev_randao);
    EXPECT_EQ(header.withdrawals_root, chain::withdrawals_root(*base.withdrawals));
    EXPECT_EQ(header.blob_gas_used, 0u);
    EXPECT_EQ(header.excess_blob_gas, base.excess_blob_gas);
    EXPECT_EQ(header_of(base_of(header, base.withdrawals), 7), header);

    base.excess_blob_gas.reset();
    base.parent_beacon_block_root.reset();
    base.withdrawals.reset();
    base.base_fee.reset();
    const chain::Header early = header_of(base, 7);
    EXPECT_FALSE(early.withdrawals_root || early.blob_gas_used || early.base_fee);
}

// --- receipts
// ------------------------------------------------------------------------------------------------

class Rebuilt : public ::testing::Test {
protected:
    chain::Transaction& add(chain::TxnType type, std::uint64_t gas_used) {
        chain::Transaction txn;
        txn.type = type;
        txn.to = Address{};
        m_txns.push_back(txn);
        m_senders.push_back("0x5e"_address);
        FrameReceipt receipt;
        receipt.type = type;
        receipt.success = true;
        receipt.gas_used = gas_used;
        m_receipts.push_back(receipt);
        return m_txns.back();
    }
    Result<std::vector<chain::Receipt>, RebuildError> rebuild(std::uint64_t gas_before = 0) {
        return rebuild_receipts(m_receipts, m_txns, m_senders, 100, gas_before);
    }

    std::vector<chain::Transaction> m_txns;
    std::vector<Address> m_senders;
    std::vector<FrameReceipt> m_receipts;
};

TEST_F(Rebuilt, gas_accumulates_from_the_frames_before) {
    add(chain::TxnType::Legacy, 21'000);
    add(chain::TxnType::Legacy, 30'000);
    const auto receipts = rebuild(1'000'000);
    ASSERT_TRUE(receipts);
    EXPECT_EQ((*receipts)[0].cumulative_gas_used, 1'021'000u);
    EXPECT_EQ((*receipts)[1].cumulative_gas_used, 1'051'000u);
    EXPECT_EQ((*receipts)[1].gas_used, 30'000u);
}

TEST_F(Rebuilt, prices_are_those_of_the_types) {
    chain::Transaction& legacy = add(chain::TxnType::Legacy, 1);
    legacy.max_fee_per_gas = legacy.max_priority_fee_per_gas = 150;
    chain::Transaction& capped = add(chain::TxnType::DynamicFee, 1);
    capped.max_fee_per_gas = 105;
    capped.max_priority_fee_per_gas = 30;
    chain::Transaction& tipped = add(chain::TxnType::DynamicFee, 1);
    tipped.max_fee_per_gas = 200;
    tipped.max_priority_fee_per_gas = 30;
    add(chain::TxnType::Deposit, 1);
    const auto receipts = rebuild();
    ASSERT_TRUE(receipts);
    EXPECT_EQ((*receipts)[0].effective_gas_price, 150u);
    EXPECT_EQ((*receipts)[1].effective_gas_price, 105u);
    EXPECT_EQ((*receipts)[2].effective_gas_price, 130u);
    EXPECT_EQ((*receipts)[3].effective_gas_price, 0u);
}

TEST_F(Rebuilt, contracts_have_the_addresses_that_their_creators_nonces_give) {
    chain::Transaction& creation = add(chain::TxnType::Legacy, 1);
    creation.to.reset();
    creation.nonce = 5;
    add(chain::TxnType::Deposit, 1).to.reset();
    m_receipts[1].deposit_nonce = 9;
    add(chain::TxnType::Deposit, 1).to.reset();
    const auto receipts = rebuild();
    ASSERT_TRUE(receipts);
    EXPECT_EQ((*receipts)[0].contract_address, evm::create_address("0x5e"_address, 5));
    EXPECT_EQ((*receipts)[1].contract_address, evm::create_address("0x5e"_address, 9));
    EXPECT_FALSE((*receipts)[2].contract_address);
}

TEST_F(Rebuilt, logs_give_the_bloom_and_blobs_their_gas) {
    add(chain::TxnType::Blob, 1).blob_hashes.resize(2);
    m_receipts[0].logs.push_back({"0xaa"_address, {"0x01"_hash}, {}});
    const auto receipts = rebuild();
    ASSERT_TRUE(receipts);
    EXPECT_EQ((*receipts)[0].bloom, chain::bloom_of(m_receipts[0].logs));
    EXPECT_EQ((*receipts)[0].logs, m_receipts[0].logs);
    EXPECT_EQ((*receipts)[0].blob_gas_used, 2 * 131'072u);
    EXPECT_EQ(frame_receipt((*receipts)[0]), m_receipts[0]);
}

TEST_F(Rebuilt, refuses_what_does_not_fit_together) {
    add(chain::TxnType::Legacy, ~0ull);
    EXPECT_EQ(rebuild(1).error(), RebuildError::GasOverflow);
    m_receipts[0].type = chain::TxnType::DynamicFee;
    EXPECT_EQ(rebuild().error(), RebuildError::TypeMismatch);
    m_senders.clear();
    EXPECT_EQ(rebuild().error(), RebuildError::CountMismatch);
}

}  // namespace
}  // namespace meridian::frames
