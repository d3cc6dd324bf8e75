// Transactions and blocks through the EVM, rule by rule.
#include <meridian/chain/chain_fixture.hpp>
#include <meridian/chain/next_header.hpp>

#include <meridian/crypto/accelerator.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/trie/trie.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

using namespace testing;
using evm::Revision;

struct Fixture : testing::BlockFixture {
    using BlockFixture::BlockFixture;

    TxnError error_of(const Transaction& txn) {
        const auto outcome = execute(txn);
        EXPECT_FALSE(outcome.has_value());
        return outcome ? TxnError::RlpInvalidEncoding : outcome.error();
    }
};

Transaction transfer(std::uint64_t nonce = 0) {
    Transaction txn;
    txn.nonce = nonce;
    txn.max_fee_per_gas = 100;
    txn.max_priority_fee_per_gas = 100;
    txn.gas_limit = 21000;
    txn.to = kContract;
    txn.value = 5;
    return txn;
}

Transaction typed(TxnType type) {
    Transaction txn = transfer();
    txn.type = type;
    txn.chain_id = 1;
    txn.max_priority_fee_per_gas = 2;
    txn.gas_limit = 200000;
    return txn;
}

TEST(Executor, TransferPaysRecipientCoinbaseAndBurnsTheBaseFee) {
    Fixture fixture(Revision::London);
    const auto outcome = fixture.execute(transfer());
    ASSERT_TRUE(outcome.has_value());
    EXPECT_TRUE(outcome->receipt.success);
    EXPECT_EQ(outcome->receipt.gas_used, 21000u);
    EXPECT_EQ(outcome->receipt.effective_gas_price, u256{100});
    EXPECT_EQ(fixture.state().balance(kContract), u256{5});
    EXPECT_EQ(fixture.state().balance(kCoinbase), u256{90 * 21000});
    EXPECT_EQ(fixture.state().balance(kSender), kEther - 5 - 100 * 21000);
    EXPECT_EQ(fixture.state().nonce(kSender), 1u);
}

TEST(Executor, PriorityFeeIsCapped) {
    Fixture fixture(Revision::London);
    const auto outcome = fixture.execute(typed(TxnType::DynamicFee));
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->receipt.effective_gas_price, u256{12});
    EXPECT_EQ(fixture.state().balance(kCoinbase), u256{2 * 21000});
}

// The sender has delegated to code that creates a contract, and the creation's init code calls the sender.
TEST(Executor, NamesTheCreatedContractAlsoWhenTheSenderCreatesAnotherMeanwhile) {
    Fixture fixture(Revision::Prague);
    fixture.parent.set_code(kContract, *from_hex("5f5f5ff000"));  // CREATE(0, 0, 0)
    Bytes delegation = *from_hex("ef0100");
    delegation.insert(delegation.end(), kContract.bytes.begin(), kContract.bytes.end());
    fixture.parent.set_code(kSender, delegation);
    Transaction txn = transfer();
    txn.to.reset();
    txn.value = 0;
    txn.gas_limit = 500000;
    txn.data = *from_hex("5f5f5f5f5f335af100");  // CALL(gas, caller, 0, 0, 0, 0, 0)
    const auto outcome = fixture.execute(txn);
    ASSERT_TRUE(outcome.has_value());
    ASSERT_TRUE(outcome->receipt.success);
    EXPECT_EQ(fixture.state().nonce(kSender), 2u);
    EXPECT_EQ(outcome->receipt.contract_address, evm::create_address(kSender, 0));
}

