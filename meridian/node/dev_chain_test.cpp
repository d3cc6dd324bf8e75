#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/node/call.hpp>
#include <meridian/node/dev_chain.hpp>
#include <meridian/node/import.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/test_folder.hpp>

#include <gtest/gtest.h>

namespace meridian::node {
namespace {

constexpr std::uint64_t kEther = 1'000'000'000'000'000'000;
constexpr std::uint64_t kStart = 1'700'000'000;  // the clock's first time
constexpr Address kSink = "0x00000000000000000000000000000000000000a1"_address;

class DevChainTest : public testing::Test {
protected:
    DevChainTest() : m_accounts(*dev_accounts(kDefaultMnemonic, 3)) { m_chain = make(); }

    Genesis genesis() const {
        DevGenesisOptions genesis;
        genesis.balance = u256{kEther} * 10;
        genesis.timestamp = kStart;
        return dev_genesis(genesis, m_accounts);
    }
    ChainOptions options() {
        ChainOptions options;
        options.clock = [this] { return m_clock; };
        options.accounts = m_accounts;
        return options;
    }
    std::unique_ptr<DevChain> make() { return std::make_unique<DevChain>(genesis(), options()); }
    std::unique_ptr<DevChain> open(const std::filesystem::path& folder) {
        auto database = store::open_rocks({.path = folder});
        EXPECT_TRUE(database);
        auto chain = DevChain::open(genesis(), options(), *std::move(database));
        EXPECT_TRUE(chain);
        return *std::move(chain);
    }
    void set_balance(const Address& address, const u256& value) {
        OverlayState overlay(m_chain->head_state());
        overlay.set_balance(address, value);
        overlay.drop_empty();
        ASSERT_TRUE(m_chain->alter(overlay.changes()));
    }

    chain::Transaction transfer(std::size_t from, std::uint64_t nonce, const u256& value) const {
        chain::Transaction txn;
        txn.type = chain::TxnType::DynamicFee;
        txn.chain_id = m_chain->config().chain_id;
        txn.nonce = nonce;
        txn.max_fee_per_gas = 10'000'000'000;
        txn.max_priority_fee_per_gas = 1;
        txn.gas_limit = 21'000;
        txn.to = kSink;
        txn.value = value;
        return sign(txn, from);
    }

    chain::Transaction sign(chain::Transaction txn, std::size_t from) const {
        const auto signature =
            crypto::secp256k1::sign(chain::signing_hash(txn), m_accounts[from].private_key);
        txn.r = from_hash(signature->r);
        txn.s = from_hash(signature->s);
        txn.v = signature->recovery_id;
        return txn;
    }

    u256 balance(const Address& address) {
        return m_chain->head_state().account(address).value_or(state::Account{}).balance;
    }

