#include <meridian/wire/feed_server.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/wire/identity.hpp>
#include <meridian/wire/port.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include <future>
#include <mutex>

namespace meridian::wire {
namespace {

// Bytes that one follower's turn reads from the log, before others have theirs.
constexpr std::size_t kTurnSize = std::size_t{1} << 20;

// The last records, by number. Thread-safe.
class RecentRecords {
public:
    explicit RecentRecords(std::size_t size_max) : m_size_max(size_max) {}

    void add(std::uint64_t number, std::shared_ptr<const Bytes> record) {
        const std::unique_lock lock(m_mutex);
        if (!m_records.empty() && number != m_first + m_records.size()) {
            m_records.clear();
            m_size = 0;
        }
        if (m_records.empty())
            m_first = number;
        m_size += record->size();
        m_records.push_back(std::move(record));
        while (m_size > m_size_max) {
            m_size -= m_records.front()->size();
            m_records.pop_front();
            ++m_first;
        }
    }
    // Null if it is not among them.
    std::shared_ptr<const Bytes> find(std::uint64_t number) const {
        const std::unique_lock lock(m_mutex);
        if (number < m_first || number - m_first >= m_records.size())
            return nullptr;
        return m_records[number - m_first];
    }

private:
    const std::size_t m_size_max;
    mutable std::mutex m_mutex;
    std::deque<std::shared_ptr<const Bytes>> m_records;
    std::uint64_t m_first = 0;
    std::size_t m_size = 0;
};

}  // namespace

class FeedServer::Impl {
public:
    Impl(const FeedServerOptions& options, const ChainIdentity& chain, const frames::FrameLog& log,
         sequencer::ReplicaQuorum* quorum)
        : m_options(options),
          m_chain(chain),
          m_log(log),
          m_quorum(quorum),
          m_replicas(quorum != nullptr ? quorum->options().replicas.size() : 0),
          m_recent(options.recent_size_max),
          m_port(options.port, "the feed's port",
                 [this](Tcp::socket socket) { return make_session(std::move(socket)); }) {}

    Result<void, std::string> start() { return m_port.start(); }
    void stop() { m_port.stop(); }
    std::uint16_t port() const noexcept { return m_port.port(); }
    FeedServerStatus status() const {
        return {.connections = m_port.connections(),
                .records_sent = m_records_sent,
                .bytes_sent = m_bytes_sent,
                .records_read = m_records_read,
                .too_slow = m_too_slow};
    }
    void on_frame(std::uint64_t number, std::shared_ptr<const Bytes> record) {
        if (m_quorum == nullptr)
            m_recent.add(number, std::move(record));
        wake_soon();
    }
    void on_logged(std::uint64_t number, std::shared_ptr<const Bytes> record) {
        m_recent.add(number, std::move(record));
        wake_soon();
    }
    void begin_adoption(sequencer::Adoption& adoption) { m_adoption = &adoption; }
    bool end_adoption();

private:
    class Follower;
    std::shared_ptr<Session> make_session(Tcp::socket socket);
    void wake_soon() {
        if (m_port.connections() != 0 && !m_waking.exchange(true))
            asio::post(m_port.io(), [this] { wake(); });
    }
    void wake();

    FeedServerOptions m_options;
    ChainIdentity m_chain;
    const frames::FrameLog& m_log;
    sequencer::ReplicaQuorum* m_quorum;
    std::vector<Follower*> m_replicas;  // those of the quorum that are connected, else null
    sequencer::Adoption* m_adoption = nullptr;
    RecentRecords m_recent;
    std::atomic<bool> m_waking = false;
    std::atomic<std::uint64_t> m_records_sent = 0, m_bytes_sent = 0, m_records_read = 0, m_too_slow = 0;
    Port m_port;
};

class FeedServer::Impl::Follower final : public Session {
public:
    Follower(Impl& server, Tcp::socket socket)
        : Session(std::move(socket), Side::Server, Protocol::Feed, server.m_chain,
                  server.m_options.port.session),
          m_server(server) {}

    // Sends what there is, as far as there is room.
    void pump();

private:
    void on_ready() override;
    void on_heartbeat() override { send_state(); }
    void on_written() override { pump(); }
    void on_error(const Error&) override {}
    void on_end(const std::string&) override;
    void on_message(const Message& message) override;
    void on_follow(const Follow& follow);
    void on_identify(const Identify& identify);
    void on_acknowledge(const Acknowledge& acknowledge);
    void on_held(BytesView record);
    void check_acknowledged();
    // Empty: nothing. Fails if the own log cannot be read.
    frames::LogResult<std::string> what_differs() const;
    void send_state() {
        const frames::FrameLog& log = m_server.m_log;
        send(FeedState{log.first(), log.last_durable()});
    }
    // The last frame that this one may have.
    std::uint64_t end() const {
        if (!m_replica)
            return m_server.m_log.last_durable();
        return m_reported ? m_server.m_log.last_written() : 0;
    }
    void tell_release();
    std::shared_ptr<const Bytes> read();
    void refuse_to_read(const frames::LogFailure& failure);