TEST(Executor, RejectionsLeaveTheStateAlone) {
    Fixture fixture(Revision::Osaka);
    Transaction txn = transfer(1);
    EXPECT_EQ(fixture.error_of(txn), TxnError::NonceMismatchTooHigh);
    txn = transfer();
    txn.gas_limit = 20999;
    EXPECT_EQ(fixture.error_of(txn), TxnError::IntrinsicGasTooLow);
    txn = transfer();
    txn.data = Bytes(100, 1);
    txn.gas_limit = 21000 + 100 * 16;
    EXPECT_EQ(fixture.error_of(txn), TxnError::IntrinsicGasBelowFloorGasCost);
    txn = transfer();
    txn.value = kEther;
    EXPECT_EQ(fixture.error_of(txn), TxnError::InsufficientAccountFunds);
    txn.value = u256::max();
    EXPECT_EQ(fixture.error_of(txn), TxnError::InsufficientAccountFunds);
    txn = transfer();
    txn.max_fee_per_gas = 9;
    txn.max_priority_fee_per_gas = 9;
    EXPECT_EQ(fixture.error_of(txn), TxnError::InsufficientMaxFeePerGas);
    txn = typed(TxnType::DynamicFee);
    txn.max_priority_fee_per_gas = 101;
    EXPECT_EQ(fixture.error_of(txn), TxnError::PriorityGreaterThanMaxFeePerGas);
    txn = transfer();
    txn.gas_limit = (1u << 24) + 1;
    EXPECT_EQ(fixture.error_of(txn), TxnError::GasLimitExceedsMaximum);
    txn = transfer(~std::uint64_t{0});
    EXPECT_EQ(fixture.error_of(txn), TxnError::NonceIsMax);
    txn = typed(TxnType::AccessList);
    txn.chain_id = 2;
    EXPECT_EQ(fixture.error_of(txn), TxnError::InvalidChainId);
    txn = transfer();
    txn.to.reset();
    txn.data = Bytes(49153, 0);
    txn.gas_limit = 1000000;
    EXPECT_EQ(fixture.error_of(txn), TxnError::InitcodeSizeExceeded);
    txn = typed(TxnType::Deposit);
    EXPECT_EQ(fixture.error_of(txn), TxnError::InvalidDeposit);
    EXPECT_TRUE(fixture.state().changes().accounts.empty());
}

TEST(Executor, BlockGasIsAllThereIs) {
    Fixture fixture(Revision::London);
    fixture.header.gas_limit = 40000;
    ASSERT_TRUE(fixture.execute(transfer(0)).has_value());
    EXPECT_EQ(fixture.error_of(transfer(1)), TxnError::GasAllowanceExceeded);
}

TEST(Executor, Eip3607ContractsDoNotSend) {
    Fixture fixture(Revision::London);
    fixture.parent.set_code(kSender, Bytes{0x00});
    EXPECT_EQ(fixture.error_of(transfer()), TxnError::SenderNotEoa);
    Fixture delegated(Revision::Prague);
    Bytes designator{0xef, 0x01, 0x00};
    append(designator, kContract);
    delegated.parent.set_code(kSender, designator);
    EXPECT_TRUE(delegated.execute(transfer()).has_value());
}

TEST(Executor, TypesBeforeTheirFork) {
    const std::pair<TxnType, TxnError> cases[] = {{TxnType::AccessList, TxnError::Type1TxPreFork},
                                                  {TxnType::DynamicFee, TxnError::Type2TxPreFork},
                                                  {TxnType::Blob, TxnError::Type3TxPreFork},
                                                  {TxnType::SetCode, TxnError::Type4TxPreFork}};
    for (const auto& [type, error] : cases) {
        Fixture fixture(Revision::Istanbul);
        EXPECT_EQ(fixture.error_of(typed(type)), error);
    }
}

TEST(Executor, Blobs) {
    Fixture fixture(Revision::Cancun);
    Transaction txn = typed(TxnType::Blob);
    txn.max_fee_per_blob_gas = 1;
    EXPECT_EQ(fixture.error_of(txn), TxnError::Type3TxZeroBlobs);
    txn.blob_hashes = {Hash{}};
    EXPECT_EQ(fixture.error_of(txn), TxnError::Type3TxInvalidBlobVersionedHash);
    txn.blob_hashes[0][0] = 1;
    txn.max_fee_per_blob_gas = 0;
    EXPECT_EQ(fixture.error_of(txn), TxnError::InsufficientMaxFeePerBlobGas);
    txn.max_fee_per_blob_gas = 1;
    txn.to.reset();
    EXPECT_EQ(fixture.error_of(txn), TxnError::Type3TxContractCreation);
    txn.to = kContract;
    txn.blob_hashes.assign(7, txn.blob_hashes[0]);
    EXPECT_EQ(fixture.error_of(txn), TxnError::Type3TxMaxBlobGasAllowanceExceeded);
    txn.blob_hashes.resize(6);
    ASSERT_TRUE(fixture.execute(txn).has_value());
    EXPECT_EQ(fixture.executor().blob_gas_used(), 6u * 131072);
    EXPECT_EQ(fixture.state().balance(kSender), kEther - 5 - 12 * 21000 - 6 * 131072);
}

TEST(Executor, AuthorizationsFormAndForm) {
    Fixture fixture(Revision::Prague);
    Transaction txn = typed(TxnType::SetCode);
    EXPECT_EQ(fixture.error_of(txn), TxnError::Type4EmptyAuthorizationList);
    txn.authorizations = {{1, kContract, 0, 0, 1, 1}};
    txn.to.reset();
    EXPECT_EQ(fixture.error_of(txn), TxnError::Type4TxContractCreation);
    txn.to = kContract;
    txn.authorizations[0].s = u256::max();  // no signature: skipped, but paid for
    const auto outcome = fixture.execute(txn);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->receipt.gas_used, 21000u + 25000u);
}

