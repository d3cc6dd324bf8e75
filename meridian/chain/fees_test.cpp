// Base fee, blob fee, difficulty, intrinsic gas, schedules.
#include <meridian/chain/executor.hpp>
#include <meridian/chain/txn_cost.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

using evm::Revision;

TEST(ChainConfig, MainnetSchedule) {
    const ChainConfig config = ChainConfig::mainnet();
    EXPECT_EQ(config.revision(0, 0), Revision::Frontier);
    EXPECT_EQ(config.revision(1149999, 0), Revision::Frontier);
    EXPECT_EQ(config.revision(1150000, 0), Revision::Homestead);
    EXPECT_EQ(config.revision(7280000, 0), Revision::Petersburg);
    EXPECT_EQ(config.revision(15537393, 1663224162), Revision::London);
    EXPECT_EQ(config.revision(15537394, 1663224179), Revision::Paris);
    EXPECT_EQ(config.revision(17034870, 1681338455), Revision::Shanghai);
    EXPECT_EQ(config.revision(19426587, 1710338135), Revision::Cancun);
    EXPECT_EQ(config.revision(22431084, 1746612311), Revision::Prague);
    EXPECT_EQ(config.revision(23935694, 1764798551), Revision::Osaka);
    EXPECT_EQ(config.blob_parameters(1710338135).max, 6u);
    EXPECT_EQ(config.blob_parameters(1746612311).max, 9u);
    EXPECT_EQ(config.blob_parameters(1765290071).max, 15u);
    EXPECT_EQ(config.blob_parameters(1767747671).target, 14u);
}

TEST(UpfrontCost, IsOfGasBlobsAndValueOrDoesNotFit) {
    Transaction txn;
    txn.max_fee_per_gas = 7;
    txn.gas_limit = 21000;
    txn.value = 5;
    EXPECT_EQ(upfront_cost(txn), u256{147005});
    txn.blob_hashes.resize(2);
    txn.max_fee_per_blob_gas = 3;
    EXPECT_EQ(upfront_cost(txn), u256{147005 + 2 * 3 * 131072});
    txn.value = u256::max() - 147000 - 2 * 3 * 131072;
    EXPECT_EQ(upfront_cost(txn), u256::max());
    txn.value += 1;
    EXPECT_EQ(upfront_cost(txn), std::nullopt);
    txn.value = 0;
    txn.max_fee_per_gas = u256::max();
    EXPECT_EQ(upfront_cost(txn), std::nullopt);
    txn.gas_limit = 0;
    EXPECT_EQ(upfront_cost(txn), u256{2 * 3 * 131072});
    txn.max_fee_per_blob_gas = u256::max();
    EXPECT_EQ(upfront_cost(txn), std::nullopt);
}

TEST(ChainConfig, AllFromGenesis) {
    for (std::size_t i = 0; i < evm::kRevisionCount; ++i) {
        const auto revision = static_cast<Revision>(i);
        EXPECT_EQ(ChainConfig::all_from_genesis(revision).revision(0, 0), revision);
    }
}

Header london_parent(std::uint64_t gas_used) {
    Header parent;
    parent.number = 5;
    parent.gas_limit = 20000000;
    parent.gas_used = gas_used;
    parent.base_fee = u256{1000000000};
    return parent;
}

TEST(BaseFee, FollowsTheParentsGas) {
    const ChainConfig config = ChainConfig::all_from_genesis(Revision::London);
    EXPECT_EQ(next_base_fee(config, london_parent(10000000), 0), u256{1000000000});
    EXPECT_EQ(next_base_fee(config, london_parent(9000000), 0), u256{987500000});
    EXPECT_EQ(next_base_fee(config, london_parent(20000000), 0), u256{1125000000});
    EXPECT_EQ(next_base_fee(config, london_parent(0), 0), u256{875000000});
    Header legacy = london_parent(0);
    legacy.base_fee.reset();
    EXPECT_EQ(next_base_fee(config, legacy, 0), u256{1000000000});
    Header tiny = london_parent(20000000);
    tiny.base_fee = u256{1};
    EXPECT_EQ(next_base_fee(config, tiny, 0), u256{2});
}

TEST(BlobFee, ExponentialAndSaturation) {
    const ChainConfig config = ChainConfig::all_from_genesis(Revision::Cancun);
    EXPECT_EQ(blob_base_fee(config, 0, 0), u256{1});
    EXPECT_EQ(blob_base_fee(config, 0, 2314057), u256{1});
    EXPECT_EQ(blob_base_fee(config, 0, 2314058), u256{2});
    EXPECT_EQ(blob_base_fee(config, 0, 10 * 1024 * 1024), u256{23});
    EXPECT_EQ(blob_base_fee(config, 0, ~std::uint64_t{0}), u256::max());
}

