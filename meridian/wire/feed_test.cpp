// The feed over the loopback interface: what a follower gets, whatever happens to either side, and what
// peers that misbehave get.
#include <meridian/frames/memory_disk_test_model.hpp>
#include <meridian/wire/feed_client.hpp>
#include <meridian/wire/feed_server.hpp>
#include <meridian/wire/raw_peer.hpp>

#include <condition_variable>
#include <thread>

namespace meridian::wire {
namespace {

using frames::FrameLog;
using frames::testing::FrameMaker;
using frames::testing::MemoryDisk;

constexpr Protocol kFeed = Protocol::Feed;

// Takes what is the next of a chain of frames, as a replica does, without executing anything.
class Chain final : public sequencer::RecordSink {
public:
    Chain() : m_tip(frames::genesis_tip(test_chain().chain_id, test_chain().genesis_hash)) {}

    std::uint64_t wanted() const override {
        const std::unique_lock lock(m_mutex);
        return m_tip.number + 1;
    }
    Result<bool, std::string> offer(BytesView record) override {
        const std::unique_lock lock(m_mutex);
        const auto verified = frames::verify(record, m_tip, frames::testing::signer().address());
        if (!verified) {
            m_refused.push_back(verified.error().message);
            m_changed.notify_all();
            return fail(verified.error().message);
        }
        if (m_room == 0)
            return false;
        --m_room;
        m_tip = frames::tip_of(verified->head);
        m_records.push_back(to_bytes(record));
        m_changed.notify_all();
        return true;
    }
    void set_room(std::uint64_t room) {
        const std::unique_lock lock(m_mutex);
        m_room = room;
    }
    std::vector<Bytes> records() const {
        const std::unique_lock lock(m_mutex);
        return m_records;
    }
    bool wait_for(std::size_t records) const {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, std::chrono::seconds(300),
                                  [&] { return m_records.size() >= records; });
    }
    std::string wait_for_refusal() const {
        std::unique_lock lock(m_mutex);
        if (!m_changed.wait_for(lock, std::chrono::seconds(300), [&] { return !m_refused.empty(); }))
            return "nothing was refused";
        return m_refused.front();
    }

private:
    mutable std::mutex m_mutex;
    mutable std::condition_variable m_changed;
    frames::FrameTip m_tip;
    std::vector<Bytes> m_records;
    std::vector<std::string> m_refused;
    std::uint64_t m_room = ~std::uint64_t{0};
};

class Feed : public testing::Test {
protected:
    Feed() {
        m_log_options.folder = "log";
        m_log_options.chain_id = test_chain().chain_id;
        m_log_options.genesis_hash = test_chain().genesis_hash;
        m_log_options.segment_size_max = 20'000;
        m_log_options.salt = 1;
    }
    void TearDown() override { close(); }

