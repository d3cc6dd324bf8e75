#include <meridian/wire/feed_server.hpp>

#include <meridian/wire/port.hpp>

#include <boost/asio/post.hpp>

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
    Impl(const FeedServerOptions& options, const ChainIdentity& chain, const frames::FrameLog& log)
        : m_options(options),
          m_chain(chain),
          m_log(log),
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
        m_recent.add(number, std::move(record));
        if (m_port.connections() != 0 && !m_waking.exchange(true))
            asio::post(m_port.io(), [this] { wake(); });
    }

private:
    class Follower;
    std::shared_ptr<Session> make_session(Tcp::socket socket);
    void wake();

    FeedServerOptions m_options;
    ChainIdentity m_chain;
    const frames::FrameLog& m_log;
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
    void on_ready() override { send_state(); }
    void on_heartbeat() override { send_state(); }
    void on_written() override { pump(); }
    void on_error(const Error&) override {}
    void on_end(const std::string&) override { m_cursor.reset(); }
    void on_message(const Message& message) override;
    void send_state() {
        const frames::FrameLog& log = m_server.m_log;
        send(FeedState{log.first(), log.last_durable()});
    }
    std::shared_ptr<const Bytes> read();
    void refuse_to_read(const frames::LogFailure& failure);

    Impl& m_server;
    std::uint64_t m_next = 0;  // zero: nothing is followed yet
    std::optional<frames::Cursor> m_cursor;
    bool m_posted = false;
};

void FeedServer::Impl::Follower::on_message(const Message& message) {
    const auto* follow = std::get_if<Follow>(&message);
    if (follow == nullptr)
        return;  // the reader lets nothing else through
    if (m_next != 0)
        return refuse(
            {ErrorCode::Unexpected, 0, "follow: frames are followed already; open another connection"});
    const std::uint64_t first = m_server.m_log.first(), last = m_server.m_log.last_durable();
    if (follow->from == 0)
        return refuse({ErrorCode::BadMessage, 0, "follow: from: frames are numbered from 1"});
    if (follow->from < first)
        return refuse({ErrorCode::NotRetained, first,
                       "follow: frame " + std::to_string(follow->from) +
                           " is not kept any more; the first that can be had is " + std::to_string(first) +
                           ": restore a snapshot that ends with frame " + std::to_string(first - 1) +
                           " or a later one"});
    if (follow->from > last + 1)
        return refuse({ErrorCode::NotYet, last,
                       "follow: frame " + std::to_string(follow->from) + " is not there; the last one is " +
                           std::to_string(last) +
                           ": this node is behind the client, or has lost frames that the client holds"});
    m_next = follow->from;
    pump();
}

void FeedServer::Impl::Follower::pump() {
    std::size_t turn = 0;
    while (m_next != 0 && !closing() && m_next <= m_server.m_log.last_durable() &&
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
        ++m_next;
        send_record(std::move(record));
    }
}

// Null if it cannot be read; the follower has been told then.
std::shared_ptr<const Bytes> FeedServer::Impl::Follower::read() {
    if (!m_cursor || m_cursor->number() != m_next)
        m_cursor.emplace(m_server.m_log.from(m_next));
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
        return refuse(
            {ErrorCode::LogUnreadable, m_next,
             "frame " + std::to_string(m_next) + " cannot be read from the log: " + failure.message});
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

FeedServer::FeedServer(const FeedServerOptions& options, const ChainIdentity& chain,
                       const frames::FrameLog& log)
    : m_impl(std::make_unique<Impl>(options, chain, log)) {}
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

}  // namespace meridian::wire