TEST(BlobFee, ExcessAndItsFloor) {
    constexpr std::uint64_t kBlob = 131072;
    Header parent = london_parent(0);
    parent.excess_blob_gas = 4 * kBlob;
    parent.blob_gas_used = 6 * kBlob;
    const ChainConfig cancun = ChainConfig::all_from_genesis(Revision::Cancun);
    EXPECT_EQ(next_excess_blob_gas(cancun, parent, 0), 7 * kBlob);
    const ChainConfig prague = ChainConfig::all_from_genesis(Revision::Prague);
    EXPECT_EQ(next_excess_blob_gas(prague, parent, 0), 4 * kBlob);
    // EIP-7918: a blob's fee is far below what execution costs, so that the excess does not fall.
    const ChainConfig osaka = ChainConfig::all_from_genesis(Revision::Osaka);
    EXPECT_EQ(next_excess_blob_gas(osaka, parent, 0), 6 * kBlob);
    parent.base_fee = u256{16};
    EXPECT_EQ(next_excess_blob_gas(osaka, parent, 0), 4 * kBlob);
    parent.base_fee = u256{17};
    EXPECT_EQ(next_excess_blob_gas(osaka, parent, 0), 6 * kBlob);
}

TEST(Difficulty, ByRevision) {
    Header parent;
    parent.number = 10;
    parent.timestamp = 1000;
    parent.difficulty = 2048000;
    const auto next = [&](Revision revision, std::uint64_t elapsed) {
        return next_difficulty(ChainConfig::all_from_genesis(revision), parent, 1000 + elapsed);
    };
    EXPECT_EQ(next(Revision::Frontier, 12), u256{2049000});
    EXPECT_EQ(next(Revision::Frontier, 13), u256{2047000});
    EXPECT_EQ(next(Revision::Homestead, 9), u256{2049000});
    EXPECT_EQ(next(Revision::Homestead, 10), u256{2048000});
    EXPECT_EQ(next(Revision::Homestead, 1000000), u256{2048000 - 99000});
    EXPECT_EQ(next(Revision::Byzantium, 8), u256{2049000});
    EXPECT_EQ(next(Revision::Byzantium, 9), u256{2048000});
    parent.ommers_hash = Hash{};
    EXPECT_EQ(next(Revision::Byzantium, 9), u256{2049000});
    parent.difficulty = 1;
    EXPECT_EQ(next(Revision::London, 100), u256{131072});
}

TEST(Difficulty, BombAndItsDelays) {
    Header parent;
    parent.difficulty = 2048000;
    parent.number = 5299999;
    // After twelve seconds the difficulty itself stays.
    const auto bomb = [&](Revision revision) {
        return next_difficulty(ChainConfig::all_from_genesis(revision), parent, 12) - parent.difficulty;
    };
    EXPECT_EQ(bomb(Revision::Homestead), u256{1} << 51);
    EXPECT_EQ(bomb(Revision::Byzantium), u256{1} << 21);
    EXPECT_EQ(bomb(Revision::Constantinople), u256{2});
    EXPECT_EQ(bomb(Revision::Berlin), u256{});
}

TEST(IntrinsicGas, ByRevision) {
    Transaction txn;
    txn.to = Address{};
    txn.data = {0, 1, 2};
    EXPECT_EQ(intrinsic_gas(Revision::Frontier, txn).gas, 21000u + 4 + 2 * 68);
    EXPECT_EQ(intrinsic_gas(Revision::Istanbul, txn).gas, 21000u + 4 + 2 * 16);
    EXPECT_EQ(intrinsic_gas(Revision::Cancun, txn).floor, 0u);
    EXPECT_EQ(intrinsic_gas(Revision::Prague, txn).floor, 21000u + 10 + 2 * 40);
    txn.to.reset();
    EXPECT_EQ(intrinsic_gas(Revision::Frontier, txn).gas, 21000u + 4 + 2 * 68);
    EXPECT_EQ(intrinsic_gas(Revision::Homestead, txn).gas, 53000u + 4 + 2 * 68);
    EXPECT_EQ(intrinsic_gas(Revision::Shanghai, txn).gas, 53000u + 4 + 2 * 16 + 2);
    txn.access_list = {{Address{}, {Hash{}, Hash{}}}};
    txn.authorizations.resize(2);
    EXPECT_EQ(intrinsic_gas(Revision::Prague, txn).gas,
              53000u + 4 + 2 * 16 + 2 + 2400 + 2 * 1900 + 2 * 25000);
}

TEST(Errors, HaveTheSpecificationsNames) {
    EXPECT_EQ(name(TxnError::InsufficientAccountFunds), "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS");
    EXPECT_EQ(name(TxnError::Type3TxMaxBlobGasAllowanceExceeded),
              "TransactionException.TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED");
    EXPECT_EQ(name(BlockError::InvalidGasLimit), "BlockException.INVALID_GASLIMIT");
    EXPECT_EQ(name(BlockError::IncorrectExcessBlobGas), "BlockException.INCORRECT_EXCESS_BLOB_GAS");
}

}  // namespace
}  // namespace meridian::chain
