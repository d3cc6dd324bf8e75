// A replica beside its sequencer, in simulated time: that it holds what the sequencer holds, however it is
// treated, and stops where the sequencer's frames do not come to what they say.
#include <meridian/base/hex.hpp>
#include <meridian/store/snapshot.hpp>
#include <meridian/store/test_folder.hpp>

#include "testkit/replica.hpp"

#include <gtest/gtest.h>

namespace meridian {
namespace {

using namespace literals;
using testkit::Replica;
using testkit::ReplicaOptions;
using testkit::World;

constexpr std::uint64_t kMs = 1'000;
constexpr std::uint64_t kSecond = 1'000'000;
// EIP-7002: takes requests, of which the end of a block takes some.
constexpr Address kWithdrawalQueue = "0x00000961Ef480Eb55e80D19ad83579A64c007002"_address;

// With and without executing.
class ReplicaTest : public testing::TestWithParam<bool> {
protected:
    static ReplicaOptions replica_options() {
        ReplicaOptions out;
        out.follower.trust_diffs = GetParam();
        return out;
    }
    void SetUp() override { ASSERT_EQ(world.start(), ""); }
    void transfers(std::size_t count) {
        for (; count > 0; --count) {
            (void)world.submit(world.transfer(0, 1, nonce++));
            world.run_for(120 * kMs, 5 * kMs);
        }
    }
    // Asks for a withdrawal from the beacon chain: what the block's end changes is not nothing then.
    void request_withdrawal() {
        chain::Transaction txn;
        txn.type = chain::TxnType::DynamicFee;
        txn.nonce = nonce++;
        txn.gas_limit = 300'000;
        txn.max_fee_per_gas = 10'000'000'000;
        txn.to = kWithdrawalQueue;
        txn.value = 1'000;
        txn.data = Bytes(56, 0x11);
        (void)world.submit(world.sign(std::move(txn), 0));
        world.run_for(120 * kMs, 5 * kMs);
    }
    // A record of the sequencer's whose content was changed, with hashes and signature to match.
    Bytes altered(std::uint64_t number, const std::function<void(frames::FrameContent&)>& alter) {
        auto frame = *frames::decode_record(*world.log().read(number));
        alter(frame.content);
        const auto sections = *frames::encode_sections(frame.content);
        frames::commit_sections(frame.head.header, sections);
        return frames::encode_record(*frames::sign_header(frame.head.header, world.signer()), sections);
    }
    // The number of the first frame with transactions, or of the first but one that opens a block.
    std::uint64_t find_frame(bool opening) {
        for (std::uint64_t number = 2; number <= world.log().last_durable(); ++number) {
            const auto frame = *frames::decode_record(*world.log().read(number));
            if (opening ? frame.content.base.has_value() : !frame.content.receipts.empty())
                return number;
        }
        return 0;
    }
    // Hands over the sequencer's frames before that one.
    void follow_up_to(Replica& replica, std::uint64_t number) {
        while (replica.node().wanted() < number) {
            ASSERT_EQ(replica.node().offer(*world.log().read(replica.node().wanted())), true);
            replica.settle();
        }
    }
    std::string fault_after(Replica& replica, const Bytes& record) {
        const auto taken = replica.node().offer(record);
        replica.settle();
        return taken ? replica.node().status().fault : "refused: " + taken.error();
    }

