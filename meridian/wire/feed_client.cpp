#include <meridian/wire/feed_client.hpp>

#include <meridian/wire/connector.hpp>
#include <meridian/wire/identity.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include <mutex>
#include <random>
#include <thread>

namespace meridian::wire {

class FeedClient::Impl {
public:
    Impl(const FeedClientOptions& options, const ChainIdentity& chain, sequencer::RecordSink& sink)
        : m_options(options),
          m_chain(chain),
          m_sink(sink),
          m_backoff_ms(options.backoff_ms_min),
          m_random(std::random_device{}()) {
        m_status.address = options.addresses.front();
    }

    void start() {
        // The logger exists before there are threads that use it: how its library makes it is hidden from
        // ThreadSanitizer.
        (void)spdlog::default_logger_raw();
        asio::post(m_io, [this] { connect(); });
        m_thread = std::thread([this] {
            const auto work = asio::make_work_guard(m_io);
            m_io.run();
        });
    }
    void stop();
    void resume() {
        if (!m_resuming.exchange(true))
            asio::post(m_io, [this] { offer_held(); });
    }
    void acknowledge() {
        if (!m_acknowledging.exchange(true))
            asio::post(m_io, [this] { tell_held(); });
    }
    FeedClientStatus status() const {
        const std::unique_lock lock(m_mutex);
        return m_status;
    }

private:
    class Link;
    // Whether a frame may be shown as soon as it is there.
    enum class Shown : std::uint8_t { No, Yes };

    const std::string& address() const { return m_options.addresses[m_turn % m_options.addresses.size()]; }
    void connect();
    void on_connected(Result<Tcp::socket, std::string> socket);
    void on_link_end(const std::string& why);
    void try_later(const std::string& why);
    void offer_held();
    void tell_held();
    // False if the record waits for room, or its source is not to be believed any more.
    bool offer(BytesView record, Shown shown);
    template <class Change>
    void change_status(const Change& change) {
        const std::unique_lock lock(m_mutex);
        change(m_status);
    }

    FeedClientOptions m_options;
    ChainIdentity m_chain;
    sequencer::RecordSink& m_sink;
    asio::io_context m_io{1};
    asio::steady_timer m_timer{m_io};
    std::shared_ptr<Connector> m_connector;
    std::shared_ptr<Link> m_link;
    std::optional<Bytes> m_held;  // a record that the sink had no room for
    Shown m_held_shown = Shown::Yes;
    std::uint64_t m_turn = 0;  // of the addresses
    std::uint64_t m_backoff_ms;
    std::minstd_rand m_random;
    std::atomic<bool> m_resuming = false, m_acknowledging = false;
    mutable std::mutex m_mutex;
    FeedClientStatus m_status;
    std::thread m_thread;
};

class FeedClient::Impl::Link final : public Session {
public:
    Link(Impl& client, Tcp::socket socket)
        : Session(std::move(socket), Side::Client, Protocol::Feed, client.m_chain, client.m_options.session),
          m_client(client) {}
    using Session::pause;
    using Session::resume;
    // Acknowledges what is new.
    void tell_held();

private:
    void on_ready() override {
        // One that acknowledges waits for the state: a server that asks who it is has done so before.
        if (!m_client.m_options.acknowledging)
            follow();
    }
    void on_error(const Error& error) override {
        m_why = error.text;
        if (error.code == ErrorCode::Diverged)
            m_client.change_status([&](FeedClientStatus& status) { status.diverged = error.text; });
    }
    void on_end(const std::string& why) override { m_client.on_link_end(m_why.empty() ? why : m_why); }
    void on_written() override { send_fetched(); }
    void on_message(const Message& message) override;
    void on_state(const FeedState& state);
    void on_replication(const Message& message);
    void on_challenge(const Challenge& challenge);
    void on_fetch(const Fetch& fetch);
    void send_fetched();
    void follow() {
        m_following = true;
        send(Follow{m_client.m_sink.wanted()});
    }