    void open_log() {
        auto log = FrameLog::open(m_disk, m_log_options);
        ASSERT_TRUE(log) << log.error().message;
        m_log = *std::move(log);
    }
    // On the port of the time before, if there was one.
    void serve() {
        if (!m_log)
            open_log();
        m_options.port.port = m_port;
        m_server = std::make_unique<FeedServer>(m_options, test_chain(), *m_log);
        const auto started = m_server->start();
        ASSERT_TRUE(started) << started.error();
        m_port = m_server->port();
    }
    void close() {
        m_server.reset();
        m_log.reset();
    }
    void publish(std::size_t count, std::size_t txns = 2) {
        for (; count > 0; --count) {
            m_records.push_back(m_maker.next(txns));
            ASSERT_TRUE(m_log->append(m_records.back(), m_records.size()));
            ASSERT_TRUE(m_log->sync());
            if (m_server)
                m_server->on_frame(m_records.size(), std::make_shared<const Bytes>(m_records.back()));
        }
    }
    FeedClientOptions client_options() const {
        FeedClientOptions out;
        out.addresses = {"127.0.0.1:" + std::to_string(m_port)};
        out.backoff_ms_min = 5;
        out.backoff_ms_max = 40;
        return out;
    }
    static std::unique_ptr<FeedClient> follow(const FeedClientOptions& options, Chain& chain) {
        auto client = FeedClient::make(options, test_chain(), chain);
        EXPECT_TRUE(client) << client.error();
        (*client)->start();
        return *std::move(client);
    }
    RawPeer greeted() const {
        RawPeer peer(m_port, kFeed);
        peer.greet(kFeed);
        (void)peer.expect<Welcome>();
        return peer;
    }
    template <class Condition>
    static bool eventually(const Condition& condition) {
        for (int i = 0; i < 30'000; ++i) {
            if (condition())
                return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

    MemoryDisk m_disk;
    frames::LogOptions m_log_options;
    FrameMaker m_maker{1, frames::genesis_tip(test_chain().chain_id, test_chain().genesis_hash)};
    std::vector<Bytes> m_records;
    std::unique_ptr<FrameLog> m_log;
    FeedServerOptions m_options;
    std::unique_ptr<FeedServer> m_server;
    std::uint16_t m_port = 0;
};

TEST_F(Feed, ReplaysTheLogAndGoesOnLive) {
    open_log();
    publish(50);
    serve();
    Chain chain;
    const auto client = follow(client_options(), chain);
    ASSERT_TRUE(chain.wait_for(50));
    EXPECT_EQ(m_server->status().records_read, 50u);
    publish(50);
    ASSERT_TRUE(chain.wait_for(100));
    EXPECT_EQ(chain.records(), m_records);
    // What is live is not read from the disk.
    EXPECT_EQ(m_server->status().records_read, 50u);
    EXPECT_EQ(m_server->status().records_sent, 100u);
    ASSERT_TRUE(eventually([&] { return client->status().records == 100; }));
    EXPECT_TRUE(client->status().connected);
    EXPECT_GE(client->status().server_last, 50u);  // as it said at first, or with a ping
}

TEST_F(Feed, SendsWhatBecomesDurableDuringTheReplay) {
    open_log();
    publish(80);
    serve();
    Chain chain;
    const auto client = follow(client_options(), chain);
    publish(120);
    ASSERT_TRUE(chain.wait_for(200));
    EXPECT_EQ(chain.records(), m_records);
}

TEST_F(Feed, SendsRecordsByteForByteFromTheNumberAskedFor) {
    open_log();
    publish(20, 30);
    serve();
    RawPeer peer = greeted();
    const auto state = peer.expect<FeedState>();
    EXPECT_EQ(state.first, 1u);
    EXPECT_EQ(state.last, 20u);
    peer.send(Follow{17});
    for (std::size_t number = 17; number <= 20; ++number)
        EXPECT_TRUE(equal(peer.expect<Record>().record, m_records[number - 1])) << number;
    publish(1, 0);
    EXPECT_TRUE(equal(peer.expect<Record>().record, m_records[20]));
    peer.send(Follow{17});
    EXPECT_EQ(peer.expect<Error>().code, ErrorCode::Unexpected);
}

TEST_F(Feed, WaitsForTheFirstFrameOfAnEmptyLog) {
    serve();
    Chain chain;
    const auto client = follow(client_options(), chain);
    ASSERT_TRUE(eventually([&] { return client->status().connected; }));
    publish(3);
    ASSERT_TRUE(chain.wait_for(3));
    EXPECT_EQ(chain.records(), m_records);
}

TEST_F(Feed, ResumesAcrossRestartsOfTheServer) {
    serve();
    Chain chain;
    const auto client = follow(client_options(), chain);
    for (int life = 0; life < 4; ++life) {
        publish(10);
        if (life % 2 == 0) {
            ASSERT_TRUE(chain.wait_for(m_records.size()));
        }
        close();
        open_log();
        publish(5);  // while nobody listens
        serve();
    }
    ASSERT_TRUE(chain.wait_for(60));
    EXPECT_EQ(chain.records(), m_records);
    EXPECT_GE(client->status().connections, 2u);
}

TEST_F(Feed, ResumesAcrossRestartsOfTheClient) {
    serve();
    Chain chain;
    for (int life = 0; life < 4; ++life) {
        const auto client = follow(client_options(), chain);
        publish(20);
        ASSERT_TRUE(chain.wait_for(m_records.size() - 10));
    }
    const auto client = follow(client_options(), chain);
    ASSERT_TRUE(chain.wait_for(80));
    EXPECT_EQ(chain.records(), m_records);
}

TEST_F(Feed, StopsReadingWhileTheSinkHasNoRoomAndLosesNothing) {
    m_options.queued_size_max = 4'000;
    m_options.recent_size_max = 10'000;
    serve();
    Chain chain;
    chain.set_room(5);
    const auto client = follow(client_options(), chain);
    publish(200, 200);  // megabytes: more than sockets hold
    ASSERT_TRUE(chain.wait_for(5));
    EXPECT_EQ(chain.records().size(), 5u);
    for (const std::size_t room : {1, 20, 1'000}) {
        chain.set_room(room);
        client->resume();
        ASSERT_TRUE(chain.wait_for(std::min<std::size_t>(room + 5, 200)));
    }
    ASSERT_TRUE(chain.wait_for(200));
    EXPECT_EQ(chain.records(), m_records);
    EXPECT_EQ(client->status().connections, 1u);
}

TEST_F(Feed, ReadsBackFromTheLogWhatASlowFollowerMissed) {
    m_options.queued_size_max = 4'000;
    m_options.recent_size_max = 10'000;
    serve();
    RawPeer slow = greeted();
    slow.send(Follow{1});
    publish(200, 200);
    for (const Bytes& record : m_records)
        ASSERT_TRUE(equal(slow.expect<Record>().record, record));
    EXPECT_GT(m_server->status().records_read, 100u);
}

TEST_F(Feed, TellsAFollowerThatTheLogHasOvertaken) {
    m_options.queued_size_max = 4'000;
    m_options.recent_size_max = 10'000;
    m_log_options.segment_size_max = 200'000;
    serve();
    RawPeer slow = greeted();
    slow.send(Follow{1});
    publish(1'000, 100);  // more than sockets hold
    const auto first = m_log->drop_to_size(500'000);
    ASSERT_TRUE(first);
    std::uint64_t got = 0;
    for (auto message = slow.read(); message; message = slow.read()) {
        if (const auto* record = std::get_if<Record>(&*message)) {
            ASSERT_TRUE(equal(record->record, m_records[got++]));
        } else if (const auto* error = std::get_if<Error>(&*message)) {
            EXPECT_EQ(error->code, ErrorCode::TooSlow);
            EXPECT_EQ(error->number, got);
            EXPECT_NE(error->text.find("begins with " + std::to_string(*first)), std::string::npos)
                << error->text;
        }
    }
    EXPECT_GT(got, 0u);
    EXPECT_LT(got, *first);
    EXPECT_EQ(m_server->status().too_slow, 1u);
}

TEST_F(Feed, NamesTheFirstFrameThatItHasAndTheRemedy) {
    open_log();
    publish(300);
    const auto first = m_log->drop_to_size(30'000);
    ASSERT_TRUE(first);
    ASSERT_GT(*first, 1u);
    serve();
    RawPeer peer = greeted();
    peer.send(Follow{*first - 1});
    const auto error = peer.expect<Error>();
    EXPECT_EQ(error.code, ErrorCode::NotRetained);
    EXPECT_EQ(error.number, *first);
    EXPECT_NE(error.text.find("restore a snapshot"), std::string::npos);
    EXPECT_TRUE(peer.ended());
    // A client says so, too, and goes on trying.
    Chain chain;
    const auto client = follow(client_options(), chain);
    ASSERT_TRUE(eventually([&] { return client->status().connections >= 2; }));
    EXPECT_NE(client->status().error.find("restore a snapshot"), std::string::npos) << client->status().error;
    RawPeer ahead = greeted();
    ahead.send(Follow{302});
    const auto not_yet = ahead.expect<Error>();
    EXPECT_EQ(not_yet.code, ErrorCode::NotYet);
    EXPECT_EQ(not_yet.number, 300u);
    RawPeer zero = greeted();
    zero.send(Follow{0});
    EXPECT_EQ(zero.expect<Error>().code, ErrorCode::BadMessage);
}

TEST_F(Feed, TurnsAwayFollowersOfAnotherChain) {
    serve();
    ChainIdentity other = test_chain();
    other.genesis_hash.bytes[31] ^= 1;
    Chain chain;
    auto client = FeedClient::make(client_options(), other, chain);
    ASSERT_TRUE(client);
    (*client)->start();
    ASSERT_TRUE(eventually([&] { return !(*client)->status().error.empty(); }));
    EXPECT_NE((*client)->status().error.find("chain: this server is of chain 1234321"), std::string::npos)
        << (*client)->status().error;
    EXPECT_FALSE(FeedClient::make({}, other, chain));
    FeedClientOptions bad = client_options();
    bad.addresses.push_back("nowhere");
    EXPECT_FALSE(FeedClient::make(bad, other, chain));
}

TEST_F(Feed, SurvivesGarbageFromFollowers) {
    serve();
    publish(3);
    RawPeer garbage(m_port, kFeed);
    garbage.send(Bytes(100, 0xff));
    EXPECT_EQ(garbage.expect<Error>().code, ErrorCode::BadMessage);
    RawPeer oversized = greeted();
    oversized.send(Bytes{0xff, 0xff, 0xff, 0x7f, 17});
    EXPECT_EQ(oversized.expect<Error>().code, ErrorCode::TooLarge);
    RawPeer backwards = greeted();
    backwards.send(Record{m_records[0]});
    EXPECT_EQ(backwards.expect<Error>().code, ErrorCode::BadMessage);
    Chain chain;
    const auto client = follow(client_options(), chain);
    EXPECT_TRUE(chain.wait_for(3));
}

TEST_F(Feed, AnswersNoFloodOfPingsWithoutEnd) {
    constexpr std::uint64_t kPings = 2'000'000;  // more answers than sockets hold
    serve();
    RawPeer peer = greeted();
    Bytes flood;
    for (std::uint64_t token = 1; token <= kPings; ++token)
        encode(flood, Ping{token});
    peer.send(flood);
    peer.send(Follow{1});
    publish(1);
    std::uint64_t answered = 0;
    for (auto message = peer.read(); message && !std::holds_alternative<Record>(*message);
         message = peer.read())
        answered += std::holds_alternative<Pong>(*message) ? 1 : 0;
    EXPECT_GT(answered, 0u);
    EXPECT_LT(answered, kPings);
}

// A server that says what the test likes: the client takes the good frames of it, refuses what is none, and
// finds the rest with an honest server.
class LyingFeed : public Feed {
protected:
    LyingFeed() : m_acceptor(m_io, {boost::asio::ip::make_address("127.0.0.1"), 0}) {}

    // Follows the liar first, then the honest server, to the end.
    void expect_recovery(const std::vector<Message>& lies, const std::string& refusal) {
        serve();
        if (m_records.empty())
            publish(10);
        FeedClientOptions options = client_options();
        options.addresses.insert(options.addresses.begin(),
                                 "127.0.0.1:" + std::to_string(m_acceptor.local_endpoint().port()));
        Chain chain;
        const auto client = follow(options, chain);
        {
            RawPeer liar(kFeed, m_acceptor);
            (void)liar.expect<Hello>();
            liar.send(Welcome{kVersion, test_chain(), 30'000});
            (void)liar.expect<Follow>();
            for (const Message& lie : lies)
                liar.send(lie);
            if (!refusal.empty()) {
                const auto error = liar.expect<Error>();
                EXPECT_NE(error.text.find(refusal), std::string::npos) << error.text;
            }
        }
        ASSERT_TRUE(chain.wait_for(10));
        EXPECT_EQ(chain.records(), m_records);
    }
    const Bytes& record(std::size_t number) {
        if (m_records.empty()) {
            open_log();
            publish(10);
        }
        return m_records[number - 1];
    }
    // The record of another chain of frames, signed by `key`.
    static Bytes forged(std::uint8_t key, const frames::FrameTip& tip) {
        FrameMaker maker(7, tip);
        const auto frame = frames::decode_record(maker.next());
        const auto sections = frames::encode_sections(frame->content);
        return frames::encode_record(*frames::sign_header(frame->head.header, frames::testing::signer(key)),
                                     *sections);
    }

    boost::asio::io_context m_io;
    boost::asio::ip::tcp::acceptor m_acceptor;
};

TEST_F(LyingFeed, RefusesAForgedSignature) {
    Bytes forged = record(1);
    auto frame = *frames::decode_record(forged);
    frame.head.signature[10] ^= 1;
    forged = frames::encode_record(frame.head, *frames::encode_sections(frame.content));
    expect_recovery({Record{forged}}, "sign");
}

TEST_F(LyingFeed, RefusesAFrameThatIsNotSignedByTheSequencer) {
    const Bytes lie = forged(2, frames::genesis_tip(test_chain().chain_id, test_chain().genesis_hash));
    expect_recovery({Record{lie}}, "signer");
}

TEST_F(LyingFeed, RefusesABrokenHashChain) {
    const Bytes first = record(1);
    frames::FrameTip tip = frames::tip_of(frames::peek(first)->head);
    tip.hash.bytes[0] ^= 1;
    const Bytes lie = forged(1, tip);
    expect_recovery({Record{first}, Record{lie}}, "parent hash");
}

TEST_F(LyingFeed, RefusesAGapAndARepetition) {
    const Bytes first = record(1), third = record(3);
    expect_recovery({Record{first}, Record{third}}, "number: 3, expected 2");
}

TEST_F(LyingFeed, RefusesAChangedRecord) {
    Bytes changed = record(2);
    changed[changed.size() / 2] ^= 1;
    const Bytes first = record(1);
    expect_recovery({Record{first}, Record{changed}}, "checksum");
}

TEST_F(LyingFeed, RefusesAMessageForServers) {
    (void)record(1);
    expect_recovery({Follow{3}}, "not one that a client of the feed protocol takes");
}

TEST_F(LyingFeed, GivesUpAMessageThatEndsAmidTheConnection) {
    serve();
    publish(10);
    FeedClientOptions options = client_options();
    options.addresses.insert(options.addresses.begin(),
                             "127.0.0.1:" + std::to_string(m_acceptor.local_endpoint().port()));
    Chain chain;
    const auto client = follow(options, chain);
    {
        RawPeer liar(kFeed, m_acceptor);
        (void)liar.expect<Hello>();
        liar.send(Welcome{kVersion, test_chain(), 30'000});
        (void)liar.expect<Follow>();
        Bytes half;
        encode(half, Record{m_records[0]});
        liar.send(BytesView(half).first(half.size() / 2));
    }
    ASSERT_TRUE(chain.wait_for(10));
    EXPECT_EQ(chain.records(), m_records);
}

TEST_F(LyingFeed, RefusesAServerOfAnotherChain) {
    serve();
    publish(10);
    FeedClientOptions options = client_options();
    options.addresses.insert(options.addresses.begin(),
                             "127.0.0.1:" + std::to_string(m_acceptor.local_endpoint().port()));
    Chain chain;
    const auto client = follow(options, chain);
    {
        RawPeer liar(kFeed, m_acceptor);
        (void)liar.expect<Hello>();
        ChainIdentity other = test_chain();
        other.chain_id = 5;
        liar.send(Welcome{kVersion, other, 30'000});
        EXPECT_EQ(liar.expect<Error>().code, ErrorCode::WrongChain);
    }
    ASSERT_TRUE(chain.wait_for(10));
}

}  // namespace
}  // namespace meridian::wire
