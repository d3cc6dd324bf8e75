// OP Stack: data fees, deposits, vaults.
#include <meridian/chain/op_stack.hpp>

#include <meridian/chain/chain_fixture.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

using namespace testing;
using evm::Revision;

constexpr Address kTarget = kContract;
constexpr Address kSequencerVault = "0x4200000000000000000000000000000000000011"_address;
constexpr Address kL1Block = "0x4200000000000000000000000000000000000015"_address;

struct Fixture : testing::BlockFixture {
    Fixture() : BlockFixture(Revision::Prague, 10) {
        OpConfig op;
        op.regolith_time = op.canyon_time = op.ecotone_time = op.fjord_time = 0;
        op.granite_time = op.holocene_time = op.isthmus_time = 0;
        config.op = op;
        parent.set_nonce(kL1Block, 1);
        parent.set_storage(kL1Block, 1, 1000000000);  // L1 base fee
        parent.set_storage(kL1Block, 7, 5);           // blob base fee
        // Scalars as 32-bit numbers at offsets 12 (base fee: 2000) and 8 (blob base fee: 3000).
        parent.set_storage(kL1Block, 3, (u256{2000} << 96) + (u256{3000} << 64));
        // The operator fee's constant and scalar at offset 8, the DA footprint's scalar at offset 12.
        parent.set_storage(kL1Block, 8, (u256{400} << 96) + (u256{1500000} << 64) + 77);
        header.coinbase = kSequencerVault;
    }
};

Transaction transfer() {
    Transaction txn;
    txn.type = TxnType::DynamicFee;
    txn.chain_id = 10;
    txn.max_fee_per_gas = 100;
    txn.max_priority_fee_per_gas = 2;
    txn.gas_limit = 50000;
    txn.to = kTarget;
    txn.value = 5;
    return txn;
}

Transaction deposit() {
    Transaction txn;
    txn.type = TxnType::Deposit;
    txn.from = kSender;
    txn.to = kTarget;
    txn.mint = kEther;
    txn.value = 7;
    txn.gas_limit = 100000;
    return txn;
}

TEST(OpStack, FastLzSizes) {
    EXPECT_EQ(op::fastlz_size({}), 0u);
    EXPECT_EQ(op::fastlz_size(Bytes(1, 7)), 2u);
    EXPECT_EQ(op::fastlz_size(Bytes(12, 7)), 13u);
    // Known sizes of other implementations.
    EXPECT_EQ(op::fastlz_size(Bytes(1000, 0)), 21u);
    EXPECT_EQ(op::fastlz_size(Bytes(1000, 0xff)), 21u);
    Bytes counting(32);
    for (std::size_t i = 0; i < counting.size(); ++i)
        counting[i] = static_cast<std::uint8_t>(i + 1);
    EXPECT_EQ(op::fastlz_size(counting), 33u);
}

TEST(OpStack, VaultsTakeTheFees) {
    Fixture fixture;
    const auto outcome = fixture.executor().execute(transfer(), kSender);
    ASSERT_TRUE(outcome.has_value());
    // A small transaction counts with 100 bytes: 100e6 * (16 * 1e9 * 2000 + 5 * 3000) / 1e12.
    const u256 l1_fee = u256{100000000} * (u256{16} * 1000000000 * 2000 + 15000) / 1000000000000;
    const u256 operator_fee = u256{21000} * 1500000 / 1000000 + 77;
    state::State& state = fixture.state();
    EXPECT_EQ(state.balance(op::kBaseFeeVault), u256{21000 * 10});
    EXPECT_EQ(state.balance(kSequencerVault), u256{21000 * 2});
    EXPECT_EQ(state.balance(op::kL1FeeVault), l1_fee);
    EXPECT_EQ(state.balance(op::kOperatorFeeVault), operator_fee);
    EXPECT_EQ(state.balance(kSender), kEther - 5 - 21000 * 12 - l1_fee - operator_fee);
}

TEST(OpStack, EcotoneAndBedrockFees) {
    for (const bool ecotone : {true, false}) {
        Fixture fixture;
        fixture.config.op->fjord_time = fixture.config.op->isthmus_time = std::nullopt;
        if (!ecotone)
            fixture.config.op->ecotone_time = std::nullopt;
        fixture.parent.set_storage(kL1Block, 5, 188);
        fixture.parent.set_storage(kL1Block, 6, 684000);
        Transaction txn = transfer();
        txn.value = 0;
        const Bytes encoded = encode(txn);
        std::uint64_t gas = 0;
        for (const std::uint8_t byte : encoded)
            gas += byte == 0 ? 4 : 16;
        const u256 expected = ecotone ? u256{gas} * (u256{16} * 1000000000 * 2000 + 15000) / 16000000
                                      : u256{gas + 188} * 1000000000 * 684000 / 1000000;
        EXPECT_EQ(op::fees_of(*fixture.config.op, 1000, fixture.state(), txn).l1, expected);
    }
}