TEST(Executor, AuthorizationSetsAndClearsTheDelegation) {
    Authorization authorization{1, kContract, 0, 0, 0x1234567, 0x89abcde};
    const auto authority = recover_authority(authorization);
    ASSERT_TRUE(authority.has_value());
    Fixture fixture(Revision::Prague);
    Transaction txn = typed(TxnType::SetCode);
    txn.authorizations = {authorization};
    const auto outcome = fixture.execute(txn);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->receipt.gas_used, 21000u + 25000u);  // the account is new: nothing back
    EXPECT_EQ(fixture.state().nonce(*authority), 1u);
    Bytes designator{0xef, 0x01, 0x00};
    append(designator, kContract);
    EXPECT_TRUE(equal(fixture.state().code(*authority), designator));

    Fixture existing(Revision::Prague);
    existing.parent.set_balance(*authority, 1);
    const auto refunded = existing.execute(txn);
    ASSERT_TRUE(refunded.has_value());
    EXPECT_EQ(refunded->gas_refunded, 46000u / 5);
}

TEST(Executor, RefundIsCapped) {
    for (const auto& [revision, refund] :
         {std::pair{Revision::Istanbul, 13003u}, {Revision::London, 4800u}}) {
        Fixture fixture(revision);
        fixture.parent.set_code(kContract, from_hex("0x600060005500").value());  // sstore(0, 0)
        fixture.parent.set_storage(kContract, 0, 1);
        Transaction txn = transfer();
        txn.gas_limit = 100000;
        const auto outcome = fixture.execute(txn);
        ASSERT_TRUE(outcome.has_value());
        EXPECT_EQ(outcome->gas_refunded, refund);
    }
}

TEST(Executor, FailedCallPaysAndKeepsTheNonce) {
    Fixture fixture(Revision::London);
    fixture.parent.set_code(kContract, Bytes{0xfe});
    Transaction txn = transfer();
    txn.gas_limit = 50000;
    const auto outcome = fixture.execute(txn);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_FALSE(outcome->receipt.success);
    EXPECT_EQ(outcome->receipt.gas_used, 50000u);
    EXPECT_EQ(fixture.state().nonce(kSender), 1u);
    EXPECT_EQ(fixture.state().balance(kContract), u256{});
}

TEST(Executor, CreationReportsItsAddress) {
    Fixture fixture(Revision::Shanghai);
    Transaction txn = transfer();
    txn.to.reset();
    txn.value = 0;
    txn.gas_limit = 100000;
    txn.data = from_hex("0x600160005360016000f3").value();  // returns the one byte 0x01
    const auto outcome = fixture.execute(txn);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_TRUE(outcome->receipt.success);
    const Address created = evm::create_address(kSender, 0);
    EXPECT_EQ(outcome->receipt.contract_address, std::optional(created));
    EXPECT_TRUE(equal(fixture.state().code(created), Bytes{0x01}));
}

TEST(Executor, RewardsOfBlockAndOmmers) {
    Fixture fixture(Revision::Byzantium);
    fixture.header.number = 10;
    Header ommer;
    ommer.number = 8;
    ommer.coinbase = kContract;
    ASSERT_TRUE(fixture.executor().start().has_value());
    const Header ommers[] = {ommer};
    const auto outcome = fixture.executor().finish(ommers, std::nullopt);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->changes.accounts.at(kCoinbase).account->balance, kEther * 3 + kEther * 3 / 32);
    EXPECT_EQ(outcome->changes.accounts.at(kContract).account->balance, kEther * 3 * 6 / 8);
}

TEST(Executor, WithdrawalsAreInGwei) {
    Fixture fixture(Revision::Shanghai);
    const std::vector<Withdrawal> withdrawals{{0, 0, kContract, 3}, {1, 0, kCoinbase, 0}};
    const auto outcome = fixture.executor().finish({}, withdrawals);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->changes.accounts.at(kContract).account->balance, u256{3000000000});
    EXPECT_FALSE(outcome->changes.accounts.contains(kCoinbase));
}

TEST(Executor, PragueNeedsItsSystemContracts) {
    Fixture fixture(Revision::Prague);
    ASSERT_TRUE(fixture.executor().start().has_value());
    const auto outcome = fixture.executor().finish({}, std::nullopt);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().error, BlockError::SystemContractEmpty);
}

