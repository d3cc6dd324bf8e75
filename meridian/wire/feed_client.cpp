#include <meridian/wire/feed_client.hpp>

#include <meridian/wire/connector.hpp>

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
    FeedClientStatus status() const {
        const std::unique_lock lock(m_mutex);
        return m_status;
    }

private:
    class Link;

    const std::string& address() const { return m_options.addresses[m_turn % m_options.addresses.size()]; }
    void connect();
    void on_connected(Result<Tcp::socket, std::string> socket);
    void on_link_end(const std::string& why);
    void try_later(const std::string& why);
    void offer_held();
    // False if the record waits for room, or its source is not to be believed any more.
    bool offer(BytesView record);
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
    std::uint64_t m_turn = 0;     // of the addresses
    std::uint64_t m_backoff_ms;
    std::minstd_rand m_random;
    std::atomic<bool> m_resuming = false;
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

private:
    void on_ready() override { send(Follow{m_client.m_sink.wanted()}); }
    void on_error(const Error& error) override { m_why = error.text; }
    void on_end(const std::string& why) override { m_client.on_link_end(m_why.empty() ? why : m_why); }
    void on_message(const Message& message) override {
        if (const auto* record = std::get_if<Record>(&message))
            m_client.offer(record->record);
        else if (const auto* state = std::get_if<FeedState>(&message))
            m_client.change_status([&](FeedClientStatus& status) {
                status.server_first = state->first;
                status.server_last = state->last;
            });
    }

    Impl& m_client;
    std::string m_why;
};

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

bool FeedClient::Impl::offer(BytesView record) {
    const auto taken = m_sink.offer(record);
    if (!taken) {
        m_link->refuse({ErrorCode::BadMessage, m_sink.wanted(), "record: " + taken.error()});
        return false;
    }
    if (!*taken) {
        m_link->pause();
        m_held = to_bytes(record);
        return false;
    }
    m_backoff_ms = m_options.backoff_ms_min;
    change_status([](FeedClientStatus& status) {
        ++status.records;
        status.error.clear();
    });
    return true;
}

void FeedClient::Impl::offer_held() {
    m_resuming = false;
    if (!m_link || !m_held)
        return;
    const Bytes record = *std::exchange(m_held, std::nullopt);
    if (offer(record))
        m_link->resume();
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
FeedClientStatus FeedClient::status() const {
    return m_impl->status();
}

}  // namespace meridian::wire