    std::uint64_t m_clock = kStart;
    std::vector<DevAccount> m_accounts;
    std::unique_ptr<DevChain> m_chain;
};

TEST_F(DevChainTest, AutomineMakesABlockForEachTransaction) {
    const auto hash = m_chain->submit(transfer(0, 0, 5));
    ASSERT_TRUE(hash) << hash.error().message;
    EXPECT_EQ(m_chain->head()->number(), 1u);
    EXPECT_EQ(balance(kSink), u256{5});
    const auto place = *m_chain->find_transaction(*hash);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->block->receipts[place->index].gas_used, 21'000u);
    EXPECT_EQ(place->block->senders[place->index], m_accounts[0].address);
    EXPECT_EQ(m_chain->pool().size(), 0u);
}

TEST_F(DevChainTest, OwnBlocksSurviveAnImport) {
    Bytes file = chain::encode((*m_chain->block(std::uint64_t{0}))->block);
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce) {
        ASSERT_TRUE(m_chain->submit(transfer(0, nonce, 5)));
        append(file, chain::encode(m_chain->head()->block));
    }
    const auto other = make();
    std::uint64_t reported = 0;
    const auto imported = import_blocks(*other, file, [&](const ImportProgress& p) { reported = p.blocks; });
    ASSERT_TRUE(imported) << imported.error().message();
    EXPECT_EQ(imported->blocks, 3u);
    EXPECT_EQ(reported, 3u);
    EXPECT_EQ(other->head()->hash, m_chain->head()->hash);
}

TEST_F(DevChainTest, ImportNamesTheBlockAndTheReason) {
    ASSERT_TRUE(m_chain->submit(transfer(0, 0, 5)));
    chain::Block block = m_chain->head()->block;
    block.header.state_root[0] ^= 1;
    const auto other = make();
    const auto wrong_root = import_blocks(*other, chain::encode(block), {});
    ASSERT_FALSE(wrong_root);
    EXPECT_EQ(wrong_root.error().number, 1u);
    EXPECT_NE(wrong_root.error().message().find("state root"), std::string::npos);
    // Nothing of the refused block stays, and the right one is still taken.
    EXPECT_EQ(other->head()->number(), 0u);
    EXPECT_TRUE(other->import(m_chain->head()->block));

    const auto truncated = import_blocks(*make(), BytesView{chain::encode(block)}.first(100), {});
    ASSERT_FALSE(truncated);
    EXPECT_EQ(truncated.error().position, 1u);
    EXPECT_NE(truncated.error().message().find("truncated"), std::string::npos);
}

TEST_F(DevChainTest, ImportGivesAReasonOnce) {
    ASSERT_TRUE(m_chain->submit(transfer(0, 0, 5)));
    chain::Block block = m_chain->head()->block;
    block.transactions.push_back(block.transactions.front());
    block.header.transactions_root = chain::transactions_root(block.transactions);
    const auto repeated = import_blocks(*make(), chain::encode(block), {});
    ASSERT_FALSE(repeated);
    EXPECT_EQ(repeated.error().message(),
              "block 1: transaction 1: TransactionException.NONCE_MISMATCH_TOO_LOW");
}

TEST_F(DevChainTest, ANonceGapWaits) {
    ASSERT_TRUE(m_chain->submit(transfer(0, 1, 5)));
    EXPECT_EQ(m_chain->head()->number(), 0u);
    EXPECT_EQ(m_chain->pool().size(), 1u);
    ASSERT_TRUE(m_chain->submit(transfer(0, 0, 5)));
    EXPECT_EQ(m_chain->head()->number(), 1u);
    EXPECT_EQ(m_chain->head()->txn_hashes.size(), 2u);
}

TEST_F(DevChainTest, RefusalsSayWhy) {
    const auto message = [&](chain::Transaction txn) { return m_chain->submit(sign(txn, 0)).error(); };
    auto txn = transfer(0, 0, u256{kEther} * 1000);
    EXPECT_EQ(message(txn).error, SubmitError::InsufficientFunds);
    txn = transfer(0, 0, 1);
    txn.gas_limit = 20'999;
    EXPECT_EQ(message(txn).error, SubmitError::IntrinsicGas);
    txn.gas_limit = (1 << 24) + 1;
    EXPECT_EQ(message(txn).error, SubmitError::GasLimitMaximum);
    m_chain->settings().gas_limit = 1'000'000;
    txn.gas_limit = 1'000'001;
    EXPECT_EQ(message(txn).error, SubmitError::ExceedsBlockGasLimit);
    txn = transfer(0, 0, 1);
    txn.chain_id = 5;
    EXPECT_EQ(message(txn).error, SubmitError::WrongChainId);
    txn = transfer(0, 0, 1);
    txn.max_priority_fee_per_gas = txn.max_fee_per_gas + 1;
    EXPECT_EQ(message(txn).error, SubmitError::TipAboveFeeCap);
    txn = transfer(0, 0, 1);
    ASSERT_TRUE(m_chain->submit(txn));
    EXPECT_EQ(m_chain->submit(txn).error().error, SubmitError::AlreadyKnown);
    EXPECT_EQ(m_chain->submit(transfer(0, 0, 2)).error().message, "nonce too low: next nonce 1, tx nonce 0");
    txn.r = 0;
    EXPECT_EQ(m_chain->submit(txn).error().error, SubmitError::InvalidSignature);
    EXPECT_EQ(m_chain->head()->number(), 1u);
}

TEST_F(DevChainTest, SnapshotsBringEverythingBack) {
    ASSERT_TRUE(m_chain->submit(transfer(0, 0, 5)));
    const Hash head = m_chain->head()->hash;
    const std::int64_t offset = m_chain->settings().time_offset;
    const std::uint64_t first = m_chain->snapshot();
    OverlayState overlay(m_chain->head_state());
    overlay.set_balance(kSink, 77);
    ASSERT_TRUE(m_chain->alter(overlay.changes()));
    const std::uint64_t second = m_chain->snapshot();
    const auto hash = m_chain->submit(transfer(0, 1, 5));
    ASSERT_TRUE(hash);
    m_chain->settings().time_offset += 1000;
    EXPECT_EQ(balance(kSink), u256{82});

    EXPECT_TRUE(*m_chain->revert(second));
    EXPECT_EQ(balance(kSink), u256{77});
    EXPECT_FALSE(*m_chain->find_transaction(*hash));
    EXPECT_FALSE(*m_chain->revert(second));
    EXPECT_TRUE(*m_chain->revert(first));
    EXPECT_EQ(balance(kSink), u256{5});
    EXPECT_EQ(m_chain->head()->hash, head);
    EXPECT_EQ(m_chain->settings().time_offset, offset);
    // The chain goes on as if nothing had been.
    EXPECT_TRUE(m_chain->submit(transfer(0, 1, 5)));
    EXPECT_EQ(balance(kSink), u256{10});
}

// Alterations belong to no block: those before the snapshot stay, the later ones go, whatever is mined
// between them.
TEST_F(DevChainTest, RevertsTakeBackWhatWasAlteredSince) {
    set_balance(kSink, 10);
    const std::uint64_t first = m_chain->snapshot();
    const Hash root = *m_chain->preview_root({});
    set_balance(kSink, 20);
    OverlayState overlay(m_chain->head_state());
    overlay.set_code(kSink, {0x5f});
    overlay.set_storage(kSink, 1, 2);
    ASSERT_TRUE(m_chain->alter(overlay.changes()));
    const std::uint64_t second = m_chain->snapshot();
    ASSERT_TRUE(m_chain->mine());
    set_balance(kSink, 30);
    ASSERT_TRUE(m_chain->mine());
    EXPECT_TRUE(*m_chain->revert(second));
    EXPECT_EQ(m_chain->head()->number(), 0u);
    EXPECT_EQ(balance(kSink), u256{20});
    EXPECT_EQ(m_chain->head_state().storage(kSink, 1), u256{2});
    OverlayState cleared(m_chain->head_state());
    cleared.clear_storage(kSink);
    ASSERT_TRUE(m_chain->alter(cleared.changes()));
    EXPECT_TRUE(*m_chain->revert(first));
    EXPECT_EQ(balance(kSink), u256{10});
    EXPECT_EQ(m_chain->head_state().storage(kSink, 1), u256{0});
    EXPECT_EQ(*m_chain->preview_root({}), root);
}

TEST_F(DevChainTest, AFolderKeepsTheChain) {
    const store::TestFolder folder;
    m_chain = open(folder.path());
    const auto hash = m_chain->submit(transfer(0, 0, 5));
    ASSERT_TRUE(hash);
    m_chain->settings().next_timestamp = kStart + 5'000;
    ASSERT_TRUE(m_chain->submit(transfer(0, 1, 6)));
    set_balance(kSink, 77);
    const Hash head = m_chain->head()->hash;

    m_chain.reset();
    m_chain = open(folder.path());
    EXPECT_EQ(m_chain->head()->hash, head);
    EXPECT_EQ(balance(kSink), u256{77});
    EXPECT_EQ((*m_chain->state_after(1))->account(kSink)->balance, u256{5});
    const auto place = *m_chain->find_transaction(*hash);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->block->number(), 1u);
    EXPECT_EQ(place->block->receipts[place->index].gas_used, 21'000u);
    EXPECT_EQ(m_chain->submit(transfer(0, 0, 5)).error().error, SubmitError::AlreadyKnown);
    // Time goes on from the head, which is ahead of the clock.
    ASSERT_TRUE(m_chain->submit(transfer(0, 2, 1)));
    EXPECT_EQ(m_chain->head()->header().timestamp, kStart + 5'001);
    EXPECT_EQ(m_chain->head()->header().parent_hash, head);
    EXPECT_EQ(balance(kSink), u256{78});
    ASSERT_TRUE(m_chain->rollback(2));
    EXPECT_EQ(balance(kSink), u256{5});
}

TEST_F(DevChainTest, AFolderOfAnotherGenesisIsRefused) {
    const store::TestFolder folder;
    m_chain = open(folder.path());
    m_chain.reset();
    Genesis other = genesis();
    other.header.timestamp += 1;
    const auto refused = DevChain::open(other, options(), *store::open_rocks({.path = folder.path()}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, store::StoreErrorKind::WrongChain);
}

TEST_F(DevChainTest, WhatTheStoreRefusesChangesNothing) {
    auto database = std::make_unique<store::MemoryDatabase>();
    store::MemoryDatabase& disk = *database;
    m_chain = *DevChain::open(genesis(), options(), std::move(database));
    ASSERT_TRUE(m_chain->submit(transfer(0, 0, 5)));
    const Hash head = m_chain->head()->hash;
    m_chain->set_mining({false, 0});
    ASSERT_TRUE(m_chain->submit(transfer(0, 1, 5)));

    disk.fail_next_commit({store::StoreErrorKind::DiskFull, "the disk is full"});
    const auto refused = m_chain->mine();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "the disk is full");
    disk.fail_next_commit({store::StoreErrorKind::DiskFull, "the disk is full"});
    OverlayState overlay(m_chain->head_state());
    overlay.set_balance(kSink, 77);
    EXPECT_FALSE(m_chain->alter(overlay.changes()));
    EXPECT_EQ(m_chain->head()->hash, head);
    EXPECT_EQ(balance(kSink), u256{5});
    EXPECT_EQ(m_chain->pool().size(), 1u);

    ASSERT_TRUE(m_chain->mine());
    EXPECT_EQ(m_chain->head()->header().parent_hash, head);
    EXPECT_EQ(balance(kSink), u256{10});
}

TEST_F(DevChainTest, ResetTakesBackAlterationsOfTheGenesis) {
    const Hash root = *m_chain->preview_root({});
    set_balance(kSink, 77);
    set_balance(m_accounts[0].address, 1);
    ASSERT_TRUE(m_chain->mine());
    ASSERT_TRUE(m_chain->reset());
    EXPECT_EQ(*m_chain->preview_root({}), root);
    EXPECT_FALSE(m_chain->head_state().account(kSink));
}

TEST_F(DevChainTest, ARevertForgetsLaterSnapshots) {
    const std::uint64_t first = m_chain->snapshot();
    const std::uint64_t second = m_chain->snapshot();
    EXPECT_TRUE(*m_chain->revert(first));
    EXPECT_FALSE(*m_chain->revert(second));
    EXPECT_FALSE(*m_chain->revert(0));
}

TEST_F(DevChainTest, PastStatesStayReadable) {
    ASSERT_TRUE(m_chain->submit(transfer(0, 0, 5)));
    ASSERT_TRUE(m_chain->submit(transfer(0, 1, 5)));
    EXPECT_FALSE((*m_chain->state_after(0))->account(kSink));
    EXPECT_EQ((*m_chain->state_after(1))->account(kSink)->balance, u256{5});
    EXPECT_EQ((*m_chain->state_after(2))->account(kSink)->balance, u256{10});
}

TEST_F(DevChainTest, TimeIsTheClockPlusWhatWasAskedFor) {
    ASSERT_TRUE(m_chain->mine());
    EXPECT_EQ(m_chain->head()->header().timestamp, kStart + 1);
    EXPECT_EQ(m_chain->settings().time_offset, 1);
    m_clock = kStart + 50;
    m_chain->settings().time_offset = 100;
    ASSERT_TRUE(m_chain->mine());
    EXPECT_EQ(m_chain->head()->header().timestamp, kStart + 150);
    m_chain->settings().next_timestamp = kStart + 1000;
    ASSERT_TRUE(m_chain->mine());
    ASSERT_TRUE(m_chain->mine());
    EXPECT_EQ(m_chain->head()->header().timestamp, kStart + 1001);
    m_clock += 10;
    ASSERT_TRUE(m_chain->mine());
    EXPECT_EQ(m_chain->head()->header().timestamp, kStart + 1011);
}

TEST_F(DevChainTest, ImpersonatedSendersMayBeContracts) {
    OverlayState overlay(m_chain->head_state());
    overlay.set_code(kSink, {0x00});
    overlay.set_balance(kSink, u256{kEther});
    ASSERT_TRUE(m_chain->alter(overlay.changes()));
    chain::Transaction txn = transfer(0, 0, 3);
    txn.to = m_accounts[1].address;
    const auto hash = m_chain->submit_as(txn, kSink);
    ASSERT_TRUE(hash) << hash.error().message;
    const auto place = *m_chain->find_transaction(*hash);
    ASSERT_TRUE(place);
    EXPECT_TRUE(place->block->receipts[place->index].success);
    EXPECT_EQ(balance(m_accounts[1].address), u256{kEther} * 10 + 3);
}

TEST_F(DevChainTest, ReplayGivesTheSameOutcomes) {
    m_chain->set_mining({false, 0});
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce)
        ASSERT_TRUE(m_chain->submit(transfer(0, nonce, 5)));
    ASSERT_TRUE(m_chain->mine());
    struct Observer final : ReplayObserver {
        evm::Tracer* before(const ReplayStep& step) override {
            before_balances.push_back(step.before->account(kSink).value_or(state::Account{}).balance);
            return nullptr;
        }
        void after(const ReplayStep& step) override {
            after_balances.push_back(step.after->account(kSink)->balance);
            gas += step.outcome->receipt.gas_used;
        }
        std::vector<u256> before_balances;
        std::vector<u256> after_balances;
        std::uint64_t gas = 0;
    } observer;
    ASSERT_TRUE(replay(*m_chain, *m_chain->head(), 2, observer));
    EXPECT_EQ(observer.before_balances, (std::vector<u256>{0, 5, 10}));
    EXPECT_EQ(observer.after_balances, (std::vector<u256>{5, 10, 15}));
    EXPECT_EQ(observer.gas, m_chain->head()->header().gas_used);
}

TEST_F(DevChainTest, CallsLeaveNoTrace) {
    const CallContext context = *context_after(*m_chain, *m_chain->head());
    const Hash root = *m_chain->preview_root({});
    chain::Transaction txn = transfer(0, 0, 5);
    txn.max_fee_per_gas = 0;
    txn.max_priority_fee_per_gas = 0;
    CallOptions options;
    options.skipped.base_fee = true;
    state::StateChanges changes;
    const auto outcome = execute_call(*m_chain, context, txn, m_accounts[0].address, options, &changes);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, evm::Status::Success);
    EXPECT_EQ(changes.accounts.at(kSink).account->balance, u256{5});
    EXPECT_EQ(*m_chain->preview_root({}), root);
    EXPECT_FALSE(m_chain->head_state().account(kSink));
}

TEST_F(DevChainTest, ResetGoesBackToTheGenesis) {
    const Hash genesis = m_chain->head()->hash;
    ASSERT_TRUE(m_chain->submit(transfer(0, 0, 5)));
    ASSERT_TRUE(m_chain->reset());
    EXPECT_EQ(m_chain->head()->hash, genesis);
    EXPECT_TRUE(m_chain->submit(transfer(0, 0, 5)));
}

TEST(ChecksumAddress, FollowsEip55) {
    EXPECT_EQ(checksum_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"_address),
              "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    EXPECT_EQ(checksum_address("0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359"_address),
              "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359");
}

}  // namespace
}  // namespace meridian::node