TEST(Executor, RequestsOfTheQueues) {
    Fixture fixture(Revision::Prague);
    const Bytes returns_one_byte = from_hex("0x60aa60005360016000f3").value();
    fixture.parent.set_code("0x00000961ef480eb55e80d19ad83579a64c007002"_address, returns_one_byte);
    fixture.parent.set_code("0x0000bbddc7ce488642fb579f8b00f3a590007251"_address, Bytes{0x00});
    const auto outcome = fixture.executor().finish({}, std::nullopt);
    ASSERT_TRUE(outcome.has_value());
    ASSERT_EQ(outcome->requests.size(), 1u);
    EXPECT_EQ(outcome->requests[0].type, 1);
    const Hash inner = crypto::accelerator().sha256(Bytes{1, 0xaa});
    EXPECT_EQ(outcome->requests_hash, std::optional(crypto::accelerator().sha256(inner)));
}

TEST(Executor, BeaconRootContractIsCalledBySystem) {
    Fixture fixture(Revision::Cancun);
    constexpr Address kRoots = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"_address;
    fixture.parent.set_code(kRoots, from_hex("0x600035600055336001556000600060006000").value());
    fixture.header.parent_beacon_block_root = to_hash(u256{77});
    ASSERT_TRUE(fixture.executor().start().has_value());
    state::CachedAccount& account = fixture.state().load(kRoots);
    EXPECT_EQ(fixture.state().slot(account, 0).current, u256{77});
    EXPECT_EQ(fixture.state().slot(account, 1).current,
              from_address("0xfffffffffffffffffffffffffffffffffffffffe"_address));
    EXPECT_FALSE(
        fixture.state().changes().accounts.contains("0xfffffffffffffffffffffffffffffffffffffffe"_address));
}

// --- whole blocks -------------------------------------------------------------------------------------

struct Chain {
    ChainConfig config = ChainConfig::all_from_genesis(Revision::Shanghai);
    state::MemoryState state;
    Header parent;
    Block block;
    evm::CodeCache cache;
    NoHashes hashes;

    Chain() {
        parent.gas_limit = 30000000;
        parent.base_fee = u256{1000000000};
        parent.withdrawals_root = trie::kEmptyRoot;
        Header& header = block.header;
        header.number = 1;
        header.timestamp = 12;
        header.gas_limit = parent.gas_limit;
        header.base_fee = next_base_fee(config, parent, header.timestamp);
        header.parent_hash = header_hash(parent);
        header.transactions_root = trie::kEmptyRoot;
        header.receipts_root = trie::kEmptyRoot;
        block.withdrawals = {{0, 0, kContract, 7}};
        header.withdrawals_root = withdrawals_root(*block.withdrawals);
    }
    BlockError run() {
        const auto outcome = execute_block(config, parent, block, state, {cache, hashes});
        return outcome ? BlockError::InvalidTransaction : outcome.error().error;
    }
};

TEST(ExecuteBlock, AcceptsAValidBlock) {
    Chain chain;
    const auto outcome =
        execute_block(chain.config, chain.parent, chain.block, chain.state, {chain.cache, chain.hashes});
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    EXPECT_EQ(outcome->changes.accounts.at(kContract).account->balance, u256{7000000000});
}

TEST(ExecuteBlock, NamesWhatIsWrong) {
    using enum BlockError;
    struct Case {
        void (*spoil)(Chain&);
        BlockError error;
    };
    const Case cases[] = {
        {[](Chain& c) { c.block.header.number = 2; }, InvalidBlockNumber},
        {[](Chain& c) { c.block.header.parent_hash = {}; }, UnknownParent},
        {[](Chain& c) { c.block.header.timestamp = 0; }, InvalidBlockTimestampOlderThanParent},
        {[](Chain& c) { c.block.header.extra_data = Bytes(33, 0); }, ExtraDataTooBig},
        {[](Chain& c) { c.block.header.difficulty = 1; }, ImportImpossibleDifficultyOverParis},
        {[](Chain& c) { c.block.header.ommers_hash = {}; }, ImportImpossibleUnclesOverParis},
        {[](Chain& c) { c.block.header.gas_limit += c.parent.gas_limit / 1024; }, InvalidGasLimit},
        {[](Chain& c) { c.block.header.gas_used = c.block.header.gas_limit + 1; }, InvalidGasUsedAboveLimit},
        {[](Chain& c) { c.block.header.base_fee = u256{1}; }, InvalidBaseFeePerGas},
        {[](Chain& c) { c.block.header.base_fee.reset(); }, BaseFeeUnexpected},
        {[](Chain& c) { c.block.header.withdrawals_root.reset(); }, IncorrectBlockFormat},
        {[](Chain& c) { c.block.header.blob_gas_used = 0; }, IncorrectBlockFormat},
        {[](Chain& c) { c.block.withdrawals->clear(); }, InvalidWithdrawalsRoot},
        {[](Chain& c) { c.block.withdrawals.reset(); }, IncorrectBlockFormat},
        {[](Chain& c) { c.block.header.transactions_root = {}; }, InvalidTransactionsRoot},
        {[](Chain& c) { c.block.header.receipts_root = {}; }, InvalidReceiptsRoot},
        {[](Chain& c) { c.block.header.bloom[0] = 1; }, InvalidLogBloom},
        {[](Chain& c) { c.block.header.gas_used = 1; }, InvalidGasUsed},
        {[](Chain& c) { c.block.ommers.emplace_back(); }, InvalidUnclesHash},
    };
    for (const Case& bad : cases) {
        Chain chain;
        bad.spoil(chain);
        const BlockError error = chain.run();
        EXPECT_EQ(error, bad.error) << name(error) << " in place of " << name(bad.error);
    }
}

