// A sequencer and its replicas as they run: threads, disks and the loopback interface between them.
#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/node/genesis_store.hpp>
#include <meridian/sequencer/follower.hpp>
#include <meridian/sequencer/pipeline.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/test_folder.hpp>
#include <meridian/wire/feed_client.hpp>
#include <meridian/wire/feed_server.hpp>
#include <meridian/wire/forwarder.hpp>
#include <meridian/wire/txn_server.hpp>

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace meridian {
namespace {

constexpr std::uint64_t kChainId = 1234321;

Hash secret(std::uint8_t number) {
    Hash out;
    out.bytes[31] = number;
    return out;
}

// What both kinds of nodes keep on disks.
struct Disk {
    Disk(const node::Genesis& genesis, const std::filesystem::path& folder) {
        store = *node::open_store(std::make_unique<store::MemoryDatabase>(), genesis);
        log_options.folder = folder;
        log_options.chain_id = kChainId;
        log_options.genesis_hash = store->identity().genesis_hash;
        log_options.segment_size_max = 100'000;
    }
    void open_log() { log = *frames::FrameLog::open(frames::posix_disk(), log_options); }

    std::unique_ptr<store::ChainStore> store;
    frames::LogOptions log_options;
    std::unique_ptr<frames::FrameLog> log;
};

class Sequencer final : private sequencer::PipelineListener {
public:
    Sequencer(const node::Genesis& genesis, const std::filesystem::path& folder)
        : m_disk(genesis, folder), m_signer(*frames::LocalSigner::make(secret(200))) {
        m_disk.open_log();
        sequencer::PipelineOptions options;
        m_pipeline = *sequencer::Pipeline::open(
            options, {genesis.config, m_clock, *m_disk.store, *m_disk.log, m_signer, this});
        m_feed = std::make_unique<wire::FeedServer>(wire::FeedServerOptions{}, chain(), *m_disk.log);
        wire::TxnServerOptions txn_options;
        txn_options.wait_ms_max = 60'000;
        m_txns = std::make_unique<wire::TxnServer>(
            txn_options, chain(), [this](Bytes envelope, sequencer::SubmitCallback done, ClientId) {
                m_pipeline->submit(std::move(envelope), std::move(done));
            });
        m_txns->begin_amid_block(*m_pipeline->live().head());
        EXPECT_TRUE(m_feed->start());
        EXPECT_TRUE(m_txns->start());
        m_pipeline->run();
    }
    // What calls first, then what is called.
    ~Sequencer() override {
        m_txns->stop();
        m_pipeline->stop();
        m_feed->stop();
    }

    const store::ChainIdentity& chain() const { return m_disk.store->identity(); }
    const Address& address() const { return m_signer.address(); }
    std::string feed_address() const { return "127.0.0.1:" + std::to_string(m_feed->port()); }
    std::string txns_address() const { return "127.0.0.1:" + std::to_string(m_txns->port()); }
    sequencer::Pipeline& pipeline() { return *m_pipeline; }

private:
    void on_frame(const sequencer::PublishedFramePtr& frame) override {
        m_feed->on_frame(frame->head.header.number, frame->record);
        m_txns->on_frame(frame);
    }
    void on_block(const sequencer::ExecutedBlockPtr&) override {}
    void on_pending(const sequencer::PooledTxnPtr&) override {}
    void on_rejected(const sequencer::PooledTxnPtr& txn, chain::TxnError error) override {
        m_txns->on_rejected(txn->hash, chain::name(error));
    }

    sequencer::SystemClock m_clock;
    Disk m_disk;
    frames::LocalSigner m_signer;
    std::unique_ptr<sequencer::Pipeline> m_pipeline;
    std::unique_ptr<wire::FeedServer> m_feed;
    std::unique_ptr<wire::TxnServer> m_txns;
};

// Also feeds others from its own log.
class Replica final : private sequencer::LiveListener {
public:
    Replica(const node::Genesis& genesis, const std::filesystem::path& folder, bool trust_diffs,
            const Address& sequencer)
        : m_genesis(genesis), m_disk(genesis, folder) {
        m_options.trust_diffs = trust_diffs;
        m_options.sequencers = {sequencer};
        m_options.frames_max = 8;
    }
    ~Replica() override { stop(); }

    void start(const std::string& feed, const std::string& txns) {
        m_disk.log_options = sequencer::follower_log(m_disk.log_options, *m_disk.store->view());
        m_disk.open_log();
        auto follower = sequencer::Follower::open(
            m_options, {m_genesis.config, m_clock, *m_disk.store, *m_disk.log, this});
        ASSERT_TRUE(follower) << follower.error();
        m_follower = *std::move(follower);
        m_feed = std::make_unique<wire::FeedServer>(wire::FeedServerOptions{}, chain(), *m_disk.log);
        ASSERT_TRUE(m_feed->start());
        wire::FeedClientOptions options;
        options.addresses = {feed};
        options.backoff_ms_min = 5;
        m_client = *wire::FeedClient::make(options, chain(), *m_follower);
        m_follower->set_on_room([this] { m_client->resume(); });
        m_forwarder = std::make_unique<wire::Forwarder>(wire::ForwarderOptions{.address = txns}, chain());
        m_follower->run();
        m_client->start();
    }
    void stop() {
        m_forwarder.reset();
        if (m_client)
            m_client->stop();
        if (m_follower)
            m_follower->stop();
        m_feed.reset();
        m_client.reset();
        m_follower.reset();
        m_disk.log.reset();
    }

    const store::ChainIdentity& chain() const { return m_disk.store->identity(); }
    std::string feed_address() const { return "127.0.0.1:" + std::to_string(m_feed->port()); }
    const sequencer::Follower& node() const { return *m_follower; }
    wire::Forwarder& forwarder() { return *m_forwarder; }

private:
    void on_frame(const sequencer::PublishedFramePtr& frame) override {
        m_feed->on_frame(frame->head.header.number, frame->record);
    }
    void on_block(const sequencer::ExecutedBlockPtr&) override {}

    const node::Genesis& m_genesis;
    sequencer::SystemClock m_clock;
    Disk m_disk;
    sequencer::FollowerOptions m_options;
    std::unique_ptr<sequencer::Follower> m_follower;
    std::unique_ptr<wire::FeedServer> m_feed;
    std::unique_ptr<wire::FeedClient> m_client;
    std::unique_ptr<wire::Forwarder> m_forwarder;
};

class Nodes : public testing::Test {
protected:
    Nodes() {
        const Address sender = *crypto::secp256k1::address_of(secret(1));
        node::DevGenesisOptions options;
        options.chain_id = kChainId;
        options.timestamp = 1'700'000'000;
        options.balance = u256{1} << 80;
        m_genesis = node::dev_genesis(
            options, std::vector{node::DevAccount{.address = sender, .private_key = secret(1)}});
    }
    Bytes transfer(std::uint64_t nonce) const {
        chain::Transaction txn;
        txn.type = chain::TxnType::DynamicFee;
        txn.nonce = nonce;
        txn.gas_limit = 21'000;
        txn.max_fee_per_gas = 10'000'000'000;
        txn.to = Address{};
        txn.value = 1;
        txn.chain_id = kChainId;
        const auto signature = crypto::secp256k1::sign(chain::signing_hash(txn), secret(1));
        txn.v = signature->recovery_id;
        txn.r = from_hash(signature->r);
        txn.s = from_hash(signature->s);
        return chain::encode(txn);
    }
    // Waits until the replica shows at least that frame.
    static void expect_frame(const Replica& replica, std::uint64_t frame) {
        for (int i = 0; i < 6'000 && replica.node().live().head()->version < frame; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ASSERT_GE(replica.node().live().head()->version, frame) << replica.node().status().fault;
    }

    store::TestFolder m_folder;
    node::Genesis m_genesis;
};

TEST_F(Nodes, ReplicasShowWhatTheSequencerPromisedAndPassTransactionsOn) {
    Sequencer sequencer(m_genesis, m_folder.path() / "sequencer");
    Replica executing(m_genesis, m_folder.path() / "executing", false, sequencer.address());
    Replica applying(m_genesis, m_folder.path() / "applying", true, sequencer.address());
    executing.start(sequencer.feed_address(), sequencer.txns_address());
    // From another replica, not from the sequencer.
    applying.start(executing.feed_address(), "");
    auto client =
        wire::BlockingTxnClient::connect({.address = sequencer.txns_address(), .chain = sequencer.chain()});
    ASSERT_TRUE(client) << client.error();
    wire::Included last;
    for (std::uint64_t nonce = 0; nonce < 100; ++nonce) {
        const auto answer = (*client)->submit(transfer(nonce), true);
        ASSERT_TRUE(answer) << answer.error();
        ASSERT_TRUE(std::holds_alternative<wire::Included>(answer->outcome)) << nonce;
        last = std::get<wire::Included>(answer->outcome);
        EXPECT_TRUE(last.success);
        EXPECT_EQ(last.gas_used, 21'000u);
        if (nonce == 50) {
            executing.stop();
            executing.start(sequencer.feed_address(), sequencer.txns_address());
            applying.stop();
            applying.start(executing.feed_address(), "");
        }
    }
    for (const Replica* replica : {&executing, &applying}) {
        expect_frame(*replica, last.frame_number);
        const auto& live = replica->node().live();
        const auto head = live.head();
        const auto place = live.find_transaction(*head, crypto::keccak256(transfer(99)));
        ASSERT_TRUE(place && *place);
        EXPECT_EQ((*place)->block, last.block_number);
        EXPECT_EQ((*place)->index, last.index);
        EXPECT_EQ(live.state_at(*head)->account(Address{})->balance, u256{100});
        EXPECT_EQ(
            live.state_at(*head)->account(Address{}),
            sequencer.pipeline().live().state_at(*sequencer.pipeline().live().head())->account(Address{}));
        EXPECT_EQ(replica->node().status().fault, "");
    }
    // Through a replica.
    std::promise<sequencer::SubmitResult> passed_on, refused;
    executing.forwarder().submit(transfer(100), [&](auto result) { passed_on.set_value(std::move(result)); });
    applying.forwarder().submit(transfer(101), [&](auto result) { refused.set_value(std::move(result)); });
    const auto accepted = passed_on.get_future().get();
    ASSERT_TRUE(accepted) << accepted.error().message;
    EXPECT_EQ(accepted->hash, crypto::keccak256(transfer(100)));
    EXPECT_FALSE(refused.get_future().get());
    for (int i = 0; i < 6'000; ++i) {
        const auto head = applying.node().live().head();
        if (applying.node().live().state_at(*head)->account(Address{})->balance == u256{101})
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const auto head = applying.node().live().head();
    EXPECT_EQ(applying.node().live().state_at(*head)->account(Address{})->balance, u256{101});
}

}  // namespace
}  // namespace meridian