TEST(OpStack, TheSenderPaysForDataToo) {
    Fixture fixture;
    fixture.parent.set_balance(kSender, 5 + 50000 * 100);
    EXPECT_EQ(fixture.executor().execute(transfer(), kSender).error(), TxnError::InsufficientAccountFunds);
}

TEST(OpStack, DepositMintsAndPaysNothing) {
    Fixture fixture;
    const auto outcome = fixture.executor().execute(deposit(), kSender);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_TRUE(outcome->receipt.success);
    EXPECT_EQ(outcome->receipt.gas_used, 21000u);
    EXPECT_EQ(outcome->receipt.deposit_nonce, std::optional<std::uint64_t>(0));
    EXPECT_EQ(outcome->receipt.deposit_receipt_version, std::optional<std::uint64_t>(1));
    EXPECT_EQ(fixture.state().balance(kSender), kEther * 2 - 7);
    EXPECT_EQ(fixture.state().balance(kTarget), u256{7});
    EXPECT_FALSE(fixture.state().exists(kSequencerVault));
    EXPECT_EQ(fixture.state().nonce(kSender), 1u);
}

TEST(OpStack, FailedDepositIsIncluded) {
    Fixture fixture;
    Transaction txn = deposit();
    txn.value = kEther * 3;
    const auto poor = fixture.executor().execute(txn, kSender);
    ASSERT_TRUE(poor.has_value());
    EXPECT_FALSE(poor->receipt.success);
    EXPECT_EQ(poor->receipt.gas_used, 100000u);
    EXPECT_EQ(fixture.state().balance(kSender), kEther * 2);
    EXPECT_EQ(fixture.state().nonce(kSender), 1u);

    txn = deposit();
    txn.gas_limit = 20999;
    const auto short_of_gas = fixture.executor().execute(txn, kSender);
    ASSERT_TRUE(short_of_gas.has_value());
    EXPECT_FALSE(short_of_gas->receipt.success);
    EXPECT_EQ(short_of_gas->receipt.gas_used, 20999u);
    EXPECT_EQ(short_of_gas->receipt.deposit_nonce, std::optional<std::uint64_t>(1));
    EXPECT_EQ(fixture.state().nonce(kSender), 2u);
}

TEST(OpStack, WhatIsNoDepositOfThisChain) {
    Fixture fixture;
    Transaction txn = deposit();
    txn.is_system = true;
    EXPECT_EQ(fixture.executor().execute(txn, kSender).error(), TxnError::InvalidDeposit);
    txn = deposit();
    txn.gas_limit = 30000001;
    EXPECT_EQ(fixture.executor().execute(txn, kSender).error(), TxnError::GasAllowanceExceeded);
    txn = transfer();
    txn.type = TxnType::Blob;
    EXPECT_EQ(fixture.executor().execute(txn, kSender).error(), TxnError::TypeNotSupported);
}

TEST(OpStack, Eip1559ParametersStandInTheExtraData) {
    Fixture fixture;
    Header parent;
    parent.gas_limit = 30000000;
    parent.gas_used = 30000000;
    parent.base_fee = u256{1000000};
    parent.extra_data = {0, 0, 0, 0, 100, 0, 0, 0, 3};
    EXPECT_EQ(next_base_fee(fixture.config, parent, 1000), u256{1000000 + 1000000 * 2 / 100});
    fixture.config.op->holocene_time = 1000000;
    EXPECT_EQ(next_base_fee(fixture.config, parent, 1000), u256{1000000 + 1000000 * 5 / 250});
    fixture.config.op->canyon_time = 1000000;
    EXPECT_EQ(next_base_fee(fixture.config, parent, 1000), u256{1000000 + 1000000 * 5 / 50});
}

TEST(OpStack, RequestsAreEmpty) {
    Fixture fixture;
    const auto outcome = fixture.executor().finish({}, std::vector<Withdrawal>{});
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->requests_hash,
              std::optional("0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"_hash));
}

// --- Jovian -----------------------------------------------------------------------------------------------

struct JovianFixture : Fixture {
    JovianFixture() { config.op->jovian_time = 0; }
};

TEST(OpStack, JovianOperatorFee) {
    JovianFixture fixture;
    fixture.parent.set_balance(kSender, kEther);
    const auto outcome = fixture.execute(transfer());
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(fixture.state().balance(op::kOperatorFeeVault), u256{21000} * 1500000 * 100 + 77);
}

