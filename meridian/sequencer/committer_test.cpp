#include <meridian/sequencer/committer.hpp>

#include <meridian/store/chain_test_model.hpp>
#include <meridian/store/memory_database.hpp>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kHotAccounts = 400;
constexpr std::uint64_t kFrames = 60;

// A committer on a store with a genesis, and what its blocks should come to.
class CommitterTest : public testing::TestWithParam<std::uint64_t> {
protected:
    CommitterTest() : m_genesis(GetParam()), m_random(GetParam()), m_model(m_genesis.state(0)) {
        m_store =
            store::ChainStore::open(std::make_unique<store::MemoryDatabase>(), m_genesis.identity()).value();
        auto update = m_store->open_trie().value()->apply(m_genesis.head().changes).value();
        EXPECT_TRUE(m_store->commit_block(m_genesis.head().commit(*update), store::Durability::Buffered));
        m_live = LiveChain::open(*m_store, m_recent).value();
        m_committer = std::make_unique<Committer>(
            u256{1}, 1, 1'000, nullptr,
            Committer::Parts{*m_live, m_store->open_trie().value(),
                             [this](const chain::Header& header, const Hash&) { m_sealed = header; }, [] {}});
    }

    std::uint64_t below(std::uint64_t limit) { return m_random() % limit; }

    // Mostly the same accounts again and again; new ones, storage, and ends between.
    state::StateChanges changes_of_a_frame() {
        state::StateChanges out;
        for (std::uint64_t i = below(60); i > 0; --i) {
            const bool is_new = below(4) == 0;
            const Address address =
                store::test_address(is_new ? 1'000 + ++m_new_accounts : below(kHotAccounts));
            const bool exists = m_model.accounts().contains(address);
            state::AccountChange& change = out.accounts[address];
            change = {};
            if (exists && below(40) == 0)
                continue;
            change.account = m_model.account(address).value_or(state::Account{});
            change.account->nonce += 1;
            change.account->balance = m_random();
            change.storage_cleared = !exists || below(50) == 0;
            if (below(8) == 0)
                for (std::uint64_t slot = below(12); slot > 0; --slot)
                    change.storage[below(20)] = below(3);
        }
        m_model.apply(out);
        return out;
    }

    void run_block(std::uint64_t number) {
        const std::uint64_t timestamp = 2'000 + number;
        chain::Header header;
        header.number = number;
        header.timestamp = timestamp;
        for (std::uint32_t index = 0; index < kFrames; ++index) {
            auto frame = std::make_shared<SealedFrame>();
            frame->number = ++m_frames;
            frame->block_number = number;
            frame->index = index;
            // The last ones come when the block is about to end.
            frame->timestamp_us = timestamp * 1'000'000 + index * 1'000'000 / kFrames;
            if (index == 0)
                frame->opening = Opening{header, {}};
            frame->changes = changes_of_a_frame();
            ASSERT_TRUE(m_committer->queue().try_push(SealedFramePtr(frame)));
            // It may lag behind.
            if (below(3) != 0) {
                ASSERT_NO_FATAL_FAILURE(drain());
            }
        }
        ClosedBlock closed{.header = header, .last_frame = m_frames, .closing = changes_of_a_frame()};
        ASSERT_TRUE(m_committer->queue().try_push(std::move(closed)));
        ASSERT_NO_FATAL_FAILURE(drain());
    }

    void drain() {
        while (m_committer->step().progressed) {
        }
        ASSERT_EQ(m_committer->fault(), "");
    }

    store::ChainModel m_genesis;
    std::mt19937_64 m_random;
    state::MemoryState m_model;
    RecentState m_recent;
    std::unique_ptr<store::ChainStore> m_store;
    std::unique_ptr<LiveChain> m_live;
    std::unique_ptr<Committer> m_committer;
    chain::Header m_sealed;
    std::uint64_t m_frames = 0;
    std::uint64_t m_new_accounts = 0;
};

// Whatever the trie is given early, late or only once of what changed many times.
TEST_P(CommitterTest, GivesTheRootOfAllFramesTogether) {
    for (std::uint64_t number = 1; number <= 3; ++number) {
        ASSERT_NO_FATAL_FAILURE(run_block(number));
        EXPECT_EQ(m_sealed.number, number);
        EXPECT_EQ(m_sealed.state_root, m_model.root()) << "block " << number;
    }
}
INSTANTIATE_TEST_SUITE_P(Seeds, CommitterTest, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace meridian::sequencer
