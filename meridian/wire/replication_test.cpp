// A sequencer's feed and replicas that acknowledge its frames, over the loopback interface: what is released
// when, what each side holds after it lost something, and what becomes of those who are not who they say.
#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/frames/memory_disk_test_model.hpp>
#include <meridian/sequencer/release_mark.hpp>
#include <meridian/wire/feed_client.hpp>
#include <meridian/wire/feed_server.hpp>
#include <meridian/wire/identity.hpp>
#include <meridian/wire/raw_peer.hpp>

#include <thread>

namespace meridian::wire {
namespace {

using frames::FrameLog;
using frames::testing::FrameMaker;
using frames::testing::MemoryDisk;

constexpr Protocol kFeed = Protocol::Feed;

frames::LocalSigner identity(std::uint8_t number) {
    Hash key;
    key.bytes[0] = 3;
    key.bytes[31] = number;
    return *frames::LocalSigner::make(key);
}

frames::LogOptions log_options(frames::Durability durability) {
    frames::LogOptions out;
    out.folder = "log";
    out.chain_id = test_chain().chain_id;
    out.genesis_hash = test_chain().genesis_hash;
    out.segment_size_max = 20'000;
    out.salt = 1;
    out.durability = durability;
    return out;
}

frames::FrameTip genesis() {
    return frames::genesis_tip(test_chain().chain_id, test_chain().genesis_hash);
}

template <class Condition>
bool eventually(const Condition& condition) {
    for (int i = 0; i < 30'000; ++i) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

// A replica without execution: logs what it is offered, at once or when it is told to.
class Holder final : public sequencer::RecordSink {
public:
    Holder(std::uint8_t number, std::uint16_t port) : m_identity(identity(number)), m_port(port) { open(); }
    ~Holder() override { disconnect(); }

    void open() {
        frames::LogOptions options = log_options(frames::Durability::Fsync);
        options.released = [this] { return m_mark.number(); };
        m_log = *FrameLog::open(disk, options);
        m_tip = m_log->last_header() ? frames::tip_of(*m_log->last_header()) : genesis();
        m_held = {m_tip.number, m_tip.hash};
    }
    void connect() {
        FeedClientOptions options;
        options.addresses = {"127.0.0.1:" + std::to_string(m_port)};
        options.backoff_ms_min = 5;
        options.backoff_ms_max = 40;
        options.acknowledging = Acknowledging{&m_identity, m_log.get()};
        client = *FeedClient::make(options, test_chain(), *this);
        client->start();
    }
    void disconnect() {
        if (client)
            client->stop();
        client.reset();
    }

    std::uint64_t wanted() const override {
        const std::unique_lock lock(m_mutex);
        return m_tip.number + 1;
    }
    Result<bool, std::string> offer(BytesView record) override {
        {
            const std::unique_lock lock(m_mutex);
            const auto verified = frames::verify(record, m_tip, frames::testing::signer().address());
            if (!verified)
                return fail(verified.error().message);
            m_tip = frames::tip_of(verified->head);
            m_waiting.push_back(to_bytes(record));
        }
        if (!m_slow)
            flush();
        return true;
    }
    // What waits goes into the log.
    void flush() {
        {
            const std::unique_lock lock(m_mutex);
            for (const Bytes& record : std::exchange(m_waiting, {}))
                EXPECT_TRUE(m_log->append(record, m_log->last() + 1));
            EXPECT_TRUE(m_log->sync());
            m_held = {m_log->last(), m_log->last_header() ? m_log->last_header()->hash : genesis().hash};
        }
        client->acknowledge();
    }
    void release(std::uint64_t number) override {
        const std::unique_lock lock(m_mutex);
        m_mark.raise(number);
        EXPECT_TRUE(m_log->sync());
    }
    sequencer::HeldFrame held() const override {
        const std::unique_lock lock(m_mutex);
        return m_held;
    }
    std::uint64_t shown() const { return m_log->last_durable(); }
    const FrameLog& log() const { return *m_log; }
    void set_slow(bool slow) { m_slow = slow; }
    // To hold what it does not. Before connect().
    void claim(const sequencer::HeldFrame& held) {
        m_held = held;
        m_tip.number = held.number;
        m_tip.hash = held.hash;
    }

    MemoryDisk disk;
    std::unique_ptr<FeedClient> client;

private:
    frames::LocalSigner m_identity;
    std::uint16_t m_port;
    sequencer::ReleaseMark m_mark;
    std::unique_ptr<FrameLog> m_log;
    std::atomic<bool> m_slow = false;
    mutable std::mutex m_mutex;
    frames::FrameTip m_tip;
    std::vector<Bytes> m_waiting;
    sequencer::HeldFrame m_held;
};

class ReplicationTest : public testing::Test {
protected:
    void TearDown() override { close(); }

    void serve(std::size_t replicas, std::size_t min, bool adopting = false) {
        sequencer::QuorumOptions quorum;
        for (std::size_t i = 0; i < replicas; ++i)
            quorum.replicas.push_back(identity(static_cast<std::uint8_t>(i + 1)).address());
        quorum.replicas_min = min;
        m_quorum = std::make_unique<sequencer::ReplicaQuorum>(quorum, m_clock);
        frames::LogOptions options = log_options(frames::Durability::Replicated);
        options.released = [this] { return m_quorum->released(); };
        auto log = FrameLog::open(m_disk, options);
        ASSERT_TRUE(log) << log.error().message;
        m_log = *std::move(log);
        FeedServerOptions server;
        server.port.port = m_port;
        m_server = std::make_unique<FeedServer>(server, test_chain(), *m_log, m_quorum.get());
        if (adopting) {
            m_adoption = std::make_unique<sequencer::Adoption>(*m_log, frames::testing::signer().address());
            m_server->begin_adoption(*m_adoption);
        }
        const auto started = m_server->start();
        ASSERT_TRUE(started) << started.error();
        m_port = m_server->port();
    }
    void close() {
        m_server.reset();
        m_adoption.reset();
        m_log.reset();
        m_quorum.reset();
    }
    // As the publisher: frames are logged; shown as far as they are released.
    void seal(std::size_t count) {
        for (; count > 0; --count) {
            m_records.push_back(m_maker.next(2));
            ASSERT_TRUE(m_log->append(m_records.back(), m_records.size()));
            ASSERT_TRUE(m_log->sync());
            m_server->on_logged(m_records.size(), std::make_shared<const Bytes>(m_records.back()));
        }
    }
    bool released(std::uint64_t number) {
        return eventually([&] { return m_quorum->released() >= number; });
    }
    void show() {
        const std::uint64_t before = m_log->last_durable();
        ASSERT_TRUE(m_log->sync());
        for (std::uint64_t number = before + 1; number <= m_log->last_durable(); ++number)
            m_server->on_frame(number, nullptr);
    }
    bool settled(std::uint64_t number) {
        return eventually([&] {
            const auto status = m_quorum->status();
            return m_quorum->released() >= number && status.reported() != 0 &&
                   status.connected() == status.reported();
        });
    }
    void expect_records(const FrameLog& log) {
        ASSERT_EQ(log.last(), m_records.size());
        auto cursor = log.from(1, frames::Reach::Written);
        for (const Bytes& record : m_records)
            EXPECT_EQ(**cursor.next(), record);
    }
    RawPeer greeted() const {
        RawPeer peer(m_port, kFeed);
        peer.greet(kFeed);
        (void)peer.expect<Welcome>();
        return peer;
    }
    // One that has identified as that replica.
    RawPeer identified(std::uint8_t number) const {
        RawPeer peer = greeted();
        const auto challenge = peer.expect<Challenge>();
        peer.send(Identify{*identity(number).sign(identity_hash(test_chain(), challenge.nonce))});
        return peer;
    }

    MemoryDisk m_disk;
    sequencer::SystemClock m_clock;
    FrameMaker m_maker{1, genesis()};
    std::vector<Bytes> m_records;
    std::unique_ptr<sequencer::ReplicaQuorum> m_quorum;
    std::unique_ptr<FrameLog> m_log;
    std::unique_ptr<sequencer::Adoption> m_adoption;
    std::unique_ptr<FeedServer> m_server;
    std::uint16_t m_port = 0;
};

TEST_F(ReplicationTest, NobodyIsShownAFrameBeforeEnoughReplicasHoldIt) {
    serve(2, 2);
    Holder one(1, m_port), two(2, m_port);
    one.connect();
    two.connect();
    ASSERT_TRUE(settled(0));
    two.set_slow(true);
    RawPeer reader = greeted();
    reader.send(Follow{1});
    seal(3);
    ASSERT_TRUE(eventually([&] { return one.held().number == 3 && two.wanted() == 4; }));
    show();
    EXPECT_EQ(m_quorum->released(), 0u);
    EXPECT_EQ(m_log->last_durable(), 0u);
    EXPECT_EQ(one.shown(), 0u);
    two.flush();
    ASSERT_TRUE(released(3));
    EXPECT_EQ(one.shown(), 0u);  // the sequencer shows it first
    show();
    ASSERT_TRUE(eventually([&] { return one.shown() == 3 && two.shown() == 3; }));
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_TRUE(equal(reader.expect<Record>().record, m_records[i]));
    two.set_slow(false);
    seal(50);
    ASSERT_TRUE(released(53));
    show();
    ASSERT_TRUE(eventually([&] { return one.shown() == 53 && two.shown() == 53; }));
    expect_records(one.log());
    EXPECT_EQ(m_quorum->fault(), "");
}

TEST_F(ReplicationTest, OneOfTwoIsEnoughWhereOneHasToHoldIt) {
    serve(2, 1);
    Holder one(1, m_port);
    one.connect();
    ASSERT_TRUE(settled(0));
    seal(20);
    ASSERT_TRUE(released(20));
    show();
    Holder two(2, m_port);
    two.connect();
    ASSERT_TRUE(eventually([&] { return two.shown() == 20; }));
    expect_records(two.log());
}

TEST_F(ReplicationTest, GoesOnWhenAReplicaComesBack) {
    serve(1, 1);
    Holder one(1, m_port);
    for (int life = 0; life < 3; ++life) {
        one.connect();
        ASSERT_TRUE(settled(m_records.size()));
        EXPECT_EQ(m_quorum->fault(), "");
        show();
        seal(10);
        ASSERT_TRUE(released(m_records.size()));
        one.disconnect();
        ASSERT_TRUE(eventually([&] { return m_quorum->status().connected() == 0; }));
        EXPECT_NE(m_quorum->fault().find("log.replicas_min"), std::string::npos);
        seal(3);
    }
    one.connect();
    ASSERT_TRUE(released(39));
    show();
    ASSERT_TRUE(eventually([&] { return one.shown() == 39; }));
    expect_records(one.log());
}

TEST_F(ReplicationTest, AReplicaWithATailThatItDoesNotKnowToBeReleasedIsTold) {
    serve(1, 1);
    {
        Holder one(1, m_port);
        one.connect();
        ASSERT_TRUE(settled(0));
        seal(5);
        ASSERT_TRUE(released(5));
        one.disconnect();
        show();
        EXPECT_LT(one.shown(), 5u);
        one.connect();
        ASSERT_TRUE(eventually([&] { return one.shown() == 5; }));
    }
}

// --- what the sequencer has lost ------------------------------------------------------------------------

TEST_F(ReplicationTest, TakesBackWhatReplicasHoldBeforeItSealsMore) {
    serve(2, 1);
    Holder one(1, m_port), two(2, m_port);
    one.connect();
    two.connect();
    ASSERT_TRUE(settled(0));
    seal(30);
    ASSERT_TRUE(eventually([&] { return one.held().number == 30 && two.held().number == 30; }));
    two.disconnect();
    seal(30);
    ASSERT_TRUE(released(60));
    close();
    // The machine stopped, and its disk has kept the first frames only.
    {
        frames::LogOptions options = log_options(frames::Durability::None);
        auto log = *FrameLog::open(m_disk, options);
        ASSERT_TRUE(log->truncate_after(7));
    }
    serve(2, 1, true);
    EXPECT_EQ(m_log->last(), 7u);
    ASSERT_TRUE(eventually([&] { return m_quorum->released() >= 60; }));
    two.connect();
    ASSERT_TRUE(eventually([&] { return m_server->end_adoption() && m_quorum->status().reported() == 2; }));
    EXPECT_EQ(m_adoption->adopted(), 53u);
    expect_records(*m_log);
    show();
    EXPECT_EQ(m_log->last_durable(), 60u);
    ASSERT_TRUE(eventually([&] { return two.shown() == 60; }));
    expect_records(two.log());
    seal(5);
    ASSERT_TRUE(released(65));
}

TEST_F(ReplicationTest, TakesBackEverythingWhereItHasNothing) {
    serve(2, 2);
    Holder one(1, m_port), two(2, m_port);
    one.connect();
    two.connect();
    seal(40);
    ASSERT_TRUE(released(40));
    close();
    m_disk.clear();
    serve(2, 2, true);
    EXPECT_EQ(m_log->last(), 0u);
    ASSERT_TRUE(settled(40));
    ASSERT_TRUE(m_server->end_adoption());
    expect_records(*m_log);
}

TEST_F(ReplicationTest, BringsItsOwnTailToReplicasBeforeItSealsMore) {
    serve(2, 2);
    Holder one(1, m_port), two(2, m_port);
    one.connect();
    ASSERT_TRUE(eventually([&] { return m_quorum->status().reported() == 1; }));
    seal(10);  // which one replica holds, of two
    ASSERT_TRUE(eventually([&] { return one.held().number == 10; }));
    one.disconnect();
    close();
    serve(2, 2, true);
    EXPECT_EQ(m_log->last(), 10u);
    EXPECT_EQ(m_log->last_durable(), 0u);
    two.connect();
    ASSERT_TRUE(eventually([&] { return two.held().number == 10; }));
    EXPECT_EQ(m_log->last_durable(), 0u);
    one.connect();
    ASSERT_TRUE(settled(10));
    ASSERT_TRUE(m_server->end_adoption());
    EXPECT_EQ(m_log->last_durable(), 10u);
}

TEST_F(ReplicationTest, DoesNotEndTheSearchWhileAReplicaHasNotSaidWhatItHolds) {
    serve(2, 2, true);
    RawPeer peer = identified(1);
    ASSERT_TRUE(eventually([&] { return m_quorum->status().connected() == 1; }));
    EXPECT_FALSE(m_server->end_adoption());
    Hash other;
    peer.send(Acknowledge{3, other});
    const auto fetch = peer.expect<Fetch>();
    EXPECT_EQ(fetch.first, 1u);
    EXPECT_EQ(fetch.last, 3u);
    EXPECT_FALSE(m_server->end_adoption());
    peer.send(Held{m_maker.next(1)});
    peer.send(Held{m_maker.next(1)});
    EXPECT_FALSE(m_server->end_adoption());
    const Bytes last = m_maker.next(1);
    peer.send(Held{last});
    const auto error = peer.expect<Error>();  // for it has another hash than it said
    EXPECT_EQ(error.code, ErrorCode::Diverged);
    EXPECT_EQ(m_quorum->released(), 0u);
    ASSERT_TRUE(eventually([&] { return m_server->end_adoption(); }));
    EXPECT_EQ(m_log->last(), 3u);  // signed they were
}

TEST_F(ReplicationTest, TakesNothingBackThatItHasNotSigned) {
    serve(1, 1, true);
    RawPeer peer = identified(1);
    peer.send(Acknowledge{1, {}});
    (void)peer.expect<Fetch>();
    Bytes record = m_maker.next(1);
    record[record.size() - 1] ^= 1;
    peer.send(Held{record});
    const auto error = peer.expect<Error>();
    EXPECT_EQ(error.code, ErrorCode::Diverged);
    EXPECT_NE(error.text.find("frame 1"), std::string::npos);
    EXPECT_EQ(m_log->last(), 0u);
}

TEST_F(ReplicationTest, AReplicaWithAnotherFrameIsTurnedAway) {
    serve(1, 1);
    seal(5);
    for (const std::uint64_t number : {3u, 6u}) {
        RawPeer peer = identified(1);
        Hash other;
        other.bytes[5] = 7;
        peer.send(Acknowledge{number, other});
        const auto error = peer.expect<Error>();
        EXPECT_EQ(error.code, ErrorCode::Diverged);
        EXPECT_EQ(error.number, number);
        EXPECT_NE(error.text.find("begin the replica anew"), std::string::npos) << error.text;
        EXPECT_TRUE(peer.ended());
    }
    EXPECT_EQ(m_quorum->released(), 0u);
    EXPECT_EQ(m_quorum->status().reported(), 0u);
}

TEST_F(ReplicationTest, WhereItsOwnLogCannotBeReadASequencerCallsNobodyDiverged) {
    serve(1, 1);
    seal(5);
    close();
    serve(1, 1);
    m_disk.content("log/frames-00000000000000000001.log")[200] ^= 1;
    RawPeer peer = identified(1);
    peer.send(Acknowledge{1, {}});
    const auto error = peer.expect<Error>();
    EXPECT_EQ(error.code, ErrorCode::LogUnreadable) << error.text;
    EXPECT_EQ(m_quorum->status().reported(), 0u);
}

TEST_F(ReplicationTest, AReplicaThatIsTurnedAwayKnowsThatItHasDiverged) {
    serve(1, 1);
    seal(2);
    Holder replica(1, m_port);
    Hash other;
    other.bytes[5] = 7;
    replica.claim({2, other});
    replica.connect();
    ASSERT_TRUE(eventually([&] { return !replica.client->status().diverged.empty(); }));
    EXPECT_NE(replica.client->status().diverged.find("begin the replica anew"), std::string::npos)
        << replica.client->status().diverged;
    // It stays so while nobody can be reached.
    m_server.reset();
    ASSERT_TRUE(eventually([&] {
        return replica.client->status().error.find("refused") != std::string::npos;
    })) << replica.client->status().error;
    EXPECT_FALSE(replica.client->status().diverged.empty());
}

// --- who they are -----------------------------------------------------------------------------------------

TEST_F(ReplicationTest, AnIdentityCountsForItsOwnConnectionOnly) {
    serve(1, 1);
    RawPeer one = greeted();
    RawPeer two = greeted();
    const Hash nonce = one.expect<Challenge>().nonce;
    EXPECT_NE(nonce, two.expect<Challenge>().nonce);
    const auto signature = *identity(1).sign(identity_hash(test_chain(), nonce));
    two.send(Identify{signature});
    EXPECT_EQ(two.expect<Error>().code, ErrorCode::NotTrusted);
    one.send(Identify{signature});
    ASSERT_TRUE(eventually([&] { return m_quorum->status().connected() == 1; }));
    ChainIdentity other = test_chain();
    other.chain_id += 1;
    EXPECT_NE(identity_hash(other, nonce), identity_hash(test_chain(), nonce));
    other = test_chain();
    other.genesis_hash.bytes[31] ^= 1;
    EXPECT_NE(identity_hash(other, nonce), identity_hash(test_chain(), nonce));
}

TEST_F(ReplicationTest, StrangersAreToldWhereToBeNamed) {
    serve(2, 1);
    Holder stranger(9, m_port);
    stranger.connect();
    const std::string who = to_hex0x(identity(9).address());
    ASSERT_TRUE(eventually([&] {
        const std::string error = stranger.client->status().error;
        return error.find(who + " is none of the sequencer's log.replicas") != std::string::npos;
    }));
    seal(2);
    EXPECT_EQ(stranger.wanted(), 1u);
}

TEST_F(ReplicationTest, TheLatestConnectionOfAReplicaCounts) {
    serve(1, 1);
    RawPeer before = identified(1);
    before.send(Acknowledge{0, test_chain().genesis_hash});
    before.send(Follow{1});
    ASSERT_TRUE(settled(0));
    RawPeer after = identified(1);
    EXPECT_NE(before.expect<Error>().text.find("same replica"), std::string::npos);
    EXPECT_TRUE(before.ended());
    after.send(Acknowledge{0, test_chain().genesis_hash});
    after.send(Follow{1});
    ASSERT_TRUE(settled(0));
    seal(1);
    EXPECT_TRUE(equal(after.expect<Proposal>().record, m_records[0]));
    EXPECT_EQ(m_quorum->status().connected(), 1u);
    after.send(Acknowledge{1, frames::peek(m_records[0])->head.hash});
    ASSERT_TRUE(released(1));
    show();
    EXPECT_EQ(after.expect<Release>().number, 1u);
}

TEST_F(ReplicationTest, MessagesOutOfPlaceEndTheConnection) {
    serve(1, 1);
    const auto refused = [&](RawPeer peer, const Message& message) {
        peer.send(message);
        return peer.expect<Error>().code;
    };
    EXPECT_EQ(refused(greeted(), Acknowledge{0, test_chain().genesis_hash}), ErrorCode::Unexpected);
    EXPECT_EQ(refused(identified(1), Follow{1}), ErrorCode::Unexpected);
    EXPECT_EQ(refused(identified(1), Identify{}), ErrorCode::Unexpected);
    EXPECT_EQ(refused(identified(1), Held{}), ErrorCode::BadMessage);
    RawPeer following = greeted();
    following.send(Follow{1});
    EXPECT_EQ(refused(std::move(following), Identify{}), ErrorCode::Unexpected);
    EXPECT_EQ(refused(greeted(), Identify{}), ErrorCode::BadMessage);
}

TEST_F(ReplicationTest, AServerWithoutReplicasAsksNobodyAndServesThoseWhoWouldAcknowledge) {
    frames::LogOptions options = log_options(frames::Durability::Fsync);
    m_log = *FrameLog::open(m_disk, options);
    m_server = std::make_unique<FeedServer>(FeedServerOptions{}, test_chain(), *m_log);
    ASSERT_TRUE(m_server->start());
    m_port = m_server->port();
    Holder one(1, m_port);
    one.connect();
    for (int i = 0; i < 3; ++i) {
        m_records.push_back(m_maker.next(2));
        ASSERT_TRUE(m_log->append(m_records.back(), m_records.size()));
        ASSERT_TRUE(m_log->sync());
        m_server->on_frame(m_records.size(), std::make_shared<const Bytes>(m_records.back()));
    }
    ASSERT_TRUE(eventually([&] { return one.shown() == 3; }));
    EXPECT_FALSE(one.client->status().acknowledged);
}

}  // namespace
}  // namespace meridian::wire