    Impl& m_client;
    std::string m_why;
    bool m_following = false;
    bool m_identified = false;
    std::uint64_t m_acknowledged = 0;
    // Frames that the server has asked for.
    std::optional<frames::Cursor> m_fetched;
    std::uint64_t m_fetch_last = 0;
};

void FeedClient::Impl::Link::on_message(const Message& message) {
    if (const auto* record = std::get_if<Record>(&message))
        m_client.offer(record->record, Shown::Yes);
    else if (const auto* state = std::get_if<FeedState>(&message))
        on_state(*state);
    else if (const auto* challenge = std::get_if<Challenge>(&message))
        on_challenge(*challenge);
    else if (m_identified)
        on_replication(message);
    else
        refuse({ErrorCode::Unexpected, 0, "a message for replicas that have said who they are"});
}

void FeedClient::Impl::Link::on_state(const FeedState& state) {
    m_client.change_status([&](FeedClientStatus& status) {
        status.server_first = state.first;
        status.server_last = state.last;
    });
    if (m_identified)
        tell_held();
    else if (!m_following)
        follow();
}

// --- of a replica that acknowledges -----------------------------------------------------------------------

void FeedClient::Impl::Link::on_challenge(const Challenge& challenge) {
    const auto& acknowledging = m_client.m_options.acknowledging;
    if (!acknowledging)
        return;
    if (m_following || m_identified)
        return refuse({ErrorCode::Unexpected, 0, "challenge: want it once, behind the greetings"});
    const auto signature = acknowledging->identity->sign(identity_hash(m_client.m_chain, challenge.nonce));
    if (!signature)
        return end("the replica's key gives no signature");
    send(Identify{*signature});
    m_identified = true;
}

void FeedClient::Impl::Link::on_replication(const Message& message) {
    if (const auto* proposal = std::get_if<Proposal>(&message))
        m_client.offer(proposal->record, Shown::No);
    else if (const auto* release = std::get_if<Release>(&message))
        m_client.m_sink.release(release->number);
    else if (const auto* fetch = std::get_if<Fetch>(&message))
        on_fetch(*fetch);
}

// What was taken before this connection is held first: the server has to know of it.
void FeedClient::Impl::Link::tell_held() {
    if (!m_identified)
        return;
    const sequencer::HeldFrame held = m_client.m_sink.held();
    if (!m_following && held.number + 1 != m_client.m_sink.wanted())
        return;
    if (m_following && held.number <= m_acknowledged)
        return;
    m_acknowledged = held.number;
    send(Acknowledge{held.number, held.hash});
    m_client.change_status([&](FeedClientStatus& status) { status.acknowledged = held.number; });
    if (!m_following)
        follow();
}

void FeedClient::Impl::Link::on_fetch(const Fetch& fetch) {
    const frames::FrameLog& log = *m_client.m_options.acknowledging->log;
    if (m_fetched || fetch.first > fetch.last || fetch.last > m_acknowledged)
        return refuse({ErrorCode::Unexpected, 0, "fetch: want frames that were acknowledged, and one range"});
    if (fetch.first < log.first())
        return refuse({ErrorCode::NotRetained, log.first(),
                       "fetch: frame " + std::to_string(fetch.first) +
                           " is not in the replica's log, which begins "
                           "with frame " +
                           std::to_string(log.first()) +
                           ": restore a snapshot on the sequencer that ends with that frame or a later one"});
    spdlog::warn("the sequencer has lost frames {} to {}, and gets them back", fetch.first, fetch.last);
    m_fetched.emplace(log.from(fetch.first, frames::Reach::Written));
    m_fetch_last = fetch.last;
    send_fetched();
}

void FeedClient::Impl::Link::send_fetched() {
    while (m_fetched && !closing() && queued_size() < m_client.m_options.queued_size_max) {
        auto record = m_fetched->next();
        if (!record || !*record)
            return refuse({ErrorCode::LogUnreadable, m_fetched->number(),
                           record ? "fetch: the frame is gone" : "fetch: the frame cannot be read"});
        if (m_fetched->number() > m_fetch_last)
            m_fetched.reset();
        send_record(Kind::Held, std::make_shared<const Bytes>(**std::move(record)));
    }
}

// --- connections ------------------------------------------------------------------------------------------

void FeedClient::Impl::connect() {
    change_status([this](FeedClientStatus& status) { status.address = address(); });
    m_connector = std::make_shared<Connector>(
        m_io, address(),
        [this](Result<Tcp::socket, std::string> socket) { on_connected(std::move(socket)); });
    m_connector->start(m_options.connect_ms_max);
}

void FeedClient::Impl::on_connected(Result<Tcp::socket, std::string> socket) {
    if (!socket)
        return try_later(socket.error());
    change_status([](FeedClientStatus& status) {
        status.connected = true;
        ++status.connections;
    });
    spdlog::info("the feed at {} is followed from frame {} on", address(), m_sink.wanted());
    m_link = std::make_shared<Link>(*this, *std::move(socket));
    m_link->start();
}

void FeedClient::Impl::on_link_end(const std::string& why) {
    m_held.reset();  // it comes again
    m_link.reset();
    try_later("the feed at " + address() + ": " + why);
}

void FeedClient::Impl::try_later(const std::string& why) {
    change_status([&](FeedClientStatus& status) {
        status.connected = false;
        status.acknowledged.reset();
        status.error = why;
    });
    const std::uint64_t wait_ms = m_backoff_ms / 2 + m_random() % (m_backoff_ms / 2 + 1);
    spdlog::warn("{}; next try in {} ms", why, wait_ms);
    m_backoff_ms = std::min(2 * m_backoff_ms, m_options.backoff_ms_max);
    ++m_turn;
    m_timer.expires_after(std::chrono::milliseconds(wait_ms));
    m_timer.async_wait([this](error_code ec) {
        if (!ec)
            connect();
    });
}

bool FeedClient::Impl::offer(BytesView record, Shown shown) {
    const auto taken = m_sink.offer(record);
    if (!taken) {
        m_link->refuse({ErrorCode::BadMessage, m_sink.wanted(), "record: " + taken.error()});
        return false;
    }
    if (!*taken) {
        m_link->pause();
        m_held = to_bytes(record);
        m_held_shown = shown;
        return false;
    }
    if (shown == Shown::Yes)
        m_sink.release(m_sink.wanted() - 1);
    m_backoff_ms = m_options.backoff_ms_min;
    change_status([](FeedClientStatus& status) {
        ++status.records;
        status.error.clear();
        status.diverged.clear();
    });
    return true;
}

void FeedClient::Impl::offer_held() {
    m_resuming = false;
    if (!m_link || !m_held)
        return;
    const Bytes record = *std::exchange(m_held, std::nullopt);
    if (offer(record, m_held_shown))
        m_link->resume();
}

void FeedClient::Impl::tell_held() {
    m_acknowledging = false;
    if (m_link)
        m_link->tell_held();
}

void FeedClient::Impl::stop() {
    if (!m_thread.joinable())
        return;
    asio::post(m_io, [this] { m_io.stop(); });
    m_thread.join();
}

FeedClient::FeedClient(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
FeedClient::~FeedClient() {
    stop();
}

Result<std::unique_ptr<FeedClient>, std::string> FeedClient::make(const FeedClientOptions& options,
                                                                  const ChainIdentity& chain,
                                                                  sequencer::RecordSink& sink) {
    if (options.addresses.empty())
        return fail(std::string("no address of a feed: name one as host:port"));
    for (const std::string& address : options.addresses)
        if (const auto parsed = parse_address(address); !parsed)
            return fail(parsed.error());
    return std::unique_ptr<FeedClient>(new FeedClient(std::make_unique<Impl>(options, chain, sink)));
}

void FeedClient::start() {
    m_impl->start();
}
void FeedClient::stop() {
    m_impl->stop();
}
void FeedClient::resume() {
    m_impl->resume();
}
void FeedClient::acknowledge() {
    m_impl->acknowledge();
}
FeedClientStatus FeedClient::status() const {
    return m_impl->status();
}

}  // namespace meridian::wire