// --- interrupts -------------------------------------------------------------------------------------------

struct Switch final : evm::Interrupt {
    bool requested() const noexcept override { return on; }
    bool on = false;
};

TEST(Executor, InterruptedTransactionLeavesNothing) {
    Switch interrupt;
    Fixture fixture(Revision::Osaka);
    fixture.interrupt = &interrupt;
    interrupt.on = true;
    EXPECT_EQ(fixture.error_of(transfer()), TxnError::Interrupted);
    EXPECT_EQ(fixture.state().balance(kSender), kEther);
    EXPECT_EQ(fixture.state().nonce(kSender), 0u);
    EXPECT_FALSE(fixture.state().exists(kContract));
    EXPECT_EQ(fixture.executor().gas_used(), 0u);
    EXPECT_TRUE(fixture.state().changes().accounts.empty());

    interrupt.on = false;
    EXPECT_TRUE(fixture.execute(transfer()).has_value());
    const auto block = fixture.executor().finish({}, std::nullopt);
    EXPECT_FALSE(block.has_value());  // without system contracts; what counts is the receipt
    EXPECT_EQ(fixture.executor().gas_used(), 21000u);
}

TEST(Executor, InterruptSaysNothingOfABlock) {
    Switch interrupt;
    interrupt.on = true;
    const ChainConfig config = ChainConfig::all_from_genesis(Revision::London);
    Header parent;
    parent.gas_limit = 30000000;
    parent.base_fee = u256{10};
    Block block;
    block.header.number = 1;
    block.header.timestamp = 12;
    block.header.parent_hash = header_hash(parent);
    block.header.gas_limit = parent.gas_limit;
    block.header.base_fee = next_base_fee(config, parent, block.header.timestamp);
    block.header.difficulty = next_difficulty(config, parent, block.header.timestamp);
    Transaction txn = transfer();
    // Some account's signature; whose is found below.
    txn.v = 27;
    txn.r = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798_u256;
    txn.s = 1;
    block.transactions.push_back(txn);
    state::MemoryState state;
    state.set_balance(*recover_sender(txn, true), kEther);
    evm::CodeCache cache;
    NoHashes hashes;
    ExecutionEnvironment environment{cache, hashes};
    environment.interrupt = &interrupt;
    const auto outcome = execute_block(config, parent, block, state, environment);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().error, BlockError::Interrupted) << outcome.error().message;
    EXPECT_EQ(outcome.error().txn_index, 0u);
}

TEST(NextHeader, GasLimitGoesTowardsWhatIsWantedWithinTheBound) {
    ChainConfig config = ChainConfig::all_from_genesis(evm::Revision::Osaka);
    EXPECT_EQ(next_gas_limit(config, 1'024'000, 1'024'100), 1'024'100u);
    EXPECT_EQ(next_gas_limit(config, 1'024'000, 9'000'000), 1'024'999u);
    EXPECT_EQ(next_gas_limit(config, 1'024'000, 0), 1'023'001u);
    EXPECT_EQ(next_gas_limit(config, 5'000, 0), 5'000u);
    EXPECT_EQ(next_gas_limit(config, 5'000, 6'000), 5'003u);
    config.op.emplace();
    EXPECT_EQ(next_gas_limit(config, 1'024'000, 9'000'000), 9'000'000u);
}

}  // namespace
}  // namespace meridian::chain