    Impl& m_server;
    std::uint64_t m_next = 0;  // zero: nothing is followed yet
    std::optional<frames::Cursor> m_cursor;
    bool m_posted = false;

    // Of a replica of the quorum.
    Hash m_nonce;
    std::optional<std::size_t> m_replica;  // its place
    std::optional<Acknowledge> m_acknowledged;
    bool m_reported = false;           // what it acknowledged is ours
    std::uint64_t m_told_release = 0;  // by a release, or a record
    // Of the frames that it was asked for; zero: none.
    std::uint64_t m_fetch_next = 0;
    std::uint64_t m_fetch_last = 0;
};

void FeedServer::Impl::Follower::on_ready() {
    if (m_server.m_quorum != nullptr) {
        m_nonce = draw_nonce();
        send(Challenge{m_nonce});
    }
    send_state();
}

void FeedServer::Impl::Follower::on_end(const std::string&) {
    m_cursor.reset();
    if (!m_replica || m_server.m_replicas[*m_replica] != this)
        return;
    m_server.m_replicas[*m_replica] = nullptr;
    m_server.m_quorum->disconnect(*m_replica);
    spdlog::warn("the replica {} is gone", to_hex0x(m_server.m_quorum->options().replicas[*m_replica]));
}

// The reader lets nothing else through.
void FeedServer::Impl::Follower::on_message(const Message& message) {
    if (const auto* follow = std::get_if<Follow>(&message))
        on_follow(*follow);
    else if (const auto* identify = std::get_if<Identify>(&message))
        on_identify(*identify);
    else if (const auto* acknowledge = std::get_if<Acknowledge>(&message))
        on_acknowledge(*acknowledge);
    else if (const auto* held = std::get_if<Held>(&message))
        on_held(held->record);
}

void FeedServer::Impl::Follower::on_follow(const Follow& follow) {
    if (m_next != 0)
        return refuse(
            {ErrorCode::Unexpected, 0, "follow: frames are followed already; open another connection"});
    if (m_replica && !m_acknowledged)
        return refuse({ErrorCode::Unexpected, 0, "follow: want an acknowledgement first"});
    const frames::FrameLog& log = m_server.m_log;
    const std::uint64_t first = log.first();
    // What a replica acknowledged may be on its way here.
    const std::uint64_t last =
        m_replica ? std::max(log.last_written(), m_acknowledged->number) : log.last_durable();
    if (follow.from == 0)
        return refuse({ErrorCode::BadMessage, 0, "follow: from: frames are numbered from 1"});
    if (follow.from < first)
        return refuse({ErrorCode::NotRetained, first,
                       "follow: frame " + std::to_string(follow.from) +
                           " is not kept any more; the first that can be had is " + std::to_string(first) +
                           ": restore a snapshot that ends with frame " + std::to_string(first - 1) +
                           " or a later one"});
    if (follow.from > last + 1)
        return refuse({ErrorCode::NotYet, last,
                       "follow: frame " + std::to_string(follow.from) + " is not there; the last one is " +
                           std::to_string(last) +
                           ": this node is behind the client, or has lost frames that the client holds"});
    m_next = follow.from;
    pump();
}

void FeedServer::Impl::Follower::pump() {
    std::size_t turn = 0;
    while (m_next != 0 && !closing() && m_next <= end() &&
           queued_size() < m_server.m_options.queued_size_max) {
        if (turn >= kTurnSize) {
            if (!std::exchange(m_posted, true))
                asio::post(executor(), [self = std::static_pointer_cast<Follower>(shared_from_this())] {
                    self->m_posted = false;
                    self->pump();
                });
            return;
        }
        auto record = m_server.m_recent.find(m_next);
        if (record) {
            m_cursor.reset();
        } else {
            record = read();
            if (!record)
                return;
            turn += record->size();
        }
        m_server.m_bytes_sent += record->size();
        ++m_server.m_records_sent;
        const bool released = m_next <= m_server.m_log.last_durable();
        // Before what it may not show it learns what it may, or it might wait for room for ever.
        released ? void(m_told_release = m_next) : tell_release();
        ++m_next;
        send_record(released ? Kind::Record : Kind::Proposal, std::move(record));
    }
    tell_release();
}

void FeedServer::Impl::Follower::tell_release() {
    if (!m_replica || !m_reported || m_next == 0 || queued_size() >= m_server.m_options.queued_size_max)
        return;
    const std::uint64_t released = std::min(m_server.m_log.last_durable(), m_next - 1);
    if (released > m_told_release)
        send(Release{m_told_release = released});
}

// --- replicas of the quorum -------------------------------------------------------------------------------

void FeedServer::Impl::Follower::on_identify(const Identify& identify) {
    sequencer::ReplicaQuorum* const quorum = m_server.m_quorum;
    if (quorum == nullptr || m_replica || m_next != 0)
        return refuse({ErrorCode::Unexpected, 0,
                       "identify: want it once, behind a challenge, before anything else is asked for"});
    const auto who = recover_identity(identity_hash(m_server.m_chain, m_nonce), identify.signature);
    if (!who)
        return refuse({ErrorCode::BadMessage, 0, "identify: signature: it is nobody's"});
    const auto replica = quorum->find(*who);
    if (!replica) {
        spdlog::warn("{} wants to acknowledge frames, but is none of log.replicas", to_hex0x(*who));
        return refuse(
            {ErrorCode::NotTrusted, 0,
             "identify: " + to_hex0x(*who) +
                 " is none of the sequencer's log.replicas: add it there, or set feed.acknowledge = "
                 "false here"});
    }
    Follower*& place = m_server.m_replicas[*replica];
    if (Follower* const before = std::exchange(place, this); before != nullptr)
        before->refuse({ErrorCode::Unexpected, 0, "another connection has identified as the same replica"});
    m_replica = replica;
    quorum->connect(*replica);
    spdlog::info("the replica {} is here", to_hex0x(*who));
}

void FeedServer::Impl::Follower::on_acknowledge(const Acknowledge& acknowledge) {
    if (!m_replica || m_fetch_next != 0)
        return refuse({ErrorCode::Unexpected, 0,
                       "acknowledge: want it behind an identity, and not amid frames that were asked for"});
    m_acknowledged = acknowledge;
    const std::uint64_t last = m_server.m_log.last_written();
    if (acknowledge.number <= last || m_server.m_adoption == nullptr)
        return check_acknowledged();
    m_fetch_next = last + 1;
    m_fetch_last = acknowledge.number;
    set_fetching(Fetching::Yes);
    spdlog::info("frames {} to {} are taken back from the replica {}", m_fetch_next, m_fetch_last,
                 to_hex0x(m_server.m_quorum->options().replicas[*m_replica]));
    send(Fetch{m_fetch_next, m_fetch_last});
}

void FeedServer::Impl::Follower::on_held(BytesView record) {
    if (m_server.m_adoption == nullptr || m_fetch_next == 0)
        return refuse({ErrorCode::Unexpected, 0, "held: nobody has asked for it"});
    const auto taken = m_server.m_adoption->offer(record);
    if (!taken) {
        spdlog::error("a frame that a replica holds is not taken: {}", taken.error());
        return refuse({ErrorCode::Diverged, m_fetch_next, "held: " + taken.error()});
    }
    if (!*taken) {
        spdlog::error("frame {}, which a replica holds, finds no room: the disk of the frame log is full",
                      m_fetch_next);
        return refuse({ErrorCode::LogUnreadable, m_fetch_next,
                       "held: the sequencer's disk is full: it is sent again in a while"});
    }
    if (++m_fetch_next <= m_fetch_last)
        return;
    m_fetch_next = 0;
    set_fetching(Fetching::No);
    check_acknowledged();
    m_server.wake();
}

void FeedServer::Impl::Follower::check_acknowledged() {
    const std::string replica = to_hex0x(m_server.m_quorum->options().replicas[*m_replica]);
    const auto differs = what_differs();
    if (!differs)
        return refuse({ErrorCode::LogUnreadable, m_acknowledged->number,
                       "acknowledge: the sequencer cannot read its frame " +
                           std::to_string(m_acknowledged->number) + " to compare"});
    if (const std::string& why = *differs; !why.empty()) {
        spdlog::error("the replica {} holds frames that are not this sequencer's: {}", replica, why);
        return refuse({ErrorCode::Diverged, m_acknowledged->number,
                       "acknowledge: " + why +
                           ": nobody was shown what this replica holds in its place; begin the replica anew, "
                           "with an empty node.data_dir or a snapshot"});
    }
    m_reported = true;
    m_server.m_quorum->acknowledge(*m_replica, m_acknowledged->number);
    if (m_server.m_adoption != nullptr) {
        if (const auto shown = m_server.m_adoption->show_released(); !shown)
            spdlog::error("{}", shown.error());
        m_server.wake();
    }
}

// Empty if the last frame acknowledged is ours. Below the log's beginning there is nothing to compare with.
frames::LogResult<std::string> FeedServer::Impl::Follower::what_differs() const {
    const frames::FrameLog& log = m_server.m_log;
    const std::uint64_t number = m_acknowledged->number;
    const std::string frame = "frame " + std::to_string(number);
    if (number > log.last_written())
        return frame + " is beyond the sequencer's last one, " + std::to_string(log.last_written());
    std::optional<Hash> ours;
    if (number == 0) {
        ours = m_server.m_chain.genesis_hash;
    } else if (const auto record = m_server.m_recent.find(number)) {
        ours = frames::peek(*record)->head.hash;
    } else if (number >= log.first()) {
        const auto header = log.header(number);
        if (!header)
            return fail(header.error());
        ours = header->hash;
    }
    if (!ours || *ours == m_acknowledged->hash)
        return std::string();
    return frame + " has hash " + to_hex0x(m_acknowledged->hash) + ", the sequencer's has " + to_hex0x(*ours);
}

// --- reading ----------------------------------------------------------------------------------------------

// Null if it cannot be read; the follower has been told then.
std::shared_ptr<const Bytes> FeedServer::Impl::Follower::read() {
    if (!m_cursor || m_cursor->number() != m_next)
        m_cursor.emplace(
            m_server.m_log.from(m_next, m_replica ? frames::Reach::Written : frames::Reach::Durable));
    auto record = m_cursor->next();
    if (!record) {
        refuse_to_read(record.error());
        return nullptr;
    }
    if (!*record)
        return nullptr;
    ++m_server.m_records_read;
    return std::make_shared<const Bytes>(std::move(**record));
}

void FeedServer::Impl::Follower::refuse_to_read(const frames::LogFailure& failure) {
    if (failure.error != frames::LogError::NotRetained)
        return refuse({ErrorCode::LogUnreadable, m_next,
                       "frame " + std::to_string(m_next) + " cannot be read from the log; ask another node"});
    ++m_server.m_too_slow;
    refuse({ErrorCode::TooSlow, m_next - 1,
            "too slow: the last frame sent is " + std::to_string(m_next - 1) + ", and the log begins with " +
                std::to_string(m_server.m_log.first()) + " now: restore a snapshot"});
}

std::shared_ptr<Session> FeedServer::Impl::make_session(Tcp::socket socket) {
    return std::make_shared<Follower>(*this, std::move(socket));
}

void FeedServer::Impl::wake() {
    m_waking = false;
    m_port.for_each([](Session& session) { static_cast<Follower&>(session).pump(); });
}

// What happens on the server's thread is seen by the caller's afterwards.
bool FeedServer::Impl::end_adoption() {
    std::promise<bool> ended;
    asio::post(m_port.io(), [this, &ended] {
        const sequencer::QuorumStatus status = m_quorum->status();
        const bool quiet = status.connected() == status.reported();
        if (quiet)
            m_adoption = nullptr;
        ended.set_value(quiet);
    });
    return ended.get_future().get();
}

FeedServer::FeedServer(const FeedServerOptions& options, const ChainIdentity& chain,
                       const frames::FrameLog& log, sequencer::ReplicaQuorum* quorum)
    : m_impl(std::make_unique<Impl>(options, chain, log, quorum)) {}
FeedServer::~FeedServer() {
    stop();
}
Result<void, std::string> FeedServer::start() {
    return m_impl->start();
}
void FeedServer::stop() {
    m_impl->stop();
}
std::uint16_t FeedServer::port() const noexcept {
    return m_impl->port();
}
FeedServerStatus FeedServer::status() const {
    return m_impl->status();
}
void FeedServer::on_frame(std::uint64_t number, std::shared_ptr<const Bytes> record) {
    m_impl->on_frame(number, std::move(record));
}
void FeedServer::on_logged(std::uint64_t number, std::shared_ptr<const Bytes> record) {
    m_impl->on_logged(number, std::move(record));
}
void FeedServer::begin_adoption(sequencer::Adoption& adoption) {
    m_impl->begin_adoption(adoption);
}
bool FeedServer::end_adoption() {
    return m_impl->end_adoption();
}

}  // namespace meridian::wire
