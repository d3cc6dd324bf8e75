// OP Stack: data fees, deposits, vaults.
#include <meridian/chain/op_stack.hpp>

#include <meridian/evm/code_cache.hpp>
#include <meridian/state/memory_state.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

using evm::Revision;

constexpr Address kSender = "0x1000000000000000000000000000000000000001"_address;
constexpr Address kTarget = "0x2000000000000000000000000000000000000002"_address;
constexpr Address kSequencerVault = "0x4200000000000000000000000000000000000011"_address;
constexpr Address kL1Block = "0x4200000000000000000000000000000000000015"_address;
constexpr u256 kEther = 1000000000000000000_u256;

class NoHashes final : public evm::BlockHashSource {
public:
    Hash block_hash(std::uint64_t) override { return {}; }
};

struct Fixture {
    Fixture() : config(ChainConfig::all_from_genesis(Revision::Prague, 10)) {
        OpConfig op;
        op.regolith_time = op.canyon_time = op.ecotone_time = op.fjord_time = 0;
        op.granite_time = op.holocene_time = op.isthmus_time = 0;
        config.op = op;
        parent.set_balance(kSender, kEther);
        parent.set_nonce(kL1Block, 1);
        parent.set_storage(kL1Block, 1, 1000000000);  // L1 base fee
        parent.set_storage(kL1Block, 7, 5);           // blob base fee
        // Scalars as 32-bit numbers at offsets 12 (base fee: 2000) and 8 (blob base fee: 3000).
        parent.set_storage(kL1Block, 3, (u256{2000} << 96) + (u256{3000} << 64));
        parent.set_storage(kL1Block, 8, (u256{1500000} << 64) + 77);
        header.number = 1;
        header.timestamp = 1000;
        header.gas_limit = 30000000;
        header.coinbase = kSequencerVault;
        header.base_fee = u256{10};
        header.excess_blob_gas = 0;
    }
    BlockExecutor& executor() {
        if (!m_executor) {
            m_state.emplace(parent);
            m_executor.emplace(config, header, *m_state, ExecutionEnvironment{m_cache, m_hashes});
        }
        return *m_executor;
    }
    state::State& state() {
        static_cast<void>(executor());
        return *m_state;
    }

    ChainConfig config;
    Header header;
    state::MemoryState parent;

private:
    evm::CodeCache m_cache;
    NoHashes m_hashes;
    std::optional<state::State> m_state;
    std::optional<BlockExecutor> m_executor;
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

}  // namespace
}  // namespace meridian::chain