    World world;
    std::uint64_t nonce = 0;
};

INSTANTIATE_TEST_SUITE_P(Both, ReplicaTest, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Applying" : "Executing"; });

TEST_P(ReplicaTest, HoldsWhatTheSequencerHolds) {
    Replica replica(world, replica_options());
    ASSERT_EQ(replica.start(), "");
    for (int i = 0; i < 5; ++i) {
        transfers(6);
        replica.catch_up();
        ASSERT_EQ(replica.check_equal(), "");
    }
    const auto status = replica.node().status();
    EXPECT_EQ(status.frame, world.node().status().frame);
    EXPECT_EQ(status.sealed_block, world.node().status().sealed_block);
    EXPECT_EQ(status.waiting_frames, 0u);
    EXPECT_EQ(status.waiting_bytes, 0u);
    EXPECT_EQ(status.fault, "");
    EXPECT_GE(status.stored_block, 2u);
    const auto head = replica.node().live().head();
    const auto theirs = world.node().live().head();
    const auto block = *replica.node().live().block(*head, 2), same = *world.node().live().block(*theirs, 2);
    ASSERT_TRUE(block && same);
    EXPECT_EQ(block->hash, same->hash);
    ASSERT_EQ(block->receipts.size(), same->receipts.size());
    EXPECT_EQ(block->senders, same->senders);
    for (std::size_t i = 0; i < block->receipts.size(); ++i) {
        EXPECT_EQ(chain::encode(block->receipts[i]), chain::encode(same->receipts[i]));
        EXPECT_EQ(block->receipts[i].gas_used, same->receipts[i].gas_used);
        EXPECT_EQ(block->receipts[i].effective_gas_price, same->receipts[i].effective_gas_price);
    }
}

TEST_P(ReplicaTest, ResumesFromItsOwnStoreAndLog) {
    Replica replica(world, replica_options());
    for (int life = 0; life < 8; ++life) {
        ASSERT_EQ(replica.start(), "");
        EXPECT_EQ(replica.check(), "");
        transfers(3 + static_cast<std::size_t>(life));
        replica.catch_up();
        ASSERT_EQ(replica.check_equal(), "") << "life " << life;
        const std::uint64_t frame = replica.node().status().frame;
        replica.kill();
        ASSERT_EQ(replica.start(), "");
        EXPECT_EQ(replica.node().status().frame, frame);
        EXPECT_EQ(replica.node().wanted(), frame + 1);
        ASSERT_EQ(replica.check_equal(), "") << "life " << life;
        replica.kill();
    }
}

TEST_P(ReplicaTest, TakesPartInWhatTheEndOfABlockChanges) {
    Replica replica(world, replica_options());
    ASSERT_EQ(replica.start(), "");
    for (int i = 0; i < 20; ++i) {
        request_withdrawal();
        replica.catch_up();
        ASSERT_EQ(replica.check_equal(), "");
        // At any place in the block; also the sequencer has to find its way back.
        replica.kill();
        ASSERT_EQ(replica.start(), "");
        world.kill();
        ASSERT_EQ(world.start(), "");
        world.run_for(150 * kMs, 5 * kMs);
    }
    world.run_for(2 * kSecond, 10 * kMs);
    replica.catch_up();
    ASSERT_EQ(replica.check_equal(), "");
    // It did change something.
    const std::uint64_t opening = find_frame(true);
    const auto frame = *frames::decode_record(*world.log().read(opening));
    EXPECT_TRUE(frame.content.base->parent_closing.accounts.contains(kWithdrawalQueue));
    const auto head = replica.node().live().head();
    EXPECT_NE((*replica.node().live().block(*head, 1))->header().requests_hash,
              (*replica.node().live().block(*head, head->sealed_number()))->header().requests_hash);
}

TEST_P(ReplicaTest, BeginsWithASnapshotAndTheFramesBehindIt) {
    transfers(20);
    for (int i = 0; i < 20; ++i)
        request_withdrawal();  // so that the block's end, which the snapshot holds, changed something
    world.run_for(2 * kSecond, 10 * kMs);
    const store::TestFolder folder;
    const auto view = world.store().view();
    ASSERT_TRUE(view);
    ASSERT_GT(view->head()->number, 3u);
    const auto exported = store::export_snapshot(*view, world.identity(), folder.path() / "snapshot", {});
    ASSERT_TRUE(exported) << exported.error().message;
    transfers(10);
    Replica replica(world, replica_options());
    ASSERT_EQ(replica.restore(folder.path() / "snapshot"), "");
    ASSERT_EQ(replica.start(), "");
    EXPECT_GT(replica.node().wanted(), 3u);
    replica.catch_up();
    ASSERT_EQ(replica.check_equal(), "");
    replica.kill();
    ASSERT_EQ(replica.start(), "");
    transfers(10);
    replica.catch_up();
    ASSERT_EQ(replica.check_equal(), "");
    EXPECT_GT(replica.node().status().stored_block, view->head()->number);
}

TEST_P(ReplicaTest, BeginsRightBehindASnapshotAtWhichNothingFollowed) {
    for (int i = 0; i < 12; ++i)
        request_withdrawal();
    world.run_for(kSecond, 10 * kMs);
    const store::TestFolder folder;
    ASSERT_TRUE(
        store::export_snapshot(*world.store().view(), world.identity(), folder.path() / "snapshot", {}));
    Replica replica(world, replica_options());
    ASSERT_EQ(replica.restore(folder.path() / "snapshot"), "");
    for (int life = 0; life < 3; ++life) {
        ASSERT_EQ(replica.start(), "");  // with an empty log, each time
        EXPECT_EQ(replica.node().status().frame + 1, replica.node().wanted());
        replica.kill();
    }
    ASSERT_EQ(replica.start(), "");
    replica.catch_up();
    ASSERT_EQ(replica.check_equal(), "");
}

TEST_P(ReplicaTest, HasNoMoreWaitingThanItMay) {
    ReplicaOptions options = replica_options();
    options.follower.frames_max = 3;
    Replica replica(world, options);
    ASSERT_EQ(replica.start(), "");
    bool room = false;
    replica.node().set_on_room([&room] { room = true; });
    transfers(10);
    for (std::uint64_t number = 1; number <= 3; ++number)
        ASSERT_EQ(replica.node().offer(*world.log().read(number)), true);
    EXPECT_EQ(replica.node().status().waiting_frames, 3u);
    EXPECT_EQ(replica.node().offer(*world.log().read(4)), false);
    EXPECT_FALSE(room);
    EXPECT_EQ(replica.node().wanted(), 4u);
    replica.settle();
    EXPECT_TRUE(room);
    EXPECT_EQ(replica.node().offer(*world.log().read(4)), true);
    options.follower.frames_max = 1'000;
    options.follower.bytes_max = 500;  // a record, and a bit
    replica.kill();
    Replica other(world, options);
    ASSERT_EQ(other.start(), "");
    ASSERT_EQ(other.node().offer(*world.log().read(1)), true);
    EXPECT_EQ(other.node().offer(*world.log().read(2)), other.node().status().waiting_bytes < 500);
    other.cut();
    other.catch_up();
    EXPECT_EQ(other.check_equal(), "");
}

TEST_P(ReplicaTest, RefusesWhatIsNotTheNextFrameOfTheSequencer) {
    Replica replica(world, replica_options());
    ASSERT_EQ(replica.start(), "");
    transfers(10);
    follow_up_to(replica, 5);
    const Bytes good = *world.log().read(5);
    EXPECT_NE(fault_after(replica, *world.log().read(6)).find("number: 6, expected 5"), std::string::npos);
    EXPECT_NE(fault_after(replica, *world.log().read(4)).find("number: 4, expected 5"), std::string::npos);
    EXPECT_NE(fault_after(replica, {}).find("refused: frame 5"), std::string::npos);
    auto frame = *frames::decode_record(good);
    Hash key;
    key.bytes[31] = 9;
    const auto stranger = *frames::LocalSigner::make(key);
    frame.head = *frames::sign_header(frame.head.header, stranger);
    EXPECT_NE(
        fault_after(replica, *frames::encode_record(frame)).find("signer: " + to_hex0x(stranger.address())),
        std::string::npos);
    frame = *frames::decode_record(good);
    frame.head.header.parent_hash.bytes[3] ^= 1;
    frame.head = *frames::sign_header(frame.head.header, world.signer());
    EXPECT_NE(fault_after(replica, *frames::encode_record(frame)).find("parent hash"), std::string::npos);
    // The sequencer did sign it: the operator is told until a frame comes that fits.
    EXPECT_NE(replica.node().status().fault.find("does not follow this node's frame 4"), std::string::npos);
    // Content that the signed hashes do not cover.
    frame = *frames::decode_record(good);
    frame.content.changes.accounts.begin()->second.account->nonce += 1;
    EXPECT_NE(fault_after(replica, *frames::encode_record(frame)).find("changes hash"), std::string::npos);
    EXPECT_EQ(replica.node().status().refused, 6u);
    EXPECT_NE(replica.node().status().refusal.find("changes hash"), std::string::npos);
    // None of it has done any harm.
    EXPECT_FALSE(replica.node().status().stopped);
    replica.cut();
    replica.catch_up();
    EXPECT_EQ(replica.check_equal(), "");
    EXPECT_EQ(replica.node().status().fault, "");
}

TEST_P(ReplicaTest, StopsAtABlockThatBreaksTheRulesOrComesToAnotherHash) {
    transfers(20);
    const std::uint64_t opening = find_frame(true);
    ASSERT_NE(opening, 0u);
    const auto expect_stop = [&](const Bytes& record, const std::string& why) {
        Replica replica(world, replica_options());
        ASSERT_EQ(replica.start(), "");
        follow_up_to(replica, opening);
        const auto shown = replica.node().status().frame;
        const std::string fault = fault_after(replica, record);
        EXPECT_NE(fault.find(why), std::string::npos) << fault;
        EXPECT_TRUE(replica.node().status().stopped);
        EXPECT_EQ(replica.node().status().frame, shown);
        // For good, and it says so; after a restart, too, it has only what was right.
        const auto more = replica.node().offer(*world.log().read(opening));
        ASSERT_FALSE(more);
        EXPECT_NE(more.error().find("stopped following"), std::string::npos);
        replica.kill();
        ASSERT_EQ(replica.start(), "");
        EXPECT_EQ(replica.node().status().frame, shown);
        replica.catch_up();
        EXPECT_EQ(replica.check_equal(), "");
    };
    expect_stop(altered(opening, [](auto& content) { *content.base->base_fee += 1; }), "base fee");
    expect_stop(altered(opening, [](auto& content) { *content.base->excess_blob_gas += 1; }),
                "excess blob gas");
    expect_stop(altered(opening, [](auto& content) { content.base->timestamp = 5; }), "timestamp");
    expect_stop(altered(opening, [](auto& content) { content.base->parent_hash.bytes[0] ^= 1; }),
                "block 1 has hash 0x");
    expect_stop(altered(opening,
                        [](auto& content) {
                            content.base->parent_closing.accounts[Address{}].account = state::Account{};
                        }),
                GetParam() ? "another end of the block before" : "the block's base");
    expect_stop(altered(opening,
                        [](auto& content) {
                            content.segments.push_back({7, {Bytes{1}}});
                            content.receipts.emplace_back();
                        }),
                "lane 7");
}

TEST(Replica, StopsAtReceiptsOrChangesThatExecutionDoesNotGive) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    (void)world.submit(world.transfer(0, 1, 0));
    world.run_for(2 * kSecond, 10 * kMs);
    const auto sign_again = [&](const std::function<void(frames::FrameContent&)>& alter) {
        auto frame = *frames::decode_record(*world.log().read(2));
        alter(frame.content);
        const auto sections = *frames::encode_sections(frame.content);
        frames::commit_sections(frame.head.header, sections);
        return frames::encode_record(*frames::sign_header(frame.head.header, world.signer()), sections);
    };
    const auto fault_of = [&](const Bytes& record) {
        Replica replica(world, {});
        EXPECT_EQ(replica.start(), "");
        EXPECT_EQ(replica.node().offer(*world.log().read(1)), true);
        EXPECT_EQ(replica.node().offer(record), true);
        replica.settle();
        EXPECT_EQ(replica.node().status().frame, 1u);
        EXPECT_EQ(
            replica.node().live().state_at(*replica.node().live().head())->account(world.account(0))->nonce,
            0u);
        return replica.node().status().fault;
    };
    const std::string gas = fault_of(sign_again([](auto& content) { content.receipts[0].gas_used += 1; }));
    EXPECT_NE(gas.find("differs from what was signed in: receipts (first that of transaction 0x"),
              std::string::npos)
        << gas;
    const std::string balance = fault_of(sign_again(
        [&](auto& content) { content.changes.accounts.at(world.account(1)).account->balance += 1; }));
    EXPECT_NE(balance.find("account " + to_hex0x(world.account(1)) + " is changed in another way"),
              std::string::npos)
        << balance;
    const std::string missing =
        fault_of(sign_again([&](auto& content) { content.changes.accounts.erase(world.account(0)); }));
    EXPECT_NE(missing.find("account " + to_hex0x(world.account(0)) + " is changed here only"),
              std::string::npos)
        << missing;
    const std::string wrong_txn = fault_of(
        sign_again([&](auto& content) { content.segments[0].transactions[0] = world.transfer(0, 1, 5); }));
    EXPECT_NE(wrong_txn.find("NONCE"), std::string::npos) << wrong_txn;
}

TEST(Replica, ThatTrustsChangesStopsAtTheEndOfTheBlockInWhichTheyWereWrong) {
    World world;
    ASSERT_EQ(world.start(), "");
    world.run_for(kMs);
    (void)world.submit(world.transfer(0, 1, 0));
    world.run_for(3 * kSecond, 10 * kMs);
    ReplicaOptions options;
    options.follower.trust_diffs = true;
    Replica replica(world, options);
    ASSERT_EQ(replica.start(), "");
    ASSERT_EQ(replica.node().offer(*world.log().read(1)), true);
    // A signed lie, and frames that build on it as on the truth.
    std::optional<Hash> parent;
    std::uint64_t last = 1;
    for (std::uint64_t number = 2; number <= world.log().last_durable(); ++number, ++last) {
        auto frame = *frames::decode_record(*world.log().read(number));
        if (number == 2)
            frame.content.changes.accounts.at(world.account(1)).account->balance += 1;
        if (parent)
            frame.head.header.parent_hash = *parent;
        const auto sections = *frames::encode_sections(frame.content);
        frames::commit_sections(frame.head.header, sections);
        frame.head = *frames::sign_header(frame.head.header, world.signer());
        parent = frame.head.hash;
        if (!replica.node().offer(frames::encode_record(frame.head, sections)))
            break;
        replica.settle();
    }
    const auto status = replica.node().status();
    EXPECT_TRUE(status.stopped);
    EXPECT_NE(status.fault.find("block 1 has hash"), std::string::npos) << status.fault;
    EXPECT_EQ(status.block, 1u);         // nothing of the block behind it was shown
    EXPECT_EQ(status.stored_block, 0u);  // nor was it stored
}

TEST(Replica, HasToKnowItsSequencer) {
    World world;
    ASSERT_EQ(world.start(), "");
    frames::LogOptions log_options;
    log_options.folder = "/other";
    log_options.chain_id = world.identity().chain_id;
    log_options.genesis_hash = world.identity().genesis_hash;
    auto log = frames::FrameLog::open(world.disk, log_options);
    ASSERT_TRUE(log);
    const auto follower =
        sequencer::Follower::open({}, {world.genesis().config, world.clock, world.store(), **log});
    ASSERT_FALSE(follower);
    EXPECT_NE(follower.error().find("no sequencer is named"), std::string::npos);
}

}  // namespace
}  // namespace meridian