TEST(OpStack, JovianCountsDataAsGas) {
    JovianFixture fixture;
    const auto small = fixture.execute(transfer());
    ASSERT_TRUE(small.has_value());
    EXPECT_EQ(small->receipt.blob_gas_used, 100u * 400);
    // Data that does not repeat: 41 bytes or so stay 41, and those of the envelope.
    Transaction large = transfer();
    large.nonce = 1;
    large.gas_limit = 1000000;
    for (unsigned i = 0; i < 1000; ++i)
        large.data.push_back(static_cast<std::uint8_t>(i * i * 31 + i / 7));
    const std::uint64_t size = (op::fastlz_size(encode(large)) * 836500 - 42585600) / 1000000;
    EXPECT_GT(size, 100u);
    ASSERT_TRUE(fixture.execute(large).has_value());
    EXPECT_EQ(fixture.executor().blob_gas_used(), (100 + size) * 400);
    EXPECT_EQ(fixture.execute(deposit())->receipt.blob_gas_used, 0u);
    const auto block = fixture.executor().finish({}, std::vector<Withdrawal>{});
    ASSERT_TRUE(block.has_value());
    EXPECT_EQ(block->blob_gas_used, (100 + size) * 400);
}

TEST(OpStack, JovianBoundsTheDataOfABlock) {
    JovianFixture fixture;
    fixture.header.gas_limit = 100000;  // two transactions of 100 bytes and some
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce) {
        Transaction txn = transfer();
        txn.nonce = nonce;
        txn.gas_limit = 21000;
        const auto outcome = fixture.execute(txn);
        ASSERT_EQ(outcome.has_value(), nonce < 2) << nonce;
        if (!outcome) {
            EXPECT_EQ(outcome.error(), TxnError::GasAllowanceExceeded);
        }
    }
    EXPECT_EQ(fixture.executor().blob_gas_used(), 80000u);
}

TEST(OpStack, JovianBaseFee) {
    Fixture fixture;
    fixture.config.op->jovian_time = 1000;
    Header parent;
    parent.timestamp = 1000;
    parent.gas_limit = 30000000;
    parent.gas_used = 0;
    parent.blob_gas_used = 30000000;
    parent.excess_blob_gas = 0;
    parent.base_fee = u256{1000000};
    parent.extra_data = {1, 0, 0, 0, 100, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0x20, 0, 0};
    // The data counts.
    EXPECT_EQ(next_base_fee(fixture.config, parent, 1002), u256{0x200000});
    parent.base_fee = u256{10000000};
    EXPECT_EQ(next_base_fee(fixture.config, parent, 1002), u256{10000000 + 10000000 * 2 / 100});
    EXPECT_EQ(next_excess_blob_gas(fixture.config, parent, 1002), 0u);
    // In the first block of Jovian the parent is still one of Holocene.
    parent.timestamp = 999;
    parent.extra_data.resize(9);
    parent.extra_data[0] = 0;
    EXPECT_EQ(next_base_fee(fixture.config, parent, 1000), u256{10000000 - 10000000 / 100});
}

TEST(OpStack, ExtraDataOfEachUpgrade) {
    OpConfig config;
    config.holocene_time = 10;
    config.jovian_time = 20;
    const Bytes holocene = {0, 0, 0, 0, 100, 0, 0, 0, 3};
    Bytes jovian = holocene;
    jovian[0] = 1;
    jovian.resize(17);
    EXPECT_TRUE(op::valid_extra_data(config, 9, {}));
    EXPECT_TRUE(op::valid_extra_data(config, 10, holocene));
    EXPECT_FALSE(op::valid_extra_data(config, 10, jovian));
    EXPECT_FALSE(op::valid_extra_data(config, 20, holocene));
    EXPECT_TRUE(op::valid_extra_data(config, 20, jovian));
    jovian.push_back(0);
    EXPECT_FALSE(op::valid_extra_data(config, 20, jovian));
    jovian.pop_back();
    jovian[4] = 0;
    EXPECT_FALSE(op::valid_extra_data(config, 20, jovian));
}

TEST(OpStack, PrecompilesOfTheUpgradeAreWarmAndThere) {
    for (const bool fjord : {false, true}) {
        Fixture fixture;
        OpConfig& op = *fixture.config.op;
        op.granite_time = op.holocene_time = op.isthmus_time = std::nullopt;
        if (!fjord)
            op.fjord_time = std::nullopt;
        // Gas before and after a call of 0x100, which is warm and takes 3450 only where it is a precompile.
        const Bytes code = {0x5a, 0x5f, 0x5f, 0x5f, 0x5f, 0x61, 0x01, 0x00, 0x61, 0x20,
                            0x00, 0xfa, 0x50, 0x5a, 0x90, 0x03, 0x5f, 0x55, 0x00};
        fixture.parent.set_code(kTarget, code);
        Transaction txn = transfer();
        txn.gas_limit = 100000;
        ASSERT_TRUE(fixture.execute(txn)->receipt.success);
        state::State& state = fixture.state();
        // Beside the call: GAS, four PUSH0, two PUSH2, POP.
        const std::uint64_t rest = 2 + 4 * 2 + 2 * 3 + 2;
        EXPECT_EQ(state.slot(state.load(kTarget), 0).current, u256{rest + (fjord ? 100 + 3450 : 2600)});
    }
}

}  // namespace
}  // namespace meridian::chain
